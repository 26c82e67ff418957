//! Which pieces somebody has.

use super::PieceIndex;

/// A set of pieces of one torrent that knows its own size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitfield {}

/// Why some bytes are not a bitfield of this torrent (BEP 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitfieldError {
    /// Too short or too long.
    #[error("a bitfield of {got} bytes instead of {expected}")]
    Length {
        /// Bytes that came.
        got: usize,
        /// Bytes that it should have.
        expected: usize,
    },
    /// A bit beyond the last piece is set.
    #[error("the bitfield has pieces that don't exist")]
    SpareBits,
}

impl Bitfield {
    /// None of `pieces` pieces.
    pub fn empty(pieces: u32) -> Self { let _ = pieces; todo!() }
    /// All of `pieces` pieces.
    pub fn full(pieces: u32) -> Self { let _ = pieces; todo!() }
    /// Reads the wire form for a torrent of `pieces` pieces.
    pub fn from_bytes(bytes: &[u8], pieces: u32) -> Result<Self, BitfieldError> { let _ = (bytes, pieces); todo!() }
    /// The wire form: most significant bit first, spare bits zero.
    pub fn as_bytes(&self) -> &[u8] { todo!() }
    /// How many pieces the torrent has.
    pub fn piece_count(&self) -> u32 { todo!() }
    /// How many of them are here.
    pub fn count(&self) -> u32 { todo!() }
    /// It is here.
    pub fn has(&self, piece: PieceIndex) -> bool { let _ = piece; todo!() }
    /// Adds it; true if it was not here.
    pub fn insert(&mut self, piece: PieceIndex) -> bool { let _ = piece; todo!() }
    /// Takes it away; true if it was here.
    pub fn remove(&mut self, piece: PieceIndex) -> bool { let _ = piece; todo!() }
    /// All are here.
    pub fn is_full(&self) -> bool { self.count() == self.piece_count() }
    /// None is here.
    pub fn is_empty(&self) -> bool { self.count() == 0 }
    /// Those that are here, in order.
    pub fn iter(&self) -> impl Iterator<Item = PieceIndex> + '_ { std::iter::empty() }
    /// `other` has something that is not here.
    pub fn lacks_any_of(&self, other: &Bitfield) -> bool { let _ = other; todo!() }
}
