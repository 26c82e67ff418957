//! How two peers agree on a direct link (WebRTC), through the session that they have: our
//! extension `ts_direct` of BEP 10. `docs/protocol.md`, "Direct links", is the whole of it.

use bytes::Bytes;
use serde::Serialize;

use super::fields::ByteString;
use crate::bencode::{self, BencodeError, DecodeLimits, Keys};

/// The longest session description, in bytes. Browsers' are of one or two thousand, with all
/// their candidates; a message of the peer wire has room for one of a block's length.
pub const MAX_DESCRIPTION: usize = 16 << 10;

/// What a message may cost: three fields.
const LIMITS: DecodeLimits = DecodeLimits {
    length: MAX_DESCRIPTION + 128,
    depth: 2,
    values: 16,
};

/// A message of `ts_direct`. Descriptions are SDP (RFC 8866) with all of their candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Let us link.
    Offer {
        /// Which of the sender's offers.
        attempt: u32,
        /// The sender's side.
        description: String,
    },
    /// Yes.
    Answer {
        /// The offer's.
        attempt: u32,
        /// The sender's side.
        description: String,
    },
    /// No, or not any more.
    End {
        /// The offer's.
        attempt: u32,
    },
}

/// Why a message is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    /// It is not the dictionary that it should be.
    #[error("bad direct message: {0}")]
    Bencode(#[from] BencodeError),
    /// It does not say which attempt it is about.
    #[error("bad direct message: no attempt")]
    NoAttempt,
    /// An offer or an answer without a description that is text, or with too long a one.
    #[error("bad direct message: no description")]
    NoDescription,
}

impl Signal {
    /// Which attempt it is about.
    pub fn attempt(&self) -> u32 {
        match self {
            Signal::Offer { attempt, .. }
            | Signal::Answer { attempt, .. }
            | Signal::End { attempt } => *attempt,
        }
    }

    /// The payload.
    pub fn encode(&self) -> Bytes {
        let (t, description) = match self {
            Signal::Offer { description, .. } => (OFFER, Some(description)),
            Signal::Answer { description, .. } => (ANSWER, Some(description)),
            Signal::End { .. } => (END, None),
        };
        let dictionary = SignalDictionary {
            n: Some(i64::from(self.attempt())),
            s: description.map(|text| ByteString(text.clone().into_bytes())),
            t,
        };
        bencode::encode(&dictionary).into()
    }

    /// Reads the payload. `None`: a kind that we don't know, to be ignored.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, SignalError> {
        let keys = Keys::of(payload, LIMITS)?;
        keys.need("t")?;
        let (t, n, s) = (keys.integer("t")?, keys.integer("n")?, keys.string("s")?);
        let Some(t @ (OFFER | ANSWER | END)) = t else {
            return Ok(None);
        };
        let attempt = n.and_then(|n| u32::try_from(n).ok());
        let attempt = attempt.ok_or(SignalError::NoAttempt)?;
        if t == END {
            return Ok(Some(Signal::End { attempt }));
        }
        let text = s.filter(|text| text.len() <= MAX_DESCRIPTION);
        let text = text.and_then(|text| String::from_utf8(text.to_vec()).ok());
        let description = text.ok_or(SignalError::NoDescription)?;
        Ok(Some(match t {
            OFFER => Signal::Offer {
                attempt,
                description,
            },
            _ => Signal::Answer {
                attempt,
                description,
            },
        }))
    }
}

/// The values of `t`.
const OFFER: i64 = 1;
const ANSWER: i64 = 2;
const END: i64 = 3;

#[derive(Serialize)]
struct SignalDictionary {
    n: Option<i64>,
    s: Option<ByteString>,
    t: i64,
}

#[cfg(test)]
mod tests {
    use arbitrary::Arbitrary as _;

    use super::*;

    fn offer(description: &str) -> Signal {
        Signal::Offer {
            attempt: 7,
            description: description.to_owned(),
        }
    }

    #[test]
    fn messages_have_golden_bytes() {
        for (signal, bytes) in [
            (offer("v=0"), &b"d1:ni7e1:s3:v=01:ti1ee"[..]),
            (
                Signal::Answer {
                    attempt: 7,
                    description: "v=0".to_owned(),
                },
                b"d1:ni7e1:s3:v=01:ti2ee",
            ),
            (Signal::End { attempt: 0 }, b"d1:ni0e1:ti3ee"),
        ] {
            assert_eq!(signal.encode(), bytes);
            assert_eq!(Signal::decode(bytes), Ok(Some(signal)));
        }
        assert_eq!(Signal::decode(b"d1:ti9ee"), Ok(None));
    }

    #[test]
    fn what_is_missing_or_too_much_has_a_name() {
        let bad = |bytes: &[u8]| Signal::decode(bytes).unwrap_err();
        assert_eq!(bad(b"d1:ti1ee"), SignalError::NoAttempt);
        assert_eq!(bad(b"d1:ni-1e1:ti3ee"), SignalError::NoAttempt);
        assert_eq!(bad(b"d1:ni1e1:ti2ee"), SignalError::NoDescription);
        assert_eq!(bad(b"d1:ni1e1:s1:\xff1:ti1ee"), SignalError::NoDescription);
        assert!(matches!(bad(b"le"), SignalError::Bencode(_)));
        let longest = "x".repeat(MAX_DESCRIPTION);
        let bytes = offer(&longest).encode();
        assert_eq!(Signal::decode(&bytes), Ok(Some(offer(&longest))));
        let bytes = offer(&(longest + "x")).encode();
        assert_eq!(Signal::decode(&bytes), Err(SignalError::NoDescription));
        let megabyte = offer(&"x".repeat(1 << 20)).encode();
        assert!(matches!(bad(&megabyte), SignalError::Bencode(_)));
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_written_the_same() {
        arbtest::arbtest(|u| {
            let bytes = Vec::<u8>::arbitrary(u)?;
            if let Ok(Some(signal)) = Signal::decode(&bytes) {
                assert_eq!(Signal::decode(&signal.encode()), Ok(Some(signal)));
            }
            let signal = offer(&String::arbitrary(u)?);
            assert_eq!(Signal::decode(&signal.encode()), Ok(Some(signal)));
            Ok(())
        });
    }
}
