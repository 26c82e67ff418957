//! Where blocks and metadata come from when they are sent.

use crate::chunk::{Buffer, Chunk};
use crate::engine::cache::Cache;
use crate::id::InfoHash;
use crate::metainfo::Metainfo;
use crate::peer::outbox::Source;
use crate::pieces::{Block, Cut, Layout};
use crate::wire::extension::{METADATA_PIECE, MetadataMessage};
use crate::wire::peer::Message;

/// The parts of its piece that a block touches.
pub(super) fn parts_of(cut: Cut, layout: &Layout, block: Block) -> std::ops::Range<u32> {
    let length = layout.length(block.piece);
    let last = block.begin + block.length - 1;
    cut.part_at(length, block.begin)..cut.part_at(length, last) + 1
}

/// Where nothing comes from.
pub(super) struct NoShelf;

impl<C> Source<C> for NoShelf {
    fn block(&mut self, _: Block) -> Option<C> {
        None
    }

    fn metadata(&mut self, _: u32) -> Option<Message> {
        None
    }
}

/// Where blocks and metadata come from.
pub(super) struct Shelf<'a, C> {
    pub(super) info_hash: InfoHash,
    pub(super) metainfo: Option<&'a Metainfo>,
    pub(super) cut: Cut,
    /// The id under which the peer takes metadata messages.
    pub(super) ut_metadata: Option<u8>,
    pub(super) cache: &'a mut Cache<C>,
}

impl<C: Chunk> Source<C> for Shelf<'_, C> {
    fn block(&mut self, block: Block) -> Option<C> {
        let layout = self.metainfo?.layout();
        let mut parts = parts_of(self.cut, layout, block);
        let (first, several) = (parts.next()?, parts.end > parts.start);
        let mut found = several.then(|| C::Buffer::new(block.length as usize));
        for part in std::iter::once(first).chain(parts) {
            let data = self.cache.get((self.info_hash, block.piece, part))?;
            let (begin, length) = self.cut.stretch(layout.length(block.piece), part);
            let from = block.begin.max(begin);
            let to = (block.begin + block.length).min(begin + length);
            let here = data.slice((from - begin) as usize..(to - begin) as usize);
            match &mut found {
                Some(found) => found.write((from - block.begin) as usize, &here),
                None => return Some(here),
            }
        }
        found.map(Buffer::freeze)
    }

    fn metadata(&mut self, piece: u32) -> Option<Message> {
        let payload = metadata_answer(self.metainfo, piece).encode();
        self.ut_metadata.map(|id| Message::Extended { id, payload })
    }
}

/// Our answer to a metadata request (BEP 9).
fn metadata_answer(metainfo: Option<&Metainfo>, piece: u32) -> MetadataMessage {
    let Some(metainfo) = metainfo else {
        return MetadataMessage::Reject { piece };
    };
    let info = metainfo.info();
    // A `usize` of 32 bits would wrap, and a wrong piece look like a right one.
    let begin = (piece as usize).saturating_mul(METADATA_PIECE as usize);
    match (info.len().checked_sub(begin), u32::try_from(info.len())) {
        (Some(left), Ok(total_size)) if left > 0 => {
            let end = begin + left.min(METADATA_PIECE as usize);
            MetadataMessage::Data {
                piece,
                total_size,
                data: info.slice(begin..end),
            }
        }
        _ => MetadataMessage::Reject { piece },
    }
}
