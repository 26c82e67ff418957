//! Bytes that leave together, from several places.

use bytes::Bytes;

use crate::id::ChannelId;
use crate::wire::relay::frame::{DataFrame, FrameBuilder};

/// A stretch of a channel's bytes as it leaves: small things copied together, payload as it
/// is held anyway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    parts: Vec<Part>,
    len: usize,
}

/// A stretch of [`Parts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Headers and small messages.
    Head(Vec<u8>),
    /// Payload.
    Payload(Bytes),
}

impl Parts {
    /// Bytes in all.
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it is made of, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Part> {
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
    pub fn push(&mut self, payload: Bytes) {
        self.len += payload.len();
        self.parts.push(Part::Payload(payload));
    }

    /// All of it in one piece, as the relay carries it. There must be something in it.
    pub fn frame(&self, channel: ChannelId) -> DataFrame {
        let mut frame = FrameBuilder::new(channel, self.len);
        for part in &self.parts {
            frame.buffer().extend_from_slice(match part {
                Part::Head(head) => head,
                Part::Payload(payload) => payload,
            });
        }
        frame.finish()
    }
}
