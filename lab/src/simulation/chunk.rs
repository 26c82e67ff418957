//! Payload that is not there.
//!
//! All peers share the torrent's bytes, so a block is a place in them: it is sent, put into a
//! piece and hashed without being copied or looked at. Only heads and small messages are bytes
//! of their own.

use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use swarm_core::chunk::{Buffer, Chunk};
use swarm_core::hub::Frame;
use swarm_core::id::ChannelId;
use swarm_core::net::{Part, Parts};
use swarm_core::wire::relay::DataFrame;

/// A stretch of bytes that many share.
#[derive(Clone, Debug)]
pub(super) struct Place {
    all: Bytes,
    range: Range<usize>,
}

/// Some bytes, in one place or in several.
#[derive(Clone, Debug)]
pub(super) enum LabChunk {
    One(Place),
    /// The bytes from `skip` on in the place of this index, and so many in all.
    Several {
        places: Rc<[Place]>,
        index: usize,
        skip: usize,
        length: usize,
    },
}

/// Chunks, and where they go.
#[derive(Debug)]
pub(super) struct LabBuffer {
    length: usize,
    written: Vec<(usize, LabChunk)>,
}

/// A data frame as the simulated hub passes it on.
#[derive(Clone, Debug)]
pub(super) struct LabFrame {
    pub(super) channel: ChannelId,
    pub(super) payload: LabChunk,
}

impl Place {
    pub(super) fn new(all: &Bytes, range: Range<usize>) -> Self {
        assert!(range.end <= all.len(), "within the bytes");
        Place {
            all: all.clone(),
            range,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.all[self.range.clone()]
    }

    pub(super) fn len(&self) -> usize {
        self.range.len()
    }

    fn slice(&self, range: Range<usize>) -> Self {
        let begin = self.range.start;
        assert!(range.end <= self.len(), "within the place");
        Place::new(&self.all, begin + range.start..begin + range.end)
    }

    /// They are the same bytes of the same.
    pub(super) fn is(&self, other: &Place) -> bool {
        self.is_beside(other) && self.range == other.range
    }

    fn is_beside(&self, other: &Place) -> bool {
        self.all.as_ptr() == other.all.as_ptr() && self.all.len() == other.all.len()
    }
}

impl LabChunk {
    fn of_places(mut places: Vec<Place>) -> Self {
        if places.len() == 1 {
            return LabChunk::One(places.remove(0));
        }
        LabChunk::Several {
            length: places.iter().map(Place::len).sum(),
            places: places.into(),
            index: 0,
            skip: 0,
        }
    }

    /// Where it lies, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let (places, index, mut skip, mut left) = match self {
            LabChunk::One(place) => (std::slice::from_ref(place), 0, 0, place.len()),
            LabChunk::Several {
                places,
                index,
                skip,
                length,
            } => (&places[..], *index, *skip, *length),
        };
        places[index..].iter().map_while(move |place| {
            let from = std::mem::take(&mut skip);
            let to = place.len().min(from + left);
            left -= to - from;
            (from < to).then(|| place.slice(from..to))
        })
    }
}

impl Chunk for LabChunk {
    type Buffer = LabBuffer;

    fn of(bytes: Bytes) -> Self {
        let all = 0..bytes.len();
        LabChunk::One(Place::new(&bytes, all))
    }

    fn len(&self) -> usize {
        match self {
            LabChunk::One(place) => place.len(),
            LabChunk::Several { length, .. } => *length,
        }
    }

    fn slice(&self, range: Range<usize>) -> Self {
        let (places, index, skip, length) = match self {
            LabChunk::One(place) => return LabChunk::One(place.slice(range)),
            LabChunk::Several {
                places,
                index,
                skip,
                length,
            } => (places, *index, *skip, *length),
        };
        assert!(range.end <= length, "within the chunk");
        let (mut index, mut skip) = (index, skip + range.start);
        while index < places.len() && skip >= places[index].len() {
            skip -= places[index].len();
            index += 1;
        }
        match places.get(index) {
            Some(place) if skip + range.len() <= place.len() => {
                LabChunk::One(place.slice(skip..skip + range.len()))
            }
            _ => LabChunk::Several {
                places: Rc::clone(places),
                index,
                skip,
                length: range.len(),
            },
        }
    }

    fn peek(&self, at: usize, into: &mut [u8]) {
        let mut filled = 0;
        for place in self.slice(at..at + into.len()).places() {
            into[filled..filled + place.len()].copy_from_slice(place.bytes());
            filled += place.len();
        }
    }

    fn detached(&self) -> Self {
        // What it keeps in memory all share.
        self.clone()
    }
}

impl Buffer for LabBuffer {
    type Chunk = LabChunk;

    fn new(length: usize) -> Self {
        LabBuffer {
            length,
            written: Vec::new(),
        }
    }

    fn write(&mut self, at: usize, chunk: &LabChunk) {
        self.written.push((at, chunk.clone()));
    }

    fn blank(&mut self, range: Range<usize>) {
        let zeros = Bytes::from(vec![0; range.len()]);
        self.write(range.start, &LabChunk::of(zeros));
    }

    fn freeze(mut self) -> LabChunk {
        self.written.sort_by_key(|(at, _)| *at);
        let mut places: Vec<Place> = Vec::new();
        let mut next = 0;
        for (at, chunk) in self.written {
            assert_eq!(at, next, "every byte is written, and once");
            next += chunk.len();
            for place in chunk.places() {
                match places.last_mut() {
                    Some(last) if last.is_beside(&place) && last.range.end == place.range.start => {
                        last.range.end = place.range.end;
                    }
                    _ => places.push(place),
                }
            }
        }
        assert_eq!(next, self.length, "every byte is written");
        LabChunk::of_places(places)
    }
}

impl From<&Parts<LabChunk>> for LabChunk {
    fn from(parts: &Parts<LabChunk>) -> Self {
        let mut places = Vec::new();
        for part in parts.iter() {
            match part {
                Part::Head(head) => {
                    let head = Bytes::copy_from_slice(head);
                    places.push(Place::new(&head, 0..head.len()));
                }
                Part::Payload(payload) => places.extend(payload.places()),
            }
        }
        LabChunk::of_places(places)
    }
}

impl LabFrame {
    pub(super) fn new(channel: ChannelId, parts: &Parts<LabChunk>) -> Self {
        LabFrame {
            channel,
            payload: parts.into(),
        }
    }
}

impl From<DataFrame> for LabFrame {
    fn from(frame: DataFrame) -> Self {
        LabFrame {
            channel: frame.channel(),
            payload: LabChunk::of(frame.payload()),
        }
    }
}

impl Frame for LabFrame {
    fn channel(&self) -> ChannelId {
        self.channel
    }

    fn payload_len(&self) -> usize {
        self.payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_was_cut_up_is_one_place_again() {
        let all = Bytes::from((0..=255).collect::<Vec<u8>>());
        let piece = LabChunk::One(Place::new(&all, 40..200));
        let mut parts = Parts::default();
        for block in [80..160, 0..80] {
            parts.write(|out| out.push(7));
            parts.push(piece.slice(block));
        }
        let frame = LabFrame::new(ChannelId(3), &parts);
        assert_eq!(frame.payload_len(), 162);
        let mut buffer = LabBuffer::new(160);
        buffer.write(80, &frame.payload.slice(1..50));
        buffer.write(129, &frame.payload.slice(50..81));
        buffer.write(0, &frame.payload.slice(82..162));
        let LabChunk::One(place) = buffer.freeze() else {
            panic!("it is in several places");
        };
        assert!(place.is(&Place::new(&all, 40..200)));
    }

    #[test]
    fn bytes_are_looked_at_across_places() {
        let places = [&b"abc"[..], b"d", b"efgh"].map(|bytes| {
            let bytes = Bytes::from_static(bytes);
            Place::new(&bytes, 0..bytes.len())
        });
        let chunk = LabChunk::of_places(places.to_vec());
        let part = chunk.slice(1..8).slice(1..6);
        assert_eq!(part.to_bytes()[..], *b"cdefg");
        let mut looked = [0; 3];
        part.peek(1, &mut looked);
        assert_eq!(looked, *b"def");
    }
}
