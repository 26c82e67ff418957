//! Pieces that are too long to be held in memory whole: they are moved in parts.
//!
//! What arrives of such a piece is gathered part by part and written unverified; the whole is
//! hashed where it lies before it counts for anything.

use bytes::Bytes;
use sha1::{Digest, Sha1};

use super::{BLOCK, Layout, PieceIndex};
use crate::chunk::{Buffer, Chunk};
use crate::sorted::SortedMap;

/// Which pieces are moved in parts, and in which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of the longest piece that is held whole.
    pub whole: u32,
    /// Bytes of a part: a multiple of a block.
    pub part: u32,
}

/// A stretch of a piece that is to be written before anybody knows whether it is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch<C = Bytes> {
    /// The piece.
    pub piece: PieceIndex,
    /// The first byte within the piece.
    pub begin: u32,
    /// Its bytes.
    pub data: C,
}

impl Cut {
    /// Of a piece of so many bytes there is never more than a part in one place.
    pub fn in_parts(self, piece_length: u32) -> bool {
        piece_length > self.whole
    }

    /// The stretch of a piece of `piece_length` bytes that its part of this number is: where
    /// it begins, and its length. A piece that is held whole is its part 0.
    pub fn stretch(self, piece_length: u32, number: u32) -> (u32, u32) {
        if !self.in_parts(piece_length) {
            return (0, piece_length);
        }
        let begin = number.saturating_mul(self.part).min(piece_length);
        (begin, self.part.min(piece_length - begin))
    }

    /// The number of the part that has this byte of a piece.
    pub fn part_at(self, piece_length: u32, byte: u32) -> u32 {
        if self.in_parts(piece_length) {
            byte / self.part
        } else {
            0
        }
    }
}

/// What is in memory of a piece that is moved in parts.
#[derive(Debug)]
pub(super) struct Parts<C> {
    /// Blocks of a part.
    blocks: usize,
    /// Bytes that may wait, be written, or be asked for at once.
    room: u64,
    /// Blocks that wait for the rest of their part.
    waiting: SortedMap<usize, C>,
    waiting_bytes: u64,
    /// Stretches that are being written: where they begin, and how long they are.
    writing: SortedMap<u32, u32>,
    /// What each block was that is here.
    digests: Vec<[u8; 20]>,
}

impl<C: Chunk> Parts<C> {
    pub(super) fn new(layout: &Layout, piece: PieceIndex, cut: Cut, room: u64) -> Self {
        Parts {
            blocks: (cut.part / BLOCK).max(1) as usize,
            room,
            waiting: SortedMap::new(),
            waiting_bytes: 0,
            writing: SortedMap::new(),
            digests: vec![[0; 20]; layout.block_count(piece) as usize],
        }
    }

    /// There is memory for one more block while so many are asked for.
    pub(super) fn has_room(&self, asked: usize) -> bool {
        let writing: u64 = self.writing.values().map(|length| u64::from(*length)).sum();
        let asked = asked as u64 * u64::from(BLOCK);
        self.waiting_bytes + writing + asked < self.room
    }

    /// A block is here.
    pub(super) fn put(&mut self, number: usize, data: C) {
        self.digests[number] = Sha1::digest(data.to_bytes()).into();
        self.waiting_bytes += data.len() as u64;
        self.waiting.insert(number, data);
    }

    /// The numbers of the blocks of the part that has this one.
    pub(super) fn part_of(&self, number: usize) -> std::ops::Range<usize> {
        let first = number - number % self.blocks;
        first..(first + self.blocks).min(self.digests.len())
    }

    /// Half of the memory is taken by blocks that wait: those of this one's part are to be
    /// written though some are missing, so that there is always room to ask for more.
    pub(super) fn overflows(&self) -> Option<usize> {
        let first = self.waiting.keys().next();
        first
            .copied()
            .filter(|_| self.waiting_bytes > self.room / 2)
    }

    /// Takes what waits of these blocks, as few stretches as they make, which are being
    /// written from now on.
    pub(super) fn take(
        &mut self,
        numbers: std::ops::Range<usize>,
        piece: PieceIndex,
    ) -> Vec<Stretch<C>> {
        let mut stretches: Vec<(usize, Vec<C>)> = Vec::new();
        let mut next = None;
        for number in numbers {
            let Some(data) = self.waiting.remove(&number) else {
                continue;
            };
            self.waiting_bytes -= data.len() as u64;
            match stretches.last_mut() {
                Some((_, stretch)) if next == Some(number) => stretch.push(data),
                _ => stretches.push((number, vec![data])),
            }
            next = Some(number + 1);
        }
        let stretches = stretches.into_iter().map(|(number, data)| {
            let begin = u32::try_from(number).expect("blocks are counted in u32") * BLOCK;
            let data = joined(&data);
            let length = u32::try_from(data.len()).expect("no longer than its piece");
            self.writing.insert(begin, length);
            Stretch { piece, begin, data }
        });
        stretches.collect()
    }

    /// A stretch was written, or could not be; the numbers of its blocks, if it was.
    pub(super) fn written(&mut self, begin: u32) -> Option<std::ops::Range<usize>> {
        let length = self.writing.remove(&begin)?;
        let first = (begin / BLOCK) as usize;
        Some(first..first + length.div_ceil(BLOCK) as usize)
    }

    /// Something waits, or is being written.
    pub(super) fn is_busy(&self) -> bool {
        !self.writing.is_empty() || !self.waiting.is_empty()
    }

    /// Where the stretches begin that are being written.
    pub(super) fn writing(&self) -> impl Iterator<Item = u32> + '_ {
        self.writing.keys().copied()
    }

    pub(super) fn into_digests(self) -> Vec<[u8; 20]> {
        self.digests
    }
}

/// All of these, one behind the other.
fn joined<C: Chunk>(chunks: &[C]) -> C {
    let mut buffer = C::Buffer::new(chunks.iter().map(Chunk::len).sum());
    let mut at = 0;
    for chunk in chunks {
        buffer.write(at, chunk);
        at += chunk.len();
    }
    buffer.freeze()
}

/// The bytes of a piece, or what is known of them.
#[derive(Clone, Debug)]
pub(super) enum Content<C> {
    /// All of them.
    Whole(C),
    /// The SHA-1 of each block.
    Digests(Vec<[u8; 20]>),
}

impl<C: Chunk> Content<C> {
    /// The SHA-1 of each block.
    pub(super) fn digests(&self) -> Vec<[u8; 20]> {
        match self {
            Content::Whole(data) => {
                let data = data.to_bytes();
                let blocks = data.chunks(BLOCK as usize);
                blocks.map(|block| Sha1::digest(block).into()).collect()
            }
            Content::Digests(digests) => digests.clone(),
        }
    }
}
