//! The engine's end of a channel, and what the peer at the other end knows.

use std::collections::BTreeSet;

use bytes::Bytes;
use swarm_core::id::{Fingerprint, InfoHash};
use swarm_core::wire::extension::{ExtensionHandshake, HANDSHAKE_ID};
use swarm_core::wire::peer::{BlockRef, Decoder, Message, Received};

/// The longest message that an engine has reason to send.
const MAX_MESSAGE: u32 = 1 << 18;
/// Credit with which small messages never wait, in bytes.
const PLENTY: u64 = 1 << 17;

/// The engine's end of a channel.
pub(super) struct Channel {
    pub(super) info_hash: InfoHash,
    /// Bytes that the engine may send.
    pub(super) send_credit: u64,
    /// Bytes that the engine may get, and those of them that came.
    pub(super) granted: u64,
    pub(super) delivered: u64,
    pub(super) sent: Decoder,
    pub(super) greeted: bool,
    got: Decoder,
    /// It had so little credit at times that what it says may be old.
    pub(super) starved: bool,
    /// It takes our own extensions, too.
    pub(super) wide: bool,
    /// Direct links that the engine offered through it.
    pub(super) offered: Vec<u32>,
    /// What the engine had carried through it, or has carried to it: with whom, and which.
    pub(super) carried: Vec<(Fingerprint, u32)>,
    /// What the overlay asked through it: the questions' numbers.
    pub(super) asked_by_overlay: Vec<u32>,
    /// Requests in flight, or fewer: the engine may have given some up.
    pub(super) asked: BTreeSet<BlockRef>,
    /// Blocks that were asked for and are worth sending.
    pub(super) wanted: BTreeSet<BlockRef>,
    /// What the peer has said and has not travelled yet.
    pub(super) backlog: Vec<u8>,
    /// The peer has sent its handshake.
    pub(super) said_hello: bool,
    /// Pieces of the info dictionary that the engine asked for.
    pub(super) metadata_asked: Vec<u32>,
    /// The engine answers requests.
    pub(super) unchoked: bool,
    /// Blocks that the engine sent, and requests that it refused.
    pub(super) answered: Vec<(BlockRef, bool)>,
}

impl Channel {
    pub(super) fn new(info_hash: InfoHash, send_credit: u32, granted: u32) -> Self {
        Channel {
            info_hash,
            send_credit: u64::from(send_credit),
            starved: u64::from(send_credit) < PLENTY,
            granted: u64::from(granted),
            delivered: 0,
            sent: Decoder::new(MAX_MESSAGE),
            greeted: false,
            got: Decoder::new(MAX_MESSAGE),
            wide: false,
            offered: Vec::new(),
            carried: Vec::new(),
            asked_by_overlay: Vec::new(),
            asked: BTreeSet::new(),
            wanted: BTreeSet::new(),
            backlog: Vec::new(),
            said_hello: false,
            metadata_asked: Vec::new(),
            unchoked: false,
            answered: Vec::new(),
        }
    }

    /// The engine sent so many bytes; false if it had no room for them.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.send_credit.checked_sub(bytes as u64);
        self.send_credit = left.unwrap_or_default();
        self.starved |= self.send_credit < PLENTY;
        left.is_some()
    }

    /// The engine is about to get these bytes.
    pub(super) fn deliver(&mut self, bytes: &Bytes) {
        self.delivered += bytes.len() as u64;
        self.got.push(bytes.clone());
        while let Ok(Some(received)) = self.got.poll() {
            let Received::Message(message) = received else {
                continue;
            };
            match message {
                Message::Choke => self.asked.clear(),
                Message::Extended {
                    id: HANDSHAKE_ID,
                    payload,
                } => {
                    let said = ExtensionHandshake::decode(&payload);
                    if said.is_ok_and(|said| said.begin.is_some()) {
                        // What it was asked before is void.
                        self.asked.clear();
                    }
                }
                Message::RejectRequest(block) => {
                    self.asked.remove(&block);
                }
                Message::Piece { piece, begin, data } => {
                    let length = u32::try_from(data.len()).expect("a short message");
                    let block = BlockRef {
                        piece,
                        begin,
                        length,
                    };
                    self.asked.remove(&block);
                    self.wanted.remove(&block);
                }
                _ => {}
            }
        }
    }
}
