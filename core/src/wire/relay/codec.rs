//! Messages to bytes and back.

use bytes::Bytes;

use super::{ClientMessage, ServerMessage};

/// Why a message from the other side of the WebSocket is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// It is longer than [`super::MAX_MESSAGE`].
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// It is neither a data frame nor a control message.
    #[error("not a message of this protocol: {0}")]
    Malformed(String),
}

impl ClientMessage {
    /// The bytes of one binary WebSocket message.
    pub fn encode(self) -> Bytes {
        todo!()
    }
    /// Reads what a client sent.
    pub fn decode(message: Bytes) -> Result<Self, RelayError> {
        let _ = message;
        todo!()
    }
}

impl ServerMessage {
    /// The bytes of one binary WebSocket message.
    pub fn encode(self) -> Bytes {
        todo!()
    }
    /// Reads what a hub sent.
    pub fn decode(message: Bytes) -> Result<Self, RelayError> {
        let _ = message;
        todo!()
    }
}
