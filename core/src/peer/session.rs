//! The state of our talk with one remote peer.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::{Allowance, Meter, Outbox, PeerPath, Pipeline, PlacesConfig, RequestConfig};
use crate::chunk::Chunk;
use crate::id::{ChannelKey, PeerId};
use crate::net::Contact;
use crate::pieces::{Bitfield, BitfieldError, Block, Layout, PieceIndex};
use crate::time::Time;
use crate::wire::peer::Decoder;

pub use crate::pieces::download::SessionId;

/// See the module.
#[derive(Debug)]
pub struct Session<C: Chunk = Bytes> {
    /// The channel that carries it.
    pub channel: ChannelKey,
    /// What kind of channel that is.
    pub path: PeerPath,
    /// Who it is, and how it is reached.
    pub contact: Contact,
    /// What the remote calls itself: what was said of it, then what its handshake said. To be
    /// shown, and nothing else: anybody may say anybody's.
    pub peer_id: Option<PeerId>,
    /// Its software, as it says.
    pub client: String,
    /// Cuts what arrives into messages.
    pub decoder: Decoder<C>,
    /// How much it may still cost us for nothing.
    pub allowance: Allowance,
    /// Its handshake is here.
    pub greeted: bool,
    /// It speaks the extension protocol (BEP 10).
    pub extended: bool,
    /// Both speak the Fast extension (BEP 6).
    pub fast: bool,
    /// The id under which it takes `ut_metadata` messages.
    pub ut_metadata: Option<u8>,
    /// Bytes of the info dictionary, as it says.
    pub metadata_size: Option<u32>,
    /// When it came.
    pub since: Time,
    /// We answer its requests, since then.
    pub unchoked: Option<Time>,
    /// When we last stopped to.
    pub choked: Option<Time>,
    /// It lacks something that we have, it says.
    pub peer_interested: bool,
    /// It answers our requests.
    pub unchoked_us: bool,
    /// We told it that it has something that we lack.
    pub interested: bool,
    /// What it has.
    pub pieces: RemotePieces,
    /// It said so as a whole: there is one bitfield, or message in its place.
    pub introduced: bool,
    /// What we asked of it.
    pub requests: BTreeSet<Block>,
    /// What we asked of it and gave up: it may still come, or be rejected.
    pub given_up: BTreeSet<Block>,
    /// See [`RequestConfig::max_given_up`].
    max_given_up: usize,
    /// How much may be asked of it.
    pub pipeline: Pipeline,
    /// When it last sent a block that we asked for, or we first asked.
    pub last_block: Time,
    /// When its requests last timed out, if no block came since.
    pub timed_out: Option<Time>,
    /// How often they did since then.
    pub strikes: u32,
    /// It has sent a block that we asked for.
    pub delivered: bool,
    /// It owes us blocks for so long that it earns no upload slot.
    pub snubbed: bool,
    /// Requests that it did not answer, or refused, since it last sent a block.
    pub broken_promises: u32,
    /// When a block last went from one to the other.
    pub exchanged: Option<Time>,
    /// When it last asked for something.
    pub asked: Option<Time>,
    /// It had an upload slot, lately, and asked for nothing, until then.
    pub sat: Option<Time>,
    /// Bytes that it sent and nobody asked for.
    pub unrequested: u64,
    /// Pieces that it suggested, the newest last (BEP 6).
    pub suggested: VecDeque<PieceIndex>,
    /// Pieces that we may ask for while it chokes us (BEP 6).
    pub fast_pieces: BTreeSet<PieceIndex>,
    /// Pieces that it may ask for while we choke it (BEP 6).
    pub allowed_fast: Vec<PieceIndex>,
    /// Pieces that we suggested and it does not have yet.
    pub dealt: Vec<PieceIndex>,
    /// Those of them that it has begun to ask for.
    pub begun: BTreeSet<PieceIndex>,
    /// Pieces that we alone gave it, that nobody else has got since, and when it had them.
    pub hoard: Vec<(PieceIndex, Time)>,
    /// How many pieces that we alone gave it others have got since.
    pub passed_on: usize,
    /// What waits to be sent to it.
    pub outbox: Outbox<C>,
    /// Bytes that its channel still takes.
    pub room: u64,
    /// Payload that came.
    pub down: Meter,
    /// Payload that went.
    pub up: Meter,
    /// When anything last came.
    pub last_heard: Time,
    /// When anything last went.
    pub last_spoke: Time,
}

/// What a remote peer has, as far as we can tell.
#[derive(Clone, Debug)]
pub enum RemotePieces {
    /// We don't know yet how many pieces there are.
    Early {
        /// Its bitfield message.
        bitfield: Option<Bytes>,
        /// It says that it has everything.
        all: bool,
        /// Its have messages, as many as the configuration allows.
        haves: Vec<u32>,
    },
    /// Checked against the layout.
    Known(Bitfield),
}

impl RemotePieces {
    /// Nothing yet.
    pub fn early() -> Self {
        RemotePieces::Early {
            bitfield: None,
            all: false,
            haves: Vec::new(),
        }
    }

    /// The checked set, once it is known.
    pub fn known(&self) -> Option<&Bitfield> {
        match self {
            RemotePieces::Known(bitfield) => Some(bitfield),
            RemotePieces::Early { .. } => None,
        }
    }

    /// Checks what came early against the layout, now that it is known.
    pub fn resolve(&self, layout: &Layout) -> Result<Bitfield, BitfieldError> {
        let count = layout.piece_count();
        match self {
            RemotePieces::Known(bitfield) => Ok(bitfield.clone()),
            RemotePieces::Early { all: true, .. } => Ok(Bitfield::full(count)),
            RemotePieces::Early {
                bitfield, haves, ..
            } => {
                let mut pieces = match bitfield {
                    Some(bytes) => Bitfield::from_bytes(bytes, count)?,
                    None => Bitfield::empty(count),
                };
                for &index in haves {
                    pieces.insert(layout.piece(index).ok_or(BitfieldError::SpareBits)?);
                }
                Ok(pieces)
            }
        }
    }
}

impl<C: Chunk> Session<C> {
    /// A session over a channel that just opened; it takes `room` bytes.
    pub fn new(
        channel: ChannelKey,
        contact: Contact,
        peer_id: Option<PeerId>,
        room: u32,
        max_message: u32,
        requests: &RequestConfig,
        now: Time,
    ) -> Self {
        Session {
            channel,
            path: PeerPath::Relay,
            contact,
            peer_id,
            client: String::new(),
            decoder: Decoder::new(max_message),
            allowance: Allowance::default(),
            greeted: false,
            extended: false,
            fast: false,
            ut_metadata: None,
            metadata_size: None,
            since: now,
            unchoked: None,
            choked: None,
            peer_interested: false,
            unchoked_us: false,
            interested: false,
            pieces: RemotePieces::early(),
            introduced: false,
            requests: BTreeSet::new(),
            given_up: BTreeSet::new(),
            max_given_up: requests.max_given_up,
            pipeline: Pipeline::new(requests),
            last_block: now,
            timed_out: None,
            strikes: 0,
            delivered: false,
            snubbed: false,
            broken_promises: 0,
            exchanged: None,
            asked: None,
            sat: None,
            unrequested: 0,
            suggested: VecDeque::new(),
            fast_pieces: BTreeSet::new(),
            allowed_fast: Vec::new(),
            dealt: Vec::new(),
            begun: BTreeSet::new(),
            hoard: Vec::new(),
            passed_on: 0,
            outbox: Outbox::default(),
            room: u64::from(room),
            down: Meter::default(),
            up: Meter::default(),
            last_heard: now,
            last_spoke: now,
        }
    }

    /// It will not send these blocks; what comes of them late, or is rejected, is no fault.
    pub fn give_up_requests(&mut self) {
        let requests = std::mem::take(&mut self.requests);
        if self.given_up.len() < self.max_given_up {
            self.given_up.extend(requests);
        }
        self.pipeline.interrupted();
    }

    /// A block came that we asked for, be it late.
    pub fn delivers(&mut self, now: Time) {
        self.last_block = now;
        self.timed_out = None;
        self.strikes = 0;
        self.delivered = true;
        self.snubbed = false;
        self.broken_promises = 0;
        self.pipeline.delivers();
    }

    /// Its requests time out: it is asked for less.
    pub fn strike(&mut self, now: Time) {
        self.timed_out = Some(now);
        self.strikes = self.strikes.saturating_add(1);
        self.pipeline.owes(self.strikes);
        let promises = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        self.broken_promises = self.broken_promises.saturating_add(promises);
    }

    /// It left more unanswered than it may. One to which much is under way, because it brought
    /// much over a long way, leaves as much unanswered in one bad moment.
    pub fn breaks_promises(&self, most: u32) -> bool {
        let far = u32::try_from(2 * self.pipeline.far()).unwrap_or(u32::MAX);
        self.broken_promises > most.saturating_add(far)
    }

    /// It answers our requests from now on. Whoever was asked for nothing any more may show
    /// with one that it does.
    pub fn unchokes(&mut self) {
        self.unchoked_us = true;
        if self.strikes > 2 {
            self.strikes = 2;
            self.pipeline.owes(2);
        }
    }

    /// It will not send this block, see [`Session::give_up_requests`]. False if it was not
    /// asked of it.
    pub fn give_up(&mut self, block: Block) -> bool {
        let asked = self.requests.remove(&block);
        if asked && self.given_up.len() < self.max_given_up {
            self.given_up.insert(block);
        }
        asked
    }

    /// Bytes that it took beyond what it gave.
    pub fn debt(&self) -> u64 {
        self.up.total().saturating_sub(self.down.total())
    }

    /// It keeps what we gave it to itself: of the pieces that it had the time to pass on,
    /// two at least, others got fewer than they did not get.
    pub fn hoards(&self, now: Time, time: Duration) -> bool {
        let kept = self.hoard.iter().filter(|(_, since)| now - *since >= time);
        let kept = kept.count();
        kept >= 2 && kept > self.passed_on
    }

    /// It has an upload slot, and asked for something a moment ago, or had no time to.
    pub fn uses_slot(&self, now: Time, config: &PlacesConfig) -> bool {
        let time = config.hesitation();
        let lately = |at: Option<Time>| at.is_some_and(|at| now - at < time);
        self.outbox.upload_count() > 0 || lately(self.asked) || lately(self.unchoked)
    }

    /// It has an upload slot, and does not use it: others may be tried beside it.
    pub fn hesitates(&self, now: Time, config: &PlacesConfig) -> bool {
        self.sat.is_some() || !self.uses_slot(now, config) && !self.trades(now, config)
    }

    /// Nothing went from one to the other, and it never asked for anything.
    pub fn is_stranger(&self) -> bool {
        self.asked.is_none() && self.exchanged.is_none()
    }

    /// Who traded with us lately may just have enough for the moment.
    fn trades(&self, now: Time, config: &PlacesConfig) -> bool {
        self.exchanged.is_some_and(|at| now - at < config.exchange)
    }

    /// Looks whether it uses its upload slot. Whoever does not comes last for a while.
    pub fn watch_slot(&mut self, now: Time, config: &PlacesConfig) {
        let Some(since) = self.unchoked.filter(|_| self.peer_interested) else {
            if self.sat.is_some_and(|sat| now - sat >= config.sat) {
                self.sat = None;
            }
            return;
        };
        let since = self.asked.map_or(since, |asked| asked.max(since));
        let sits = self.outbox.upload_count() == 0 && now - since >= config.sitting;
        if sits && !self.trades(now, config) {
            self.sat = Some(now);
        }
    }

    /// What it calls itself, for a person; empty until it has said so.
    pub fn name(&self) -> String {
        self.peer_id.map_or_else(String::new, |id| id.to_string())
    }

    /// It has every piece.
    pub fn is_seed(&self) -> bool {
        self.pieces.known().is_some_and(Bitfield::is_full)
    }
}
