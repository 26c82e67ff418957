//! Finding out what a store holds: every piece is read and hashed.

use std::collections::BTreeSet;

use crate::engine::Work;
use crate::pieces::{Bitfield, Cut, Layout, PieceIndex};

/// How far it is.
#[derive(Debug)]
pub(super) struct Check {
    /// The next piece to read.
    next: u32,
    /// Pieces that are being read.
    reading: BTreeSet<PieceIndex>,
    /// Pieces that are being hashed.
    hashing: BTreeSet<PieceIndex>,
    /// Pieces whose hash was right.
    have: Bitfield,
}

impl Check {
    pub(super) fn new(pieces: u32) -> Self {
        Check {
            next: 0,
            reading: BTreeSet::new(),
            hashing: BTreeSet::new(),
            have: Bitfield::empty(pieces),
        }
    }

    /// Pieces done over all pieces.
    pub(super) fn progress(&self) -> f64 {
        let done = f64::from(self.next) - self.under_way() as f64;
        done / f64::from(self.have.piece_count().max(1))
    }

    /// Pieces that were looked at, or are.
    pub(super) fn begun(&self) -> usize {
        self.next as usize
    }

    fn under_way(&self) -> usize {
        self.reading.len() + self.hashing.len()
    }

    /// A piece that was found is lost again.
    pub(super) fn lose(&mut self, piece: PieceIndex) {
        self.have.remove(piece);
    }

    /// Pieces found so far.
    pub(super) fn have(&self) -> &Bitfield {
        &self.have
    }

    /// What to do next, if less than `most` is being done.
    pub(super) fn next<C>(
        &mut self,
        layout: &Layout,
        cut: Cut,
        most: usize,
    ) -> Option<(PieceIndex, Work<C>)> {
        if self.under_way() >= most {
            return None;
        }
        let piece = layout.piece(self.next)?;
        self.next += 1;
        let length = layout.length(piece);
        if cut.in_parts(length) {
            self.hashing.insert(piece);
            return Some((piece, Work::Verify));
        }
        self.reading.insert(piece);
        Some((piece, Work::Read { length }))
    }

    /// Nothing is being done.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way() == 0
    }

    /// A piece was read; false if nobody asked for it.
    pub(super) fn read(&mut self, piece: PieceIndex) -> bool {
        self.reading.remove(&piece)
    }

    /// A piece that was read is being hashed.
    pub(super) fn hash(&mut self, piece: PieceIndex) {
        self.hashing.insert(piece);
    }

    /// It was; false if nobody asked for it.
    pub(super) fn hashed(&mut self, piece: PieceIndex, right: bool) -> bool {
        let asked = self.hashing.remove(&piece);
        if asked && right {
            self.have.insert(piece);
        }
        asked
    }
}
