//! What WebRTC peers offer each other by way of us: who has offered to whom lately.
//!
//! Two that offer to each other at the same time lose both connections, as each takes the
//! other's for a second one. So an offer from one to another is remembered for a while
//! ([`HubConfig::offer_memory`]), and until then neither is given another offer of the two in
//! that swarm; unless one of them leaves it, with whatever came of the first. It is also what an answer is let through by: only who was given an offer
//! answers it, once, and to whom that goes does not depend on what anybody calls itself.

use std::collections::{BTreeMap, VecDeque};

use super::{HubConfig, HubStats};
use crate::id::{InfoHash, MemberId};
use crate::time::Time;
use crate::wire::webtorrent::OfferId;

/// See the module.
#[derive(Debug)]
pub(super) struct Signal {
    config: HubConfig,
    /// The two of each offer that is remembered, both ways round, and until when.
    pairs: BTreeMap<(InfoHash, MemberId, MemberId), Time>,
    /// Who made an offer that somebody was given and has not answered.
    open: BTreeMap<(MemberId, InfoHash, OfferId), MemberId>,
    /// What is remembered, in the order in which it is forgotten.
    order: VecDeque<Offered>,
    /// How many of each member's.
    counts: BTreeMap<MemberId, usize>,
    handed: u64,
    answered: u64,
    held_back: u64,
}

#[derive(Debug)]
struct Offered {
    /// When it is forgotten.
    due: Time,
    info_hash: InfoHash,
    from: MemberId,
    to: MemberId,
    id: OfferId,
}

impl Signal {
    pub(super) fn new(config: HubConfig) -> Self {
        Signal {
            config,
            pairs: BTreeMap::new(),
            open: BTreeMap::new(),
            order: VecDeque::new(),
            counts: BTreeMap::new(),
            handed: 0,
            answered: 0,
            held_back: 0,
        }
    }

    /// Whether one may make an offer to the other.
    pub(super) fn may_offer(&self, info_hash: InfoHash, from: MemberId, to: MemberId) -> bool {
        from != to && !self.pairs.contains_key(&(info_hash, from, to))
    }

    /// An offer goes from one to the other, and is remembered from now on. False: it may not.
    pub(super) fn offer(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        [from, to]: [MemberId; 2],
        id: OfferId,
    ) -> bool {
        let count = self.counts.get(&from).copied().unwrap_or_default();
        let key = (to, info_hash, id);
        if count >= self.config.max_offers
            || !self.may_offer(info_hash, from, to)
            || self.open.contains_key(&key)
        {
            self.held_back += 1;
            return false;
        }
        let due = now + self.config.offer_memory;
        for pair in both_ways(info_hash, from, to) {
            self.pairs.insert(pair, due);
        }
        self.open.insert(key, from);
        self.counts.insert(from, count + 1);
        self.order.push_back(Offered {
            due,
            info_hash,
            from,
            to,
            id,
        });
        self.handed += 1;
        true
    }

    /// A member leaves a swarm: nothing that is to come between it and others there can cross.
    pub(super) fn leave(&mut self, member: MemberId, info_hash: InfoHash) {
        let with = |other| (info_hash, member, MemberId(other));
        let with = with(0)..=with(u32::MAX);
        let others: Vec<MemberId> = self.pairs.range(with).map(|(pair, _)| pair.2).collect();
        for other in others {
            for pair in both_ways(info_hash, member, other) {
                self.pairs.remove(&pair);
            }
        }
    }

    /// Somebody answers an offer that it was given: whose that was. None if it was given no
    /// such offer, has answered it already, or is too late.
    pub(super) fn answer(
        &mut self,
        by: MemberId,
        info_hash: InfoHash,
        id: OfferId,
    ) -> Option<MemberId> {
        let from = self.open.remove(&(by, info_hash, id))?;
        self.answered += 1;
        Some(from)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.order.front().map(|offered| offered.due)
    }

    /// Forgets what is old.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        while let Some(offered) = self.order.pop_front_if(|offered| offered.due <= now) {
            let Offered {
                due,
                info_hash,
                from,
                to,
                id,
            } = offered;
            for pair in both_ways(info_hash, from, to) {
                // There may have been a later one since.
                if self.pairs.get(&pair) == Some(&due) {
                    self.pairs.remove(&pair);
                }
            }
            self.open.remove(&(to, info_hash, id));
            let count = self.counts.get_mut(&from);
            let count = count.expect("who offered is counted");
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&from);
            }
        }
    }

    /// Fills in what it knows.
    pub(super) fn count(&self, stats: &mut HubStats) {
        stats.offers = self.handed;
        stats.answers = self.answered;
        stats.limited.held_back = self.held_back;
    }
}

fn both_ways(
    info_hash: InfoHash,
    one: MemberId,
    other: MemberId,
) -> [(InfoHash, MemberId, MemberId); 2] {
    [(info_hash, one, other), (info_hash, other, one)]
}
