//! Messages whatever they say: walked, and in the making.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{MAX_MESSAGE, StunError, Transaction, fingerprint};

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_A442;

/// Types of attributes. Those below 0x8000 have to be understood.
pub(super) mod attribute {
    pub(in super::super) const MAPPED_ADDRESS: u16 = 0x0001;
    pub(in super::super) const USERNAME: u16 = 0x0006;
    pub(in super::super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(in super::super) const ERROR_CODE: u16 = 0x0009;
    pub(in super::super) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(in super::super) const REALM: u16 = 0x0014;
    pub(in super::super) const NONCE: u16 = 0x0015;
    pub(in super::super) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub(in super::super) const PASSWORD_ALGORITHM: u16 = 0x001D;
    pub(in super::super) const USERHASH: u16 = 0x001E;
    pub(in super::super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(in super::super) const FINGERPRINT: u16 = 0x8028;

    /// Ours to understand, though none but the address and the fingerprint mean anything where
    /// nobody is authenticated.
    pub(in super::super) const KNOWN: [u16; 12] = [
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

/// Any message, walked.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) transaction: Transaction,
    /// Those that count: what stands behind the integrity of a message means nothing but for
    /// the fingerprint (§14.5).
    pub(super) attributes: Vec<(u16, &'a [u8])>,
    pub(super) fingerprint: bool,
}

impl<'a> Message<'a> {
    pub(super) fn read(datagram: &'a [u8]) -> Result<Self, StunError> {
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
    pub(super) fn get(&self, kind: u16) -> Option<&'a [u8]> {
        let mut all = self.attributes.iter();
        all.find(|(it, _)| *it == kind).map(|&(_, value)| value)
    }
}

/// A message in the making.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn begin(kind: u16, transaction: Transaction) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0; 2]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(transaction.0);
        Writer(bytes)
    }

    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).expect("what we send is short");
        self.0.extend(kind.to_be_bytes());
        self.0.extend(length.to_be_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// Without words, which nobody would read.
    pub(super) fn error(&mut self, code: u16) {
        let (class, number) = (code / 100, code % 100);
        let [class, number] = [class, number].map(|it| it.to_be_bytes()[1]);
        self.attribute(attribute::ERROR_CODE, &[0, 0, class & 7, number]);
    }

    pub(super) fn finish(mut self, fingerprint: bool) -> Vec<u8> {
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

pub(super) fn read_address(value: &[u8]) -> Option<SocketAddr> {
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
pub(super) fn xor_address(address: SocketAddr, transaction: Transaction) -> Vec<u8> {
    write_address(xor(address, transaction))
}

pub(super) fn read_xor_address(value: &[u8], transaction: Transaction) -> Option<SocketAddr> {
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

pub(super) fn read_error(value: &[u8]) -> Option<u16> {
    let ([_, _, class, number], _) = value.split_first_chunk()?;
    let (class, number) = (u16::from(class & 7), u16::from(*number));
    let known = (3..=6).contains(&class) && number < 100;
    known.then_some(class * 100 + number)
}
