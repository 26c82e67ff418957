//! The extension protocol's handshake (BEP 10) and metadata exchange (BEP 9).

use bytes::Bytes;
use serde::Serialize;

use super::MAX_METADATA;
use super::fields::{ByteString, is_printable};
use crate::bencode::{self, BencodeError, DecodeLimits, Keys};

/// Bytes of a metadata piece (BEP 9), except the last.
pub const METADATA_PIECE: u32 = 16 * 1024;

/// What one end of a channel tells the other, and nobody else (`ts_token`).
pub type Token = [u8; 16];

/// Shows that the sender knows the tokens of another channel (`ts_proof`).
pub type Proof = [u8; 20];

/// The id of the extension handshake.
pub const HANDSHAKE_ID: u8 = 0;

/// The longest name of a sender's software, in characters.
const MAX_CLIENT: usize = 64;

/// What an extension handshake may cost: some clients list dozens of extensions.
const HANDSHAKE_LIMITS: DecodeLimits = DecodeLimits {
    length: 16 * 1024,
    depth: 8,
    values: 1024,
};

/// What the dictionary of a metadata message may cost: a few numbers.
const METADATA_LIMITS: DecodeLimits = DecodeLimits {
    length: 1024,
    depth: 4,
    values: 64,
};

/// The payload of an extended message with id 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtensionHandshake {
    /// The id under which the sender takes `ut_metadata` messages, if it does (`m`);
    /// never 0, which is how a sender says that it no longer does.
    pub ut_metadata: Option<u8>,
    /// The id under which the sender takes `ut_pex` messages, if it does (`m`).
    pub ut_pex: Option<u8>,
    /// The id under which the sender takes `ts_direct` messages ([`super::direct`]), if it does
    /// (`m`).
    pub ts_direct: Option<u8>,
    /// The id under which the sender takes `ts_introduce` messages ([`super::introduce`]), if it
    /// does (`m`).
    pub ts_introduce: Option<u8>,
    /// The id under which the sender takes `ts_overlay` messages ([`super::overlay`]), if it does
    /// (`m`).
    pub ts_overlay: Option<u8>,
    /// The id under which the sender takes `ts_trackers` messages ([`super::trackers`]), if it
    /// does (`m`).
    pub ts_trackers: Option<u8>,
    /// Bytes of the info dictionary, if the sender has it (`metadata_size`); from 1 to
    /// [`MAX_METADATA`].
    pub metadata_size: Option<u32>,
    /// The sender's software, for people (`v`); cut to 64 characters, without those
    /// that show nothing or turn the text around.
    pub client: Option<String>,
    /// Requests that the sender keeps before it drops some (`reqq`).
    pub request_queue: Option<u32>,
    /// The port at which the sender takes connections (`p`).
    pub port: Option<u16>,
    /// The sender stands in a swarm of ordinary clients too, or does not any more
    /// (`ts_gateway`). This and the rest is our own.
    pub gateway: Option<bool>,
    /// What the sender will know the other end of this channel by on another one, and be known
    /// by, if it takes several (`ts_token`): `docs/protocol.md`, "Several channels
    /// to one peer".
    pub token: Option<Token>,
    /// The sender is the one at the other end of another channel (`ts_proof`).
    pub proof: Option<Proof>,
    /// The sender talks through this channel from now on, and everything that it said before,
    /// here or elsewhere, is void (`ts_begin`).
    pub begin: Option<Begin>,
}

/// Why somebody begins to talk through a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// By itself: the other is to do so too (1).
    Asks,
    /// Because the other did (2).
    Answers,
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
        /// Bytes of the whole info dictionary, at most [`MAX_METADATA`].
        total_size: u32,
        /// The bytes: as many as this piece of so long a dictionary has.
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
pub enum ExtensionError {
    /// It is not the dictionary that it should be.
    #[error("bad extension message: {0}")]
    Bencode(#[from] BencodeError),
    /// A metadata message does not say which piece it is about.
    #[error("bad extension message: no piece of the metadata")]
    NoPiece,
    /// The bytes of a piece of the metadata are not as many as its index and `total_size` say.
    #[error("bad extension message: the sizes don't fit")]
    Sizes,
}

impl ExtensionHandshake {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        bencode::encode(&HandshakeDictionary {
            m: Extensions {
                ut_pex: self.ut_pex.map(i64::from),
                ts_direct: self.ts_direct.map(i64::from),
                ts_introduce: self.ts_introduce.map(i64::from),
                ts_overlay: self.ts_overlay.map(i64::from),
                ts_trackers: self.ts_trackers.map(i64::from),
                ut_metadata: self.ut_metadata.map(i64::from),
            },
            metadata_size: self.metadata_size.map(i64::from),
            v: self.client.as_deref().map(client_name),
            p: self.port.map(i64::from),
            reqq: self.request_queue.map(i64::from),
            ts_begin: self.begin.map(|begin| match begin {
                Begin::Asks => 1,
                Begin::Answers => 2,
            }),
            ts_gateway: self.gateway.map(i64::from),
            ts_proof: self.proof.map(|proof| ByteString(proof.to_vec())),
            ts_token: self.token.map(|token| ByteString(token.to_vec())),
        })
        .into()
    }

    /// Reads the payload; unknown keys are ignored. So are numbers out of range: what a
    /// peer says of itself here is no reason to do without it.
    pub fn decode(payload: &[u8]) -> Result<Self, ExtensionError> {
        let keys = Keys::of(payload, HANDSHAKE_LIMITS)?;
        let extensions = keys.keys("m")?;
        let extension = |name| match extensions {
            Some(extensions) => Ok(in_range(extensions.integer(name)?, u8::MAX)),
            None => Ok::<_, BencodeError>(None),
        };
        Ok(ExtensionHandshake {
            ut_metadata: extension("ut_metadata")?,
            ut_pex: extension("ut_pex")?,
            ts_direct: extension("ts_direct")?,
            ts_introduce: extension("ts_introduce")?,
            ts_overlay: extension("ts_overlay")?,
            ts_trackers: extension("ts_trackers")?,
            metadata_size: in_range(keys.integer("metadata_size")?, MAX_METADATA as u32),
            client: keys.string("v")?.map(|name| {
                let name = String::from_utf8_lossy(name);
                client_name(&name)
            }),
            request_queue: in_range(keys.integer("reqq")?, u32::MAX),
            port: in_range(keys.integer("p")?, u16::MAX),
            gateway: match keys.integer("ts_gateway")? {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            token: keys.string("ts_token")?.and_then(|it| it.try_into().ok()),
            proof: keys.string("ts_proof")?.and_then(|it| it.try_into().ok()),
            begin: match keys.integer("ts_begin")? {
                Some(1) => Some(Begin::Asks),
                Some(2) => Some(Begin::Answers),
                _ => None,
            },
        })
    }
}

impl MetadataMessage {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        let (msg_type, piece, total_size, data): (_, _, _, &[u8]) = match self {
            MetadataMessage::Request { piece } => (REQUEST, piece, None, &[]),
            MetadataMessage::Data {
                piece,
                total_size,
                data,
            } => (DATA, piece, Some(i64::from(*total_size)), data),
            MetadataMessage::Reject { piece } => (REJECT, piece, None, &[]),
        };
        let mut payload = bencode::encode(&MetadataDictionary {
            msg_type,
            piece: Some(i64::from(*piece)),
            total_size,
        });
        payload.extend_from_slice(data);
        payload.into()
    }

    /// Reads the payload. `None`: a `msg_type` that we don't know, to be ignored (BEP 9).
    pub fn decode(payload: &Bytes) -> Result<Option<Self>, ExtensionError> {
        let length = bencode::value_length(payload, METADATA_LIMITS)?;
        let keys = Keys::of(&payload[..length], METADATA_LIMITS)?;
        keys.need("msg_type")?;
        let (msg_type, piece) = (keys.integer("msg_type")?, keys.integer("piece")?);
        let total_size = keys.integer("total_size")?;
        let Some(msg_type @ (REQUEST | DATA | REJECT)) = msg_type else {
            return Ok(None);
        };
        let piece = piece.and_then(|piece| u32::try_from(piece).ok());
        let piece = piece.ok_or(ExtensionError::NoPiece)?;
        Ok(Some(match msg_type {
            REQUEST => MetadataMessage::Request { piece },
            DATA => {
                let data = payload.slice(length..);
                let total_size = in_range(total_size, MAX_METADATA as u32)
                    .filter(|&total| piece_length(piece, total) == Some(data.len()))
                    .ok_or(ExtensionError::Sizes)?;
                MetadataMessage::Data {
                    piece,
                    total_size,
                    data,
                }
            }
            _ => MetadataMessage::Reject { piece },
        }))
    }
}

/// The values of `msg_type` (BEP 9).
const REQUEST: i64 = 0;
const DATA: i64 = 1;
const REJECT: i64 = 2;

#[derive(Serialize)]
struct HandshakeDictionary {
    m: Extensions,
    metadata_size: Option<i64>,
    p: Option<i64>,
    v: Option<String>,
    reqq: Option<i64>,
    ts_begin: Option<i64>,
    ts_gateway: Option<i64>,
    ts_proof: Option<ByteString>,
    ts_token: Option<ByteString>,
}

#[derive(Serialize)]
struct Extensions {
    ts_direct: Option<i64>,
    ts_introduce: Option<i64>,
    ts_overlay: Option<i64>,
    ts_trackers: Option<i64>,
    ut_metadata: Option<i64>,
    ut_pex: Option<i64>,
}

#[derive(Serialize)]
struct MetadataDictionary {
    msg_type: i64,
    piece: Option<i64>,
    total_size: Option<i64>,
}

/// The number, if it is from 1 to `most`.
fn in_range<T: Copy + Into<i64> + TryFrom<i64>>(number: Option<i64>, most: T) -> Option<T> {
    let number = number.filter(|number| (1..=most.into()).contains(number))?;
    T::try_from(number).ok()
}

/// Bytes of a piece of a dictionary of `total` bytes, if it has that piece.
fn piece_length(piece: u32, total: u32) -> Option<usize> {
    let rest = total.checked_sub(piece.checked_mul(METADATA_PIECE)?)?;
    (rest > 0).then_some(rest.min(METADATA_PIECE) as usize)
}

fn client_name(name: &str) -> String {
    let printable = name.chars().filter(|c| is_printable(*c));
    printable.take(MAX_CLIENT).collect()
}

#[cfg(test)]
mod tests;
