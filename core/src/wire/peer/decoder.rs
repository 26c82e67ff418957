//! From a stream of bytes, cut anywhere, to a handshake and messages.

use bytes::Bytes;

use super::{Handshake, Message, PeerWireError};

/// What a [`Decoder`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Always the first.
    Handshake(Handshake),
    /// Everything after it.
    Message(Message),
}

/// Cuts a byte stream into a handshake and messages. Holds at most one incomplete
/// message; what lies whole within a chunk is not copied.
#[derive(Debug)]
pub struct Decoder {}

impl Decoder {
    /// A decoder for a new connection that accepts messages (id and body) of up to
    /// `max_message` bytes.
    pub fn new(max_message: u32) -> Self {
        let _ = max_message;
        todo!()
    }

    /// Accepts messages of up to `max_message` bytes from now on (a bitfield's length
    /// is known only with the metadata).
    pub fn set_max_message(&mut self, max_message: u32) {
        let _ = max_message;
        todo!()
    }

    /// Adds bytes as they arrived. Call [`Decoder::poll`] until it returns none
    /// before adding more.
    pub fn push(&mut self, chunk: Bytes) {
        let _ = chunk;
        todo!()
    }

    /// The next handshake or message, none when more bytes are needed. After an
    /// error the connection is beyond repair.
    pub fn poll(&mut self) -> Result<Option<Received>, PeerWireError> {
        todo!()
    }
}
