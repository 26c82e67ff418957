//! How a torrent's bytes are cut into pieces and blocks.

use crate::wire::peer::BlockRef;

/// The index of a piece that exists, checked once by [`Layout::piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceIndex(u32);

/// A block that exists: within its piece, at most 128 KiB, not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// The piece.
    pub piece: PieceIndex,
    /// The first byte within the piece.
    pub begin: u32,
    /// How many bytes.
    pub length: u32,
}

/// The cut of a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    length: u64,
    piece_length: u32,
}

/// Why a torrent can't be cut like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// No bytes at all.
    #[error("the torrent has no bytes")]
    Empty,
    /// Zero, or above 64 MiB.
    #[error("a piece length of {0} bytes is not acceptable")]
    PieceLength(u32),
    /// More than [`Layout::MAX_PIECES`].
    #[error("{0} pieces are too many")]
    TooManyPieces(u64),
}

impl PieceIndex {
    /// The number on the wire.
    pub fn get(self) -> u32 {
        self.0
    }
    /// For indexing vectors.
    pub fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl Block {
    /// As it is named on the wire.
    pub fn to_ref(self) -> BlockRef {
        BlockRef { piece: self.piece.get(), begin: self.begin, length: self.length }
    }
}

impl Layout {
    /// The most pieces of a torrent: their hashes alone are 40 MiB.
    pub const MAX_PIECES: u64 = 1 << 21;

    /// A torrent of `length` bytes in pieces of `piece_length`, the last one shorter.
    pub fn new(length: u64, piece_length: u32) -> Result<Self, LayoutError> {
        let _ = (length, piece_length);
        todo!()
    }
    /// Bytes in all.
    pub fn total_length(&self) -> u64 {
        self.length
    }
    /// Bytes of every piece but the last.
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }
    /// How many pieces there are.
    pub fn piece_count(&self) -> u32 {
        todo!()
    }
    /// The piece with this number, if there is one.
    pub fn piece(&self, index: u32) -> Option<PieceIndex> {
        let _ = index;
        todo!()
    }
    /// All pieces in order.
    pub fn pieces(&self) -> impl Iterator<Item = PieceIndex> + use<> {
        (0..self.piece_count()).map(PieceIndex)
    }
    /// Bytes of this piece.
    pub fn length(&self, piece: PieceIndex) -> u32 {
        let _ = piece;
        todo!()
    }
    /// The piece's first byte within the torrent.
    pub fn offset(&self, piece: PieceIndex) -> u64 {
        let _ = piece;
        todo!()
    }
    /// How many blocks the piece has.
    pub fn block_count(&self, piece: PieceIndex) -> u32 {
        let _ = piece;
        todo!()
    }
    /// The piece's block with this number; it must be below [`Layout::block_count`].
    pub fn block(&self, piece: PieceIndex, number: u32) -> Block {
        let _ = (piece, number);
        todo!()
    }
    /// A block as a peer names it, if it exists here; any begin and length within the piece.
    pub fn check(&self, block: BlockRef) -> Option<Block> {
        let _ = block;
        todo!()
    }
}
