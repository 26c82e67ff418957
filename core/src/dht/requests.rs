//! What the host wants, and what came of it in the round that is under way.

use super::address::{Contact, NodeAddress};
use super::id::NodeId;
use super::io::{AnnouncedPort, Request, RequestId, Stats};
use super::item::Item;
use super::krpc::{Ask, Signed};
use super::lookup::{Goal, Place};
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;

/// All requests.
#[derive(Debug, Default)]
pub(super) struct Requests {
    requests: SortedMap<RequestId, Ongoing>,
    /// When rounds are to begin.
    due: SortedSet<(Time, RequestId)>,
}

/// One request.
#[derive(Debug)]
pub(super) struct Ongoing {
    pub(super) request: Request,
    pub(super) round: Option<Box<Round>>,
}

/// One round of a request.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) begun: Time,
    /// Lookups that are not over.
    pub(super) lookups: usize,
    pub(super) stats: Stats,
    /// Peers that the host was told of.
    pub(super) peers: SortedSet<NodeAddress>,
    /// The value that the host was told of.
    pub(super) value: Option<Item>,
    pub(super) closest: Vec<Contact>,
    /// Why somebody did not store what was to be stored.
    pub(super) refusal: Option<(i64, String)>,
}

impl Requests {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// One more, whose round is due at once.
    pub(super) fn add(&mut self, now: Time, id: RequestId, request: Request) {
        let round = None;
        self.requests.insert(id, Ongoing { request, round });
        self.due.insert((now, id));
    }

    /// Its next round is due then.
    pub(super) fn again(&mut self, at: Time, id: RequestId) {
        self.due.insert((at, id));
    }

    /// One less.
    pub(super) fn remove(&mut self, id: RequestId) -> Option<Ongoing> {
        self.due.retain(|(_, other)| *other != id);
        self.requests.remove(&id)
    }

    /// One of them.
    pub(super) fn get(&self, id: RequestId) -> Option<&Ongoing> {
        self.requests.get(&id)
    }

    /// One of them, to change it.
    pub(super) fn get_mut(&mut self, id: RequestId) -> Option<&mut Ongoing> {
        self.requests.get_mut(&id)
    }

    /// The round of one of them, if one is under way.
    pub(super) fn round_mut(&mut self, id: RequestId) -> Option<&mut Round> {
        self.requests.get_mut(&id)?.round.as_deref_mut()
    }

    /// When the next round is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// One whose round is due.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<RequestId> {
        self.due().filter(|at| *at <= now)?;
        self.due.pop_first().map(|(_, id)| id)
    }
}

impl Round {
    /// One that begins.
    pub(super) fn new(begun: Time) -> Self {
        Round {
            begun,
            lookups: 0,
            stats: Stats::default(),
            peers: SortedSet::new(),
            value: None,
            closest: Vec::new(),
            refusal: None,
        }
    }

    /// Something was found after so many hops.
    pub(super) fn found(&mut self, now: Time, hops: u8, count: usize) {
        if count > 0 && self.stats.first.is_none() {
            self.stats.first = Some(now.saturating_since(self.begun));
            self.stats.hops_to_first = Some(hops);
        }
        self.stats.found += count;
    }
}

impl Request {
    /// Where its lookups go.
    pub(super) fn target(&self) -> NodeId {
        match self {
            Request::Locate(target) | Request::Get { target, .. } => *target,
            Request::Search(info_hash) | Request::Announce { info_hash, .. } => (*info_hash).into(),
            Request::Put { item, .. } => item.target(),
        }
    }

    /// What its lookups are for.
    pub(super) fn goal(&self, id: RequestId) -> Goal {
        match self {
            Request::Locate(_) => Goal::Locate(id),
            Request::Search(_) | Request::Announce { .. } => Goal::Peers(id),
            Request::Get { .. } | Request::Put { .. } => Goal::Item(id),
        }
    }

    /// Something is stored at the end.
    pub(super) fn stores(&self) -> bool {
        matches!(self, Request::Announce { .. } | Request::Put { .. })
    }

    /// It tells of a peer.
    pub(super) fn announces(&self) -> bool {
        matches!(self, Request::Announce { .. })
    }

    /// What is stored with somebody.
    pub(super) fn store(&self, place: Place) -> Option<Ask> {
        let token = place.token;
        match self {
            Request::Announce { info_hash, port } => {
                let (port, implied_port) = match (place.contact.address, port) {
                    (NodeAddress::Tab(_), _) | (_, AnnouncedPort::Implied) => (0, true),
                    (_, AnnouncedPort::Port(port)) => (*port, false),
                };
                Some(Ask::AnnouncePeer {
                    info_hash: (*info_hash).into(),
                    port,
                    implied_port,
                    token,
                })
            }
            Request::Put { item, cas, .. } => Some(Ask::Put {
                value: item.value().to_vec(),
                signed: match item {
                    Item::Immutable { .. } => None,
                    Item::Mutable(item) => Some(Signed {
                        key: item.key,
                        salt: item.salt.clone(),
                        seq: item.seq,
                        signature: item.signature,
                    }),
                },
                cas: *cas,
                token,
            }),
            Request::Locate(_) | Request::Search(_) | Request::Get { .. } => None,
        }
    }
}
