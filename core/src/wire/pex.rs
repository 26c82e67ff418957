//! Peers tell each other of peers (BEP 11, `ut_pex`).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::extension::ExtensionError;
use super::fields::ByteString;
use crate::bencode::{self, DecodeLimits};

/// Addresses of one kind that are read in one message; BEP 11 allows 50, and more of them in
/// the first.
pub const MAX_ADDRESSES: usize = 200;

/// What a message may cost: both kinds, a flag for each, and again those that are gone.
const LIMITS: DecodeLimits = DecodeLimits {
    length: 16 << 10,
    depth: 4,
    values: 64,
};

/// It has everything (`added.f`).
const SEED: u8 = 0x02;
/// It was called, and answered (`added.f`).
const REACHABLE: u8 = 0x10;

/// What changed among the peers of whoever says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PexMessage {
    /// Peers that it has now.
    pub added: Vec<Added>,
    /// Peers that it has no more.
    pub dropped: Vec<SocketAddr>,
}

/// A peer that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// Where it listens.
    pub address: SocketAddr,
    /// It has everything.
    pub seed: bool,
    /// It was called there, and answered.
    pub reachable: bool,
}

impl PexMessage {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        let added = |v6: bool| {
            self.added
                .iter()
                .filter(move |it| it.address.is_ipv6() == v6)
        };
        let dropped = |v6: bool| self.dropped.iter().filter(move |it| it.is_ipv6() == v6);
        let addresses = |v6| added(v6).flat_map(|it| compact(it.address)).collect();
        let flags = |v6| added(v6).map(|it| it.flags()).collect();
        let gone = |v6| dropped(v6).flat_map(|it| compact(*it)).collect();
        let some = |bytes: Vec<u8>| (!bytes.is_empty()).then_some(ByteString(bytes));
        bencode::encode(&Dictionary {
            // Some give up on a message without these two.
            added: Some(ByteString(addresses(false))),
            added_flags: Some(ByteString(flags(false))),
            added6: some(addresses(true)),
            added6_flags: some(flags(true)),
            dropped: some(gone(false)),
            dropped6: some(gone(true)),
        })
        .into()
    }

    /// Reads the payload. Of too many addresses the first; flags that are missing say nothing.
    pub fn decode(payload: &[u8]) -> Result<Self, ExtensionError> {
        let read: Dictionary = bencode::decode(payload, LIMITS)?;
        let mut message = PexMessage::default();
        for (addresses, flags, length) in [
            (read.added, read.added_flags, V4),
            (read.added6, read.added6_flags, V6),
        ] {
            let flags = flags.map(|ByteString(flags)| flags).unwrap_or_default();
            let addresses = expand(addresses, length)?.into_iter().enumerate();
            message.added.extend(addresses.map(|(index, address)| {
                let flags = flags.get(index).copied().unwrap_or_default();
                Added {
                    address,
                    seed: flags & SEED != 0,
                    reachable: flags & REACHABLE != 0,
                }
            }));
        }
        message.dropped.extend(expand(read.dropped, V4)?);
        message.dropped.extend(expand(read.dropped6, V6)?);
        Ok(message)
    }
}

impl Added {
    fn flags(self) -> u8 {
        let seed = if self.seed { SEED } else { 0 };
        seed | if self.reachable { REACHABLE } else { 0 }
    }
}

/// Bytes of an address with its port (BEP 23, 7).
const V4: usize = 6;
const V6: usize = 18;

fn compact(address: SocketAddr) -> Vec<u8> {
    let mut bytes = match address {
        SocketAddr::V4(v4) => v4.ip().octets().to_vec(),
        SocketAddr::V6(v6) => v6.ip().octets().to_vec(),
    };
    bytes.extend(address.port().to_be_bytes());
    bytes
}

fn expand(bytes: Option<ByteString>, length: usize) -> Result<Vec<SocketAddr>, ExtensionError> {
    let bytes = bytes.map(|ByteString(bytes)| bytes).unwrap_or_default();
    if !bytes.len().is_multiple_of(length) {
        return Err(ExtensionError::Sizes);
    }
    let each = bytes.chunks_exact(length).take(MAX_ADDRESSES);
    Ok(each.filter_map(address).collect())
}

fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk()?;
    let port = u16::from_be_bytes(*port);
    if let Ok(v4) = <[u8; 4]>::try_from(ip) {
        return Some((Ipv4Addr::from(v4), port).into());
    }
    Some((Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?), port).into())
}

#[derive(Serialize, Deserialize)]
struct Dictionary {
    added: Option<ByteString>,
    #[serde(rename = "added.f")]
    added_flags: Option<ByteString>,
    added6: Option<ByteString>,
    #[serde(rename = "added6.f")]
    added6_flags: Option<ByteString>,
    dropped: Option<ByteString>,
    dropped6: Option<ByteString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    #[test]
    fn a_message_has_golden_bytes() {
        let message = PexMessage {
            added: vec![
                Added {
                    address: at("1.2.3.4:6881"),
                    seed: true,
                    reachable: true,
                },
                Added {
                    address: at("[2001:db8::1]:80"),
                    seed: false,
                    reachable: false,
                },
            ],
            dropped: vec![at("5.6.7.8:9")],
        };
        let mut golden = b"d5:added6:\x01\x02\x03\x04\x1a\xe17:added.f1:\x12".to_vec();
        golden.extend(b"6:added618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50");
        golden.extend(b"8:added6.f1:\x007:dropped6:\x05\x06\x07\x08\0\x09e");
        assert_eq!(message.encode(), golden);
        assert_eq!(PexMessage::decode(&golden), Ok(message));
        let nothing = PexMessage::default();
        assert_eq!(nothing.encode(), b"d5:added0:7:added.f0:e"[..]);
        assert_eq!(PexMessage::decode(b"de"), Ok(nothing));
    }

    #[test]
    fn arbitrary_messages_come_back() {
        arbtest::arbtest(|u| {
            let mut some = |most: usize| -> arbitrary::Result<Vec<SocketAddr>> {
                let count = u.int_in_range(0..=most)?;
                (0..count)
                    .map(|_| Ok(SocketAddr::new(u.arbitrary()?, u.arbitrary()?)))
                    .collect()
            };
            let (mut added, mut dropped) = (some(20)?, some(20)?);
            // Kinds travel apart.
            added.sort_by_key(SocketAddr::is_ipv6);
            dropped.sort_by_key(SocketAddr::is_ipv6);
            let added = added.into_iter().map(|address| Added {
                address,
                seed: address.port() % 2 == 0,
                reachable: address.port() % 3 == 0,
            });
            let message = PexMessage {
                added: added.collect(),
                dropped,
            };
            assert_eq!(PexMessage::decode(&message.encode()), Ok(message));
            Ok(())
        });
    }

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_too_much_cut() {
        let wrong = PexMessage::decode(b"d5:added5:xxxxxe");
        assert_eq!(wrong, Err(ExtensionError::Sizes));
        let many = format!("d5:added{}:{}e", 6 * 300, "x".repeat(6 * 300));
        let many = PexMessage::decode(many.as_bytes()).unwrap();
        assert_eq!(many.added.len(), MAX_ADDRESSES);
        assert!(PexMessage::decode(b"i1e").is_err());
        arbtest::arbtest(|u| {
            let bytes: Vec<u8> = u.arbitrary()?;
            let _ = PexMessage::decode(&bytes);
            Ok(())
        });
    }
}
