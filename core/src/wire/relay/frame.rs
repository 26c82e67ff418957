//! The data frame: `0x01`, the channel's number in four big-endian bytes, payload.

use bytes::Bytes;

use crate::id::ChannelId;

/// The first byte of a data frame. A control message begins with `d`.
pub const DATA: u8 = 0x01;

/// Bytes before the payload.
pub const HEADER: usize = 5;

/// What a frame of a channel begins with.
pub fn header(channel: ChannelId) -> [u8; HEADER] {
    let [a, b, c, d] = channel.0.to_be_bytes();
    [DATA, a, b, c, d]
}

/// The channel of a frame that begins so; none if it is no data frame.
pub fn channel_of(header: &[u8; HEADER]) -> Option<ChannelId> {
    let [kind, a, b, c, d] = *header;
    (kind == DATA).then(|| ChannelId(u32::from_be_bytes([a, b, c, d])))
}

/// Bytes through a channel, kept as they travel, so that forwarding copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFrame(Bytes);

impl DataFrame {
    /// Takes a whole message as it came; none when it is no data frame.
    pub fn parse(message: Bytes) -> Option<Self> {
        (message.len() > HEADER && message[0] == DATA).then_some(DataFrame(message))
    }

    /// Builds a frame. `payload` must not be empty.
    pub fn new(channel: ChannelId, payload: &[u8]) -> Self {
        let mut builder = FrameBuilder::new(channel, payload.len());
        builder.buffer().extend_from_slice(payload);
        builder.finish()
    }

    /// The channel that it goes through.
    pub fn channel(&self) -> ChannelId {
        let header = self.0.first_chunk().and_then(channel_of);
        header.expect("a data frame begins with its header")
    }

    /// The bytes inside, sharing the message's memory.
    pub fn payload(&self) -> Bytes {
        self.0.slice(HEADER..)
    }

    /// How many bytes are inside.
    pub fn payload_len(&self) -> usize {
        self.0.len() - HEADER
    }

    /// The message as it travels.
    pub fn into_message(self) -> Bytes {
        self.0
    }
}

/// Builds a [`DataFrame`] in place: append the payload to [`FrameBuilder::buffer`].
#[derive(Debug)]
pub struct FrameBuilder(Vec<u8>);

impl FrameBuilder {
    /// Begins a frame with room for `capacity` bytes of payload.
    pub fn new(channel: ChannelId, capacity: usize) -> Self {
        let mut buffer = Vec::with_capacity(HEADER + capacity);
        buffer.extend_from_slice(&header(channel));
        FrameBuilder(buffer)
    }

    /// Where the payload is appended; what is there already must stay.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// How many bytes of payload there are so far.
    pub fn payload_len(&self) -> usize {
        self.0.len() - HEADER
    }

    /// The frame. There must be a payload.
    pub fn finish(self) -> DataFrame {
        debug_assert!(self.payload_len() > 0, "an empty data frame says nothing");
        DataFrame(self.0.into())
    }
}
