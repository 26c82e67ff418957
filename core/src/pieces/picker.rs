//! Which piece to begin next.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Bitfield, PieceIndex};
use crate::rng::Rng;

/// How the next piece is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// Lowest index first.
    Sequential,
    /// The piece that the fewest connected peers have, ties at random.
    #[default]
    RarestFirst,
}

/// Knows how many connected peers have each piece, and picks among those that are
/// wanted and not begun.
///
/// The wanted pieces stand in one array, ordered by how many peers have them, and each
/// number of peers is a bucket within it: one peer more or less moves a piece over a
/// bucket's boundary by one swap. That is the structure of libtorrent's picker.
///
/// Peers that have everything would move every piece. They are only counted:
///
/// > a piece's availability = `seeds` + `holders[piece]`
///
/// and only that sum is promised. `seeds` never exceeds the number of connected peers that
/// have everything, because only such a peer raises it, and the leaving of such a peer
/// lowers it while there is something to lower. A peer that *became* full through
/// [`Picker::peer_has`] stands in `holders`; when it leaves, `seeds` is lowered in its
/// place, and some peer that joined as a seed stands in `holders` from then on: the sums
/// are the same. So nobody needs to remember who was counted where. It also follows that
/// a connected peer that does *not* have everything is counted in `holders` for each of
/// its pieces.
#[derive(Clone, Debug)]
pub struct Picker {
    strategy: Strategy,
    rng: Rng,
    /// Neither had nor begun: exactly the pieces in `order`.
    wanted: Bitfield,
    /// The wanted pieces by ascending `holders`; within a bucket in no order.
    order: Vec<PieceIndex>,
    /// Where in `order` a wanted piece is; meaningless for others.
    position: Vec<usize>,
    /// Peers that have each piece, those in `seeds` apart.
    holders: Vec<usize>,
    /// Where in `order` the bucket of each number of holders ends.
    ends: Vec<usize>,
    /// Peers that have everything, see above.
    seeds: usize,
}

impl Picker {
    /// All pieces of the torrent wanted, except those that we `have`.
    pub fn new(have: &Bitfield, strategy: Strategy, rng: Rng) -> Self {
        let pieces = have.piece_count();
        let mut picker = Picker {
            strategy,
            rng,
            wanted: Bitfield::empty(pieces),
            order: Vec::new(),
            position: vec![0; pieces as usize],
            holders: vec![0; pieces as usize],
            ends: vec![0],
            seeds: 0,
        };
        for piece in (0..pieces).map(PieceIndex) {
            if !have.has(piece) {
                picker.put_back(piece);
            }
        }
        picker
    }

    /// Changes the strategy from now on.
    pub fn set_strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
    }

    /// A connected peer, which did not have this piece, has it now.
    pub fn peer_has(&mut self, piece: PieceIndex) {
        let holders = self.holders[piece.as_usize()];
        self.holders[piece.as_usize()] += 1;
        if self.ends.len() == holders + 1 {
            self.ends.push(self.order.len());
        }
        if self.is_wanted(piece) {
            self.ends[holders] -= 1;
            self.swap_to(piece, self.ends[holders]);
        }
    }

    /// A peer with these pieces connected.
    pub fn peer_joined(&mut self, pieces: &Bitfield) {
        if pieces.is_full() {
            self.seeds += 1;
        } else {
            pieces.iter().for_each(|piece| self.peer_has(piece));
        }
    }

    /// A peer is gone. `pieces` are those with which it joined and those that it was said
    /// to have since, no more and no less.
    pub fn peer_left(&mut self, pieces: &Bitfield) {
        if pieces.is_full() && self.seeds > 0 {
            self.seeds -= 1;
        } else {
            pieces.iter().for_each(|piece| self.peer_lost(piece));
        }
    }

    /// How many connected peers have this piece.
    pub fn availability(&self, piece: PieceIndex) -> u32 {
        u32::try_from(self.seeds + self.holders[piece.as_usize()]).unwrap_or(u32::MAX)
    }

    /// It is neither had nor begun.
    pub fn is_wanted(&self, piece: PieceIndex) -> bool {
        self.wanted.has(piece)
    }

    /// Some wanted piece is with some connected peer.
    pub fn any_available(&self) -> bool {
        let unavailable = if self.seeds == 0 { self.ends[0] } else { 0 };
        self.order.len() > unavailable
    }

    /// The peer has a wanted piece.
    pub fn any_of(&self, peer_has: &Bitfield) -> bool {
        self.wanted.first_common(peer_has).is_some()
    }

    /// The next piece to begin among those that the peer has; it counts as begun from now on.
    pub fn pick(&mut self, peer_has: &Bitfield) -> Option<PieceIndex> {
        let lowest = self.wanted.first_common(peer_has)?;
        let piece = match self.strategy {
            Strategy::Sequential => lowest,
            Strategy::RarestFirst => self.rarest_of(peer_has)?,
        };
        self.take_out(piece);
        Some(piece)
    }

    /// A piece that was begun is wanted again (its hash was wrong, or we gave it up).
    pub fn put_back(&mut self, piece: PieceIndex) {
        let new = self.wanted.insert(piece);
        assert!(new, "a piece that is put back was begun");
        // From the end down over the buckets' boundaries.
        let holders = self.holders[piece.as_usize()];
        self.position[piece.as_usize()] = self.order.len();
        self.order.push(piece);
        for bucket in (holders + 1..self.ends.len()).rev() {
            self.swap_to(piece, self.ends[bucket - 1]);
            self.ends[bucket] += 1;
        }
        self.ends[holders] += 1;
    }

    fn rarest_of(&mut self, peer_has: &Bitfield) -> Option<PieceIndex> {
        if peer_has.is_full() {
            let rarest = *self.order.first()?;
            let bucket = self.bucket(self.holders[rarest.as_usize()]);
            return self.rng.choose(&self.order[bucket]).copied();
        }
        // What nobody holds stands in the first bucket; there this peer, which does not
        // have everything, can have something only if it never joined.
        for holders in (1..self.ends.len()).chain([0]) {
            let bucket = self.bucket(holders);
            let start = self.rng.below(bucket.len());
            let (before, after) = self.order[bucket].split_at(start);
            let mut from_anywhere = after.iter().chain(before);
            if let Some(piece) = from_anywhere.find(|&&piece| peer_has.has(piece)) {
                return Some(*piece);
            }
        }
        None
    }

    fn peer_lost(&mut self, piece: PieceIndex) {
        let holders = &mut self.holders[piece.as_usize()];
        *holders = holders.checked_sub(1).expect("a peer that left had joined");
        let holders = *holders;
        if self.is_wanted(piece) {
            self.swap_to(piece, self.ends[holders]);
            self.ends[holders] += 1;
        }
    }

    fn take_out(&mut self, piece: PieceIndex) {
        let was_wanted = self.wanted.remove(piece);
        assert!(was_wanted, "only wanted pieces are begun");
        // Up over the buckets' boundaries to the end.
        for bucket in self.holders[piece.as_usize()]..self.ends.len() {
            self.ends[bucket] -= 1;
            self.swap_to(piece, self.ends[bucket]);
        }
        self.order.pop();
    }

    fn bucket(&self, holders: usize) -> Range<usize> {
        let start = holders.checked_sub(1).map_or(0, |below| self.ends[below]);
        start..self.ends[holders]
    }

    fn swap_to(&mut self, piece: PieceIndex, position: usize) {
        self.place(self.order[position], self.position[piece.as_usize()]);
        self.place(piece, position);
    }

    fn place(&mut self, piece: PieceIndex, position: usize) {
        self.order[position] = piece;
        self.position[piece.as_usize()] = position;
    }
}

#[cfg(test)]
mod tests;
