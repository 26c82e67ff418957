//! Who may request from us. Pure: statistics in, a choice out.
//!
//! Interested peers compete for upload slots, which are given out anew every
//! [`ChokeConfig::interval`]:
//!
//! * While we download, the peers that gave us most over the last twenty seconds win
//!   (tit-for-tat, BEP 3 "choking and optimistic unchoking"). A peer that owes us blocks
//!   (anti-snubbing) can't win.
//! * While we seed, half of the slots go to the peers that take fastest, and half in turns
//!   to those that wait longest, so that all are served, newcomers first.
//! * One slot is luck, moved on every [`ChokeConfig::optimistic_interval`], so that
//!   newcomers get a first piece to trade with and better partners are found.
//!
//! A slot that nobody earned goes to somebody at random rather than to nobody.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pieces::download::SessionId;
use crate::rng::Rng;
use crate::time::Time;

/// How slots are given out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChokeConfig {
    /// Slots at least and at most, the optimistic one included; in between their number
    /// follows the upload rate, see `slot_rate`. BEP 3 has four and one more, which is the
    /// least here. None at all (0, 0) never uploads; as many as there may be peers never
    /// chokes.
    pub slots: (usize, usize),
    /// Another slot opens when all of them, it included, can have this many bytes a second
    /// *times the number of slots*: n slots need n² times this rate. So a slow line
    /// concentrates on a few peers, which then soon have whole pieces to trade, and a fast
    /// one finds enough takers. One block (16 KiB) a second; libtorrent's rate-based choker
    /// grows by the same square law, with 1 KiB, for slower lines than today's.
    pub slot_rate: u64,
    /// How often slots are given out: ten seconds (BEP 3), long enough for a link to come
    /// up to speed.
    pub interval: Duration,
    /// How often the optimistic slot moves on: 30 seconds (BEP 3), enough to take a piece
    /// and show what one gives for it.
    pub optimistic_interval: Duration,
    /// A peer counts as new for this long after it came. A minute: two turns of the
    /// optimistic slot.
    pub newcomer: Duration,
    /// How much likelier than others a newcomer is to get the optimistic slot: three times
    /// (BEP 3), because it has nothing to earn a slot with yet.
    pub newcomer_weight: usize,
    /// How long a peer keeps a slot that it got in turn while we seed, if others wait:
    /// 30 seconds, as long as an optimistic one (libtorrent's `seeding_time_quota` is a
    /// minute at least).
    pub turn: Duration,
}

impl Default for ChokeConfig {
    fn default() -> Self {
        ChokeConfig {
            slots: (5, 32),
            slot_rate: 16 << 10,
            interval: Duration::from_secs(10),
            optimistic_interval: Duration::from_secs(30),
            newcomer: Duration::from_secs(60),
            newcomer_weight: 3,
            turn: Duration::from_secs(30),
        }
    }
}

/// One interested peer.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Who.
    pub session: SessionId,
    /// Bytes a second that it gave us.
    pub gives: u64,
    /// Bytes a second that it took from us.
    pub takes: u64,
    /// It owes us blocks for too long.
    pub snubbed: bool,
    /// When it came.
    pub since: Time,
    /// It has a slot since then.
    pub unchoked: Option<Time>,
    /// When it last lost one.
    pub choked: Option<Time>,
}

/// Remembers what lasts longer than a round.
#[derive(Clone, Debug, Default)]
pub struct Choker {
    /// Whose slot is luck, and until when.
    optimistic: Option<(SessionId, Time)>,
    /// How many slots there are.
    slots: usize,
}

impl Choker {
    /// How many slots there are at the moment.
    pub fn slots(&self, config: &ChokeConfig) -> usize {
        self.slots.clamp(config.slots.0, config.slots.1)
    }

    /// The sessions that are to be unchoked. `rate` is what we upload in all, in bytes a
    /// second; `seeding` says that nobody can give us anything.
    pub fn choose(
        &mut self,
        now: Time,
        config: &ChokeConfig,
        candidates: &[Candidate],
        rate: u64,
        seeding: bool,
        rng: &mut Rng,
    ) -> BTreeSet<SessionId> {
        let affordable = (rate / config.slot_rate.max(1)).isqrt();
        self.slots = usize::try_from(affordable).unwrap_or(usize::MAX);
        let slots = self.slots(config);
        let mut order = candidates.to_vec();
        if order.len() <= slots {
            return order.iter().map(|candidate| candidate.session).collect();
        }
        // Shuffled first, so that equals are not settled by the order of arrival.
        rng.shuffle(&mut order);
        let earned = slots.saturating_sub(1);
        let mut chosen: BTreeSet<SessionId> = BTreeSet::new();
        if seeding {
            chosen.extend(longest_waiting(now, config, &mut order).take(earned / 2));
            order.sort_by_key(|candidate| Reverse(candidate.takes));
        } else {
            order.sort_by_key(|candidate| (candidate.snubbed, Reverse(candidate.gives)));
        }
        for candidate in &order {
            if chosen.len() >= earned {
                break;
            }
            chosen.insert(candidate.session);
        }
        if slots > 0 {
            chosen.extend(self.lucky(now, config, &order, &chosen, rng));
        }
        chosen
    }

    /// Who has the optimistic slot: the same as before until its time is up.
    fn lucky(
        &mut self,
        now: Time,
        config: &ChokeConfig,
        candidates: &[Candidate],
        chosen: &BTreeSet<SessionId>,
        rng: &mut Rng,
    ) -> Option<SessionId> {
        let waiting = || candidates.iter().filter(|c| !chosen.contains(&c.session));
        if let Some((session, until)) = self.optimistic
            && now < until
            && waiting().any(|candidate| candidate.session == session)
        {
            return Some(session);
        }
        let tickets: Vec<SessionId> = waiting()
            .flat_map(|candidate| {
                let new = now - candidate.since < config.newcomer;
                let tickets = if new { config.newcomer_weight } else { 1 };
                std::iter::repeat_n(candidate.session, tickets)
            })
            .collect();
        let session = *rng.choose(&tickets)?;
        self.optimistic = Some((session, now + config.optimistic_interval));
        Some(session)
    }
}

/// Those whose turn it still is, then those who never had one, then those whose last one is
/// longest ago.
fn longest_waiting<'a>(
    now: Time,
    config: &ChokeConfig,
    order: &'a mut [Candidate],
) -> impl Iterator<Item = SessionId> + 'a {
    order.sort_by_key(|candidate| match (candidate.unchoked, candidate.choked) {
        (Some(since), _) if now - since < config.turn => (0, Time::ZERO),
        (None, None) => (1, Time::ZERO),
        (None, Some(choked)) => (2, choked),
        // Its turn is over, however it came by the slot.
        (Some(_), _) => (3, Time::ZERO),
    });
    order.iter().map(|candidate| candidate.session)
}

#[cfg(test)]
mod tests;
