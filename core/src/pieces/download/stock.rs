//! Which pieces are had and which are missing, and how many bytes that is.

use crate::pieces::{Bitfield, Layout, Padding, PieceIndex};

/// See the module. What is neither had nor missing is not wanted. Bytes are counted without
/// padding.
#[derive(Debug)]
pub(super) struct Stock {
    layout: Layout,
    padding: Padding,
    have: Bitfield,
    bytes_had: u64,
    /// Wanted and not had.
    missing: Bitfield,
    bytes_missing: u64,
}

impl Stock {
    /// Everything that is not had is wanted.
    pub(super) fn new(layout: Layout, have: Bitfield) -> Self {
        let mut stock = Stock {
            layout,
            padding: Padding::default(),
            have,
            bytes_had: 0,
            missing: Bitfield::empty(layout.piece_count()),
            bytes_missing: 0,
        };
        stock.want(|_| true);
        stock.bytes_had = stock.bytes_in(&stock.have);
        stock
    }

    pub(super) fn set_padding(&mut self, padding: Padding) {
        self.padding = padding;
        self.bytes_had = self.bytes_in(&self.have);
        self.bytes_missing = self.bytes_in(&self.missing);
    }

    pub(super) fn padding(&self) -> &Padding {
        &self.padding
    }

    pub(super) fn have(&self) -> &Bitfield {
        &self.have
    }

    pub(super) fn bytes_had(&self) -> u64 {
        self.bytes_had
    }

    pub(super) fn missing(&self) -> &Bitfield {
        &self.missing
    }

    pub(super) fn bytes_missing(&self) -> u64 {
        self.bytes_missing
    }

    /// Says of every piece whether it is wanted.
    pub(super) fn want(&mut self, wanted: impl Fn(PieceIndex) -> bool) {
        self.missing = Bitfield::empty(self.layout.piece_count());
        for piece in self.layout.pieces() {
            if !self.have.has(piece) && wanted(piece) {
                self.missing.insert(piece);
            }
        }
        self.bytes_missing = self.bytes_in(&self.missing);
    }

    /// A piece is had from now on.
    pub(super) fn gain(&mut self, piece: PieceIndex) {
        let bytes = self.bytes_of(piece);
        if self.have.insert(piece) {
            self.bytes_had += bytes;
        }
        if self.missing.remove(piece) {
            self.bytes_missing -= bytes;
        }
    }

    /// A piece is not had any more; false, and nothing happens, if it was not.
    pub(super) fn lose(&mut self, piece: PieceIndex, wanted: bool) -> bool {
        if !self.have.remove(piece) {
            return false;
        }
        let bytes = self.bytes_of(piece);
        self.bytes_had -= bytes;
        if wanted && self.missing.insert(piece) {
            self.bytes_missing += bytes;
        }
        true
    }

    /// Bytes of a piece.
    pub(super) fn bytes_of(&self, piece: PieceIndex) -> u64 {
        let length = self.layout.length(piece);
        u64::from(length - self.padding.within(self.layout.offset(piece), length))
    }

    fn bytes_in(&self, pieces: &Bitfield) -> u64 {
        pieces.iter().map(|piece| self.bytes_of(piece)).sum()
    }
}
