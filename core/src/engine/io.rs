//! What goes into an engine and what comes out.

mod command;
mod direct;
mod store;

pub use command::{Command, Refusal, Resume};
pub use direct::{DirectId, DirectNews, DirectWork};
pub use store::{Done, Job, StoreError, Work};

use std::net::SocketAddr;
use std::num::NonZeroU32;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Ending;
use crate::id::{ChannelKey, Fingerprint, InfoHash, LinkId, PeerId};
use crate::metainfo::{Metainfo, MetainfoError};
use crate::net::{Contact, LaneLimits, Parts, Rates, RelayPolicy};
use crate::peer::Opening;
use crate::pieces::{Bitfield, PieceIndex};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input<C = Bytes> {
    /// The time of [`super::Engine::poll_timeout`] has come.
    Tick,
    /// A link is up: contacts can be reached through it, and channels opened.
    LinkUp {
        /// The link.
        link: LinkId,
        /// What it takes.
        limits: LaneLimits,
        /// What the relay behind it, if there is one, says of its use.
        policy: RelayPolicy,
    },
    /// A link is down, and all of its channels with it.
    LinkDown {
        /// The link.
        link: LinkId,
    },
    /// A link's lane has sent this many bytes since it was last said; what is not of
    /// [`Output::Send`] may be among them.
    Sent {
        /// The link.
        link: LinkId,
        /// Bytes.
        bytes: usize,
    },
    /// Whoever looks for peers knows some.
    Found {
        /// The torrent.
        info_hash: InfoHash,
        /// The link behind which they were found.
        link: LinkId,
        /// Members of the swarm that have everything, as is said there.
        complete: u32,
        /// Members of the swarm that lack something, as is said there.
        incomplete: u32,
        /// Some of them.
        contacts: Vec<Found>,
    },
    /// The torrent is not in the swarm behind a link any more: who was found there can't be
    /// reached. Channels that are open stay.
    Unlisted {
        /// The torrent.
        info_hash: InfoHash,
        /// The link.
        link: LinkId,
    },
    /// The place in the swarm behind a link goes to another torrent: as [`Input::Unlisted`],
    /// and channels through it are closed.
    Displaced {
        /// The torrent.
        info_hash: InfoHash,
        /// The link.
        link: LinkId,
    },
    /// Somebody wants a channel to us; answered with [`Output::Accept`] or
    /// [`Output::Close`].
    Offered {
        /// Which channel, and where it leads.
        opening: Opening,
        /// What it calls itself.
        peer_id: PeerId,
        /// Bytes that we may send, or [`crate::peer::UNCOUNTED`].
        room: u32,
        /// We asked it for a channel, too, and that one is the one to be opened.
        crossing: bool,
    },
    /// A channel that we asked for ([`Output::Dial`]) is open.
    Opened {
        /// Which channel, and where it leads.
        opening: Opening,
        /// Bytes that we may send, or [`crate::peer::UNCOUNTED`].
        room: u32,
    },
    /// A channel that we asked for is not to be had.
    Declined {
        /// The torrent.
        info_hash: InfoHash,
        /// Who was asked.
        contact: Contact,
    },
    /// A channel ended.
    Closed {
        /// The channel.
        channel: ChannelKey,
    },
    /// The next stretch of what comes through a channel.
    Received {
        /// The channel.
        channel: ChannelKey,
        /// The bytes.
        bytes: C,
    },
    /// A channel takes this many bytes more.
    Room {
        /// The channel.
        channel: ChannelKey,
        /// Bytes.
        bytes: u32,
    },
    /// These trackers of a torrent are in use: peers may be told of them, unless it is private.
    TellTrackers {
        /// The torrent.
        info_hash: InfoHash,
        /// Their addresses, in place of what was said before.
        addresses: Vec<String>,
    },
    /// A person wants no way to others but relays, or allows others again. Channels of other
    /// kinds are closed, and none are opened meanwhile.
    RelayOnly(bool),
    /// A person says how fast pieces may be given and taken from now on.
    SetRates(Rates),
    /// A person says how many sessions a torrent may have, where that is less than
    /// [`Config::max_peers`](super::Config::max_peers); none stands for that. Those beyond it are
    /// closed, of least use first.
    SetMaxPeers(Option<NonZeroU32>),
    /// Something about a direct link that is being made ([`Output::Direct`]).
    Direct(DirectId, DirectNews),
    /// An [`Output::Store`] ended.
    Store(Job, Done<C>),
    /// A person wants something.
    Command(Command),
    /// The store does not hold these pieces any more, or others in their places. They are not
    /// offered from now on, and fetched again where they are wanted
    /// ([`Skip`](crate::pieces::Priority::Skip) for their files keeps a store that can't be written
    /// to from being given any).
    Lost {
        /// The torrent.
        info_hash: InfoHash,
        /// The pieces; those that we don't have are ignored.
        pieces: Vec<PieceIndex>,
    },
}

/// Somebody that was found, see [`Input::Found`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Who.
    pub contact: Contact,
    /// How many pieces it is said to have.
    pub have: u32,
    /// It is said to have everything.
    pub seed: bool,
}

/// Why a torrent stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Its store did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The metadata that peers have, whose hash is right, is not acceptable.
    #[error(transparent)]
    Metainfo(#[from] MetainfoError),
    /// Its pieces are longer than [`super::Config::max_piece`].
    #[error(
        "its pieces of {} MiB are too long: up to {} MiB are handled here",
        .length.div_ceil(1 << 20),
        .most >> 20
    )]
    LongPieces {
        /// Bytes of the longest.
        length: u32,
        /// Bytes that one may have.
        most: u32,
    },
}

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Output<C = Bytes> {
    /// Look for others in this torrent's swarm, and let them find us.
    Look {
        /// The torrent.
        info_hash: InfoHash,
        /// How soon.
        urgency: Urgency,
    },
    /// A piece is here, and may be told to whoever looks for peers.
    Have {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// It was the last.
        complete: bool,
    },
    /// Leave this torrent's swarm, wherever it was looked for.
    Leave {
        /// The torrent.
        info_hash: InfoHash,
        /// What came of it.
        totals: Totals,
    },
    /// Ask somebody for a channel; answered with [`Input::Opened`] or [`Input::Declined`].
    Dial {
        /// The torrent.
        info_hash: InfoHash,
        /// Whom.
        contact: Contact,
    },
    /// Take a channel that was offered.
    Accept {
        /// The channel.
        channel: ChannelKey,
    },
    /// End a channel, or decline one that was offered.
    Close {
        /// The channel.
        channel: ChannelKey,
        /// Why; the other end gets to read the words.
        reason: Ending,
    },
    /// Send this through a channel.
    Send {
        /// The channel.
        channel: ChannelKey,
        /// What.
        parts: Parts<C>,
    },
    /// So many bytes came through a channel, and were handled.
    Consumed {
        /// The channel.
        channel: ChannelKey,
        /// Bytes.
        bytes: usize,
    },
    /// From now on so much may come through a channel before any of it was handled.
    Expect {
        /// The channel.
        channel: ChannelKey,
        /// Bytes.
        bytes: u64,
    },
    /// Have a direct link made to whoever is at the other end of a channel, step by step.
    Direct(DirectId, DirectWork),
    /// Have a store do something, then answer with [`Input::Store`], in any order.
    Store(Job, Work<C>),
    /// Something that the host or a person should know.
    Event(Event),
}

/// What came of taking part in a torrent, as trackers want to know it (BEP 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of it that we lack, if we know.
    pub left: Option<u64>,
    /// Bytes of payload that were sent.
    pub uploaded: u64,
    /// Bytes of payload that came, those that were of no use among them.
    pub downloaded: u64,
}

impl Totals {
    /// Bytes that we say to lack. While we don't know it is more than nothing: many trackers take
    /// who says nothing for one that has everything. WebTorrent and libtorrent say as much.
    pub fn left_as_said(&self) -> u64 {
        const UNKNOWN: u64 = 16 << 10;
        self.left.unwrap_or(UNKNOWN)
    }
}

/// How soon to look for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// At once: there is something new to say.
    Now,
    /// Soon: the last peer is gone.
    Soon,
    /// When there is a good moment: too few give anything, and nobody else is known who might.
    Lonely,
}

/// Something that the host or a person should know.
#[derive(Clone, Debug)]
pub enum Event {
    /// The metadata of a link's torrent is here. The host prepares its store: reads and
    /// writes follow.
    Metadata(Metainfo),
    /// What the store holds was read and hashed ([`Resume::Check`]): these pieces. The transfer
    /// begins.
    Checked(InfoHash, Bitfield),
    /// Every piece that is wanted is verified and written.
    Completed(InfoHash),
    /// The torrent stopped with an error; [`Command::Resume`] tries again.
    Failed {
        /// The torrent.
        info_hash: InfoHash,
        /// What is wrong.
        reason: Failure,
    },
    /// A piece that we had could not be read. It is lost, see [`Input::Lost`]; everything else
    /// goes on being shared.
    Lost {
        /// The torrent.
        info_hash: InfoHash,
        /// Which piece.
        piece: PieceIndex,
        /// Why.
        reason: StoreError,
    },
    /// A peer sent corrupt blocks and is not talked to any more.
    Banned {
        /// The torrent.
        info_hash: InfoHash,
        /// Who, as it calls itself.
        peer: String,
    },
    /// A command could not be carried out.
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// A peer has a node of the DHT there, it says (BEP 5). Only where the host has one too
    /// ([`Config::dht_port`](super::Config::dht_port)).
    DhtNode(SocketAddr),
    /// A neighbour in the overlay asks for a torrent that is not here. Only where we are a bridge
    /// ([`BridgeConfig`](crate::overlay::BridgeConfig)).
    Asked {
        /// The torrent; it may be private, as far as is known.
        info_hash: InfoHash,
        /// Who asks.
        by: Fingerprint,
    },
}

/// Why the engine is to be ticked, from the rarest reason to what there is always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// Bytes that were held back because of [`Input::SetRates`] may pass.
    Pace,
    /// A peer was silent for too long, or is to hear that we are there.
    Silence,
    /// Upload slots are given out anew.
    Slots,
    /// Blocks that were owed to us for too long are asked of others.
    Debts,
    /// The info dictionary is asked of others, where those that were asked are slow.
    Metadata,
    /// Rates are measured, and news that waited for company leaves.
    Rates,
    /// Somebody who refused a channel, or did not answer, is asked again; or one whose last
    /// channel broke is waited for no longer.
    Contacts,
}
