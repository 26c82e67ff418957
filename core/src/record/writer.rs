//! Inputs to bytes.

use bytes::Bytes;

use super::entry::{Head, What};
use super::{Header, LENGTHS, MAGIC, OutputHash};
use crate::chunk::Chunk;
use crate::engine::{Input, Output};
use crate::time::Time;

/// Bytes of a recording, in two stretches that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Few, newly made.
    pub head: Vec<u8>,
    /// Perhaps many, shared with the input that is recorded.
    pub body: Bytes,
}

/// Where a recording goes.
pub trait Sink {
    /// Appends the two stretches of `part`. False ends the recording: there is no room, or
    /// it is long enough.
    fn record(&mut self, part: Part) -> bool;
}

/// A recording in memory, as long as there is any.
impl Sink for Vec<u8> {
    fn record(&mut self, part: Part) -> bool {
        self.extend_from_slice(&part.head);
        self.extend_from_slice(&part.body);
        true
    }
}

/// Turns what happens to an engine into a recording. Does no I/O: what it returns is for
/// the host to append.
#[derive(Debug)]
pub struct Recorder {
    outputs: OutputHash,
}

impl Recorder {
    /// A recorder, and how the recording begins.
    pub fn begin(header: &Header) -> (Self, Part) {
        let mut head = MAGIC.to_vec();
        let body = Bytes::new();
        let begin = [&[0; LENGTHS], &header.encode()[..]].concat();
        head.extend(part(begin, body.clone()).head);
        let outputs = OutputHash::default();
        (Recorder { outputs }, Part { head, body })
    }

    /// The engine is about to get this input.
    pub fn input<C: Chunk>(&mut self, now: Time, input: &Input<C>) -> Part {
        let (what, body) = What::of(input);
        self.entry(now, what, body)
    }

    /// The engine was asked for an output.
    pub fn polled<C: Chunk>(&mut self, output: Option<&Output<C>>) {
        self.outputs.polled(output);
    }

    /// The recording ends.
    pub fn end(mut self, now: Time) -> Part {
        self.entry(now, What::End, Bytes::new())
    }

    fn entry(&mut self, now: Time, what: What, body: Bytes) -> Part {
        let head = Head {
            before: self.outputs.take(),
            time: now.since_epoch(),
            what,
        };
        let head = postcard::to_extend(&head, vec![0; LENGTHS]);
        part(head.expect("plain data can be serialised"), body)
    }
}

/// Puts the lengths of both before the head, which has left room for them.
fn part(mut head: Vec<u8>, body: Bytes) -> Part {
    let length = |length: usize| {
        let length = u32::try_from(length).expect("no input is that long");
        length.to_be_bytes()
    };
    let lengths = [length(head.len() - LENGTHS), length(body.len())];
    head[..LENGTHS].copy_from_slice(lengths.as_flattened());
    Part { head, body }
}
