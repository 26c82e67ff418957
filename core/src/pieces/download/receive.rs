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
pub enum BlockOutcome<C = Bytes> {
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
    pub fn receive(&mut self, session: SessionId, block: Block, data: &C) -> BlockOutcome<C> {
        self.take(session, block, data, false)
    }

    /// A block arrived that was asked of the session and given up: if it is still missing, it
    /// is as good as any.
    pub fn receive_late(&mut self, session: SessionId, block: Block, data: &C) -> BlockOutcome<C> {
        self.take(session, block, data, true)
    }

    fn take(&mut self, session: SessionId, block: Block, data: &C, late: bool) -> BlockOutcome<C> {
        let received = self.fill(session, block, data, late);
        if matches!(
            received,
            BlockOutcome::Kept { .. } | BlockOutcome::Complete { .. }
        ) {
            self.set_standing(session, Standing::Delivers);
        }
        let bytes = data.len() as u64;
        match received {
            BlockOutcome::Unrequested => self.waste.unrequested += bytes,
            BlockOutcome::Duplicate => self.waste.duplicate += bytes,
            BlockOutcome::Kept { .. } => self.give_up_if_skipped(block.piece),
            BlockOutcome::Complete { .. } => {}
        }
        received
    }

    fn fill(&mut self, session: SessionId, block: Block, data: &C, late: bool) -> BlockOutcome<C> {
        let piece = block.piece;
        let partial = match self.begun.get_mut(&piece) {
            Some(Begun::Filling(partial)) => partial,
            Some(Begun::Verifying { .. }) => return BlockOutcome::Duplicate,
            None if self.stock.have().has(piece) => return BlockOutcome::Duplicate,
            Some(Begun::Draining(_)) | None => return BlockOutcome::Unrequested,
        };
        let was_full = !partial.has_unasked();
        let cancel = match partial.fill(session, block, data, late) {
            Filled::Unrequested => return BlockOutcome::Unrequested,
            Filled::Duplicate => return BlockOutcome::Duplicate,
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
            return BlockOutcome::Kept { cancel };
        }
        match self.begin_verifying(piece) {
            Some(Content::Whole(data)) => BlockOutcome::Complete {
                cancel,
                piece,
                data,
            },
            // Of a piece in parts the last thing is that it was written.
            Some(Content::Digests(_)) | None => BlockOutcome::Kept { cancel },
        }
    }
}
