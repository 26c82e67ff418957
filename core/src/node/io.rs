//! What goes into a node and what comes out.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use bytes::Bytes;

use super::bridge::BridgeOutput;
use super::web_seeds::{WebInput, WebOutput};
use crate::chunk::Chunk;
use crate::engine::{
    self, Command, DirectId, DirectWork, Done, Ending, Event, Job, PeerPath, Work,
};
use crate::find::announcer::{AnnounceError, Answer, Ask};
use crate::id::{ChannelId, InfoHash, LinkId};
use crate::net::{Parts, Rates};
use crate::pieces::PieceIndex;
use crate::sorted::SortedSet;
use crate::wire::relay::{ClientMessage, ServerMessage};
use crate::wire::webtorrent;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input<C = Bytes> {
    /// The time of [`super::Node::poll_timeout`] has come.
    Tick,
    /// Something about a link. Its number is the host's choice, and the same for as long as
    /// it leads to the same place.
    Link(LinkId, LinkInput<C>),
    /// Something about a link to a tracker that speaks WebTorrent's protocol; that it is down is
    /// said as of any other ([`LinkInput::Down`]).
    WebTorrent(LinkId, WebTorrentInput),
    /// Something about a wire: a connection that carries the stream of one peer and nothing
    /// else. Its number is the host's choice, and that of no link or wire before.
    Wire(LinkId, WireInput<C>),
    /// From now on the host dials addresses ([`WireOutput::Dial`]), so many at once; or none
    /// any more.
    Network {
        /// Connections that may be on their way at once.
        dials: usize,
    },
    /// Whoever looks for peers, and is no link, knows the addresses of some.
    Met {
        /// The torrent.
        info_hash: InfoHash,
        /// Members of the swarm that have everything, as is said there.
        complete: u32,
        /// Members of the swarm that lack something, as is said there.
        incomplete: u32,
        /// Some of them.
        addresses: Vec<SocketAddr>,
    },
    /// A torrent has trackers that are asked by HTTP or UDP, tier by tier (BEP 12). Only while
    /// the torrent is there: those of one that is removed are forgotten.
    Trackers {
        /// The torrent.
        info_hash: InfoHash,
        /// Their addresses: `http`, `https` and `udp`.
        tiers: Vec<Vec<String>>,
    },
    /// A torrent has these web seeds (BEP 19) and no others: addresses that may be asked, `http`
    /// and `https`. Only until the torrent is removed.
    WebSeeds {
        /// The torrent.
        info_hash: InfoHash,
        /// Their addresses.
        urls: Vec<String>,
    },
    /// What comes of the [`Fetch`](super::Fetch) of this number.
    Web(u32, WebInput<C>),
    /// What came of an [`Output::Ask`].
    Answered {
        /// Its number.
        number: u32,
        /// What the tracker says, or why that is not known.
        answer: Answer,
    },
    /// Nobody answers at an address that was dialled.
    Undialled {
        /// The torrent.
        info_hash: InfoHash,
        /// The address.
        address: SocketAddr,
    },
    /// Says to whose servers alone a torrent is told, and who is met there: its trackers. All
    /// links, those to come too, while nothing was said. It may be said before the torrent is
    /// there, and holds until something else is said, whatever becomes of it.
    Links {
        /// The torrent.
        info_hash: InfoHash,
        /// The links, up or not; none stands for all.
        links: Option<SortedSet<LinkId>>,
    },
    /// See [`crate::engine::Input::TellTrackers`].
    TellTrackers {
        /// The torrent.
        info_hash: InfoHash,
        /// Their addresses, in place of what was said before.
        addresses: Vec<String>,
    },
    /// See [`crate::engine::Input::RelayOnly`].
    RelayOnly(bool),
    /// See [`crate::engine::Input::SetRates`].
    SetRates(Rates),
    /// See [`crate::engine::Input::SetMaxPeers`].
    SetMaxPeers(Option<NonZeroU32>),
    /// What came of an [`Output::Direct`].
    Direct(DirectId, DirectInput),
    /// An [`Output::Store`] ended.
    Store(Job, Done<C>),
    /// A person wants something.
    Command(Command),
    /// See [`crate::engine::Input::Lost`].
    Lost {
        /// The torrent.
        info_hash: InfoHash,
        /// The pieces; those that we don't have are ignored.
        pieces: Vec<PieceIndex>,
    },
}

/// What happened to a link: the WebSocket to a server.
#[derive(Clone, Debug)]
pub enum LinkInput<C = Bytes> {
    /// It is open.
    Up,
    /// It closed, or could not be opened. The host reconnects by itself, with growing delays.
    Down,
    /// The server sent a message.
    Message(ServerMessage),
    /// The server passed on a stretch of a channel.
    Data {
        /// The channel.
        channel: ChannelId,
        /// The stretch.
        payload: C,
    },
    /// The link has sent this many bytes of [`LinkOutput`]s (whole messages, as encoded) since
    /// it was last said.
    Sent(usize),
}

impl<C: Chunk> From<ServerMessage> for LinkInput<C> {
    fn from(message: ServerMessage) -> Self {
        match message {
            ServerMessage::Data(frame) => LinkInput::Data {
                channel: frame.channel(),
                payload: C::of(frame.payload()),
            },
            message => LinkInput::Message(message),
        }
    }
}

/// What happened to a link to a tracker that speaks WebTorrent's protocol.
#[derive(Clone, Debug)]
pub enum WebTorrentInput {
    /// It is open.
    Up,
    /// The tracker sent a message.
    Message(webtorrent::ServerMessage),
}

/// What happened to a wire.
#[derive(Clone, Debug)]
pub enum WireInput<C = Bytes> {
    /// It is open.
    Up(WireUp),
    /// It brought bytes.
    Received(C),
    /// It has sent this many bytes since it was last said.
    Sent(usize),
    /// It is closed, from the other end or because it broke.
    Down,
}

/// A wire that just opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireUp {
    /// What kind it is.
    pub path: PeerPath,
    /// The other end: the address that was dialled, or from which it called.
    pub remote: SocketAddr,
    /// Our own end.
    pub local: SocketAddr,
    /// The torrent for which we dialled; none if somebody called us.
    pub dialled: Option<InfoHash>,
    /// Bytes that leave at once at the most.
    pub max_payload: usize,
}

/// What came of [`DirectWork`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectInput {
    /// Our end, as SDP with all of its candidates.
    Described(String),
    /// There is to be no link.
    Failed,
    /// It is there, a wire from now on.
    Linked {
        /// Its number.
        wire: LinkId,
        /// Bytes that leave at once at the most.
        max_payload: usize,
    },
}

/// Something for the host to do.
#[derive(Clone, Debug)]
pub enum Output<C = Bytes> {
    /// Something for a link.
    Link(LinkId, LinkOutput<C>),
    /// Say this to a tracker that speaks WebTorrent's protocol. While its link is down, it is
    /// dropped.
    WebTorrent(LinkId, webtorrent::ClientMessage),
    /// Something about wires.
    Wire(WireOutput<C>),
    /// Ask a tracker, then answer with [`Input::Answered`]. What it says when we leave a swarm
    /// ([`Event::Stopped`](crate::wire::tracker::Event::Stopped)) is of no interest.
    Ask(Ask),
    /// Something about web seeds.
    Web(WebOutput),
    /// Something about torrents that are carried for others.
    Bridge(BridgeOutput),
    /// Have a direct link made, step by step; answered with [`Input::Direct`].
    Direct(DirectId, DirectWork),
    /// Have a store do something, then answer with [`Input::Store`], in any order.
    Store(Job, Work<C>),
    /// Something that the host or a person should know.
    Event(Event),
    /// A tracker by HTTP or UDP does not do what it should, or warns; said when it is new.
    Trouble {
        /// The torrent.
        info_hash: InfoHash,
        /// The tracker.
        url: String,
        /// What is wrong.
        trouble: AnnounceError,
    },
    /// A server refused something.
    Refused {
        /// The link to it.
        link: LinkId,
        /// The torrent that it is about, if it is about one. Its view has the words until the
        /// server takes it back.
        info_hash: Option<InfoHash>,
        /// What it said.
        reason: String,
    },
}

/// Something for a link to do. While it is down, all is dropped.
#[derive(Clone, Debug)]
pub enum LinkOutput<C = Bytes> {
    /// Send a message to the server.
    Send(ClientMessage),
    /// Send a stretch of a channel: [`Parts::frame`], or the same without copying.
    Data {
        /// The channel.
        channel: ChannelId,
        /// The stretch.
        parts: Parts<C>,
    },
    /// The server does not answer any more: drop the connection, say so
    /// ([`LinkInput::Down`]), and connect again.
    Reconnect,
}

/// Something about wires for the host to do.
#[derive(Clone, Debug)]
pub enum WireOutput<C = Bytes> {
    /// Open one to this address by TCP, and say so ([`WireInput::Up`]), or that it can't be
    /// had ([`Input::Undialled`]).
    Dial {
        /// The torrent.
        info_hash: InfoHash,
        /// The address.
        address: SocketAddr,
    },
    /// Send bytes through one. What is for a wire that is down is dropped.
    Send {
        /// The wire.
        wire: LinkId,
        /// The bytes.
        parts: Parts<C>,
    },
    /// Close it, after what it was given has left; nothing is heard of it any more.
    Close {
        /// The wire.
        wire: LinkId,
        /// Why, for a person; this kind of channel can't say it to the other end.
        reason: Ending,
    },
}

impl<C: Chunk> LinkOutput<C> {
    /// The message to send, its bytes in one piece; none where there is none to send.
    pub fn into_message(self) -> Option<ClientMessage> {
        match self {
            LinkOutput::Send(message) => Some(message),
            LinkOutput::Data { channel, parts } => Some(ClientMessage::Data(parts.frame(channel))),
            LinkOutput::Reconnect => None,
        }
    }
}

/// Why a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// A swarm is due to hear from us.
    Announce,
    /// A torrent that is carried for others is looked at.
    Bridge,
    /// The engine looks after its sessions.
    Engine(engine::TimerKind),
    /// Verified pieces are told to a tracker, gathered over a moment.
    Have,
    /// Somebody who called us has not said for which torrent.
    Handshake,
    /// An offer was not answered, or a connection did not come about.
    Offer,
    /// A server has been silent: it is asked for a sign of life, or given up.
    Pulse,
    /// A torrent that waits may be announced in the place of another.
    Turn,
    /// A web seed is tried again, or given up.
    WebSeed,
}
