//! Identities: of torrents, of peers, of links and channels.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::rng::Rng;

/// The SHA-1 of a torrent's bencoded info dictionary (BEP 3): the name of a swarm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InfoHash(#[serde(deserialize_with = "array")] pub [u8; 20]);

/// What a peer calls itself in a handshake (BEP 3). A claim, never a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PeerId(#[serde(deserialize_with = "array")] pub [u8; 20]);

/// Who is at the other end of a direct link, as DTLS proves it: the first sixteen bytes of the
/// SHA-256 fingerprint (RFC 8122) of its certificate. To make a certificate that has the one of
/// another takes 2^128 tries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(#[serde(deserialize_with = "array")] pub [u8; 16]);

/// A relayed channel, numbered by the hub, the same number at both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelId(pub u32);

/// A member of a swarm as the hub numbers it. A connection that is in two swarms
/// has one number in both; two connections never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberId(pub u32);

/// A link of this host, as its [`crate::node::Node`] numbers it: what carries channels that
/// share one queue, such as the WebSocket to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkId(pub u32);

impl LinkId {
    /// What addresses are behind: the network itself. No server has this number.
    pub const NETWORK: LinkId = LinkId(u32::MAX);
    /// Through what the direct links are agreed on for which a neighbour carries the
    /// descriptions. No server has this number.
    pub const INTRODUCED: LinkId = LinkId(u32::MAX - 2);
    /// Through what the direct links are agreed on that no channel was there for: trackers'
    /// messages. No server has this number.
    pub const TRACKERS: LinkId = LinkId(u32::MAX - 1);
    /// The link of the first web seed; those of others count down from it. No server, and nothing
    /// above, has such a number.
    pub const FIRST_WEB_SEED: LinkId = LinkId(u32::MAX - 3);
}

/// A channel of this host: numbers of channels are unique on their link alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelKey {
    /// The link that carries it.
    pub link: LinkId,
    /// Its number there.
    pub channel: ChannelId,
}

/// Reads what serde writes of an array, byte by byte in a loop: its own code for it has each byte
/// unrolled, and a page has two programs to load it in.
fn array<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    struct Bytes<const N: usize>;

    impl<'de, const N: usize> Visitor<'de> for Bytes<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<[u8; N], A::Error> {
            let mut bytes = [0; N];
            for (at, byte) in bytes.iter_mut().enumerate() {
                let next = from.next_element()?;
                *byte = next.ok_or_else(|| Error::invalid_length(at, &self))?;
            }
            Ok(bytes)
        }
    }

    from.deserialize_tuple(N, Bytes)
}

/// Why a text is not an info-hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an info-hash is 40 hexadecimal digits or 32 base32 characters")]
pub struct InvalidInfoHash;

impl InfoHash {
    /// The hash of these bytes of an info dictionary.
    pub fn of(info_dictionary: &[u8]) -> Self {
        use sha1::Digest;
        InfoHash(sha1::Sha1::digest(info_dictionary).into())
    }
}

impl FromStr for InfoHash {
    type Err = InvalidInfoHash;

    /// 40 hexadecimal digits, or 32 base32 characters as in old magnet links (BEP 9).
    fn from_str(text: &str) -> Result<Self, InvalidInfoHash> {
        let bytes = match text.len() {
            40 => from_hex(text),
            32 => from_base32(text),
            _ => None,
        };
        bytes.map(InfoHash).ok_or(InvalidInfoHash)
    }
}

fn from_hex(text: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| {
            char::from(c)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn from_base32(text: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    for (group, chars) in bytes
        .chunks_exact_mut(5)
        .zip(text.as_bytes().chunks_exact(8))
    {
        let mut bits = 0_u64;
        for &c in chars {
            let value = match c.to_ascii_uppercase() {
                c @ b'A'..=b'Z' => c - b'A',
                c @ b'2'..=b'7' => c - b'2' + 26,
                _ => return None,
            };
            bits = bits << 5 | u64::from(value);
        }
        group.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(bytes)
}

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoHash({self})")
    }
}

impl PeerId {
    /// An id in the Azureus style: `-TS0100-` and twelve random characters.
    pub fn random(rng: &mut Rng) -> Self {
        const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut id = *b"-TS0100-............";
        for byte in &mut id[8..] {
            *byte = ALPHABET[rng.below(ALPHABET.len())];
        }
        PeerId(id)
    }
}

impl Fingerprint {
    /// What stands for an address where one has four bytes.
    pub fn address(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.0;
        [a, b, c, d]
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Display for PeerId {
    /// Printable ASCII as itself, every other byte as `%xx`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&b| {
            if b.is_ascii_graphic() && b != b'%' {
                write!(f, "{}", char::from(b))
            } else {
                write!(f, "%{b:02x}")
            }
        })
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_number_of_its_own_is_no_web_seed() {
        // Theirs count down from the first.
        for own in [LinkId::NETWORK, LinkId::TRACKERS, LinkId::INTRODUCED] {
            assert!(own > LinkId::FIRST_WEB_SEED, "{own:?}");
        }
    }

    #[test]
    fn info_hash_reads_hex_and_base32() {
        let hex = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
        let hash: InfoHash = hex.parse().unwrap();
        assert_eq!(hash.to_string(), hex);
        assert_eq!(hex.to_uppercase().parse(), Ok(hash));
        assert_eq!("FRVWQWGWDWUVIPKCGGTR3NFRZETEWBUF".parse(), Ok(hash));
    }

    #[test]
    fn what_is_no_info_hash_is_refused() {
        for text in [
            "",
            "2c6b",
            "zz6b6858d61da9543d4231a71db4b1c9264b0685",
            "ééééééééééééééééééää",
        ] {
            assert_eq!(text.parse::<InfoHash>(), Err(InvalidInfoHash), "{text}");
        }
    }

    #[test]
    fn peer_id_shows_odd_bytes_escaped() {
        let mut id = PeerId::random(&mut Rng::new(1));
        assert!(id.to_string().starts_with("-TS0100-"));
        id.0[0] = b'%';
        id.0[1] = 0;
        assert!(id.to_string().starts_with("%25%00S0100-"));
    }
}
