//! How a torrent's bytes are cut into pieces and blocks.

use super::BLOCK;
use crate::wire::{self, peer::BlockRef};

/// The index of a piece that exists, checked once by [`Layout::piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceIndex(pub(super) u32);

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
    /// Zero, or above [`Layout::MAX_PIECE_LENGTH`].
    #[error("a piece length of {0} bytes is not acceptable")]
    PieceLength(u32),
    /// There would be pieces longer than [`Layout::MAX_PIECE`].
    #[error(
        "its pieces of {} MiB are too long: up to {} MiB are handled",
        .0.div_ceil(1 << 20),
        Layout::MAX_PIECE >> 20
    )]
    LongPieces(u32),
    /// More than [`Layout::MAX_PIECES`].
    #[error("{0} pieces are too many")]
    TooManyPieces(u64),
}

impl PieceIndex {
    /// Every torrent has it.
    pub(crate) const FIRST: PieceIndex = PieceIndex(0);

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
        BlockRef {
            piece: self.piece.get(),
            begin: self.begin,
            length: self.length,
        }
    }
}

impl Layout {
    /// The most pieces of a torrent.
    pub const MAX_PIECES: u64 = wire::MAX_PIECES;
    /// The longest piece length that a torrent may name: a little more than the longest that
    /// libtorrent takes.
    pub const MAX_PIECE_LENGTH: u32 = 512 << 20;
    /// The longest piece that there may be: nothing of it can be passed on before all of it is
    /// here, and one bad block spoils all of it. Longer ones than this are not made by anybody.
    pub const MAX_PIECE: u32 = 256 << 20;
    /// The longest block that may be asked of us: longer requests are an abuse of our memory.
    pub const MAX_BLOCK: u32 = 128 << 10;

    /// A torrent of `length` bytes in pieces of `piece_length`, the last one shorter.
    pub fn new(length: u64, piece_length: u32) -> Result<Self, LayoutError> {
        if length == 0 {
            return Err(LayoutError::Empty);
        }
        if !(1..=Self::MAX_PIECE_LENGTH).contains(&piece_length) {
            return Err(LayoutError::PieceLength(piece_length));
        }
        if u64::from(piece_length).min(length) > u64::from(Self::MAX_PIECE) {
            return Err(LayoutError::LongPieces(piece_length));
        }
        let pieces = length.div_ceil(u64::from(piece_length));
        if pieces > Self::MAX_PIECES {
            return Err(LayoutError::TooManyPieces(pieces));
        }
        Ok(Layout {
            length,
            piece_length,
        })
    }

    /// Bytes in all.
    pub fn total_length(&self) -> u64 {
        self.length
    }

    /// Bytes of every piece but the last.
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }

    /// How many pieces there are; at least one.
    pub fn piece_count(&self) -> u32 {
        let pieces = self.length.div_ceil(u64::from(self.piece_length));
        u32::try_from(pieces).expect("at most MAX_PIECES")
    }

    /// The piece with this number, if there is one.
    pub fn piece(&self, index: u32) -> Option<PieceIndex> {
        (index < self.piece_count()).then_some(PieceIndex(index))
    }

    /// All pieces in order.
    pub fn pieces(&self) -> impl DoubleEndedIterator<Item = PieceIndex> + use<> {
        (0..self.piece_count()).map(PieceIndex)
    }

    /// Bytes of this piece.
    pub fn length(&self, piece: PieceIndex) -> u32 {
        let rest = self.length - self.offset(piece);
        u32::try_from(rest).map_or(self.piece_length, |rest| rest.min(self.piece_length))
    }

    /// The piece's first byte within the torrent.
    pub fn offset(&self, piece: PieceIndex) -> u64 {
        u64::from(piece.get()) * u64::from(self.piece_length)
    }

    /// How many blocks the piece has.
    pub fn block_count(&self, piece: PieceIndex) -> u32 {
        self.length(piece).div_ceil(BLOCK)
    }

    /// The piece's block with this number; it must be below [`Layout::block_count`].
    pub fn block(&self, piece: PieceIndex, number: u32) -> Block {
        let length = self.length(piece);
        let begin = number * BLOCK;
        debug_assert!(
            begin < length,
            "block {number} of a piece of {length} bytes"
        );
        Block {
            piece,
            begin,
            length: BLOCK.min(length - begin),
        }
    }

    /// A block as a peer names it, if it exists here; any begin and length within the piece,
    /// up to [`Layout::MAX_BLOCK`].
    pub fn check(&self, block: BlockRef) -> Option<Block> {
        let BlockRef {
            piece,
            begin,
            length,
        } = block;
        let piece = self.piece(piece)?;
        let fits = (1..=Self::MAX_BLOCK).contains(&length)
            && begin.checked_add(length)? <= self.length(piece);
        fits.then_some(Block {
            piece,
            begin,
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(length: u64, piece_length: u32) -> Layout {
        Layout::new(length, piece_length).unwrap()
    }

    #[test]
    fn last_piece_and_last_block_are_shorter() {
        let layout = layout(100_000, 32 * 1024);
        assert_eq!(layout.piece_count(), 4);
        let last = layout.piece(3).unwrap();
        assert_eq!(layout.offset(last), 98_304);
        assert_eq!(layout.length(last), 1_696);
        assert_eq!(layout.block_count(last), 1);
        assert_eq!(
            layout.block(last, 0),
            Block {
                piece: last,
                begin: 0,
                length: 1_696
            }
        );
        let first = layout.piece(0).unwrap();
        assert_eq!(layout.block_count(first), 2);
        assert_eq!(
            layout.block(first, 1),
            Block {
                piece: first,
                begin: BLOCK,
                length: BLOCK
            }
        );
        assert_eq!(layout.piece(4), None);
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        assert_eq!(Layout::new(0, 1), Err(LayoutError::Empty));
        assert_eq!(Layout::new(1, 0), Err(LayoutError::PieceLength(0)));
        let refused = |length| Err(LayoutError::PieceLength(length));
        assert_eq!(Layout::new(1, (512 << 20) + 1), refused((512 << 20) + 1));
        let long = Layout::new(1 << 30, 512 << 20).unwrap_err();
        assert_eq!(
            long.to_string(),
            "its pieces of 512 MiB are too long: up to 256 MiB are handled"
        );
        assert!(Layout::new(1 << 30, 256 << 20).is_ok());
        assert!(Layout::new(1, 512 << 20).is_ok(), "no piece is that long");
        assert_eq!(
            Layout::new((1 << 21) + 1, 1),
            Err(LayoutError::TooManyPieces((1 << 21) + 1))
        );
        assert!(Layout::new(u64::MAX, 256 << 20).is_err());
        assert!(Layout::new((1 << 21) * (256 << 20), 256 << 20).is_ok());
    }

    #[test]
    fn foreign_blocks_are_checked() {
        let layout = layout(300_000, 200_000);
        let check = |piece, begin, length| {
            layout
                .check(BlockRef {
                    piece,
                    begin,
                    length,
                })
                .is_some()
        };
        assert!(check(0, 7, 100));
        assert!(check(0, 0, 128 << 10));
        assert!(!check(0, 0, (128 << 10) + 1));
        assert!(check(1, 99_999, 1));
        assert!(!check(1, 99_999, 2));
        assert!(!check(0, 0, 0));
        assert!(!check(2, 0, 1));
        assert!(!check(0, u32::MAX, u32::MAX));
    }

    #[test]
    fn pieces_and_blocks_cover_every_byte_once() {
        arbtest::arbtest(|u| {
            let length = u.int_in_range(1..=5_000_000)?;
            let piece_length = u.int_in_range(5_000..=300_000)?;
            let layout = layout(length, piece_length);
            let mut next = 0;
            for piece in layout.pieces() {
                for number in 0..layout.block_count(piece) {
                    let block = layout.block(piece, number);
                    assert_eq!(layout.offset(piece) + u64::from(block.begin), next);
                    assert_eq!(layout.check(block.to_ref()), Some(block));
                    next += u64::from(block.length);
                }
            }
            assert_eq!(next, length);
            Ok(())
        });
    }
}
