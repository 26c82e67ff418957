//! Bytes that leave together, from several places.

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::id::ChannelId;
use crate::wire::relay::frame::{DataFrame, FrameBuilder};

/// A stretch of a channel's bytes as it leaves: small things copied together, payload as it
/// is held anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<C = Bytes> {
    parts: Vec<Part<C>>,
    len: usize,
}

impl<C> Default for Parts<C> {
    fn default() -> Self {
        Parts {
            parts: Vec::new(),
            len: 0,
        }
    }
}

/// A stretch of [`Parts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<C = Bytes> {
    /// Headers and small messages.
    Head(Vec<u8>),
    /// Payload.
    Payload(C),
}

impl<C: Chunk> Parts<C> {
    /// Bytes in all.
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it is made of, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Part<C>> {
        self.parts.iter()
    }

    /// Appends small things: `write` appends to what it is given.
    pub fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if !matches!(self.parts.last(), Some(Part::Head(_))) {
            self.parts.push(Part::Head(Vec::new()));
        }
        if let Some(Part::Head(head)) = self.parts.last_mut() {
            let before = head.len();
            write(head);
            self.len += head.len() - before;
        }
    }

    /// Appends payload.
    pub fn push(&mut self, payload: C) {
        self.len += payload.len();
        self.parts.push(Part::Payload(payload));
    }

    /// All of it in one piece, as the relay carries it. There must be something in it.
    pub fn frame(&self, channel: ChannelId) -> DataFrame {
        let mut frame = FrameBuilder::new(channel, self.len);
        for part in &self.parts {
            part.append_to(frame.buffer());
        }
        frame.finish()
    }
}

impl<C> IntoIterator for Parts<C> {
    type Item = Part<C>;
    type IntoIter = std::vec::IntoIter<Part<C>>;

    fn into_iter(self) -> Self::IntoIter {
        self.parts.into_iter()
    }
}

impl<C: Chunk> Part<C> {
    /// Bytes in it.
    pub fn len(&self) -> usize {
        match self {
            Part::Head(head) => head.len(),
            Part::Payload(payload) => payload.len(),
        }
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies it.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Part::Head(head) => bytes.extend_from_slice(head),
            Part::Payload(payload) => payload.append_to(bytes),
        }
    }
}
