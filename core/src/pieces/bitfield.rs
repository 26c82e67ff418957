//! Which pieces somebody has.

use std::ops::Range;

use super::PieceIndex;

/// A set of pieces of one torrent that knows its own size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitfield {
    bytes: Vec<u8>,
    pieces: u32,
    count: u32,
}

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
    pub fn empty(pieces: u32) -> Self {
        Bitfield {
            bytes: vec![0; byte_len(pieces)],
            pieces,
            count: 0,
        }
    }

    /// All of `pieces` pieces.
    pub fn full(pieces: u32) -> Self {
        let mut bytes = vec![0xff; byte_len(pieces)];
        if let Some(last) = bytes.last_mut() {
            *last &= !spare_mask(pieces);
        }
        Bitfield {
            bytes,
            pieces,
            count: pieces,
        }
    }

    /// Reads the wire form for a torrent of `pieces` pieces.
    pub fn from_bytes(bytes: &[u8], pieces: u32) -> Result<Self, BitfieldError> {
        let expected = byte_len(pieces);
        if bytes.len() != expected {
            return Err(BitfieldError::Length {
                got: bytes.len(),
                expected,
            });
        }
        if bytes
            .last()
            .is_some_and(|last| last & spare_mask(pieces) != 0)
        {
            return Err(BitfieldError::SpareBits);
        }
        let count = bytes.iter().map(|byte| byte.count_ones()).sum();
        Ok(Bitfield {
            bytes: bytes.to_vec(),
            pieces,
            count,
        })
    }

    /// The wire form: most significant bit first, spare bits zero.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many pieces the torrent has.
    pub fn piece_count(&self) -> u32 {
        self.pieces
    }

    /// How many of them are here.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// It is here.
    pub fn has(&self, piece: PieceIndex) -> bool {
        let (byte, bit) = position(piece);
        self.bytes.get(byte).is_some_and(|byte| byte & bit != 0)
    }

    /// Adds it; true if it was not here.
    ///
    /// # Panics
    /// If the piece is another, longer torrent's.
    pub fn insert(&mut self, piece: PieceIndex) -> bool {
        assert!(piece.get() < self.pieces, "the piece is of this torrent");
        let (byte, bit) = position(piece);
        let new = self.bytes[byte] & bit == 0;
        self.bytes[byte] |= bit;
        self.count += u32::from(new);
        new
    }

    /// Takes it away; true if it was here.
    pub fn remove(&mut self, piece: PieceIndex) -> bool {
        let was_here = self.has(piece);
        if was_here {
            let (byte, bit) = position(piece);
            self.bytes[byte] &= !bit;
            self.count -= 1;
        }
        was_here
    }

    /// All are here.
    pub fn is_full(&self) -> bool {
        self.count() == self.piece_count()
    }

    /// None is here.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Those that are here, in order.
    pub fn iter(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        (0_u32..)
            .step_by(8)
            .zip(&self.bytes)
            .flat_map(|(first, &byte)| {
                let mut rest = byte;
                std::iter::from_fn(move || {
                    let bit = rest.leading_zeros();
                    (bit < 8).then(|| {
                        rest &= !(0x80 >> bit);
                        PieceIndex(first + bit)
                    })
                })
            })
    }

    /// `other` has something that is not here.
    pub fn lacks_any_of(&self, other: &Bitfield) -> bool {
        first_set(self, other, |ours, theirs| theirs & !ours).is_some()
    }

    /// The lowest piece within `range` that is both here and in `other`; 64 pieces are
    /// looked at in one step.
    pub fn first_common_in(&self, other: &Bitfield, range: Range<u32>) -> Option<PieceIndex> {
        debug_assert_eq!(self.pieces, other.pieces, "bitfields of one torrent");
        let end = range.end.min(self.pieces);
        // Before it, bits of the first word are not meant.
        let mut mask = u64::MAX >> (range.start % 64);
        for word in range.start / 64..end.div_ceil(64) {
            let common = self.word(word) & other.word(word) & mask;
            if common != 0 {
                let piece = word * 64 + common.leading_zeros();
                return (piece < end).then_some(PieceIndex(piece));
            }
            mask = u64::MAX;
        }
        None
    }

    /// 64 pieces, the first one as the most significant bit.
    fn word(&self, number: u32) -> u64 {
        let rest = &self.bytes[number as usize * 8..];
        match rest.first_chunk() {
            Some(word) => u64::from_be_bytes(*word),
            None => word_of(rest),
        }
    }
}

/// The lowest piece whose bit is set in the combination of `a` and `b`.
///
/// Eight bytes at a time: it is asked for every block that arrives, of bitfields that
/// may be a quarter of a megabyte.
fn first_set(a: &Bitfield, b: &Bitfield, combine: fn(u64, u64) -> u64) -> Option<PieceIndex> {
    debug_assert_eq!(a.pieces, b.pieces, "bitfields of one torrent");
    let (words_a, rest_a) = a.bytes.as_chunks::<8>();
    let (words_b, rest_b) = b.bytes.as_chunks::<8>();
    let tail = (word_of(rest_a), word_of(rest_b));
    let words = words_a.iter().zip(words_b);
    (0_u32..)
        .step_by(64)
        .zip(
            words
                .map(|(a, b)| (u64::from_be_bytes(*a), u64::from_be_bytes(*b)))
                .chain([tail]),
        )
        .find_map(|(first, (a, b))| {
            let combined = combine(a, b);
            (combined != 0).then(|| PieceIndex(first + combined.leading_zeros()))
        })
}

/// Fewer than eight bytes as the upper end of a word.
fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_be_bytes(word)
}

fn byte_len(pieces: u32) -> usize {
    pieces.div_ceil(8) as usize
}

/// The bits of the last byte that stand for no piece.
fn spare_mask(pieces: u32) -> u8 {
    match pieces % 8 {
        0 => 0,
        used => 0xff >> used,
    }
}

fn position(piece: PieceIndex) -> (usize, u8) {
    (piece.as_usize() / 8, 0x80 >> (piece.get() % 8))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn most_significant_bit_is_the_first_piece() {
        let mut bits = Bitfield::empty(10);
        assert!(bits.insert(PieceIndex(0)));
        assert!(bits.insert(PieceIndex(9)));
        assert!(!bits.insert(PieceIndex(9)));
        assert_eq!(bits.as_bytes(), [0b1000_0000, 0b0100_0000]);
        assert_eq!(bits.count(), 2);
        assert!(!bits.has(PieceIndex(10)));
        assert_eq!(Bitfield::full(10).as_bytes(), [0xff, 0b1100_0000]);
        assert_eq!(Bitfield::full(16).as_bytes(), [0xff, 0xff]);
    }

    #[test]
    fn only_bitfields_of_this_torrent_are_read() {
        assert_eq!(
            Bitfield::from_bytes(&[0xff], 9),
            Err(BitfieldError::Length {
                got: 1,
                expected: 2
            })
        );
        assert_eq!(
            Bitfield::from_bytes(&[0xff, 0b1100_0000], 9),
            Err(BitfieldError::SpareBits)
        );
        assert_eq!(
            Bitfield::from_bytes(&[0xff, 0x80], 9),
            Ok(Bitfield::full(9))
        );
        assert_eq!(Bitfield::from_bytes(&[], 0), Ok(Bitfield::empty(0)));
    }

    #[test]
    fn behaves_as_a_set() {
        arbtest::arbtest(|u| {
            let pieces = u.int_in_range(1..=200)?;
            let mut bits = Bitfield::empty(pieces);
            let mut model = BTreeSet::new();
            for _ in 0..u.int_in_range(0..=300)? {
                let piece = PieceIndex(u.int_in_range(0..=pieces - 1)?);
                if u.ratio(2, 3)? {
                    assert_eq!(bits.insert(piece), model.insert(piece));
                } else {
                    assert_eq!(bits.remove(piece), model.remove(&piece));
                }
            }
            assert_eq!(bits.iter().collect::<BTreeSet<_>>(), model);
            assert!(bits.iter().is_sorted());
            assert_eq!(bits.count() as usize, model.len());
            assert_eq!(bits.is_full(), model.len() == pieces as usize);
            assert_eq!(
                Bitfield::from_bytes(bits.as_bytes(), pieces).as_ref(),
                Ok(&bits)
            );
            assert_eq!(bits.lacks_any_of(&Bitfield::full(pieces)), !bits.is_full());
            assert!(!bits.lacks_any_of(&bits));
            let range = u.int_in_range(0..=pieces)?..u.int_in_range(0..=pieces + 70)?;
            assert_eq!(
                bits.first_common_in(&Bitfield::full(pieces), range.clone()),
                model.iter().copied().find(|p| range.contains(&p.get()))
            );
            Ok(())
        });
    }
}
