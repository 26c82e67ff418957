//! A piece in progress.

use super::download::{Limits, SessionId};
use super::parts::{Content, Parts};
use super::{BLOCK, Block, Layout, Padding, PieceIndex, Stretch};
use crate::chunk::{Buffer, Chunk};

/// A piece in progress: its buffer, and the state of each of its blocks.
#[derive(Debug)]
pub(super) struct Partial<C: Chunk> {
    layout: Layout,
    padding: Padding,
    piece: PieceIndex,
    /// Who fills it while there is other work for the rest.
    pub(super) owner: Option<SessionId>,
    /// The owner at most may fill it: it failed once, and this time blame must be certain.
    pub(super) alone: bool,
    /// Who last did not send a block that was asked of it: others shall adopt it first.
    pub(super) failed_by: Option<SessionId>,
    gathered: Gathered<C>,
    blocks: Vec<BlockState>,
    /// Blocks that have not arrived.
    missing: usize,
    /// Blocks that have.
    received: usize,
    /// Missing blocks that are asked of nobody.
    unasked: usize,
    /// No block before this one is asked of nobody.
    first_unasked: usize,
    /// Of how many sessions that deliver a block may be asked in the endgame.
    copies: usize,
    /// Blocks that are asked of somebody, and may be asked of others too.
    repeatable: usize,
}

/// Where blocks wait until the piece is whole.
#[derive(Debug)]
enum Gathered<C: Chunk> {
    Whole(C::Buffer),
    Parts(Parts<C>),
}

/// Who asks for blocks, or lets go of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) session: SessionId,
    /// It has sent something, and keeps nobody waiting.
    pub(super) delivers: bool,
}

#[derive(Clone, Debug)]
enum BlockState {
    Missing {
        asked: Vec<SessionId>,
        /// How many of them deliver: what the others promise is nothing to rely on.
        sure: usize,
    },
    Received {
        from: SessionId,
    },
    /// It is padding and nothing else: zeros, which nobody is asked for.
    Padding,
}

impl BlockState {
    const UNASKED: BlockState = BlockState::Missing {
        asked: Vec::new(),
        sure: 0,
    };
}

/// Of how many sessions a block is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Copies {
    /// Those of them that deliver.
    pub(super) sure: usize,
    /// All of them.
    pub(super) all: usize,
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

impl<C: Chunk> Partial<C> {
    /// Nothing has arrived, nothing is asked. `limits` say of how many
    /// sessions a block may be asked, and whether the piece is held whole. A piece that is nothing but padding can't be filled: it must not be
    /// begun.
    pub(super) fn new(
        layout: Layout,
        padding: Padding,
        piece: PieceIndex,
        alone: bool,
        limits: &Limits,
    ) -> Self {
        let start = layout.offset(piece);
        let blocks = (0..layout.block_count(piece)).map(|number| {
            let block = layout.block(piece, number);
            match padding.covers(start + u64::from(block.begin), block.length) {
                true => BlockState::Padding,
                false => BlockState::UNASKED,
            }
        });
        let blocks: Vec<BlockState> = blocks.collect();
        let length = layout.length(piece);
        let gathered = match limits.cut.in_parts(length) {
            true => {
                let room = limits.memory(length);
                Gathered::Parts(Parts::new(&layout, piece, limits.cut, room))
            }
            false => {
                let mut buffer = C::Buffer::new(length as usize);
                for range in padding.ranges_in(start, length as usize) {
                    buffer.blank(range);
                }
                Gathered::Whole(buffer)
            }
        };
        let is_missing = |block: &&BlockState| matches!(block, BlockState::Missing { .. });
        let missing = blocks.iter().filter(is_missing).count();
        Partial {
            layout,
            padding,
            piece,
            owner: None,
            alone,
            failed_by: None,
            gathered,
            blocks,
            missing,
            received: 0,
            unasked: missing,
            first_unasked: 0,
            copies: usize::from(limits.endgame_copies),
            repeatable: 0,
        }
    }

    /// Some missing block is asked of nobody, and there is memory for it.
    pub(super) fn has_unasked(&self) -> bool {
        self.unasked > 0
            && match &self.gathered {
                Gathered::Whole(_) => true,
                Gathered::Parts(parts) => parts.has_room(self.missing - self.unasked),
            }
    }

    /// Some missing block is asked of somebody, or what is here is being written.
    pub(super) fn is_awaited(&self) -> bool {
        self.unasked < self.missing || self.writing().next().is_some()
    }

    /// Every block is here; of a piece in parts, written.
    pub(super) fn is_complete(&self) -> bool {
        self.missing == 0
            && match &self.gathered {
                Gathered::Whole(_) => true,
                Gathered::Parts(parts) => !parts.is_busy(),
            }
    }

    /// Where the stretches begin that are being written.
    pub(super) fn writing(&self) -> impl Iterator<Item = u32> + '_ {
        let parts = match &self.gathered {
            Gathered::Whole(_) => None,
            Gathered::Parts(parts) => Some(parts),
        };
        parts.into_iter().flat_map(Parts::<C>::writing)
    }

    /// What is to be written now that this block is here.
    pub(super) fn take_stretches(&mut self, block: Block) -> Vec<Stretch<C>> {
        let number = self.number(block);
        let (Gathered::Parts(parts), Some(number)) = (&mut self.gathered, number) else {
            return Vec::new();
        };
        let part = parts.part_of(number);
        let is_missing = |block: &BlockState| matches!(block, BlockState::Missing { .. });
        let mut stretches = Vec::new();
        if !self.blocks[part.clone()].iter().any(is_missing) {
            stretches = parts.take(part, self.piece);
        } else if let Some(first) = parts.overflows() {
            stretches = parts.take(parts.part_of(first), self.piece);
        }
        stretches
    }

    /// A stretch was written; or it was not, and its blocks are missing again. False if none
    /// that begins there was being written.
    pub(super) fn stretch_written(&mut self, begin: u32, kept: bool) -> bool {
        let Gathered::Parts(parts) = &mut self.gathered else {
            return false;
        };
        let Some(numbers) = parts.written(begin) else {
            return false;
        };
        if !kept {
            self.first_unasked = self.first_unasked.min(numbers.start);
            for number in numbers {
                self.blocks[number] = BlockState::UNASKED;
                self.missing += 1;
                self.unasked += 1;
                self.received -= 1;
            }
        }
        true
    }

    /// How many blocks are here.
    pub(super) fn received(&self) -> usize {
        self.received
    }

    /// Bytes of the blocks that are here.
    pub(super) fn received_bytes(&self) -> u64 {
        let here = self.blocks.iter().enumerate();
        here.filter(|(_, state)| matches!(state, BlockState::Received { .. }))
            .map(|(number, _)| u64::from(self.block(number).length))
            .sum()
    }

    /// Some block is asked of somebody, and may be asked of others too.
    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable > 0
    }

    /// Asks the session for blocks that are asked of nobody, in order, until `chosen`
    /// holds `count`.
    pub(super) fn ask(&mut self, asker: Asker, count: usize, chosen: &mut Vec<Block>) {
        while self.has_unasked() && chosen.len() < count {
            let number = self.first_unasked;
            self.first_unasked += 1;
            if let BlockState::Missing { asked, .. } = &self.blocks[number]
                && asked.is_empty()
            {
                self.unasked -= 1;
                self.change(number, |asked, sure| {
                    asked.push(asker.session);
                    *sure += usize::from(asker.delivers);
                });
                chosen.push(self.block(number));
            }
        }
    }

    /// Blocks that are asked of others, but not of this session, and may be asked of it too;
    /// and of how many they are asked.
    ///
    /// Of so many as `copies` says, and of more as long as those don't deliver. Who does not
    /// deliver itself gets such a block as its chance, and others only within `copies`.
    pub(super) fn repeatable_for(
        &self,
        asker: Asker,
    ) -> impl Iterator<Item = (Copies, Block)> + '_ {
        let blocks = self.blocks.iter().enumerate();
        blocks.filter_map(move |(number, state)| match state {
            BlockState::Missing { asked, sure }
                if self.may_repeat(asked.len(), *sure) && !asked.contains(&asker.session) =>
            {
                let copies = Copies {
                    sure: *sure,
                    all: asked.len(),
                };
                let allowed = asker.delivers || copies.all < self.copies || copies.sure == 0;
                allowed.then(|| (copies, self.block(number)))
            }
            _ => None,
        })
    }

    /// Blocks that are asked of somebody, and of whom.
    pub(super) fn asked(&self) -> impl Iterator<Item = (Block, &[SessionId])> {
        let blocks = self.blocks.iter().enumerate();
        blocks.filter_map(|(number, state)| match state {
            BlockState::Missing { asked, .. } if !asked.is_empty() => {
                Some((self.block(number), asked.as_slice()))
            }
            _ => None,
        })
    }

    /// Asks the session too for a block out of [`Partial::repeatable_for`].
    pub(super) fn ask_again(&mut self, asker: Asker, block: Block) {
        if let Some(number) = self.number(block) {
            self.change(number, |asked, sure| {
                asked.push(asker.session);
                *sure += usize::from(asker.delivers);
            });
        }
    }

    /// The session, of which this block is asked, delivers from now on, or no longer.
    pub(super) fn reconsider(&mut self, block: Block, delivers: bool) {
        if let Some(number) = self.number(block) {
            self.change(number, |_, sure| {
                if delivers {
                    *sure += 1;
                } else {
                    *sure -= 1;
                }
            });
        }
    }

    /// The session won't send this block; false if it was not asked of it.
    pub(super) fn release(&mut self, asker: Asker, block: Block) -> bool {
        let Some(number) = self.number(block) else {
            return false;
        };
        let Asker { session, delivers } = asker;
        let BlockState::Missing { asked, .. } = &self.blocks[number] else {
            return false;
        };
        if !asked.contains(&session) {
            return false;
        }
        if asked.len() == 1 {
            self.unasked += 1;
            self.first_unasked = self.first_unasked.min(number);
        }
        self.change(number, |asked, sure| {
            asked.retain(|&other| other != session);
            *sure -= usize::from(delivers);
        });
        true
    }

    /// Puts a block that was asked of this session into the buffer; with `late`, also one that
    /// was asked of it and given up.
    pub(super) fn fill(
        &mut self,
        session: SessionId,
        block: Block,
        data: &C,
        late: bool,
    ) -> Filled {
        let Some(number) = self.number(block) else {
            return Filled::Unrequested;
        };
        let BlockState::Missing { asked, .. } = &self.blocks[number] else {
            return Filled::Duplicate;
        };
        // What is to be filled by one alone takes nothing of others, however late.
        let welcome = asked.contains(&session) || late && !self.alone;
        if !welcome || data.len() != block.length as usize {
            return Filled::Unrequested;
        }
        let unasked = asked.is_empty();
        let mut others = asked.clone();
        others.retain(|&other| other != session);
        self.change(number, |asked, sure| {
            asked.clear();
            *sure = 0;
        });
        let start = self.layout.offset(self.piece) + u64::from(block.begin);
        // Padding is not kept, so it must not count whatever else was sent in its place.
        let padding = self.padding.ranges_in(start, data.len());
        match &mut self.gathered {
            Gathered::Whole(buffer) => {
                let begin = block.begin as usize;
                buffer.write(begin, data);
                for range in padding {
                    buffer.blank(begin + range.start..begin + range.end);
                }
            }
            Gathered::Parts(parts) => {
                let mut kept = C::Buffer::new(data.len());
                kept.write(0, data);
                padding.for_each(|range| kept.blank(range));
                parts.put(number, kept.freeze());
            }
        }
        self.blocks[number] = BlockState::Received { from: session };
        self.missing -= 1;
        self.unasked -= usize::from(unasked);
        self.received += 1;
        Filled::Kept(others)
    }

    /// The piece's bytes, without copying them, or what is known of them; and who sent each of its blocks; of padding,
    /// which nobody sent and nobody can get wrong, somebody who sent another.
    pub(super) fn finish(self) -> (Content<C>, Vec<SessionId>) {
        debug_assert!(self.is_complete());
        let sender = |state: &BlockState| match state {
            BlockState::Received { from } => Some(*from),
            BlockState::Missing { .. } | BlockState::Padding => None,
        };
        let any = self.blocks.iter().find_map(sender);
        let senders = self.blocks.iter().filter_map(|state| sender(state).or(any));
        let senders = senders.collect();
        let content = match self.gathered {
            Gathered::Whole(buffer) => Content::Whole(buffer.freeze()),
            Gathered::Parts(parts) => Content::Digests(parts.into_digests()),
        };
        (content, senders)
    }

    /// Changes of whom a missing block is asked, and how many of them deliver.
    fn change(&mut self, number: usize, change: impl FnOnce(&mut Vec<SessionId>, &mut usize)) {
        let BlockState::Missing { asked, sure } = &mut self.blocks[number] else {
            return;
        };
        let before = (asked.len(), *sure);
        change(asked, sure);
        let after = (asked.len(), *sure);
        self.repeatable -= usize::from(self.may_repeat(before.0, before.1));
        self.repeatable += usize::from(self.may_repeat(after.0, after.1));
    }

    /// Somebody may be asked, too, for a block that is asked of so many, of which so many
    /// deliver.
    fn may_repeat(&self, asked: usize, sure: usize) -> bool {
        asked > 0 && sure < self.copies
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
