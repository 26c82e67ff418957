//! What goes into a node and what comes out.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::address::{Contact, Family, NodeAddress};
use super::id::NodeId;
use super::item::{Item, ItemError};
use crate::id::InfoHash;

/// A request of the host, as the host numbers it; what comes of it bears the number. One that
/// is used again stops what it was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// The time of [`super::Dht::poll_timeout`] has come. A tick that comes early or twice
    /// changes nothing.
    Tick,
    /// Somebody sent this.
    Datagram {
        /// Who, as the socket (or, of a tab, the channel) says.
        from: NodeAddress,
        /// The whole of it.
        bytes: Vec<u8>,
    },
    /// Nodes through which one can join, remembered for when nobody else answers. The join
    /// begins at once in every family that has no contacts yet.
    Bootstrap(Vec<NodeAddress>),
    /// Nodes that are known to answer: they are in the table at once, as far as it has room.
    /// For simulators that begin in the middle; a host has [`Input::Bootstrap`] and
    /// [`super::Saved`].
    Assume(Vec<Contact>),
    /// Our address, from a source that the host trusts. Others' votes do without.
    ExternalAddress(IpAddr),
    /// The host wants something.
    Start(RequestId, Request),
    /// It does not want that any more. Nothing more comes of the request.
    Stop(RequestId),
}

/// What a host can want. A request ends with [`Output::Done`] or [`Output::Failed`]; one that
/// is repeated has that at the end of every round, until [`Input::Stop`]. In each family that
/// takes part one lookup runs, and they end as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Finds the nodes closest to an identifier (`find_node`).
    Locate(NodeId),
    /// Finds peers of a torrent (`get_peers`).
    Search(InfoHash),
    /// The same, and announces us to the closest nodes (`announce_peer`); again every
    /// [`super::Config::announce_interval`].
    Announce {
        /// Of which torrent.
        info_hash: InfoHash,
        /// Where we take peers' connections.
        port: AnnouncedPort,
    },
    /// Finds a value (`get`, BEP 44).
    Get {
        /// Under which key.
        target: NodeId,
        /// The salt of a mutable value, which its target alone doesn't tell.
        salt: Vec<u8>,
    },
    /// Stores a value with the closest nodes (`put`, BEP 44).
    Put {
        /// What.
        item: Item,
        /// Only where the sequence number of what is there is this one, if it is a mutable one.
        cas: Option<i64>,
        /// Again every [`super::Config::put_interval`].
        keep: bool,
    },
}

/// Where an announced peer is to be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnnouncedPort {
    /// At this port.
    Port(u16),
    /// At the port from which we send (`implied_port`): it is one socket, and a router in
    /// between may have changed its number. Tabs have no other.
    Implied,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Datagram {
        /// To whom.
        to: NodeAddress,
        /// The whole of it.
        bytes: Vec<u8>,
    },
    /// The table of a family is filled as well as can be, and we have been where we belong.
    Joined {
        /// Which.
        family: Family,
        /// Contacts in its table.
        contacts: usize,
    },
    /// Nobody answers in a family. Bootstrap nodes are asked again later, by and by.
    Alone {
        /// Which.
        family: Family,
    },
    /// Peers of the torrent of a [`Request::Search`] or [`Request::Announce`]; as they are
    /// found, none twice in a round.
    Peers {
        /// Of which request.
        request: RequestId,
        /// Where they are.
        addresses: Vec<NodeAddress>,
    },
    /// The value of a [`Request::Get`], checked. Of a mutable one newer ones may follow.
    Value {
        /// Of which request.
        request: RequestId,
        /// It.
        item: Item,
    },
    /// A request, or a round of one that is repeated, is over.
    Done {
        /// Which.
        request: RequestId,
        /// What it took.
        stats: Stats,
        /// The closest nodes that answered, closest first, all families' together.
        closest: Vec<Contact>,
    },
    /// A request, or a round of one that is repeated, came to nothing. One that is repeated is
    /// tried again in its next round, others are over.
    Failed {
        /// Which.
        request: RequestId,
        /// Why.
        reason: Failure,
        /// What it took.
        stats: Stats,
    },
    /// We have another identifier, since our address is known now (BEP 42).
    IdChanged {
        /// In which family.
        family: Family,
        /// The new one.
        id: NodeId,
        /// The address that it fits.
        address: IpAddr,
    },
}

/// What a round of a request took. Of several families' lookups: sums, and the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// From the start to the end.
    pub took: Duration,
    /// From the start to the first peer or value, if one was found.
    pub first: Option<Duration>,
    /// Queries sent while looking.
    pub queries: usize,
    /// Of those, answered in time.
    pub answers: usize,
    /// How many nodes told of one another on the way to the closest node that answered: 1 if
    /// it was in our table.
    pub hops: u8,
    /// The same, on the way to the first peer or value.
    pub hops_to_first: Option<u8>,
    /// Different peers found, or values.
    pub found: usize,
    /// Nodes that took our announce or value.
    pub stored: usize,
    /// Nodes that were asked to.
    pub store_queries: usize,
}

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// We know no node in any family, and no bootstrap node.
    #[error("no node of the DHT is known")]
    NoNodes,
    /// Nobody answered.
    #[error("no node of the DHT answers")]
    NoAnswer,
    /// There are [`super::Config::max_requests`] already.
    #[error("too many requests at once")]
    TooMany,
    /// No value was found under the key.
    #[error("there is no such value")]
    NotFound,
    /// Nobody took the announce or value, and nobody said why.
    #[error("no node stored it")]
    NotStored,
    /// Nobody took the value; one of those who said why.
    #[error("no node stored it: {message} ({code})")]
    Refused {
        /// The error's number (BEP 5, BEP 44).
        code: i64,
        /// Its words.
        message: String,
    },
    /// What was to be stored is nothing that can be.
    #[error("the value can't be stored: {0}")]
    Item(#[from] ItemError),
}
