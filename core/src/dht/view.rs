//! What a person sees of a node.

use std::net::IpAddr;
use std::time::Duration;

use super::address::{Contact, Family, NodeAddress};
use super::id::NodeId;
use super::io::RequestId;

/// How a node stands, as plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Its families.
    pub families: Vec<FamilyView>,
    /// Requests of the host.
    pub requests: usize,
    /// Lookups under way, those of upkeep too.
    pub lookups: usize,
    /// Queries that wait for an answer.
    pub calls: usize,
    /// Torrents of which announces are stored.
    pub torrents: usize,
    /// Announces that are stored.
    pub peers: usize,
    /// Values that are stored.
    pub items: usize,
    /// The smoothed round trip, once something was answered.
    pub round_trip: Option<Duration>,
    /// What passed since the start.
    pub traffic: Traffic,
}

/// One family.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilyView {
    /// Which.
    pub family: Family,
    /// What we are called there.
    pub id: NodeId,
    /// Our address, once others agree on it.
    pub address: Option<IpAddr>,
    /// The join is over.
    pub joined: bool,
    /// Buckets, that of the farthest nodes first.
    pub buckets: Vec<BucketView>,
}

/// One bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketView {
    /// How many it may have.
    pub room: usize,
    /// Contacts, who was heard of most recently last.
    pub contacts: Vec<ContactView>,
    /// Contacts that wait for a place.
    pub replacements: usize,
}

/// One contact of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContactView {
    /// Who and where.
    pub contact: Contact,
    /// How long it has been silent.
    pub silent: Duration,
    /// Queries that it left unanswered since.
    pub failures: u8,
    /// Its last round trip.
    pub round_trip: Duration,
    /// Its identifier fits its address (BEP 42).
    pub fitting: bool,
}

/// What passed since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams sent, and their bytes without the headers of IP and UDP.
    pub sent: u64,
    /// Bytes of those.
    pub sent_bytes: u64,
    /// Datagrams that came.
    pub received: u64,
    /// Bytes of those.
    pub received_bytes: u64,
    /// Queries that we sent.
    pub queries: u64,
    /// Of those, answered.
    pub answered: u64,
    /// Queries that we answered.
    pub answers: u64,
    /// Datagrams that are none of the protocol.
    pub malformed: u64,
    /// Answers to nothing that we asked.
    pub unasked: u64,
    /// Queries that went unanswered because their host asks too much.
    pub flooded: u64,
    /// Queries that went unanswered because we would have sent too much.
    pub unaffordable: u64,
    /// Announces and values that were refused for their token.
    pub bad_tokens: u64,
}

/// A lookup that is under way, for whoever wants to watch it walk.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupView {
    /// Whose it is; none of upkeep.
    pub request: Option<RequestId>,
    /// In which family.
    pub family: Family,
    /// Where to.
    pub target: NodeId,
    /// Nodes it knows of, closest first.
    pub candidates: Vec<CandidateView>,
}

/// A node that a lookup knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateView {
    /// What it is called; none of a bootstrap node that has not answered.
    pub id: Option<NodeId>,
    /// Where it is.
    pub address: NodeAddress,
    /// How many nodes told of one another on the way to it; 1 if it was in our table.
    pub hops: u8,
    /// What became of it.
    pub state: CandidateState,
}

/// What became of a node that a lookup knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateState {
    /// Not asked.
    New,
    /// Asked.
    Asked,
    /// Asked, and so late that nobody waits for it.
    Late,
    /// It answered.
    Answered,
    /// It did not, or not sensibly.
    Failed,
}
