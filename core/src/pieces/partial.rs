//! A piece in progress.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::download::SessionId;
use super::{BLOCK, Block, Layout, PieceIndex};

/// A piece in progress: its buffer, and the state of each of its blocks.
#[derive(Debug)]
pub(super) struct Partial {
    layout: Layout,
    piece: PieceIndex,
    /// Who fills it while there is other work for the rest.
    pub(super) owner: Option<SessionId>,
    /// The owner at most may fill it: it failed once, and this time blame must be certain.
    pub(super) alone: bool,
    /// Who last did not send a block that was asked of it: others shall adopt it first.
    pub(super) failed_by: Option<SessionId>,
    buffer: Vec<u8>,
    blocks: Vec<BlockState>,
    /// Blocks that have not arrived.
    missing: usize,
    /// Those of them that are asked of nobody.
    unasked: usize,
    /// No block before this one is asked of nobody.
    first_unasked: usize,
}

#[derive(Clone, Debug)]
enum BlockState {
    Missing { asked: Vec<SessionId> },
    Received { from: SessionId },
}

/// What became of a block.
pub(super) enum Filled {
    /// It is no block of ours, or was not asked of the session.
    Unrequested,
    /// It is here already.
    Duplicate,
    /// It is in the buffer; it was asked of these others too.
    Kept(Vec<SessionId>),
}

impl Partial {
    /// Nothing has arrived, nothing is asked.
    pub(super) fn new(layout: Layout, piece: PieceIndex, owner: SessionId, alone: bool) -> Self {
        let blocks = layout.block_count(piece) as usize;
        Partial {
            layout,
            piece,
            owner: Some(owner),
            alone,
            failed_by: None,
            buffer: vec![0; layout.length(piece) as usize],
            blocks: vec![BlockState::Missing { asked: Vec::new() }; blocks],
            missing: blocks,
            unasked: blocks,
            first_unasked: 0,
        }
    }

    /// Some missing block is asked of nobody.
    pub(super) fn has_unasked(&self) -> bool {
        self.unasked > 0
    }

    /// Some missing block is asked of somebody.
    pub(super) fn is_awaited(&self) -> bool {
        self.unasked < self.missing
    }

    /// Every block is here.
    pub(super) fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// How many blocks are here.
    pub(super) fn received(&self) -> usize {
        self.blocks.len() - self.missing
    }

    /// How many blocks are asked of this session.
    pub(super) fn asked_of(&self, session: SessionId) -> usize {
        let asked = self.missing_blocks();
        asked.filter(|(_, asked)| asked.contains(&session)).count()
    }

    /// Asks the session for blocks that are asked of nobody, in order, until `chosen`
    /// holds `count`.
    pub(super) fn ask(&mut self, session: SessionId, count: usize, chosen: &mut Vec<Block>) {
        while self.unasked > 0 && chosen.len() < count {
            let number = self.first_unasked;
            self.first_unasked += 1;
            if let BlockState::Missing { asked } = &mut self.blocks[number]
                && asked.is_empty()
            {
                asked.push(session);
                self.unasked -= 1;
                chosen.push(self.block(number));
            }
        }
    }

    /// Blocks that are asked of others, but not of this session, and of how many.
    pub(super) fn asked_of_others(
        &self,
        session: SessionId,
    ) -> impl Iterator<Item = (usize, Block)> + '_ {
        self.missing_blocks()
            .filter(move |(_, asked)| !asked.is_empty() && !asked.contains(&session))
            .map(|(number, asked)| (asked.len(), self.block(number)))
    }

    /// Asks the session too for a block out of [`Partial::asked_of_others`].
    pub(super) fn ask_again(&mut self, session: SessionId, block: Block) {
        if let Some(BlockState::Missing { asked }) =
            self.number(block).map(|number| &mut self.blocks[number])
        {
            asked.push(session);
        }
    }

    /// The session won't send this block; false if it was not asked of it.
    pub(super) fn release(&mut self, session: SessionId, block: Block) -> bool {
        self.number(block)
            .is_some_and(|number| self.release_number(session, number))
    }

    /// The session won't send anything that was asked of it.
    pub(super) fn release_all(&mut self, session: SessionId) {
        for number in 0..self.blocks.len() {
            self.release_number(session, number);
        }
    }

    /// Puts a block that was asked of this session into the buffer.
    pub(super) fn fill(&mut self, session: SessionId, block: Block, data: &[u8]) -> Filled {
        let Some(number) = self.number(block) else {
            return Filled::Unrequested;
        };
        let BlockState::Missing { asked } = &mut self.blocks[number] else {
            return Filled::Duplicate;
        };
        if !asked.contains(&session) || data.len() != block.length as usize {
            return Filled::Unrequested;
        }
        let mut others = std::mem::take(asked);
        others.retain(|&other| other != session);
        let begin = block.begin as usize;
        self.buffer[begin..begin + data.len()].copy_from_slice(data);
        self.blocks[number] = BlockState::Received { from: session };
        self.missing -= 1;
        Filled::Kept(others)
    }

    /// The piece's bytes, without copying them, and who sent them.
    pub(super) fn finish(self) -> (Bytes, Vec<SessionId>) {
        debug_assert!(self.is_complete());
        let senders: BTreeSet<SessionId> = self.blocks.iter().filter_map(sender).collect();
        (Bytes::from(self.buffer), senders.into_iter().collect())
    }

    fn release_number(&mut self, session: SessionId, number: usize) -> bool {
        let BlockState::Missing { asked } = &mut self.blocks[number] else {
            return false;
        };
        let before = asked.len();
        asked.retain(|&other| other != session);
        if asked.len() == before {
            return false;
        }
        if asked.is_empty() {
            self.unasked += 1;
            self.first_unasked = self.first_unasked.min(number);
        }
        true
    }

    fn missing_blocks(&self) -> impl Iterator<Item = (usize, &[SessionId])> {
        let blocks = self.blocks.iter().enumerate();
        blocks.filter_map(|(number, state)| match state {
            BlockState::Missing { asked } => Some((number, asked.as_slice())),
            BlockState::Received { .. } => None,
        })
    }

    fn block(&self, number: usize) -> Block {
        let number = u32::try_from(number).expect("blocks are counted in u32");
        self.layout.block(self.piece, number)
    }

    /// The block's number, if it is one of ours to the byte.
    fn number(&self, block: Block) -> Option<usize> {
        let number = (block.begin / BLOCK) as usize;
        (number < self.blocks.len() && self.block(number) == block).then_some(number)
    }
}

fn sender(state: &BlockState) -> Option<SessionId> {
    match state {
        BlockState::Missing { .. } => None,
        BlockState::Received { from } => Some(*from),
    }
}
