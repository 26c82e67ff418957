//! A piece in progress.

mod blocks;

use blocks::Blocks;
pub(super) use blocks::{Asker, Copies};

use super::download::{DownloadLimits, SessionId};
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
    blocks: Blocks,
}

/// Where blocks wait until the piece is whole.
#[derive(Debug)]
enum Gathered<C: Chunk> {
    Whole(C::Buffer),
    Parts(Parts<C>),
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
    /// Nothing has arrived, nothing is asked. `limits` say of how many sessions a block may be
    /// asked, and whether the piece is held whole. A piece that is nothing but padding can't be
    /// filled: it must not be begun.
    pub(super) fn new(
        layout: Layout,
        padding: Padding,
        piece: PieceIndex,
        alone: bool,
        limits: &DownloadLimits,
    ) -> Self {
        let start = layout.offset(piece);
        let is_padding = (0..layout.block_count(piece)).map(|number| {
            let block = layout.block(piece, number);
            padding.covers(start + u64::from(block.begin), block.length)
        });
        let blocks = Blocks::new(is_padding, usize::from(limits.endgame_copies));
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
        Partial {
            layout,
            padding,
            piece,
            owner: None,
            alone,
            failed_by: None,
            gathered,
            blocks,
        }
    }

    /// Some missing block is asked of nobody, and there is memory for it.
    pub(super) fn has_unasked(&self) -> bool {
        self.blocks.unasked() > 0
            && match &self.gathered {
                Gathered::Whole(_) => true,
                Gathered::Parts(parts) => {
                    parts.has_room(self.blocks.missing() - self.blocks.unasked())
                }
            }
    }

    /// Some missing block is asked of somebody, or what is here is being written.
    pub(super) fn is_awaited(&self) -> bool {
        self.blocks.unasked() < self.blocks.missing() || self.writing().next().is_some()
    }

    /// Every block is here; of a piece in parts, written.
    pub(super) fn is_complete(&self) -> bool {
        self.blocks.missing() == 0
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
        let mut stretches = Vec::new();
        if !self.blocks.any_missing(part.clone()) {
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
            self.blocks.lose(numbers);
        }
        true
    }

    /// How many blocks are here.
    pub(super) fn received(&self) -> usize {
        self.blocks.received()
    }

    /// Bytes of the blocks that are here.
    pub(super) fn received_bytes(&self) -> u64 {
        let here = self.blocks.here();
        here.map(|number| u64::from(self.block(number).length))
            .sum()
    }

    /// Some block is asked of somebody, and may be asked of others too.
    pub(super) fn is_repeatable(&self) -> bool {
        self.blocks.is_repeatable()
    }

    /// Asks the session for blocks that are asked of nobody, in order, until `chosen`
    /// holds `count`.
    pub(super) fn ask(&mut self, asker: Asker, count: usize, chosen: &mut Vec<Block>) {
        while self.has_unasked()
            && chosen.len() < count
            && let Some(number) = self.blocks.ask_next(asker)
        {
            chosen.push(self.block(number));
        }
    }

    /// Blocks that are asked of others, but not of this session, and may be asked of it too;
    /// and of how many they are asked. See [`Blocks::repeatable_for`].
    pub(super) fn repeatable_for(
        &self,
        asker: Asker,
    ) -> impl Iterator<Item = (Copies, Block)> + '_ {
        let blocks = self.blocks.repeatable_for(asker);
        blocks.map(|(copies, number)| (copies, self.block(number)))
    }

    /// Blocks that are asked of somebody, and of whom.
    pub(super) fn asked(&self) -> impl Iterator<Item = (Block, &[SessionId])> {
        let asked = self.blocks.asked();
        asked.map(|(number, asked)| (self.block(number), asked))
    }

    /// Asks the session too for a block out of [`Partial::repeatable_for`].
    pub(super) fn ask_again(&mut self, asker: Asker, block: Block) {
        if let Some(number) = self.number(block) {
            self.blocks.ask(number, asker);
        }
    }

    /// The session, of which this block is asked, delivers from now on, or no longer.
    pub(super) fn reconsider(&mut self, block: Block, delivers: bool) {
        if let Some(number) = self.number(block) {
            self.blocks.reconsider(number, delivers);
        }
    }

    /// The session won't send this block; false if it was not asked of it.
    pub(super) fn release(&mut self, asker: Asker, block: Block) -> bool {
        let number = self.number(block);
        number.is_some_and(|number| self.blocks.release(number, asker))
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
        let Some(asked) = self.blocks.asked_of(number) else {
            return Filled::Duplicate;
        };
        // What is to be filled by one alone takes nothing of others, however late.
        let welcome = asked.contains(&session) || late && !self.alone;
        if !welcome || data.len() != block.length as usize {
            return Filled::Unrequested;
        }
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
        Filled::Kept(self.blocks.arrive(number, session))
    }

    /// The piece's bytes, without copying them, or what is known of them; and who sent each of
    /// its blocks, see [`Blocks::senders`].
    pub(super) fn finish(self) -> (Content<C>, Vec<SessionId>) {
        debug_assert!(self.is_complete());
        let senders = self.blocks.senders();
        let content = match self.gathered {
            Gathered::Whole(buffer) => Content::Whole(buffer.freeze()),
            Gathered::Parts(parts) => Content::Digests(parts.into_digests()),
        };
        (content, senders)
    }

    fn block(&self, number: usize) -> Block {
        let number = u32::try_from(number).expect("blocks are counted in u32");
        self.layout.block(self.piece, number)
    }

    /// The block's number, if it is one of ours to the byte.
    fn number(&self, block: Block) -> Option<usize> {
        let number = (block.begin / BLOCK) as usize;
        (number < self.blocks.count() && self.block(number) == block).then_some(number)
    }
}
