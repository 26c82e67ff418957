//! One channel to a remote peer: what comes through it, what waits to go, what was asked
//! through it. It ends with the channel.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::secret::{Place, Secret};
use super::{Outbox, PeerPath, RequestConfig};
use crate::chunk::Chunk;
use crate::id::{ChannelKey, Fingerprint, InfoHash};
use crate::net::{Contact, RelayPolicy};
use crate::pieces::Block;
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;
use crate::wire::extension::Token;
use crate::wire::peer::{Decoder, Handshake, Reserved};

/// A channel that leads to somebody, as it begins. Recordings hold it as it is: its fields and
/// their order are theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The channel.
    pub channel: ChannelKey,
    /// Who is at its other end, as is vouched for.
    pub contact: Contact,
    /// What kind of channel it is.
    pub path: PeerPath,
    /// What stands for our own address at the other end, see [`Contact::address`].
    pub here: [u8; 4],
}

/// A channel that just opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    /// Where it leads.
    pub(crate) opening: Opening,
    /// Bytes that it takes, or [`UNCOUNTED`].
    pub(crate) room: u32,
    /// We asked for it.
    pub(crate) ours: bool,
    /// What the relay that carries it, if one does, says of its use.
    pub(crate) policy: RelayPolicy,
}

/// What the ends of a channel told each other of peers (BEP 11).
#[derive(Debug, Default)]
pub(crate) struct Pex {
    /// Those that we told it of.
    pub(crate) told: SortedSet<SocketAddr>,
    /// When we last did.
    pub(crate) told_at: Option<Time>,
    /// When we last listened to it.
    pub(crate) heard: Option<Time>,
}

/// The room of a channel that is no other's neighbour: its own queue bounds what it takes.
pub const UNCOUNTED: u32 = u32::MAX;

/// See the module.
#[derive(Debug)]
pub(crate) struct Stream<C: Chunk = Bytes> {
    /// The channel.
    pub(crate) channel: ChannelKey,
    /// Who is at its other end, as is vouched for.
    pub(crate) contact: Contact,
    /// Where it can be called back, if it called us and says so.
    pub(crate) listens: Option<Contact>,
    /// What kind of channel that is.
    pub(crate) path: PeerPath,
    /// We asked for it.
    pub(crate) ours: bool,
    policy: RelayPolicy,
    /// What stands for our own address there.
    here: [u8; 4],
    /// What we told the other end, to know it by on another channel.
    token: Option<Token>,
    /// What it told us.
    their_token: Option<Token>,
    /// How often we showed that we are the one at the other end of another channel.
    pub(crate) proofs: u32,
    /// What comes through it counts. It does not while we talk through another channel, and
    /// until the remote has begun to talk through this one as we have.
    pub(crate) heeded: bool,
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
    /// It has a node of the DHT (BEP 5).
    pub(crate) dht: bool,
    /// The id under which it takes `ut_metadata` messages.
    pub(crate) ut_metadata: Option<u8>,
    /// The id under which it takes `ut_pex` messages.
    pub(crate) ut_pex: Option<u8>,
    /// What was told of peers.
    pub(crate) pex: Pex,
    /// The id under which it takes `ts_direct` messages.
    pub(crate) ts_direct: Option<u8>,
    /// The id under which it takes `ts_introduce` messages.
    pub(crate) ts_introduce: Option<u8>,
    /// The id under which it takes `ts_overlay` messages.
    pub(crate) ts_overlay: Option<u8>,
    /// The id under which it takes `ts_trackers` messages.
    pub(crate) ts_trackers: Option<u8>,
    /// It said what it has as a whole, by a bitfield, or message in its place.
    pub(crate) introduced: bool,
    /// What we asked for.
    requests: SortedSet<Block>,
    /// What we asked for and gave up, and how often: each may still be answered once.
    given_up: SortedMap<Block, usize>,
    /// All of them together.
    given_up_count: usize,
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
    /// Nothing was said yet.
    pub(crate) fn new(
        opened: &Opened,
        max_message: u32,
        requests: &RequestConfig,
        now: Time,
    ) -> Self {
        let opening = &opened.opening;
        Stream {
            channel: opening.channel,
            contact: opening.contact,
            listens: None,
            path: opening.path,
            ours: opened.ours,
            policy: opened.policy,
            here: opening.here,
            token: None,
            their_token: None,
            proofs: 0,
            heeded: true,
            decoder: Decoder::new(max_message),
            outbox: Outbox::default(),
            room: match opened.room {
                UNCOUNTED => u64::MAX,
                room => room.into(),
            },
            greeted: false,
            extended: false,
            fast: false,
            dht: false,
            ut_metadata: None,
            ut_pex: None,
            pex: Pex::default(),
            ts_direct: None,
            ts_introduce: None,
            ts_overlay: None,
            ts_trackers: None,
            introduced: false,
            requests: SortedSet::new(),
            given_up: SortedMap::new(),
            given_up_count: 0,
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
        self.dht = handshake.reserved.has(Reserved::DHT);
    }

    /// What we tell the other end to know it by; always the same.
    pub(crate) fn token(&mut self, fresh: impl FnOnce() -> Token) -> Token {
        *self.token.get_or_insert_with(fresh)
    }

    /// It tells us its token. The first counts; true if this was it.
    pub(crate) fn hears_token(&mut self, token: Token) -> bool {
        let first = self.their_token.is_none();
        self.their_token.get_or_insert(token);
        first
    }

    /// What both ends know, once they have told each other.
    pub(crate) fn secret(&self) -> Option<Secret> {
        Some(Secret {
            ours: self.token?,
            theirs: self.their_token?,
        })
    }

    /// What a proof that is shown here is bound to; `ours` is our certificate.
    pub(crate) fn place(&self, info_hash: InfoHash, ours: Option<Fingerprint>) -> Option<Place> {
        let certificates = match self.contact {
            Contact::Introduced(theirs) => Some([ours?, theirs]),
            _ => None,
        };
        Some(Place {
            info_hash,
            secret: self.secret()?,
            here: self.here,
            there: self.contact.address(),
            certificates,
        })
    }

    /// The server that gave whoever is at its other end a number is gone, and may give the same to
    /// somebody else when it is back. Proofs are still bound to that number.
    pub(crate) fn outlives_server(&mut self) {
        if let Contact::Member { link, .. } = &mut self.contact {
            *link = self.channel.link;
        }
    }

    /// It leads to somebody who can be reached there.
    pub(crate) fn leads_to(&self, contact: Contact) -> bool {
        self.contact == contact || self.listens == Some(contact)
    }

    /// The higher, the better: a relay that is to be spared comes last, one that costs nobody
    /// anything first.
    pub(crate) fn rank(&self) -> u8 {
        match (self.path, self.policy) {
            (PeerPath::WebSeed, _) | (PeerPath::Relay, RelayPolicy::Spare) => 0,
            (PeerPath::Direct | PeerPath::Tcp | PeerPath::WebTorrent, _) => 1,
            (PeerPath::Relay, RelayPolicy::Free | RelayPolicy::Only) => 2,
        }
    }

    /// That it carries the talk costs nobody anything.
    pub(crate) fn is_free(&self) -> bool {
        self.rank() > 0
    }

    /// What stands for our own address at its other end.
    pub(crate) fn here(&self) -> [u8; 4] {
        self.here
    }

    /// We talk through another channel: what we asked for here we shall ask for there, what
    /// was asked for here is asked for there. What has begun to leave leaves.
    pub(crate) fn stands_by(&mut self) {
        self.give_up_requests();
        self.outbox.drop_uploads();
        self.heeded = false;
    }

    /// We talk through it, anew.
    pub(crate) fn begins(&mut self, heeded: bool) {
        self.stands_by();
        self.introduced = false;
        self.heeded = heeded;
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

    /// This request is in flight.
    pub(crate) fn asks_for(&self, block: Block) -> bool {
        self.requests.contains(&block)
    }

    /// A request leaves.
    pub(crate) fn ask(&mut self, block: Block) {
        self.requests.insert(block);
    }

    /// A block came: what it was to us. It is asked for no more; where it was asked for more than
    /// once, it may come as often.
    pub(crate) fn answered(&mut self, block: Block) -> Asked {
        let late = self.given_up.contains_key(&block);
        match (self.requests.remove(&block), late) {
            (true, false) => Asked::Now,
            (true, true) => Asked::Again,
            (false, true) => {
                self.answers_late(block);
                Asked::Before
            }
            (false, false) => Asked::Never,
        }
    }

    /// A request was refused: what it was to us. It is asked for no more.
    pub(crate) fn refused(&mut self, block: Block) -> Asked {
        if self.requests.remove(&block) {
            Asked::Now
        } else if self.given_up.contains_key(&block) {
            self.answers_late(block);
            Asked::Before
        } else {
            Asked::Never
        }
    }

    /// One of the requests for it that were given up was answered.
    fn answers_late(&mut self, block: Block) {
        let Some(count) = self.given_up.get_mut(&block) else {
            return;
        };
        *count -= 1;
        self.given_up_count -= 1;
        if *count == 0 {
            self.given_up.remove(&block);
        }
    }

    /// Bytes that were asked for and did not come yet.
    pub(crate) fn asked_bytes(&self) -> u64 {
        let lengths = self.requests.iter().map(|block| u64::from(block.length));
        lengths.sum()
    }

    /// None of what was asked for will come; what does, late, or is rejected, is no fault.
    pub(crate) fn give_up_requests(&mut self) {
        for block in &std::mem::take(&mut self.requests) {
            self.remember(*block);
        }
    }

    /// This block will not come, see [`Stream::give_up_requests`].
    pub(crate) fn give_up(&mut self, block: Block) {
        if self.requests.remove(&block) {
            self.remember(block);
        }
    }

    fn remember(&mut self, block: Block) {
        if self.given_up_count < self.max_given_up {
            *self.given_up.entry(block).or_default() += 1;
            self.given_up_count += 1;
        }
    }
}
