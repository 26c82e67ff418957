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

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

mod fingerprint;
#[cfg(test)]
mod tests;

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

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_A442;

const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;

/// Types of attributes. Those below 0x8000 have to be understood.
mod attribute {
    pub(super) const MAPPED_ADDRESS: u16 = 0x0001;
    pub(super) const USERNAME: u16 = 0x0006;
    pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(super) const ERROR_CODE: u16 = 0x0009;
    pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(super) const REALM: u16 = 0x0014;
    pub(super) const NONCE: u16 = 0x0015;
    pub(super) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub(super) const PASSWORD_ALGORITHM: u16 = 0x001D;
    pub(super) const USERHASH: u16 = 0x001E;
    pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(super) const FINGERPRINT: u16 = 0x8028;

    /// Ours to understand, though none but the address and the fingerprint mean anything where
    /// nobody is authenticated.
    pub(super) const KNOWN: [u16; 12] = [
        MAPPED_ADDRESS,
        USERNAME,
        MESSAGE_INTEGRITY,
        ERROR_CODE,
        UNKNOWN_ATTRIBUTES,
        REALM,
        NONCE,
        MESSAGE_INTEGRITY_SHA256,
        PASSWORD_ALGORITHM,
        USERHASH,
        XOR_MAPPED_ADDRESS,
        FINGERPRINT,
    ];
}

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

/// Any message, walked.
struct Message<'a> {
    kind: u16,
    transaction: Transaction,
    /// Those that count: what stands behind the integrity of a message means nothing but for
    /// the fingerprint (§14.5).
    attributes: Vec<(u16, &'a [u8])>,
    fingerprint: bool,
}

impl<'a> Message<'a> {
    fn read(datagram: &'a [u8]) -> Result<Self, StunError> {
        let wrong = StunError::Length(datagram.len());
        let (header, body) = datagram.split_first_chunk::<HEADER>().ok_or(wrong)?;
        let (kind, rest) = header.split_first_chunk().expect("a header is long enough");
        let (length, rest) = rest.split_first_chunk().expect("a header is long enough");
        let (cookie, transaction) = rest.split_first_chunk().expect("a header is long enough");
        if u32::from_be_bytes(*cookie) != COOKIE {
            return Err(StunError::Cookie);
        }
        let length = usize::from(u16::from_be_bytes(*length));
        if length != body.len() || !length.is_multiple_of(4) || datagram.len() > MAX_MESSAGE {
            return Err(wrong);
        }
        let mut message = Message {
            kind: u16::from_be_bytes(*kind),
            transaction: Transaction(transaction.try_into().expect("twelve bytes are left")),
            attributes: Vec::new(),
            fingerprint: false,
        };
        message.walk(datagram, body)?;
        Ok(message)
    }

    fn walk(&mut self, datagram: &[u8], body: &'a [u8]) -> Result<(), StunError> {
        let mut rest = body;
        let mut integrity = false;
        while let Some((head, behind)) = rest.split_first_chunk::<4>() {
            let [a, b, c, d] = *head;
            let (kind, length) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let length = usize::from(length);
            let padded = length.next_multiple_of(4);
            if padded > behind.len() {
                return Err(StunError::Attribute(kind));
            }
            let value = &behind[..length];
            if kind == attribute::FINGERPRINT {
                let before = &datagram[..datagram.len() - rest.len()];
                // It is the last attribute.
                if behind.len() != length || value != fingerprint::of(before) {
                    return Err(StunError::Fingerprint);
                }
                self.fingerprint = true;
            } else if !integrity {
                self.attributes.push((kind, value));
            }
            integrity |=
                kind == attribute::MESSAGE_INTEGRITY || kind == attribute::MESSAGE_INTEGRITY_SHA256;
            rest = &behind[padded..];
        }
        Ok(())
    }

    /// The first of this type: others are passed over (§14).
    fn get(&self, kind: u16) -> Option<&'a [u8]> {
        let mut all = self.attributes.iter();
        all.find(|(it, _)| *it == kind).map(|&(_, value)| value)
    }
}

/// A message in the making.
struct Writer(Vec<u8>);

impl Writer {
    fn begin(kind: u16, transaction: Transaction) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0; 2]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(transaction.0);
        Writer(bytes)
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).expect("what we send is short");
        self.0.extend(kind.to_be_bytes());
        self.0.extend(length.to_be_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// Without words, which nobody would read.
    fn error(&mut self, code: u16) {
        let (class, number) = (code / 100, code % 100);
        let [class, number] = [class, number].map(|it| it.to_be_bytes()[1]);
        self.attribute(attribute::ERROR_CODE, &[0, 0, class & 7, number]);
    }

    fn finish(mut self, fingerprint: bool) -> Vec<u8> {
        // The length counts the fingerprint before it is there (§14.7).
        let length = self.0.len() - HEADER + if fingerprint { 8 } else { 0 };
        let length = u16::try_from(length).expect("what we send is short");
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
        if fingerprint {
            let value = fingerprint::of(&self.0);
            self.attribute(attribute::FINGERPRINT, &value);
        }
        self.0
    }
}

/// Family, port and address (§14.1).
fn write_address(address: SocketAddr) -> Vec<u8> {
    let family = if address.is_ipv4() { 1 } else { 2 };
    let mut value = vec![0, family];
    value.extend(address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(address) => value.extend(address.octets()),
        IpAddr::V6(address) => value.extend(address.octets()),
    }
    value
}

fn read_address(value: &[u8]) -> Option<SocketAddr> {
    let ([_, family, port @ ..], address) = value.split_first_chunk::<4>()?;
    let address = match family {
        1 => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        2 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(address, u16::from_be_bytes(*port)))
}

/// Xored with the cookie and the transaction, so that no router that changes addresses in
/// what passes finds it (§14.2).
fn xor_address(address: SocketAddr, transaction: Transaction) -> Vec<u8> {
    write_address(xor(address, transaction))
}

fn read_xor_address(value: &[u8], transaction: Transaction) -> Option<SocketAddr> {
    Some(xor(read_address(value)?, transaction))
}

fn xor(address: SocketAddr, Transaction(transaction): Transaction) -> SocketAddr {
    let cookie = COOKIE.to_be_bytes();
    let port = address.port() ^ u16::from_be_bytes([cookie[0], cookie[1]]);
    let ip = match address.ip() {
        IpAddr::V4(ip) => IpAddr::from(Ipv4Addr::from_bits(ip.to_bits() ^ COOKIE)),
        IpAddr::V6(ip) => {
            let mut mask = [0; 16];
            mask[..4].copy_from_slice(&cookie);
            mask[4..].copy_from_slice(&transaction);
            IpAddr::from(Ipv6Addr::from_bits(
                ip.to_bits() ^ u128::from_be_bytes(mask),
            ))
        }
    };
    SocketAddr::new(ip, port)
}

fn read_error(value: &[u8]) -> Option<u16> {
    let ([_, _, class, number], _) = value.split_first_chunk()?;
    let (class, number) = (u16::from(class & 7), u16::from(*number));
    let known = (3..=6).contains(&class) && number < 100;
    known.then_some(class * 100 + number)
}
