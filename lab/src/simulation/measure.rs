//! What is measured while a simulation runs.

use std::collections::BTreeMap;

use swarm_core::pieces::{Bitfield, PieceIndex};

use super::Nanos;
use crate::schedule::seconds;

/// Over the whole swarm.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) events: u64,
    /// Payload bytes that arrived at leechers.
    pub(super) received: u64,
    /// Payload bytes that left the peers' lines so far.
    sent: u64,
    /// Those of them that arrived at the hub.
    pub(super) relayed: u64,
    /// Direct links that came about,
    pub(super) linked: u64,
    /// and those of them that broke.
    pub(super) broken: u64,
    /// Payload bytes that all who were there could have sent until `since`.
    possible: f64,
    /// Bytes a second that those who are there now can send.
    capacity: f64,
    since: Nanos,
    /// `sent` and `possible` at the last completion.
    at_completion: Option<(u64, f64)>,
    /// How many peers hold each piece, and serve it.
    holders: Vec<u32>,
    /// Pieces that somebody holds.
    pub(super) available: Bitfield,
    /// Payload from peer to peer since the last snapshot.
    flows: BTreeMap<(usize, usize), (u64, bool)>,
    /// When somebody last got, wrote or hashed anything.
    pub(super) last_progress: Nanos,
    /// Pieces that a peer announced without having written them.
    pub(super) false_claims: u64,
    /// How often a peer had to be woken.
    pub(super) stalls: u64,
}

impl Measure {
    pub(super) fn new(pieces: u32) -> Self {
        Measure {
            events: 0,
            received: 0,
            sent: 0,
            relayed: 0,
            linked: 0,
            broken: 0,
            possible: 0.0,
            capacity: 0.0,
            since: 0,
            at_completion: None,
            holders: vec![0; pieces as usize],
            available: Bitfield::empty(pieces),
            flows: BTreeMap::new(),
            last_progress: 0,
            false_claims: 0,
            stalls: 0,
        }
    }

    /// Somebody who can send so many bytes a second came, or went (negative).
    pub(super) fn capacity(&mut self, now: Nanos, change: f64) {
        self.possible += self.capacity * seconds(now - self.since);
        self.since = now;
        self.capacity += change;
    }

    /// Payload bytes that left the peers' lines for each other, and not for the hub.
    pub(super) fn direct(&self) -> u64 {
        self.sent - self.relayed
    }

    pub(super) fn sent(&mut self, bytes: u64) {
        self.sent += bytes;
    }

    pub(super) fn completed(&mut self, now: Nanos) {
        self.capacity(now, 0.0);
        self.at_completion = Some((self.sent, self.possible));
    }

    /// Of the capacity until the last completion, or until now if there was none.
    pub(super) fn utilisation(&self, now: Nanos) -> f64 {
        let so_far = self.possible + self.capacity * seconds(now - self.since);
        let (sent, possible) = self.at_completion.unwrap_or((self.sent, so_far));
        if possible > 0.0 {
            sent as f64 / possible
        } else {
            0.0
        }
    }

    /// A copy of this piece more; true if there was none.
    pub(super) fn gained(&mut self, piece: PieceIndex) -> bool {
        let holders = &mut self.holders[piece.as_usize()];
        *holders += 1;
        *holders == 1 && self.available.insert(piece)
    }

    /// A copy less; true if it was the last.
    pub(super) fn lost(&mut self, piece: PieceIndex) -> bool {
        let holders = &mut self.holders[piece.as_usize()];
        *holders -= 1;
        *holders == 0 && self.available.remove(piece)
    }

    pub(super) fn flow(&mut self, from: usize, to: usize, bytes: u64, direct: bool) {
        let flow = self.flows.entry((from, to)).or_default();
        *flow = (flow.0 + bytes, direct);
    }

    /// Bytes, and whether the last came by a direct link.
    pub(super) fn take_flows(&mut self) -> BTreeMap<(usize, usize), (u64, bool)> {
        std::mem::take(&mut self.flows)
    }
}

/// A clock that runs while a peer waits for bytes, and remembers its longest run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stall {
    since: Option<Nanos>,
    pub(super) longest: Nanos,
}

impl Stall {
    /// From now on it waits, or not; a wait that goes on goes on.
    pub(super) fn set(&mut self, now: Nanos, waits: bool) {
        if waits {
            self.since.get_or_insert(now);
        } else if let Some(since) = self.since.take() {
            self.longest = self.longest.max(now - since);
        }
    }

    /// Something came.
    pub(super) fn restart(&mut self, now: Nanos) {
        if let Some(since) = self.since.replace(now) {
            self.longest = self.longest.max(now - since);
        } else {
            self.since = None;
        }
    }

    /// With the present run.
    pub(super) fn longest(&self, now: Nanos) -> Nanos {
        let present = self.since.map_or(0, |since| now - since);
        self.longest.max(present)
    }
}
