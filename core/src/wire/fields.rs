//! How fields of bencoded messages travel, for `#[serde(with = …)]`.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A byte string. Unlike `serde_bytes::ByteBuf` it is never a list of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ByteString(pub(super) Vec<u8>);

impl Serialize for ByteString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = ByteString;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<ByteString, E> {
                Ok(ByteString(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// An info-hash as twenty bytes.
pub(super) mod info_hash {
    use super::{Deserializer, Serializer, twenty_bytes};
    use crate::id::InfoHash;

    pub(in crate::wire) fn serialize<S: Serializer>(
        hash: &InfoHash,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&hash.0)
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<InfoHash, D::Error> {
        twenty_bytes(d).map(InfoHash)
    }
}

/// An info-hash as twenty bytes, or nothing.
pub(super) mod optional_info_hash {
    use super::Serializer;
    use crate::id::InfoHash;

    pub(in crate::wire) fn serialize<S: Serializer>(
        hash: &Option<InfoHash>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        match hash {
            Some(hash) => s.serialize_bytes(&hash.0),
            None => s.serialize_none(),
        }
    }
}

/// A peer id as twenty bytes.
pub(super) mod peer_id {
    use super::{Deserializer, Serializer, twenty_bytes};
    use crate::id::PeerId;

    pub(in crate::wire) fn serialize<S: Serializer>(id: &PeerId, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&id.0)
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<PeerId, D::Error> {
        twenty_bytes(d).map(PeerId)
    }
}

/// The id of a WebRTC offer as twenty bytes.
pub(super) mod offer_id {
    use super::{Deserializer, Serializer, twenty_bytes};
    use crate::wire::webtorrent::OfferId;

    pub(in crate::wire) fn serialize<S: Serializer>(id: &OfferId, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&id.0)
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<OfferId, D::Error> {
        twenty_bytes(d).map(OfferId)
    }
}

/// A session description of at most [`MAX_SDP`](crate::wire::relay::MAX_SDP) bytes.
pub(super) mod sdp {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use crate::wire::relay::MAX_SDP;

    pub(in crate::wire) fn serialize<S: Serializer>(sdp: &str, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(sdp)
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<String, D::Error> {
        let sdp = String::deserialize(d)?;
        if sdp.len() > MAX_SDP {
            return Err(D::Error::custom("the session description is too long"));
        }
        Ok(sdp)
    }
}

/// A bitfield of at most [`MAX_BITFIELD`](crate::wire::relay::MAX_BITFIELD) bytes, or
/// nothing. Needs `default`.
pub(super) mod optional_bitfield {
    use bytes::Bytes;

    use super::{ByteString, Deserialize, Deserializer, Error, Serializer};
    use crate::wire::relay::MAX_BITFIELD;

    pub(in crate::wire) fn serialize<S: Serializer>(
        bits: &Option<Bytes>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        match bits {
            Some(bits) => s.serialize_bytes(bits),
            None => s.serialize_none(),
        }
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Bytes>, D::Error> {
        let ByteString(bits) = ByteString::deserialize(d)?;
        if bits.len() > MAX_BITFIELD {
            return Err(D::Error::custom("the bitfield is too long"));
        }
        Ok(Some(bits.into()))
    }
}

/// Piece indices, four big-endian bytes each, in one string.
pub(super) mod piece_indices {
    use super::{ByteString, Deserialize, Deserializer, Error, Serializer};
    use crate::wire::relay::MAX_HAVE;

    pub(in crate::wire) fn serialize<S: Serializer>(
        pieces: &[u32],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = pieces
            .iter()
            .flat_map(|piece| piece.to_be_bytes())
            .collect();
        s.serialize_bytes(&bytes)
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<u32>, D::Error> {
        let ByteString(bytes) = ByteString::deserialize(d)?;
        let (indices, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(D::Error::custom("a piece index has four bytes"));
        }
        if indices.len() > MAX_HAVE {
            return Err(D::Error::custom("too many pieces"));
        }
        Ok(indices
            .iter()
            .map(|&bytes| u32::from_be_bytes(bytes))
            .collect())
    }
}

/// A truth as 0 or 1.
pub(super) mod flag {
    use super::{Deserialize, Deserializer, Error, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    pub(in crate::wire) fn serialize<S: Serializer>(flag: &bool, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u8(u8::from(*flag))
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
        match u8::deserialize(d)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(D::Error::custom("a flag is 0 or 1")),
        }
    }
}

/// A text for people of at most [`MAX_REASON`](crate::wire::relay::MAX_REASON) bytes.
/// Characters that could play tricks on who reads it are left out both ways.
pub(super) mod reason {
    use super::{Deserialize, Deserializer, Error, Serializer, is_printable};
    use crate::wire::relay::MAX_REASON;

    pub(in crate::wire) fn serialize<S: Serializer>(reason: &str, s: S) -> Result<S::Ok, S::Error> {
        let reason = printable(reason);
        s.serialize_str(&reason[..reason.floor_char_boundary(MAX_REASON)])
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<String, D::Error> {
        let reason = String::deserialize(d)?;
        if reason.len() > MAX_REASON {
            return Err(D::Error::custom("the reason is too long"));
        }
        Ok(printable(&reason))
    }

    /// The text without such characters.
    pub(in crate::wire) fn printable(text: &str) -> String {
        text.chars().filter(|c| is_printable(*c)).collect()
    }
}

/// It may stand in a text from a stranger that a person reads. Control characters steer
/// terminals; those that change the direction of writing (UAX #9) or show nothing make a
/// name look like another one.
pub(super) fn is_printable(c: char) -> bool {
    let hidden = matches!(
        c,
        // Arabic letter mark; zero-width space to right-to-left mark.
        '\u{61c}' | '\u{200b}'..='\u{200f}'
        // Line and paragraph separators; embeddings, overrides.
        | '\u{2028}'..='\u{202e}'
        // Word joiner and invisible operators; isolates; deprecated format characters.
        | '\u{2060}'..='\u{206f}'
        // Byte order mark; interlinear annotations; tags.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    !c.is_control() && !hidden
}

/// `free` or `spare`.
pub(super) mod relay_use {
    use super::Serializer;
    use crate::wire::relay::RelayUse;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    pub(in crate::wire) fn serialize<S: Serializer>(
        relay: &RelayUse,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.serialize_str(match relay {
            RelayUse::Free => "free",
            RelayUse::Spare => "spare",
        })
    }
}

fn twenty_bytes<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 20], D::Error> {
    let ByteString(bytes) = ByteString::deserialize(d)?;
    bytes
        .try_into()
        .map_err(|_| D::Error::custom("a hash or a peer id has twenty bytes"))
}
