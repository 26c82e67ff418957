//! What a torrent is called and made of, as far as that is known.

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::engine::ending::Fault;
use crate::id::InfoHash;
use crate::metainfo::Metainfo;
use crate::pieces::{BLOCK, Block, Layout, PieceIndex};
use crate::wire::peer::BlockRef;

/// The longest message taken: a bitfield of the most pieces is the longest of all.
const MAX_MESSAGE: u32 = (Layout::MAX_PIECES / 8) as u32 + 64;
/// What else there is reason to send: blocks, pieces of the metadata and the dictionaries of
/// extensions are at most 16 KiB long, with a head of less than 2 KiB.
const OTHER_MESSAGES: u32 = BLOCK + (2 << 10);

/// See the module.
#[derive(Debug)]
pub(super) struct About {
    name: String,
    metainfo: Option<Metainfo>,
}

impl About {
    /// Something of which a link spoke.
    pub(super) fn new(info_hash: InfoHash, name: Option<String>) -> Self {
        About {
            name: name.unwrap_or_else(|| info_hash.to_string()),
            metainfo: None,
        }
    }

    /// It is called as its description says.
    pub(super) fn rename(&mut self, metainfo: &Metainfo) {
        metainfo.name().clone_into(&mut self.name);
    }

    /// It is known now.
    pub(super) fn learn(&mut self, metainfo: Metainfo) {
        self.metainfo = Some(metainfo);
    }

    /// The info-hash, while nothing better is known.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn metainfo(&self) -> Option<&Metainfo> {
        self.metainfo.as_ref()
    }

    pub(super) fn layout(&self) -> Option<&Layout> {
        self.metainfo().map(Metainfo::layout)
    }

    /// A piece by its number, once it is known which there are; `fault` is to name another.
    pub(super) fn piece(&self, index: u32, fault: Fault) -> Result<Option<PieceIndex>, Fault> {
        let Some(layout) = self.layout() else {
            return Ok(None);
        };
        layout.piece(index).map(Some).ok_or(fault)
    }

    /// Bytes of a piece; 0 while that is not known.
    pub(super) fn piece_length(&self) -> u32 {
        self.layout().map_or(0, Layout::piece_length)
    }

    /// A block as a peer names it, if it exists.
    pub(super) fn check_block(&self, block: BlockRef) -> Option<Block> {
        self.layout()?.check(block)
    }

    /// The bytes of a stretch of a piece that is nothing but padding.
    pub(super) fn padding_of<C: Chunk>(
        &self,
        piece: PieceIndex,
        begin: u32,
        length: u32,
    ) -> Option<C> {
        let metainfo = self.metainfo()?;
        let offset = metainfo.layout().offset(piece) + u64::from(begin);
        let known = metainfo.padding().covers(offset, length);
        known.then(|| C::of(Bytes::from(vec![0; length as usize])))
    }

    /// The longest message that a peer has reason to send: each may keep us waiting for the
    /// rest of one.
    pub(super) fn longest_message(&self) -> u32 {
        self.layout().map_or(MAX_MESSAGE, |layout| {
            let bitfield = layout.piece_count().div_ceil(8) + 1;
            bitfield.max(OTHER_MESSAGES)
        })
    }
}
