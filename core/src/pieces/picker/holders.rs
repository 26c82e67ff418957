//! How many connected peers have each piece.

use crate::pieces::PieceIndex;

/// See the module; those that have everything are counted elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Holders {
    of: Vec<u32>,
    /// How many pieces have so many holders: what the rarest has is a look-up then.
    levels: Vec<u32>,
}

impl Holders {
    /// Nobody has anything.
    pub(super) fn new(pieces: u32) -> Self {
        Holders {
            of: vec![0; pieces as usize],
            levels: vec![pieces],
        }
    }

    pub(super) fn of(&self, piece: PieceIndex) -> u32 {
        self.of[piece.as_usize()]
    }

    /// Of the piece that the fewest have.
    pub(super) fn least(&self) -> u32 {
        let least = self.levels.iter().position(|pieces| *pieces > 0);
        least.map_or(0, |holders| u32::try_from(holders).unwrap_or(u32::MAX))
    }

    pub(super) fn add(&mut self, piece: PieceIndex) {
        self.set(piece, self.of(piece) + 1);
    }

    pub(super) fn remove(&mut self, piece: PieceIndex) {
        let left = self.of(piece).checked_sub(1);
        self.set(piece, left.expect("a peer that left had joined"));
    }

    fn set(&mut self, piece: PieceIndex, holders: u32) {
        let before = std::mem::replace(&mut self.of[piece.as_usize()], holders);
        self.levels[before as usize] -= 1;
        if self.levels.len() <= holders as usize {
            self.levels.resize(holders as usize + 1, 0);
        }
        self.levels[holders as usize] += 1;
    }
}
