//! The extension protocol's handshake (BEP 10) and metadata exchange (BEP 9).

use bytes::Bytes;

/// Bytes of a metadata piece (BEP 9), except the last.
pub const METADATA_PIECE: u32 = 16 * 1024;

/// The id of the extension handshake.
pub const HANDSHAKE_ID: u8 = 0;

/// The payload of an extended message with id 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtensionHandshake {
    /// The id under which the sender takes `ut_metadata` messages, if it does (`m`).
    pub ut_metadata: Option<u8>,
    /// Bytes of the info dictionary, if the sender has it (`metadata_size`).
    pub metadata_size: Option<u32>,
    /// The sender's software, for people (`v`); cut to 64 characters.
    pub client: Option<String>,
    /// Requests that the sender keeps before it drops some (`reqq`).
    pub request_queue: Option<u32>,
}

/// A `ut_metadata` message (BEP 9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataMessage {
    /// Please send this piece of the info dictionary.
    Request {
        /// Its index, in units of [`METADATA_PIECE`].
        piece: u32,
    },
    /// A piece of the info dictionary.
    Data {
        /// Its index.
        piece: u32,
        /// Bytes of the whole info dictionary.
        total_size: u32,
        /// The bytes.
        data: Bytes,
    },
    /// We don't have it, or won't send it.
    Reject {
        /// Its index.
        piece: u32,
    },
}

/// Why the payload of an extended message is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad extension message: {0}")]
pub struct ExtensionError(pub String);

impl ExtensionHandshake {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        todo!()
    }
    /// Reads the payload; unknown keys are ignored.
    pub fn decode(payload: &[u8]) -> Result<Self, ExtensionError> {
        let _ = payload;
        todo!()
    }
}

impl MetadataMessage {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        todo!()
    }
    /// Reads the payload. `None`: a `msg_type` that we don't know, to be ignored (BEP 9).
    pub fn decode(payload: &Bytes) -> Result<Option<Self>, ExtensionError> {
        let _ = payload;
        todo!()
    }
}
