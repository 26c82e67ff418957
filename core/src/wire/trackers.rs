//! How peers tell each other of trackers: our extension `ts_trackers` of BEP 10.
//! `docs/protocol.md`, "Trackers", is the whole of it.
//!
//! BEP 28 (`lt_tex`, deferred) would have both ends hash all of their lists into the handshake,
//! whatever the scheme, and nobody speaks it any more; ours has the few that a page can use.

use bytes::Bytes;
use serde::Serialize;

use super::fields::ByteString;
use crate::bencode::{self, BencodeError, DecodeLimits, Keys};

/// The most addresses of a message: as many as anybody remembers.
pub const MAX_TOLD: usize = 8;
/// The longest address, in bytes: as in links and `.torrent` files.
const MAX_ADDRESS: usize = 2048;

/// What a message may cost: a list of strings.
const LIMITS: DecodeLimits = DecodeLimits {
    length: MAX_TOLD * (MAX_ADDRESS + 8) + 128,
    depth: 3,
    values: 32,
};

/// A message of `ts_trackers`: addresses of trackers that the sender uses. What is said there is
/// what a stranger says: see [`crate::metainfo::TrackerAddress`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackersMessage {
    /// At most [`MAX_TOLD`].
    pub addresses: Vec<String>,
}

/// Why a message is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad trackers message: {0}")]
pub struct TrackersError(#[from] BencodeError);

impl TrackersMessage {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        let told = self.addresses.iter().take(MAX_TOLD);
        let a = told.map(|text| ByteString(text.clone().into_bytes()));
        bencode::encode(&Dictionary { a: a.collect() }).into()
    }

    /// Reads the payload. What is no text, or too long, is left out, as is what comes after the
    /// first eight.
    pub fn decode(payload: &[u8]) -> Result<Self, TrackersError> {
        let told = Keys::of(payload, LIMITS)?.strings("a")?;
        let told = told.into_iter().take(MAX_TOLD);
        let told = told.filter(|text| text.len() <= MAX_ADDRESS);
        let told = told.filter_map(|text| String::from_utf8(text.to_vec()).ok());
        Ok(TrackersMessage {
            addresses: told.collect(),
        })
    }
}

#[derive(Serialize)]
struct Dictionary {
    /// Addresses.
    a: Vec<ByteString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(addresses: &[&str]) -> TrackersMessage {
        TrackersMessage {
            addresses: addresses.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn it_has_golden_bytes() {
        let told = message(&["wss://a.example/", "ws://b"]);
        let golden = b"d1:al16:wss://a.example/6:ws://bee";
        assert_eq!(told.encode(), golden[..]);
        assert_eq!(TrackersMessage::decode(golden), Ok(told));
        assert_eq!(message(&[]).encode(), b"d1:alee"[..]);
    }

    #[test]
    fn what_is_of_no_use_is_left_out_and_what_is_no_list_refused() {
        assert_eq!(
            TrackersMessage::decode(b"d1:al1:x2:\xff\xfe1:ye1:zi1ee"),
            Ok(message(&["x", "y"]))
        );
        let many = format!("d1:al{}ee", "1:x".repeat(12));
        let read = TrackersMessage::decode(many.as_bytes()).unwrap();
        assert_eq!(read.addresses.len(), MAX_TOLD);
        let long = format!("d1:al2049:{}1:xee", "a".repeat(2049));
        assert_eq!(
            TrackersMessage::decode(long.as_bytes()),
            Ok(message(&["x"]))
        );
        for bad in [
            &b"de"[..],
            b"",
            b"d1:ai1ee",
            b"d1:ali1eee",
            b"le",
            b"d1:alee1",
        ] {
            assert!(TrackersMessage::decode(bad).is_err(), "{bad:?}");
        }
        let endless = format!("d1:al{}ee", "0:".repeat(40));
        assert!(TrackersMessage::decode(endless.as_bytes()).is_err());
    }

    #[test]
    fn every_message_round_trips_and_any_bytes_are_read_or_refused() {
        arbtest::arbtest(|u| {
            let mut addresses: Vec<String> = u.arbitrary()?;
            addresses.truncate(MAX_TOLD);
            let told = TrackersMessage { addresses };
            assert_eq!(TrackersMessage::decode(&told.encode()), Ok(told));
            Ok(())
        });
        arbtest::arbtest(|u| {
            let bytes: Vec<u8> = u.arbitrary()?;
            if let Ok(read) = TrackersMessage::decode(&bytes) {
                assert_eq!(TrackersMessage::decode(&read.encode()), Ok(read));
            }
            Ok(())
        });
    }
}
