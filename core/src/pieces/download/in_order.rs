//! Pieces in the order of the torrent, for whoever is asked for ranges of files.

use super::{Download, SessionId};
use crate::chunk::Chunk;
use crate::pieces::{PieceIndex, Priority};

impl<C: Chunk> Download<C> {
    /// Up to `most` pieces of which something could be asked of a session, and that are not
    /// `left_out`: of those that are wanted most the first from the piece of number `from` on,
    /// then from the beginning on. `O(pieces)`.
    pub fn in_order(
        &self,
        session: SessionId,
        from: u32,
        most: usize,
        left_out: impl Fn(PieceIndex) -> bool,
    ) -> Vec<PieceIndex> {
        let count = self.layout.piece_count();
        let from = from.min(count);
        let mut found = Vec::new();
        let mut priority = Priority::Skip;
        for piece in (from..count).chain(0..from).map(PieceIndex) {
            let its = self.priority(piece);
            let is_best = its > priority || its == priority && found.len() < most;
            if its == Priority::Skip || !is_best || !self.is_open_to(session, piece) {
                continue;
            }
            if left_out(piece) {
                continue;
            }
            if its > priority {
                priority = its;
                found.clear();
            }
            found.push(piece);
        }
        found
    }

    /// Nobody began the piece, or nobody goes on with it but this session.
    fn is_open_to(&self, session: SessionId, piece: PieceIndex) -> bool {
        self.picker.is_unbegun(piece)
            || self.open.contains(&(None, piece))
            || self.open.contains(&(Some(session), piece))
    }
}
