//! One channel to a remote peer: what comes through it, what waits to go, what was asked
//! through it. It ends with the channel.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Outbox, PeerPath, RequestConfig};
use crate::chunk::Chunk;
use crate::id::ChannelKey;
use crate::pieces::Block;
use crate::time::Time;
use crate::wire::peer::{Decoder, Handshake, Reserved};

/// See the module.
#[derive(Debug)]
pub(crate) struct Stream<C: Chunk = Bytes> {
    /// The channel.
    pub(crate) channel: ChannelKey,
    /// What kind of channel that is.
    pub(crate) path: PeerPath,
    /// Cuts what arrives into messages.
    pub(crate) decoder: Decoder<C>,
    /// What waits to be sent.
    pub(crate) outbox: Outbox<C>,
    /// Bytes that the channel still takes.
    pub(crate) room: u64,
    /// The remote's handshake is here.
    pub(crate) greeted: bool,
    /// It speaks the extension protocol (BEP 10).
    pub(crate) extended: bool,
    /// Both speak the Fast extension (BEP 6).
    pub(crate) fast: bool,
    /// The id under which it takes `ut_metadata` messages.
    pub(crate) ut_metadata: Option<u8>,
    /// It said what it has as a whole: there is one bitfield, or message in its place.
    pub(crate) introduced: bool,
    /// What we asked for.
    requests: BTreeSet<Block>,
    /// What we asked for and gave up: it may still come, or be rejected.
    given_up: BTreeSet<Block>,
    /// See [`RequestConfig::max_given_up`].
    max_given_up: usize,
    /// When anything last came.
    pub(crate) last_heard: Time,
    /// When anything last went.
    pub(crate) last_spoke: Time,
}

/// What a block that came, or was refused, is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It was asked for.
    Now,
    /// It was asked for, given up, and asked for again.
    Again,
    /// It was asked for, and given up since.
    Before,
    /// Nobody asked for it.
    Never,
}

impl<C: Chunk> Stream<C> {
    /// A channel that just opened; it takes `room` bytes.
    pub(crate) fn new(
        channel: ChannelKey,
        path: PeerPath,
        room: u32,
        max_message: u32,
        requests: &RequestConfig,
        now: Time,
    ) -> Self {
        Stream {
            channel,
            path,
            decoder: Decoder::new(max_message),
            outbox: Outbox::default(),
            room: u64::from(room),
            greeted: false,
            extended: false,
            fast: false,
            ut_metadata: None,
            introduced: false,
            requests: BTreeSet::new(),
            given_up: BTreeSet::new(),
            max_given_up: requests.max_given_up,
            last_heard: now,
            last_spoke: now,
        }
    }

    /// The remote's handshake came: what it speaks.
    pub(crate) fn greets(&mut self, handshake: &Handshake) {
        self.greeted = true;
        self.extended = handshake.reserved.has(Reserved::EXTENSION);
        self.fast = handshake.reserved.has(Reserved::FAST);
    }

    /// It takes more.
    pub(crate) fn grant(&mut self, bytes: u32) {
        self.room = self.room.saturating_add(u64::from(bytes));
    }

    /// So many bytes leave.
    pub(crate) fn leaves(&mut self, now: Time, bytes: usize) {
        self.room -= bytes as u64;
        self.last_spoke = now;
    }

    /// How many requests are in flight.
    pub(crate) fn request_count(&self) -> usize {
        self.requests.len()
    }

    /// A request is in flight.
    pub(crate) fn owes(&self) -> bool {
        !self.requests.is_empty()
    }

    /// A request leaves.
    pub(crate) fn ask(&mut self, block: Block) {
        self.requests.insert(block);
    }

    /// A block came: what it was to us. It is asked for no more.
    pub(crate) fn answered(&mut self, block: Block) -> Asked {
        let late = self.given_up.remove(&block);
        match (self.requests.remove(&block), late) {
            (true, false) => Asked::Now,
            (true, true) => Asked::Again,
            (false, true) => Asked::Before,
            (false, false) => Asked::Never,
        }
    }

    /// A request was refused: what it was to us. It is asked for no more.
    pub(crate) fn refused(&mut self, block: Block) -> Asked {
        if self.requests.remove(&block) {
            Asked::Now
        } else if self.given_up.remove(&block) {
            Asked::Before
        } else {
            Asked::Never
        }
    }

    /// None of what was asked for will come; what does, late, or is rejected, is no fault.
    pub(crate) fn give_up_requests(&mut self) {
        let requests = std::mem::take(&mut self.requests);
        if self.given_up.len() < self.max_given_up {
            self.given_up.extend(requests);
        }
    }

    /// This block will not come, see [`Stream::give_up_requests`].
    pub(crate) fn give_up(&mut self, block: Block) {
        if self.requests.remove(&block) && self.given_up.len() < self.max_given_up {
            self.given_up.insert(block);
        }
    }
}
