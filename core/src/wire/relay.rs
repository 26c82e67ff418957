//! What a client and the hub say to each other over one WebSocket.
//!
//! Control messages are bencoded dictionaries, data frames a five-byte header and
//! opaque bytes; each travels as one binary WebSocket message. The bytes are
//! described in `docs/protocol.md`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, InfoHash, MemberId, PeerId};
use crate::wire::fields;

pub mod codec;
mod direct;
pub mod frame;
mod signal;
mod told;

pub use codec::RelayError;
pub use direct::{InvalidStunServer, MAX_STUN, RelayUse, StunServer};
pub use frame::DataFrame;
pub use signal::{MAX_SDP, Signal, Signalled};

/// The WebSocket subprotocol that a client asks for.
pub const SUBPROTOCOL: &str = "tabswarm.v1";

/// The path of the WebSocket endpoint. Neutral, because ad-blockers know `/announce`.
pub const ENDPOINT: &str = "/swarm";

/// The longest message either side accepts, in bytes, header included.
pub const MAX_MESSAGE: usize = 1 << 20;

/// The longest bitfield of an [`Announce`], in bytes: enough for the largest torrent.
pub const MAX_BITFIELD: usize = (super::MAX_PIECES / 8) as usize;

/// The most pieces of one [`Have`]: tell of more in several.
pub const MAX_HAVE: usize = 1 << 17;

/// The most members of one [`Peers`].
pub const MAX_MEMBERS: usize = 1000;

/// The longest reason of a close, refusal or error, in bytes of UTF-8; what is longer is
/// cut when it is sent.
pub const MAX_REASON: usize = 256;

/// From a client to the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// Joins a swarm, or says that we are still there and how far we are.
    Announce(Announce),
    /// We have verified these pieces since we last said so.
    Have(Have),
    /// Leaves a swarm; its channels close.
    Leave {
        /// The swarm.
        info_hash: InfoHash,
    },
    /// Asks for a channel to a member of a swarm that we are in.
    Open(Open),
    /// Takes the channel that an [`Incoming`] offered.
    Accept {
        /// The channel of the [`Incoming`].
        channel: ChannelId,
        /// Bytes that we are ready to receive.
        credit: u32,
    },
    /// The other end may send this many bytes more.
    Credit {
        /// The channel that they may come through.
        channel: ChannelId,
        /// How many more bytes.
        bytes: u32,
    },
    /// Ends a channel, or declines an [`Incoming`].
    Close {
        /// The channel.
        channel: ChannelId,
        /// Why, for a person to read; at most [`MAX_REASON`] bytes.
        reason: String,
    },
    /// Bytes through a channel.
    Data(DataFrame),
    /// A WebRTC offer for a member that can be reached so; the hub chooses one, if there is any.
    /// Without an answer for a minute there was none.
    Offer(Signal),
    /// The answer to an offer that the hub handed on to us.
    Answer(Signal),
    /// Asks for a sign of life: a page sees nothing of the WebSocket's own pings.
    Ping,
}

/// From the hub to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// The first message on a connection.
    Welcome(Welcome),
    /// The answer to an announce: the state of the swarm and some of its members.
    Peers(Peers),
    /// Somebody wants a channel to us: answer with accept or close.
    Incoming(Incoming),
    /// The channel that we asked for is open.
    Accepted {
        /// The number that we gave in [`Open`].
        request: u32,
        /// The channel's number from now on.
        channel: ChannelId,
        /// Bytes that we may send.
        credit: u32,
    },
    /// The channel that we asked for is not to be had.
    Refused {
        /// The number that we gave in [`Open`].
        request: u32,
        /// Why, for a person to read.
        reason: String,
    },
    /// We may send this many bytes more.
    Credit {
        /// The channel that they may go through.
        channel: ChannelId,
        /// How many more bytes.
        bytes: u32,
    },
    /// A channel ended.
    Close {
        /// The channel.
        channel: ChannelId,
        /// Why, for a person to read.
        reason: String,
    },
    /// Something that we asked for was refused; the connection goes on.
    Error {
        /// The swarm that it is about, if it is about one.
        info_hash: Option<InfoHash>,
        /// What is wrong, for a person to read.
        reason: String,
    },
    /// Somebody's WebRTC offer: answer it, or not.
    Offer(Signalled),
    /// The answer to an offer of ours.
    Answer(Signalled),
    /// Bytes through a channel.
    Data(DataFrame),
    /// The answer to a ping.
    Pong,
}

/// See [`ClientMessage::Announce`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announce {
    /// The swarm.
    #[serde(with = "fields::info_hash")]
    pub info_hash: InfoHash,
    /// What we call ourselves to other peers.
    #[serde(with = "fields::peer_id")]
    pub peer_id: PeerId,
    /// Bytes that we lack, below 2⁶³; none while we don't know the torrent's length.
    pub left: Option<u64>,
    /// The pieces that we have, as the peer wire's bitfield (BEP 3); none while we
    /// don't know how many there are. Replaces what the hub knew.
    #[serde(with = "fields::optional_bitfield", default)]
    pub pieces: Option<Bytes>,
    /// How many members we would like to hear of; the hub may tell of fewer.
    pub numwant: u32,
    /// We take WebRTC offers from members that speak WebTorrent's protocol, and may make some.
    #[serde(with = "fields::flag", default, skip_serializing_if = "is_false")]
    pub rtc: bool,
}

/// See [`ClientMessage::Have`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// The swarm.
    #[serde(with = "fields::info_hash")]
    pub info_hash: InfoHash,
    /// Piece indices, at most [`MAX_HAVE`].
    #[serde(with = "fields::piece_indices")]
    pub pieces: Vec<u32>,
    /// Bytes that we still lack, below 2⁶³.
    pub left: u64,
}

/// See [`ClientMessage::Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Our number for this wish; comes back in the answer.
    pub request: u32,
    /// The swarm.
    #[serde(with = "fields::info_hash")]
    pub info_hash: InfoHash,
    /// To whom.
    pub member: MemberId,
    /// Bytes that we are ready to receive.
    pub credit: u32,
}

/// See [`ServerMessage::Welcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Welcome {
    /// Our own number.
    pub member: MemberId,
    /// How many channels we may have at once.
    pub max_channels: u32,
    /// The longest payload of a data frame, in bytes.
    pub max_payload: u32,
    /// The most credit that may be outstanding on one channel, in bytes.
    pub max_credit: u32,
    /// How many swarms we may be in at once; all where the hub does not say.
    pub max_swarms: u32,
    /// Where peers may ask for their own addresses, at most [`MAX_STUN`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stun: Vec<StunServer>,
    /// Whether the relay is to be spared.
    #[serde(with = "fields::relay_use", skip_serializing_if = "is_free")]
    pub relay: RelayUse,
    /// Peers are to make no links of their own, so that none learns another's address.
    #[serde(with = "fields::flag", skip_serializing_if = "is_false")]
    pub relay_only: bool,
}

impl Welcome {
    /// One that limits nothing and offers nothing but the relay.
    pub fn of(member: MemberId) -> Self {
        Welcome {
            member,
            max_channels: u32::MAX,
            max_payload: u32::MAX,
            max_credit: u32::MAX,
            max_swarms: u32::MAX,
            stun: Vec::new(),
            relay: RelayUse::default(),
            relay_only: false,
        }
    }
}

fn is_free(relay: &RelayUse) -> bool {
    *relay == RelayUse::Free
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// See [`ServerMessage::Peers`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peers {
    /// The swarm.
    #[serde(with = "fields::info_hash")]
    pub info_hash: InfoHash,
    /// Seconds until we should announce again.
    pub interval: u32,
    /// Members that have everything.
    pub complete: u32,
    /// Members that lack something.
    pub incomplete: u32,
    /// Some of the other members, chosen at random, at most [`MAX_MEMBERS`].
    pub members: Vec<Member>,
    /// How many offers of ours would find somebody just now: members that speak WebTorrent's
    /// protocol, and that there was no offer between lately. 0 unless we said
    /// [`Announce::rtc`].
    #[serde(skip_serializing_if = "is_zero")]
    pub rtc: u32,
}

/// One member of a swarm, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The number to open a channel to.
    pub member: MemberId,
    /// What it calls itself.
    #[serde(with = "fields::peer_id")]
    pub peer_id: PeerId,
    /// How many pieces it has said it has.
    pub have: u32,
    /// It lacks nothing.
    #[serde(with = "fields::flag")]
    pub seed: bool,
}

/// See [`ServerMessage::Incoming`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incoming {
    /// The channel's number.
    pub channel: ChannelId,
    /// The swarm.
    #[serde(with = "fields::info_hash")]
    pub info_hash: InfoHash,
    /// Who wants it.
    pub member: MemberId,
    /// What it calls itself.
    #[serde(with = "fields::peer_id")]
    pub peer_id: PeerId,
    /// Bytes that we may send once we accepted.
    pub credit: u32,
}
