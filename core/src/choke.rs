//! Who may request from us. Pure: statistics in, a choice out.
//!
//! Interested peers compete for a fixed number of slots. While we download, those that
//! give us most win (BEP 3, tit-for-tat); while we seed, those that take fastest. One
//! slot in four is given at random, so that newcomers get a first piece to trade with.

use std::collections::BTreeSet;

use crate::pieces::download::SessionId;
use crate::rng::Rng;

/// One interested peer.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Who.
    pub session: SessionId,
    /// What earns a slot, in bytes a second: received from it while we download, sent
    /// to it while we seed.
    pub rate: u64,
}

/// The sessions that are to be unchoked.
pub fn choose(candidates: &[Candidate], slots: usize, rng: &mut Rng) -> BTreeSet<SessionId> {
    let mut order = candidates.to_vec();
    // Shuffled first, so that equal rates are not settled by the order of arrival.
    rng.shuffle(&mut order);
    order.sort_by_key(|candidate| std::cmp::Reverse(candidate.rate));
    let optimistic = if order.len() > slots {
        slots.div_ceil(4)
    } else {
        0
    };
    let regular = slots - optimistic;
    let mut chosen: BTreeSet<_> = order.iter().take(regular).map(|c| c.session).collect();
    let mut rest: Vec<_> = order.iter().skip(regular).map(|c| c.session).collect();
    rng.shuffle(&mut rest);
    chosen.extend(rest.into_iter().take(optimistic));
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(rates: &[u64]) -> Vec<Candidate> {
        (0..)
            .zip(rates)
            .map(|(session, &rate)| Candidate { session, rate })
            .collect()
    }

    #[test]
    fn all_are_served_while_there_are_slots() {
        let chosen = choose(&candidates(&[0, 0, 9]), 4, &mut Rng::new(1));
        assert_eq!(chosen, BTreeSet::from([0, 1, 2]));
    }

    #[test]
    fn the_fastest_keep_their_slots_and_one_in_four_is_luck() {
        let rates = [50, 40, 30, 0, 0, 0, 0, 0, 0, 0];
        let mut lucky = BTreeSet::new();
        for seed in 0..200 {
            let chosen = choose(&candidates(&rates), 4, &mut Rng::new(seed));
            assert_eq!(chosen.len(), 4);
            assert!(chosen.is_superset(&BTreeSet::from([0, 1, 2])));
            lucky.extend(chosen.into_iter().filter(|session| *session > 2));
        }
        assert_eq!(lucky.len(), 7, "everybody has a chance");
    }
}
