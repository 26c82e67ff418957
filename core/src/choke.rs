//! Who may request from us. Pure: statistics in, a choice out.
//!
//! Interested peers compete for upload slots, which are given out anew every
//! [`ChokeConfig::interval`]:
//!
//! * While we download, the peers that gave us most over the last twenty seconds win
//!   (tit-for-tat, BEP 3 "choking and optimistic unchoking"). A peer that owes us blocks
//!   (anti-snubbing) can't win.
//! * While we seed, half of the slots go to the peers that take fastest, and half in turns
//!   to those that wait longest, so that all are served, newcomers first. Peers that keep
//!   to themselves what nobody else has come last, or the pieces would not spread.
//! * One slot is luck, moved on every [`ChokeConfig::optimistic_interval`], so that
//!   newcomers get a first piece to trade with and better partners are found. Lots decide,
//!   and peers that owe us little draw better ones: whoever took as much as one can trade
//!   with, and gave nothing, has had its trial. Of those that owe us little, the ones that
//!   fell behind draw the best: what they have, others have too, so they can't trade their
//!   way back.
//!
//! A slot that nobody earned goes to whoever draws the best lot rather than to nobody.

use std::cmp::Reverse;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pieces::download::SessionId;
use crate::rng::Rng;
use crate::sorted::SortedSet;
use crate::time::Time;

/// How slots are given out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// However idle the link, there are no more slots (beyond the least) than can have this
    /// many bytes a second each: a block in four seconds. On a slow line that takes turns
    /// among too many, each waits for its block until it asks elsewhere.
    pub least_rate: u64,
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
    /// How much likelier than others a peer that owes us nothing, or less than half of the
    /// others do, is to get a slot that nobody earned, the optimistic one included. Four:
    /// free-riders get little, and somebody who fell behind still finds a way back.
    pub solvent_weight: usize,
    /// How much likelier than the others that owe us little one that fell behind is to get
    /// such a slot, while we download: eight times. Its neighbours have what it has, so it
    /// earns nothing and falls further behind; of hundreds, a few came in much later than
    /// the rest.
    pub behind_weight: usize,
    /// Who has less than this percentage of the pieces that the middle one of those who
    /// compete has fell behind. 95: early, or it has to catch up with much, and below what
    /// chance makes of equals.
    pub behind: u32,
    /// What a peer may owe us, in bytes and in pieces (the larger counts), before it comes
    /// last for such a slot, and loses one, while we download: 128 KiB and two pieces. That
    /// is enough to trade with. A free-rider gets it from every neighbour, and of hundreds
    /// of neighbours even little is a lot.
    pub trial: (u64, u32),
    /// While we seed, a peer that had so long to pass on what we gave it, or twice as long
    /// as a piece takes in one of our slots, and has not, comes last. Three seconds: in a
    /// swarm that is alive a rare piece is asked for at once.
    pub hoarding: Duration,
    /// How long a peer keeps a slot that it got in turn while we seed, if others wait:
    /// 30 seconds, as long as an optimistic one (libtorrent's `seeding_time_quota` is a
    /// minute at least).
    pub turn: Duration,
}

impl ChokeConfig {
    /// What a peer may owe us, with pieces of this length.
    pub fn trial(&self, piece_length: u32) -> u64 {
        let (bytes, pieces) = self.trial;
        bytes.max(u64::from(pieces) * u64::from(piece_length))
    }
}

impl Default for ChokeConfig {
    fn default() -> Self {
        ChokeConfig {
            slots: (5, 32),
            slot_rate: 16 << 10,
            least_rate: 4 << 10,
            interval: Duration::from_secs(10),
            optimistic_interval: Duration::from_secs(30),
            newcomer: Duration::from_secs(60),
            newcomer_weight: 3,
            solvent_weight: 4,
            behind_weight: 8,
            behind: 95,
            trial: (128 << 10, 2),
            hoarding: Duration::from_secs(3),
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
    /// Bytes that it took from us beyond what it gave us.
    pub debt: u64,
    /// That is more than [`ChokeConfig::trial`] allows.
    pub overdrawn: bool,
    /// How many pieces it has.
    pub pieces: u32,
    /// It has pieces that we alone gave it, and nobody got them from it.
    pub hoards: bool,
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
    /// How many slots the upload rate affords.
    slots: usize,
    /// Slots beyond that, because those who have one don't use the link up.
    extra: usize,
    /// The link was idle since the last round.
    idle: bool,
}

impl Choker {
    /// How many slots there are at the moment.
    pub fn slots(&self, config: &ChokeConfig) -> usize {
        let slots = self.slots.max(config.slots.0) + self.extra;
        slots.min(config.slots.1)
    }

    /// The link is idle though somebody waits for a slot: who has one asks for nothing, be
    /// it that it gets the same elsewhere. There is one slot more from now on, if the upload
    /// rate can bear it; one goes with each round in which the link was not idle.
    pub fn widen(&mut self, config: &ChokeConfig, rate: u64) {
        self.idle = true;
        let bearable = usize::try_from(rate / config.least_rate.max(1)).unwrap_or(usize::MAX);
        if self.slots(config) < config.slots.1.min(bearable) {
            self.extra += 1;
        }
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
    ) -> SortedSet<SessionId> {
        let affordable = (rate / config.slot_rate.max(1)).isqrt();
        // More than there may be, and `extra` could not be added.
        self.slots = usize::try_from(affordable).map_or(config.slots.1, |n| n.min(config.slots.1));
        if !std::mem::take(&mut self.idle) {
            self.extra = self.extra.saturating_sub(1);
        }
        let slots = self.slots(config);
        if candidates.len() <= slots {
            return candidates.iter().map(|c| c.session).collect();
        }
        let by_lot = draw_lots(now, config, candidates, seeding, rng);
        let mut order = by_lot.clone();
        let earned = slots.saturating_sub(1);
        let mut chosen: SortedSet<SessionId> = SortedSet::new();
        // Sorting is stable: lots decide between equals.
        if seeding {
            chosen.extend(longest_waiting(now, config, &mut order).take(earned / 2));
            sort(&mut order, |candidate| (candidate.hoards, candidate.takes));
        } else {
            sort(&mut order, |candidate| (candidate.snubbed, candidate.gives));
        }
        for candidate in &order {
            if chosen.len() >= earned {
                break;
            }
            chosen.insert(candidate.session);
        }
        if slots > 0 {
            chosen.extend(self.lucky(now, config, &by_lot, &chosen));
        }
        chosen
    }

    /// Who has the optimistic slot: the same as before until its time is up, then whoever
    /// drew the best lot of those who wait.
    fn lucky(
        &mut self,
        now: Time,
        config: &ChokeConfig,
        by_lot: &[Candidate],
        chosen: &SortedSet<SessionId>,
    ) -> Option<SessionId> {
        let mut waiting = by_lot.iter().filter(|c| !chosen.contains(&c.session));
        if let Some((session, until)) = self.optimistic
            && now < until
            && waiting.clone().any(|candidate| {
                candidate.session == session && !candidate.hoards && !candidate.overdrawn
            })
        {
            return Some(session);
        }
        let session = waiting.next()?.session;
        self.optimistic = Some((session, now + config.optimistic_interval));
        Some(session)
    }
}

/// Puts the candidates into a random order in which newcomers, and those who owe us less
/// than half of them do, tend to come first, most of all if they fell behind; whoever had
/// its trial comes last. Nobody is without a chance: who has nothing that we want can't pay
/// its debt.
fn draw_lots(
    now: Time,
    config: &ChokeConfig,
    candidates: &[Candidate],
    seeding: bool,
    rng: &mut Rng,
) -> Vec<Candidate> {
    let owes = |candidate: &Candidate| match seeding {
        true => u64::from(candidate.hoards),
        false => candidate.debt,
    };
    let debt = median(candidates.iter().map(owes).collect());
    let pieces = median(candidates.iter().map(|c| u64::from(c.pieces)).collect());
    let enough = pieces * u64::from(config.behind);
    let mut pot: Vec<(Candidate, usize)> = candidates
        .iter()
        .map(|candidate| {
            let mut tickets = 1;
            if now - candidate.since < config.newcomer {
                tickets *= config.newcomer_weight;
            }
            if owes(candidate) < debt || owes(candidate) == 0 {
                tickets *= config.solvent_weight;
                if !seeding && 100 * u64::from(candidate.pieces) < enough {
                    tickets *= config.behind_weight;
                }
            }
            (*candidate, tickets)
        })
        .collect();
    let mut drawn = Vec::with_capacity(pot.len());
    while !pot.is_empty() {
        let tickets: usize = pot.iter().map(|(_, tickets)| *tickets).sum();
        let mut ticket = rng.below(tickets);
        let place = pot.iter().position(|(_, tickets)| {
            let hit = ticket < *tickets;
            ticket = ticket.saturating_sub(*tickets);
            hit
        });
        drawn.push(pot.swap_remove(place.unwrap_or(0)).0);
    }
    if !seeding {
        sort(&mut drawn, |candidate| (candidate.overdrawn, 0));
    }
    drawn
}

/// Those without a mark before those with one, and among either who has more first. A pointer,
/// since sorting is code that a page would have once for each order.
fn sort(candidates: &mut [Candidate], mark_and_merit: fn(&Candidate) -> (bool, u64)) {
    candidates.sort_by_key(|candidate| {
        let (mark, merit) = mark_and_merit(candidate);
        (mark, Reverse(merit))
    });
}

/// The middle one of some numbers.
fn median(mut numbers: Vec<u64>) -> u64 {
    // They are few, and sorting them is code that is there.
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

/// Those whose turn it still is, then those who never had one, then those whose last one is
/// longest ago.
fn longest_waiting<'a>(
    now: Time,
    config: &ChokeConfig,
    order: &'a mut [Candidate],
) -> impl Iterator<Item = SessionId> + 'a {
    order.sort_by_key(|candidate| match (candidate.unchoked, candidate.choked) {
        _ if candidate.hoards => (4, Time::ZERO),
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
