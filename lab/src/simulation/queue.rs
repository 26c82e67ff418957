//! What will happen in a swarm.

use swarm_core::engine::DirectId;
use swarm_core::hub::ConnId;
use swarm_core::pieces::PieceIndex;
use swarm_core::wire::relay::{ClientMessage, ServerMessage};

use super::chunk::{LabChunk, LabFrame};
use super::direct::{Agreement, LinkEnd, LinkNumber};

/// Something that happens. Peers are named by their index.
#[derive(Debug)]
pub(super) enum Event {
    /// The next peer of the cast comes.
    Arrive,
    /// A peer's tab is closed.
    Leave(usize),
    /// A peer's timer.
    Tick(usize),
    /// A peer gives this connection up.
    GiveUp(usize, ConnId),
    /// A peer tries to connect.
    Reconnect(usize),
    /// A person lets a peer that failed go on.
    Resume(usize),
    /// A message has left a peer's uplink; it is so long.
    Sent {
        peer: usize,
        conn: ConnId,
        message: Upward,
        bytes: usize,
    },
    /// Something arrives at the hub.
    AtHub(ConnId, Arrival),
    /// The relay has passed something on, which is so long.
    Passed {
        peer: usize,
        conn: ConnId,
        delivery: Delivery,
        bytes: usize,
    },
    /// A data frame has left the receiver's downlink.
    Flushed(ConnId, usize),
    /// Something arrives at a peer.
    AtPeer {
        peer: usize,
        conn: ConnId,
        delivery: Delivery,
    },
    /// A store or the processor has done something.
    Done(usize, Work),
    /// The hub's timer.
    HubTick,
    /// A host describes its end of a direct link.
    Described(usize, DirectId, String),
    /// A host has no direct link to offer.
    Unlinked(usize, DirectId),
    /// Two that agreed on a direct link reach each other.
    Linked(Agreement),
    /// A stretch of a direct link has left the uplink of this end, or the end of the link has.
    WireSent(LinkEnd, Option<LabChunk>),
    /// It arrives at this end, with so many bytes of blocks in it.
    AtWire(LinkEnd, Option<LabChunk>, u64),
    /// A direct link breaks.
    Breaks(LinkNumber),
    /// Its ends notice.
    Broken(LinkNumber),
    /// The tracker and relay goes away, or comes back.
    HubDown,
    HubUp,
    /// Time to see whether anybody still gets anywhere.
    Check,
}

/// What a peer says to the hub.
#[derive(Debug)]
pub(super) enum Upward {
    Control(ClientMessage),
    Frame(LabFrame),
}

/// What the hub says to a peer.
#[derive(Debug)]
pub(super) enum Downward {
    Control(ServerMessage),
    Frame(LabFrame),
}

/// What arrives at the hub.
#[derive(Debug)]
pub(super) enum Arrival {
    Connection(usize),
    Message(Upward),
    Close,
}

/// What arrives at a peer.
#[derive(Debug)]
pub(super) enum Delivery {
    Connected,
    /// A message, and who sent its payload, if it carries any.
    Message(Downward, Option<Payload>),
    Closed,
}

/// Bytes of blocks in a data frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload {
    pub(super) from: usize,
    pub(super) bytes: u64,
}

/// What a store or the processor does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    Read(PieceIndex),
    Write(PieceIndex),
    Hash(PieceIndex, [u8; 20]),
}

/// What will happen.
pub(super) type Queue = crate::schedule::Schedule<Event>;
