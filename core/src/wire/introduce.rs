//! How tabs that are linked directly tell each other of others, and carry their session
//! descriptions: our extension `ts_introduce` of BEP 10. `docs/protocol.md`, "Introductions", is
//! the whole of it.
//!
//! BEP 11 is the model of what is told, BEP 55 (rendezvous, connect, error) that of what is carried.

use bytes::Bytes;
use serde::Serialize;

use super::fields::ByteString;
use crate::bencode::{self, BencodeError, DecodeLimits, Keys};
use crate::id::Fingerprint;

/// The longest session description that is carried, in bytes. A browser's, with one data channel and
/// all of its candidates, has about one thousand.
pub const MAX_CARRIED: usize = 4 << 10;
/// The most peers that are added, and that are dropped, in a message (BEP 11: 50).
pub const MAX_TOLD: usize = 50;
/// Bytes of a fingerprint.
const LENGTH: usize = 16;

/// What a message may cost: a few fields, none of them longer than a description.
const LIMITS: DecodeLimits = DecodeLimits {
    length: MAX_CARRIED + 512,
    depth: 2,
    values: 16,
};

/// A message of `ts_introduce`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introduction {
    /// Whom the sender is linked with.
    Peers {
        /// Newly, each with whether it has everything.
        added: Vec<(Fingerprint, bool)>,
        /// Not any more.
        dropped: Vec<Fingerprint>,
    },
    /// A step on the way to a link between two whom a third is linked with.
    Step {
        /// It was carried: the sender is the third, and `peer` who it comes from. Otherwise the
        /// receiver is the third, and `peer` who it is for.
        carried: bool,
        /// See there.
        peer: Fingerprint,
        /// The offer's number, of the offerer's choice.
        attempt: u32,
        /// What is said.
        step: Step,
    },
}

/// What is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Let us link: the offerer's description.
    Offer(String),
    /// Yes: the answerer's description.
    Answer(String),
    /// No, or not any more.
    End(Unlinked),
}

/// Why there is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unlinked {
    /// The third never told of such a peer.
    NoSuchPeer,
    /// It is not linked with it any more.
    NotConnected,
    /// The peer takes no introductions.
    NoSupport,
    /// Somebody has too much of this to do: later.
    Busy,
    /// One of the two does not want to, or any other reason.
    Unwanted,
}

/// Why a message is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntroductionError {
    /// It is not the dictionary that it should be.
    #[error("bad introduction: {0}")]
    Bencode(#[from] BencodeError),
    /// A step without the fingerprint of a peer, or the number of an attempt.
    #[error("bad introduction: of nobody")]
    NoPeer,
    /// An offer or an answer without a description that is text, or with too long a one.
    #[error("bad introduction: no description")]
    NoDescription,
    /// Fingerprints that are cut off, too many of them, or flags that are not as many.
    #[error("bad introduction: not a list of peers")]
    NoList,
}

/// The values of `t`.
const PEERS: i64 = 0;
const OFFER: i64 = 1;
const ANSWER: i64 = 2;
const END: i64 = 3;
/// Added to them in what was carried.
const CARRIED: i64 = 4;
/// The flag of whoever has everything (BEP 11).
const SEED: u8 = 2;

impl Unlinked {
    /// The values of `e`, from 1.
    const ALL: [Unlinked; 5] = [
        Unlinked::NoSuchPeer,
        Unlinked::NotConnected,
        Unlinked::NoSupport,
        Unlinked::Busy,
        Unlinked::Unwanted,
    ];

    pub(super) fn code(self) -> u8 {
        let at = Self::ALL.iter().position(|other| *other == self);
        at.map_or(0, |at| at as u8 + 1)
    }

    pub(super) fn of_code(code: Option<i64>) -> Self {
        let known = Self::ALL
            .into_iter()
            .find(|why| Some(why.code().into()) == code);
        known.unwrap_or(Unlinked::Unwanted)
    }
}

impl Introduction {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        let mut dictionary = Dictionary::default();
        match self {
            Introduction::Peers { added, dropped } => {
                let flags = added.iter().map(|(_, seed)| SEED * u8::from(*seed));
                dictionary.f = Some(ByteString(flags.collect()));
                dictionary.a = Some(list(added.iter().map(|(peer, _)| peer)));
                dictionary.d = Some(list(dropped.iter()));
                dictionary.t = PEERS;
            }
            Introduction::Step {
                carried,
                peer,
                attempt,
                step,
            } => {
                let (t, description, why) = match step {
                    Step::Offer(description) => (OFFER, Some(description), None),
                    Step::Answer(description) => (ANSWER, Some(description), None),
                    Step::End(why) => (END, None, Some(why.code().into())),
                };
                dictionary.t = t + CARRIED * i64::from(*carried);
                dictionary.s = description.map(|text| ByteString(text.clone().into_bytes()));
                dictionary.e = why;
                dictionary.n = Some(i64::from(*attempt));
                dictionary.p = Some(ByteString(peer.0.to_vec()));
            }
        }
        bencode::encode(&dictionary).into()
    }

    /// Reads the payload. `None`: a kind that we don't know, to be ignored.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, IntroductionError> {
        let keys = Keys::of(payload, LIMITS)?;
        keys.need("t")?;
        let (t, e, n) = (keys.integer("t")?, keys.integer("e")?, keys.integer("n")?);
        let (p, s) = (keys.string("p")?, keys.string("s")?);
        let (added, dropped) = (keys.string("a")?, keys.string("d")?);
        let flags = keys.string("f")?;
        let (t, carried) = match t.unwrap_or_default() {
            PEERS => return told_of(added, flags, dropped).map(Some),
            t @ OFFER..=END => (t, false),
            t => (t.saturating_sub(CARRIED), true),
        };
        if !(OFFER..=END).contains(&t) {
            return Ok(None);
        }
        let peer = p.and_then(|bytes| bytes.try_into().ok());
        let attempt = n.and_then(|n| u32::try_from(n).ok());
        let (Some(peer), Some(attempt)) = (peer, attempt) else {
            return Err(IntroductionError::NoPeer);
        };
        let description = || {
            let text = s.filter(|text| text.len() <= MAX_CARRIED);
            let text = text.and_then(|text| String::from_utf8(text.to_vec()).ok());
            text.ok_or(IntroductionError::NoDescription)
        };
        let step = match t {
            OFFER => Step::Offer(description()?),
            ANSWER => Step::Answer(description()?),
            _ => Step::End(Unlinked::of_code(e)),
        };
        Ok(Some(Introduction::Step {
            carried,
            peer: Fingerprint(peer),
            attempt,
            step,
        }))
    }
}

#[derive(Default, Serialize)]
struct Dictionary {
    /// Peers that are added.
    a: Option<ByteString>,
    /// Peers that are dropped.
    d: Option<ByteString>,
    /// Why there is no link.
    e: Option<i64>,
    /// A flag for each peer that is added.
    f: Option<ByteString>,
    /// The number of an attempt.
    n: Option<i64>,
    /// A peer.
    p: Option<ByteString>,
    /// A description.
    s: Option<ByteString>,
    /// What kind of message it is.
    t: i64,
}

/// What a list of peers says.
fn told_of(
    added: Option<&[u8]>,
    flags: Option<&[u8]>,
    dropped: Option<&[u8]>,
) -> Result<Introduction, IntroductionError> {
    let (added, dropped) = (read_list(added)?, read_list(dropped)?);
    let flags = flags.unwrap_or_default();
    if flags.len() != added.len() {
        return Err(IntroductionError::NoList);
    }
    let seeds = flags.iter().map(|flags| flags & SEED != 0);
    Ok(Introduction::Peers {
        added: added.into_iter().zip(seeds).collect(),
        dropped,
    })
}

fn list<'a>(peers: impl Iterator<Item = &'a Fingerprint>) -> ByteString {
    ByteString(peers.take(MAX_TOLD).flat_map(|peer| peer.0).collect())
}

fn read_list(bytes: Option<&[u8]>) -> Result<Vec<Fingerprint>, IntroductionError> {
    let bytes = bytes.unwrap_or_default();
    let (peers, rest) = bytes.as_chunks::<LENGTH>();
    if !rest.is_empty() || peers.len() > MAX_TOLD {
        return Err(IntroductionError::NoList);
    }
    Ok(peers.iter().copied().map(Fingerprint).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Fingerprint = Fingerprint(*b"0123456789abcdef");

    fn step(carried: bool, step: Step) -> Introduction {
        Introduction::Step {
            carried,
            peer: PEER,
            attempt: 7,
            step,
        }
    }

    #[test]
    fn messages_have_golden_bytes() {
        for (message, bytes) in [
            (
                Introduction::Peers {
                    added: vec![(PEER, true)],
                    dropped: vec![Fingerprint(*b"fedcba9876543210")],
                },
                &b"d1:a16:0123456789abcdef1:d16:fedcba98765432101:f1:\x021:ti0ee"[..],
            ),
            (
                step(false, Step::Offer("v=0".to_owned())),
                b"d1:ni7e1:p16:0123456789abcdef1:s3:v=01:ti1ee",
            ),
            (
                step(true, Step::Answer("v=0".to_owned())),
                b"d1:ni7e1:p16:0123456789abcdef1:s3:v=01:ti6ee",
            ),
            (
                step(true, Step::End(Unlinked::Busy)),
                b"d1:ei4e1:ni7e1:p16:0123456789abcdef1:ti7ee",
            ),
        ] {
            assert_eq!(message.encode(), bytes);
            assert_eq!(Introduction::decode(bytes), Ok(Some(message)));
        }
        for unknown in [&b"d1:ti4ee"[..], b"d1:ti8ee", b"d1:ti-1ee"] {
            assert_eq!(Introduction::decode(unknown), Ok(None));
        }
        // Reasons to come are reasons.
        assert_eq!(
            Introduction::decode(b"d1:ei99e1:ni7e1:p16:0123456789abcdef1:ti3ee"),
            Ok(Some(step(false, Step::End(Unlinked::Unwanted))))
        );
    }

    #[test]
    fn what_is_missing_or_too_much_has_a_name() {
        let bad = |bytes: &[u8]| Introduction::decode(bytes).unwrap_err();
        assert_eq!(bad(b"d1:ti1ee"), IntroductionError::NoPeer);
        assert_eq!(
            bad(b"d1:ni-1e1:p16:0123456789abcdef1:ti3ee"),
            IntroductionError::NoPeer
        );
        assert_eq!(
            bad(b"d1:ni1e1:p15:0123456789abcde1:ti3ee"),
            IntroductionError::NoPeer
        );
        assert_eq!(
            bad(b"d1:ni1e1:p16:0123456789abcdef1:ti2ee"),
            IntroductionError::NoDescription
        );
        let longest = step(true, Step::Offer("x".repeat(MAX_CARRIED)));
        let bytes = longest.encode();
        assert_eq!(Introduction::decode(&bytes), Ok(Some(longest)));
        let longer = step(true, Step::Offer("x".repeat(MAX_CARRIED + 1)));
        assert_eq!(bad(&longer.encode()), IntroductionError::NoDescription);
        assert_eq!(bad(b"d1:a3:abc1:f0:1:ti0ee"), IntroductionError::NoList);
        assert_eq!(
            bad(b"d1:a16:0123456789abcdef1:ti0ee"),
            IntroductionError::NoList
        );
        let many = format!("d1:d{}:{}1:ti0ee", 51 * 16, "x".repeat(51 * 16));
        assert_eq!(bad(many.as_bytes()), IntroductionError::NoList);
        let megabyte = step(true, Step::Offer("x".repeat(1 << 20))).encode();
        assert!(matches!(bad(&megabyte), IntroductionError::Bencode(_)));
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_written_the_same() {
        arbtest::arbtest(|u| {
            let bytes: Vec<u8> = u.arbitrary()?;
            if let Ok(Some(message)) = Introduction::decode(&bytes) {
                assert_eq!(Introduction::decode(&message.encode()), Ok(Some(message)));
            }
            let text: String = u.arbitrary()?;
            let message = match u.int_in_range(0..=3)? {
                0 => {
                    let mut added: Vec<([u8; 16], bool)> = u.arbitrary()?;
                    let mut dropped: Vec<[u8; 16]> = u.arbitrary()?;
                    added.truncate(MAX_TOLD);
                    dropped.truncate(MAX_TOLD);
                    Introduction::Peers {
                        added: added
                            .into_iter()
                            .map(|(p, s)| (Fingerprint(p), s))
                            .collect(),
                        dropped: dropped.into_iter().map(Fingerprint).collect(),
                    }
                }
                1 => step(u.arbitrary()?, Step::Offer(text)),
                2 => step(u.arbitrary()?, Step::Answer(text)),
                _ => step(u.arbitrary()?, Step::End(*u.choose(&Unlinked::ALL)?)),
            };
            assert_eq!(Introduction::decode(&message.encode()), Ok(Some(message)));
            Ok(())
        });
    }
}
