//! Blocks that arrive.

use bytes::Bytes;

use super::load::Standing;
use super::{Begun, Download, SessionId};
use crate::chunk::Chunk;
use crate::pieces::partial::Filled;
use crate::pieces::parts::Content;
use crate::pieces::{Block, PieceIndex};

/// What became of a block that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received<C = Bytes> {
    /// It was not asked of this session, or no longer: to be ignored; waste.
    Unrequested,
    /// We have it already: waste.
    Duplicate,
    /// It is kept. Tell these sessions that we no longer need it.
    Kept {
        /// Others of which it was asked too.
        cancel: Vec<SessionId>,
    },
    /// It was the last of its piece: hash it.
    Complete {
        /// Others of which this block was asked too.
        cancel: Vec<SessionId>,
        /// The piece.
        piece: PieceIndex,
        /// Its bytes.
        data: C,
    },
}

impl<C: Chunk> Download<C> {
    /// A block arrived.
    pub fn receive(&mut self, session: SessionId, block: Block, data: &C) -> Received<C> {
        self.take(session, block, data, false)
    }

    /// A block arrived that was asked of the session and given up: if it is still missing, it
    /// is as good as any.
    pub fn receive_late(&mut self, session: SessionId, block: Block, data: &C) -> Received<C> {
        self.take(session, block, data, true)
    }

    fn take(&mut self, session: SessionId, block: Block, data: &C, late: bool) -> Received<C> {
        let received = self.fill(session, block, data, late);
        if matches!(received, Received::Kept { .. } | Received::Complete { .. }) {
            self.set_standing(session, Standing::Delivers);
        }
        let bytes = data.len() as u64;
        match received {
            Received::Unrequested => self.waste.unrequested += bytes,
            Received::Duplicate => self.waste.duplicate += bytes,
            Received::Kept { .. } => self.give_up_if_skipped(block.piece),
            Received::Complete { .. } => {}
        }
        received
    }

    fn fill(&mut self, session: SessionId, block: Block, data: &C, late: bool) -> Received<C> {
        let piece = block.piece;
        let partial = match self.begun.get_mut(&piece) {
            Some(Begun::Filling(partial)) => partial,
            Some(Begun::Verifying { .. }) => return Received::Duplicate,
            None if self.stock.have().has(piece) => return Received::Duplicate,
            Some(Begun::Draining(_)) | None => return Received::Unrequested,
        };
        let was_full = !partial.has_unasked();
        let cancel = match partial.fill(session, block, data, late) {
            Filled::Unrequested => return Received::Unrequested,
            Filled::Duplicate => return Received::Duplicate,
            Filled::Kept(others) => others,
        };
        let stretches = partial.take_stretches(block);
        let complete = partial.is_complete();
        self.reopened |= was_full && partial.has_unasked();
        self.stretches.extend(stretches);
        for asked in cancel.iter().chain([&session]) {
            self.load(*asked).asked.remove(&block);
        }
        self.relist(piece);
        if !complete {
            return Received::Kept { cancel };
        }
        match self.begin_verifying(piece) {
            Some(Content::Whole(data)) => Received::Complete {
                cancel,
                piece,
                data,
            },
            // Of a piece in parts the last thing is that it was written.
            Some(Content::Digests(_)) | None => Received::Kept { cancel },
        }
    }
}
