//! The pieces that nobody was advised to take yet, and where the others are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::chunk::Chunk;
use crate::peer::SessionId;
use crate::pieces::{Download, PieceIndex};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Deal {
    /// In the order in which they are dealt.
    pieces: VecDeque<PieceIndex>,
    /// Pieces that somebody is advised to take, or takes unadvised.
    taken: BTreeSet<PieceIndex>,
    /// Who alone has a piece on our advice.
    holders: BTreeMap<PieceIndex, SessionId>,
}

impl Deal {
    /// These are to be dealt, in this order.
    pub(super) fn begin(&mut self, pieces: Vec<PieceIndex>) {
        self.pieces = pieces.into();
    }

    /// None is left to be dealt.
    pub(super) fn is_over(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Somebody is to take this piece; false if somebody was already.
    pub(super) fn take(&mut self, piece: PieceIndex) -> bool {
        self.taken.insert(piece)
    }

    /// Whoever was to take these pieces won't.
    pub(super) fn take_back(&mut self, pieces: &[PieceIndex]) {
        for piece in pieces {
            self.taken.remove(piece);
            self.pieces.push_back(*piece);
        }
    }

    /// Somebody has this piece on our advice.
    pub(super) fn arrived(&mut self, piece: PieceIndex, holder: SessionId) {
        self.taken.remove(&piece);
        self.holders.insert(piece, holder);
    }

    /// Somebody else has it: from whom alone had it, if there was one.
    pub(super) fn spread(&mut self, piece: PieceIndex) -> Option<SessionId> {
        self.taken.remove(&piece);
        self.holders.remove(&piece)
    }

    /// A piece that no connected peer has. The others need no more advice: their number only
    /// falls when their holder leaves, and then they are rare for all to see.
    pub(super) fn next<C: Chunk>(&mut self, download: &Download<C>) -> Option<PieceIndex> {
        loop {
            let piece = self.pieces.pop_front()?;
            let untouched = download.availability(piece) == 0 && !self.taken.contains(&piece);
            // It may have been lost since.
            if untouched && download.have().has(piece) {
                self.taken.insert(piece);
                return Some(piece);
            }
        }
    }
}
