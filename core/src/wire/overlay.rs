//! What tabs of the overlay say to each other: our extension `ts_overlay` of BEP 10.
//! `docs/protocol.md`, "The overlay", is the whole of it.
//!
//! Kademlia's four questions (BEP 5's `ping` is the link itself), one which carries a session
//! description, and one that is for a neighbour alone. Each of the others goes from link to link towards its target, and what is answered comes back
//! the same way. Numbers are big-endian; there is no bencoding: a page has to load what reads this.

use bytes::{BufMut, Bytes, BytesMut};

use super::introduce::{MAX_CARRIED, Unlinked};
use crate::id::Fingerprint;

/// A point of the identifier space: a node, or what is looked for.
pub type Target = [u8; 20];

/// The most fingerprints in an answer: 16, so that it has 261 bytes.
pub const MAX_NAMED: usize = 16;
/// The most links that a question may go through.
pub const MAX_HOPS: u8 = 20;
/// The longest message: an offer with the longest description.
pub const MAX_MESSAGE: usize = 1 + 4 + 1 + LENGTH + 3 * 20 + MAX_CARRIED;
/// Bytes of a fingerprint.
const LENGTH: usize = 16;

/// A message of `ts_overlay`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverlayMessage {
    /// To be passed on, or answered.
    Question {
        /// Its number on this link, of the sender's choice.
        number: u32,
        /// How many links more it may go through, at most [`MAX_HOPS`]. None: it is for the
        /// receiver alone.
        hops: u8,
        /// Who asks. Nobody is named where it is the sender itself: then whoever takes it knows who
        /// that is, because DTLS showed it.
        origin: Option<Fingerprint>,
        /// Towards what it goes.
        target: Target,
        /// What is asked.
        question: Question,
    },
    /// What is answered.
    Answer {
        /// The question's number on this link.
        number: u32,
        /// What came of it.
        answer: Answer,
    },
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whom do you know near the target (`find_node`)?
    Find,
    /// Who said that it has what the target stands for (`get_peers`)?
    Get,
    /// I have what the target stands for (`announce_peer`).
    Announce,
    /// To the node that the target is: let us link.
    Offer {
        /// Towards what it goes until somebody is linked with the target, or nobody is nearer to
        /// this: where the target was heard of. Then, or where it is the target, towards that.
        way: Target,
        /// For what: what stands for a torrent, or zeros for the overlay itself.
        topic: Target,
        /// The session description.
        description: String,
    },
    /// To a neighbour that is a bridge: the torrent whose info-hash the target is, not the topic,
    /// is wanted, and nobody is known who has all of it. It goes nowhere else.
    Carry,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Find`]: these, at most [`MAX_NAMED`].
    Nodes(Vec<Fingerprint>),
    /// To [`Question::Get`]: these, at most [`MAX_NAMED`].
    Peers(Vec<Fingerprint>),
    /// To [`Question::Announce`]: it is noted. To [`Question::Carry`]: it is in that swarm, and may be
    /// offered a link for it.
    Noted,
    /// To [`Question::Offer`]: yes, and the answerer's description.
    Linked(String),
    /// No.
    End(Unlinked),
}

/// Why a message is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// It ends too early, or there is something behind its end.
    #[error("bad overlay message: cut off")]
    Length,
    /// It may go through more links than any may.
    #[error("bad overlay message: too many hops")]
    Hops,
    /// More fingerprints than an answer may have.
    #[error("bad overlay message: too many peers")]
    Peers,
    /// A description that is too long, or no text.
    #[error("bad overlay message: no description")]
    Description,
}

const FIND: u8 = 1;
const GET: u8 = 2;
const ANNOUNCE: u8 = 3;
const OFFER: u8 = 4;
const CARRY: u8 = 5;
/// Answers have the highest bit.
const NODES: u8 = 0x81;
const PEERS: u8 = 0x82;
const NOTED: u8 = 0x83;
const LINKED: u8 = 0x84;
const END: u8 = 0x85;
/// Who asks is the sender.
const NOBODY: [u8; LENGTH] = [0; LENGTH];

impl OverlayMessage {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            OverlayMessage::Question {
                number,
                hops,
                origin,
                target,
                question,
            } => {
                out.put_u8(match question {
                    Question::Find => FIND,
                    Question::Get => GET,
                    Question::Announce => ANNOUNCE,
                    Question::Offer { .. } => OFFER,
                    Question::Carry => CARRY,
                });
                out.put_u32(*number);
                out.put_u8(*hops);
                out.put_slice(&origin.map_or(NOBODY, |origin| origin.0));
                out.put_slice(target);
                if let Question::Offer {
                    way,
                    topic,
                    description,
                } = question
                {
                    out.put_slice(way);
                    out.put_slice(topic);
                    out.put_slice(description.as_bytes());
                }
            }
            OverlayMessage::Answer { number, answer } => {
                out.put_u8(match answer {
                    Answer::Nodes(_) => NODES,
                    Answer::Peers(_) => PEERS,
                    Answer::Noted => NOTED,
                    Answer::Linked(_) => LINKED,
                    Answer::End(_) => END,
                });
                out.put_u32(*number);
                match answer {
                    Answer::Nodes(named) | Answer::Peers(named) => {
                        for peer in named.iter().take(MAX_NAMED) {
                            out.put_slice(&peer.0);
                        }
                    }
                    Answer::Noted => {}
                    Answer::Linked(description) => out.put_slice(description.as_bytes()),
                    Answer::End(why) => out.put_u8(why.code()),
                }
            }
        }
        out.freeze()
    }

    /// Reads the payload. `None`: a kind that we don't know, to be ignored.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, OverlayError> {
        let mut rest = payload;
        let [kind] = take(&mut rest)?;
        let is_question = (FIND..=CARRY).contains(&kind);
        if !is_question && !(NODES..=END).contains(&kind) {
            return Ok(None);
        }
        let number = u32::from_be_bytes(take(&mut rest)?);
        if !is_question {
            let answer = Answer::decode(kind, rest)?;
            return Ok(Some(OverlayMessage::Answer { number, answer }));
        }
        let [hops] = take(&mut rest)?;
        let origin = take(&mut rest)?;
        let target = take(&mut rest)?;
        let question = match kind {
            FIND => Question::Find,
            GET => Question::Get,
            ANNOUNCE => Question::Announce,
            CARRY => Question::Carry,
            _ => Question::Offer {
                way: take(&mut rest)?,
                topic: take(&mut rest)?,
                description: text(std::mem::take(&mut rest))?,
            },
        };
        if hops > MAX_HOPS {
            return Err(OverlayError::Hops);
        }
        end(rest)?;
        Ok(Some(OverlayMessage::Question {
            number,
            hops,
            origin: (origin != NOBODY).then_some(Fingerprint(origin)),
            target,
            question,
        }))
    }
}

impl Answer {
    fn decode(kind: u8, mut rest: &[u8]) -> Result<Self, OverlayError> {
        Ok(match kind {
            NODES => Answer::Nodes(named(rest)?),
            PEERS => Answer::Peers(named(rest)?),
            LINKED => Answer::Linked(text(rest)?),
            NOTED => {
                end(rest)?;
                Answer::Noted
            }
            _ => {
                let [code] = take(&mut rest)?;
                end(rest)?;
                Answer::End(Unlinked::of_code(Some(code.into())))
            }
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], OverlayError> {
    let (taken, left) = rest.split_first_chunk().ok_or(OverlayError::Length)?;
    *rest = left;
    Ok(*taken)
}

fn end(rest: &[u8]) -> Result<(), OverlayError> {
    match rest {
        [] => Ok(()),
        _ => Err(OverlayError::Length),
    }
}

fn text(bytes: &[u8]) -> Result<String, OverlayError> {
    let text = (bytes.len() <= MAX_CARRIED).then(|| str::from_utf8(bytes).ok());
    let text = text.flatten().ok_or(OverlayError::Description)?;
    Ok(text.to_owned())
}

fn named(bytes: &[u8]) -> Result<Vec<Fingerprint>, OverlayError> {
    let (peers, rest) = bytes.as_chunks::<LENGTH>();
    end(rest)?;
    if peers.len() > MAX_NAMED {
        return Err(OverlayError::Peers);
    }
    Ok(peers.iter().copied().map(Fingerprint).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Fingerprint = Fingerprint(*b"0123456789abcdef");
    const TARGET: Target = *b"abcdefghij0123456789";

    fn question(origin: Option<Fingerprint>, question: Question) -> OverlayMessage {
        OverlayMessage::Question {
            number: 7,
            hops: 9,
            origin,
            target: TARGET,
            question,
        }
    }

    fn answer(answer: Answer) -> OverlayMessage {
        OverlayMessage::Answer { number: 7, answer }
    }

    fn offer(description: &str) -> Question {
        Question::Offer {
            way: [b'w'; 20],
            topic: [b't'; 20],
            description: description.to_owned(),
        }
    }

    #[test]
    fn messages_have_golden_bytes() {
        let asked = b"\0\0\0\x07\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abcdefghij0123456789";
        let passed_on = b"\0\0\0\x07\x090123456789abcdefabcdefghij0123456789";
        let join = |parts: &[&[u8]]| parts.concat();
        for (message, bytes) in [
            (question(None, Question::Find), join(&[b"\x01", asked])),
            (
                question(Some(PEER), Question::Get),
                join(&[b"\x02", passed_on]),
            ),
            (question(None, Question::Announce), join(&[b"\x03", asked])),
            (
                question(Some(PEER), offer("v=0")),
                join(&[b"\x04", passed_on, &[b'w'; 20], &[b't'; 20], b"v=0"]),
            ),
            (question(None, Question::Carry), join(&[b"\x05", asked])),
            (
                answer(Answer::Nodes(vec![PEER, Fingerprint([b'x'; 16])])),
                b"\x81\0\0\0\x070123456789abcdefxxxxxxxxxxxxxxxx".to_vec(),
            ),
            (
                answer(Answer::Peers(Vec::new())),
                b"\x82\0\0\0\x07".to_vec(),
            ),
            (answer(Answer::Noted), b"\x83\0\0\0\x07".to_vec()),
            (
                answer(Answer::Linked("v=0".to_owned())),
                b"\x84\0\0\0\x07v=0".to_vec(),
            ),
            (
                answer(Answer::End(Unlinked::Busy)),
                b"\x85\0\0\0\x07\x04".to_vec(),
            ),
        ] {
            assert_eq!(message.encode(), bytes);
            assert_eq!(OverlayMessage::decode(&bytes), Ok(Some(message)));
        }
        for unknown in [&b"\0"[..], b"\x06", b"\x80", b"\x86abc"] {
            assert_eq!(OverlayMessage::decode(unknown), Ok(None));
        }
        // Reasons to come are reasons.
        let reason = OverlayMessage::decode(b"\x85\0\0\0\x07\xff");
        assert_eq!(reason, Ok(Some(answer(Answer::End(Unlinked::Unwanted)))));
    }

    #[test]
    fn what_is_missing_or_too_much_has_a_name() {
        let bad = |bytes: &[u8]| OverlayMessage::decode(bytes).unwrap_err();
        assert_eq!(bad(b""), OverlayError::Length);
        let find = question(None, Question::Find).encode();
        assert_eq!(bad(&find[..find.len() - 1]), OverlayError::Length);
        assert_eq!(bad(&[&find[..], b"x"].concat()), OverlayError::Length);
        assert_eq!(bad(b"\x81\0\0\0\x07short"), OverlayError::Length);
        assert_eq!(bad(b"\x83\0\0\0\x07x"), OverlayError::Length);
        assert_eq!(bad(b"\x85\0\0\0\x07"), OverlayError::Length);
        let mut far = find.to_vec();
        far[5] = MAX_HOPS + 1;
        assert_eq!(bad(&far), OverlayError::Hops);
        let many = [&b"\x81\0\0\0\x07"[..], &[1; 16 * (MAX_NAMED + 1)]].concat();
        assert_eq!(bad(&many), OverlayError::Peers);
        assert_eq!(bad(b"\x84\0\0\0\x07\xff"), OverlayError::Description);
        let longest = question(None, offer(&"x".repeat(MAX_CARRIED)));
        let bytes = longest.encode();
        assert_eq!(bytes.len(), MAX_MESSAGE);
        assert_eq!(OverlayMessage::decode(&bytes), Ok(Some(longest)));
        let longer = question(None, offer(&"x".repeat(MAX_CARRIED + 1)));
        assert_eq!(bad(&longer.encode()), OverlayError::Description);
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_written_the_same() {
        arbtest::arbtest(|u| {
            let mut bytes: Vec<u8> = u.arbitrary()?;
            if let Some(kind) = bytes.first_mut() {
                *kind = u
                    .choose(&[FIND, OFFER, CARRY, NODES, LINKED, END, *kind])
                    .copied()?;
            }
            if let Ok(Some(message)) = OverlayMessage::decode(&bytes) {
                let again = OverlayMessage::decode(&message.encode());
                assert_eq!(again, Ok(Some(message)));
            }
            Ok(())
        });
    }
}
