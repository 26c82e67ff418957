//! STUN's Binding method (RFC 8489): a client asks a server from which address it is seen.
//!
//! Only what that needs: no authentication, no indications. What is read is read whole, and
//! whatever a message holds beside is passed over, as §14 has it.
//!
//! ```text
//!  0 - 1   type: 0x0001 request, 0x0101 success, 0x0111 error
//!  2 - 3   bytes of attributes, a multiple of 4
//!  4 - 7   0x2112A442
//!  8 - 19  the transaction
//! 20 -     attributes: type, length, value, padded to a multiple of 4
//! ```

use std::net::SocketAddr;

mod fingerprint;
mod message;
#[cfg(test)]
mod tests;

use message::{
    Message, Writer, attribute, read_address, read_error, read_xor_address, xor_address,
};

/// The longest message that is read, in bytes: what fits into a datagram on every path
/// (§6.1).
pub const MAX_MESSAGE: usize = 1280;

/// The port that has been given to STUN.
pub const PORT: u16 = 3478;

/// What names a request and its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transaction(pub [u8; 12]);

/// A Binding request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Drawn at random by the client.
    pub transaction: Transaction,
    /// It had a FINGERPRINT (§14.7), which was right; the response is to have one too.
    pub fingerprint: bool,
    /// Attributes that its sender wants to be understood and that we don't know, at most
    /// [`MAX_UNKNOWN`] of them. The answer to such a request is [`Response::Unknown`].
    pub unknown: Vec<u16>,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// From where the request came.
    Mapped {
        /// The request's.
        transaction: Transaction,
        /// The client's address as the server sees it.
        address: SocketAddr,
        /// The response has a FINGERPRINT.
        fingerprint: bool,
    },
    /// Error 420: the request held these attributes, which the server does not know.
    Unknown {
        /// The request's.
        transaction: Transaction,
        /// Types of attributes, at most [`MAX_UNKNOWN`].
        attributes: Vec<u16>,
        /// The response has a FINGERPRINT.
        fingerprint: bool,
    },
    /// Another error.
    Error {
        /// The request's.
        transaction: Transaction,
        /// From 300 to 699 (§14.8).
        code: u16,
    },
}

/// The most unknown attributes that are named: enough to see what is wrong, and never an answer
/// much longer than the question.
pub const MAX_UNKNOWN: usize = 4;

/// Why some bytes are not the message that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StunError {
    /// It has another length than it says, or than it may have.
    #[error("not a STUN message: {0} bytes")]
    Length(usize),
    /// It does not begin as every STUN message does.
    #[error("not a STUN message: no magic cookie")]
    Cookie,
    /// A message of another method or class.
    #[error("a STUN message of the type {0:#06x}")]
    Type(u16),
    /// An attribute is cut off, or has no value that it may have.
    #[error("a STUN attribute of the type {0:#06x} is malformed")]
    Attribute(u16),
    /// The FINGERPRINT is not that of the message.
    #[error("a STUN message with a wrong fingerprint")]
    Fingerprint,
    /// A response that tells nothing.
    #[error("a STUN response without an address")]
    NoAddress,
}

const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;

/// The error code for a request with attributes that are not understood (§14.8).
const UNKNOWN_ATTRIBUTE: u16 = 420;

impl Request {
    /// One without attributes, but for a fingerprint if `fingerprint`. What is in
    /// [`Request::unknown`] is not sent.
    pub fn encode(&self) -> Vec<u8> {
        Writer::begin(REQUEST, self.transaction).finish(self.fingerprint)
    }

    /// Reads a datagram.
    pub fn decode(datagram: &[u8]) -> Result<Self, StunError> {
        let message = Message::read(datagram)?;
        if message.kind != REQUEST {
            return Err(StunError::Type(message.kind));
        }
        let mut unknown = Vec::new();
        for (kind, _) in &message.attributes {
            let known = attribute::KNOWN.contains(kind) || *kind >= 0x8000;
            if !known && !unknown.contains(kind) && unknown.len() < MAX_UNKNOWN {
                unknown.push(*kind);
            }
        }
        Ok(Request {
            transaction: message.transaction,
            fingerprint: message.fingerprint,
            unknown,
        })
    }

    /// What a server answers that saw it come from `from`. An IPv4 address that is written as an
    /// IPv6 one is the IPv4 address.
    pub fn answer(&self, from: SocketAddr) -> Response {
        let (transaction, fingerprint) = (self.transaction, self.fingerprint);
        if self.unknown.is_empty() {
            Response::Mapped {
                transaction,
                address: SocketAddr::new(from.ip().to_canonical(), from.port()),
                fingerprint,
            }
        } else {
            Response::Unknown {
                transaction,
                attributes: self.unknown.clone(),
                fingerprint,
            }
        }
    }
}

impl Response {
    /// The datagram.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Response::Mapped {
                transaction,
                address,
                fingerprint,
            } => {
                let mut writer = Writer::begin(SUCCESS, *transaction);
                let value = xor_address(*address, *transaction);
                writer.attribute(attribute::XOR_MAPPED_ADDRESS, &value);
                writer.finish(*fingerprint)
            }
            Response::Unknown {
                transaction,
                attributes,
                fingerprint,
            } => {
                let mut writer = Writer::begin(ERROR, *transaction);
                writer.error(UNKNOWN_ATTRIBUTE);
                let types = attributes.iter().take(MAX_UNKNOWN);
                let types: Vec<u8> = types.flat_map(|kind| kind.to_be_bytes()).collect();
                writer.attribute(attribute::UNKNOWN_ATTRIBUTES, &types);
                writer.finish(*fingerprint)
            }
            Response::Error { transaction, code } => {
                let mut writer = Writer::begin(ERROR, *transaction);
                writer.error(*code);
                writer.finish(false)
            }
        }
    }

    /// Reads a datagram.
    pub fn decode(datagram: &[u8]) -> Result<Self, StunError> {
        let message = Message::read(datagram)?;
        let (transaction, fingerprint) = (message.transaction, message.fingerprint);
        match message.kind {
            SUCCESS => {
                let xored = message.get(attribute::XOR_MAPPED_ADDRESS);
                let xored = xored.map(|value| read_xor_address(value, transaction));
                // As servers of RFC 3489 say it.
                let plain = message.get(attribute::MAPPED_ADDRESS);
                let plain = plain.map(read_address);
                let address = xored.or(plain).ok_or(StunError::NoAddress)?;
                let address = address.ok_or(StunError::Attribute(attribute::XOR_MAPPED_ADDRESS))?;
                Ok(Response::Mapped {
                    transaction,
                    address,
                    fingerprint,
                })
            }
            ERROR => {
                let malformed = StunError::Attribute(attribute::ERROR_CODE);
                let value = message.get(attribute::ERROR_CODE).ok_or(malformed)?;
                let code = read_error(value).ok_or(malformed)?;
                if code != UNKNOWN_ATTRIBUTE {
                    return Ok(Response::Error { transaction, code });
                }
                let types = message.get(attribute::UNKNOWN_ATTRIBUTES);
                let (types, _) = types.unwrap_or_default().as_chunks();
                let types = types.iter().take(MAX_UNKNOWN);
                Ok(Response::Unknown {
                    transaction,
                    attributes: types.map(|kind| u16::from_be_bytes(*kind)).collect(),
                    fingerprint,
                })
            }
            kind => Err(StunError::Type(kind)),
        }
    }

    /// The transaction of the request that it answers.
    pub fn transaction(&self) -> Transaction {
        match self {
            Response::Mapped { transaction, .. }
            | Response::Unknown { transaction, .. }
            | Response::Error { transaction, .. } => *transaction,
        }
    }
}
