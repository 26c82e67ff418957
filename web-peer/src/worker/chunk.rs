//! Payload that stays in the browser's memory.
//!
//! What comes through the WebSocket, what the store reads, and pieces in the making are
//! JavaScript's buffers, and go from one to the next by reference or by the browser's own
//! copying: WebAssembly's memory sees headers and small messages only.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use js_sys::Uint8Array;
use swarm_core::chunk::{Buffer, Chunk};

/// Messages below this are copied into our memory whole: less work than looking at them there.
pub(super) const SMALL: u32 = 4 << 10;
/// Buffers from this length on are used again: fresh memory is what costs most, one page
/// fault for each 4 KiB.
const POOLED: u32 = 64 << 10;
/// Bytes of buffers that wait to be used again.
const POOL: u32 = 8 << 20;

/// Some bytes, in our memory or in the browser's.
#[derive(Clone, Debug)]
pub(super) enum TabChunk {
    Ours(Bytes),
    Theirs {
        memory: Rc<Memory>,
        at: u32,
        length: u32,
    },
}

/// A buffer of JavaScript's, until nobody needs it any more.
#[derive(Debug)]
pub(super) struct Memory {
    array: Uint8Array,
    /// It is used again afterwards.
    pooled: bool,
}

/// A piece, or a block, in the making.
#[derive(Debug)]
pub(super) struct TabBuffer(Memory);

thread_local! {
    /// Buffers that nobody needs, the last to be freed at the end.
    static FREE: RefCell<Vec<Uint8Array>> = const { RefCell::new(Vec::new()) };
}

impl TabChunk {
    /// All of a buffer.
    pub(super) fn of_array(array: Uint8Array) -> Self {
        let length = array.length();
        TabChunk::Theirs {
            memory: Rc::new(Memory {
                array,
                pooled: false,
            }),
            at: 0,
            length,
        }
    }

    /// A view of the bytes in the browser's memory. It is good for as long as this chunk
    /// lives: afterwards the buffer may be used for something else.
    pub(super) fn view(&self) -> Uint8Array {
        match self {
            TabChunk::Ours(bytes) => Uint8Array::from(&bytes[..]),
            TabChunk::Theirs { memory, at, length } => memory.array.subarray(*at, at + length),
        }
    }

    /// Puts the bytes into a buffer.
    pub(super) fn copy_to(&self, target: &Uint8Array, at: u32) {
        match self {
            TabChunk::Ours(bytes) => {
                let place = target.subarray(at, at + size(bytes.len()));
                place.copy_from(bytes);
            }
            TabChunk::Theirs { .. } => target.set(&self.view(), at),
        }
    }
}

impl Chunk for TabChunk {
    type Buffer = TabBuffer;

    fn of(bytes: Bytes) -> Self {
        TabChunk::Ours(bytes)
    }

    fn len(&self) -> usize {
        match self {
            TabChunk::Ours(bytes) => bytes.len(),
            TabChunk::Theirs { length, .. } => *length as usize,
        }
    }

    fn slice(&self, range: Range<usize>) -> Self {
        match self {
            TabChunk::Ours(bytes) => TabChunk::Ours(bytes.slice(range)),
            TabChunk::Theirs { memory, at, length } => {
                let (from, to) = (size(range.start), size(range.end));
                assert!(from <= to && to <= *length, "within the chunk");
                TabChunk::Theirs {
                    memory: Rc::clone(memory),
                    at: at + from,
                    length: to - from,
                }
            }
        }
    }

    fn peek(&self, from: usize, into: &mut [u8]) {
        match self {
            TabChunk::Ours(bytes) => into.copy_from_slice(&bytes[from..from + into.len()]),
            TabChunk::Theirs { memory, at, length } => {
                let from = size(from);
                let to = from + size(into.len());
                assert!(to <= *length, "within the chunk");
                memory.array.subarray(at + from, at + to).copy_to(into);
            }
        }
    }

    fn detached(&self) -> Self {
        match self {
            TabChunk::Ours(bytes) => TabChunk::Ours(Bytes::copy_from_slice(bytes)),
            TabChunk::Theirs { memory, at, length } => {
                TabChunk::of_array(memory.array.slice(*at, at + length))
            }
        }
    }
}

impl Buffer for TabBuffer {
    type Chunk = TabChunk;

    fn new(length: usize) -> Self {
        let length = size(length);
        let free = FREE.with_borrow_mut(|free| {
            let fits = free.iter().rposition(|array| array.length() == length);
            fits.map(|index| free.remove(index))
        });
        let array = free.unwrap_or_else(|| Uint8Array::new_with_length(length));
        TabBuffer(Memory {
            array,
            pooled: length >= POOLED,
        })
    }

    fn write(&mut self, at: usize, chunk: &TabChunk) {
        chunk.copy_to(&self.0.array, size(at));
    }

    fn blank(&mut self, range: Range<usize>) {
        self.0.array.fill(0, size(range.start), size(range.end));
    }

    fn freeze(self) -> TabChunk {
        let length = self.0.array.length();
        TabChunk::Theirs {
            memory: Rc::new(self.0),
            at: 0,
            length,
        }
    }
}

impl Drop for Memory {
    /// Long buffers wait to be used again, as far as there is room for them.
    fn drop(&mut self) {
        if !self.pooled {
            return;
        }
        let array = self.array.clone();
        FREE.with_borrow_mut(|free| {
            free.push(array);
            let mut held: u32 = free.iter().map(Uint8Array::length).sum();
            while held > POOL {
                held -= free.remove(0).length();
            }
        });
    }
}

/// Nothing here is longer than a message or a piece.
fn size(length: usize) -> u32 {
    u32::try_from(length).expect("memory has 32 bits")
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn theirs(bytes: &[u8]) -> TabChunk {
        TabChunk::of_array(Uint8Array::from(bytes))
    }

    #[wasm_bindgen_test]
    fn a_chunk_is_cut_and_looked_at_wherever_it_lies() {
        let bytes: Vec<u8> = (0..100).collect();
        for chunk in [theirs(&bytes), TabChunk::Ours(bytes.clone().into())] {
            let part = chunk.slice(10..60).slice(5..25);
            assert_eq!((part.len(), &part.to_bytes()[..]), (20, &bytes[15..35]));
            let mut looked = [0; 3];
            part.peek(17, &mut looked);
            assert_eq!(looked, [32, 33, 34]);
            assert_eq!(part.view().to_vec(), bytes[15..35]);
            assert_eq!(part.detached().to_bytes(), part.to_bytes());
        }
    }

    #[wasm_bindgen_test]
    fn a_buffer_takes_both_kinds_and_blanks() {
        let mut buffer = TabBuffer::new(8);
        buffer.write(0, &theirs(&[1, 2, 3, 4]));
        buffer.write(4, &TabChunk::of(Bytes::from_static(&[5, 6, 7, 8])));
        buffer.blank(3..5);
        assert_eq!(buffer.freeze().to_bytes()[..], [1, 2, 3, 0, 0, 6, 7, 8]);
    }

    #[wasm_bindgen_test]
    fn buffers_are_used_again_once_nobody_needs_them() {
        FREE.with_borrow_mut(Vec::clear);
        let length = POOLED as usize;
        let mut buffer = TabBuffer::new(length);
        buffer.write(0, &theirs(&[7]));
        let first = buffer.freeze();
        let part = first.slice(0..1);
        drop(first);
        // It is in use.
        let other = TabBuffer::new(length).freeze();
        assert_eq!(part.to_bytes()[..], [7]);
        drop((part, other));
        FREE.with_borrow(|free| assert_eq!(free.len(), 2));
        let again = TabBuffer::new(length).freeze();
        FREE.with_borrow(|free| assert_eq!(free.len(), 1));
        drop(again);
        for _ in 0..3 {
            let many: Vec<_> = (0..200).map(|_| TabBuffer::new(length)).collect();
            drop(many);
        }
        FREE.with_borrow(|free| {
            let held: u32 = free.iter().map(Uint8Array::length).sum();
            assert!(held <= POOL, "{held} bytes wait");
        });
    }
}
