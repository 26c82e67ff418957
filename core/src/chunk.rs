//! Bytes that the core hands on without looking.
//!
//! Of a block the core reads thirteen bytes, and all the others only pass: from a channel
//! into a piece, to a hash, to a store, and out again. Where they lie is the host's business.
//! A terminal has [`Bytes`]. A tab's bytes stay in JavaScript's buffers, and never enter the
//! memory of WebAssembly; a simulator's need not be there at all.

use std::fmt::Debug;
use std::ops::Range;

use bytes::Bytes;

/// A stretch of bytes that can be shared and cut without copying.
pub trait Chunk: Clone + Debug {
    /// Where stretches are put together.
    type Buffer: Buffer<Chunk = Self>;

    /// Of bytes that are in our memory.
    fn of(bytes: Bytes) -> Self;

    /// How many.
    fn len(&self) -> usize;

    /// There are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them, sharing their memory. Must be within.
    #[must_use]
    fn slice(&self, range: Range<usize>) -> Self;

    /// Copies those from `at` on into our memory. Must be within.
    fn peek(&self, at: usize, into: &mut [u8]);

    /// The same bytes, without keeping any others in memory: for what is held for long.
    #[must_use]
    fn detached(&self) -> Self;

    /// Copies all of them behind what is there.
    fn append_to(&self, bytes: &mut Vec<u8>) {
        let before = bytes.len();
        bytes.resize(before + self.len(), 0);
        self.peek(0, &mut bytes[before..]);
    }

    /// All of them, in our memory: a copy, where they are not there anyway.
    fn to_bytes(&self) -> Bytes {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes);
        bytes.into()
    }
}

/// Where stretches are put together to a longer one.
pub trait Buffer: Debug {
    /// What goes in, and comes out.
    type Chunk: Chunk<Buffer = Self>;

    /// Room for so many bytes, which may be anything until they are written.
    fn new(length: usize) -> Self;

    /// Puts bytes in their place. Must be within.
    fn write(&mut self, at: usize, chunk: &Self::Chunk);

    /// Makes these bytes zeros. Must be within.
    fn blank(&mut self, range: Range<usize>);

    /// All of it, without copying.
    fn freeze(self) -> Self::Chunk;
}

impl Chunk for Bytes {
    type Buffer = Vec<u8>;

    fn of(bytes: Bytes) -> Self {
        bytes
    }

    fn len(&self) -> usize {
        Bytes::len(self)
    }

    fn slice(&self, range: Range<usize>) -> Self {
        Bytes::slice(self, range)
    }

    fn peek(&self, at: usize, into: &mut [u8]) {
        into.copy_from_slice(&self[at..at + into.len()]);
    }

    fn detached(&self) -> Self {
        Bytes::copy_from_slice(self)
    }

    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }

    fn to_bytes(&self) -> Bytes {
        self.clone()
    }
}

impl Buffer for Vec<u8> {
    type Chunk = Bytes;

    fn new(length: usize) -> Self {
        vec![0; length]
    }

    fn write(&mut self, at: usize, chunk: &Bytes) {
        self[at..at + chunk.len()].copy_from_slice(chunk);
    }

    fn blank(&mut self, range: Range<usize>) {
        self[range].fill(0);
    }

    fn freeze(self) -> Bytes {
        self.into()
    }
}
