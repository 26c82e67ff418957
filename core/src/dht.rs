//! A node of a distributed hash table: Kademlia, as the mainline DHT speaks it (BEP 5).
//!
//! A host owns a [`Dht`] and runs the loop that [`crate::node`] describes: [`Dht::handle`] an
//! [`Input`], drain [`Dht::poll_output`], arm one timer for [`Dht::poll_timeout`] and report it
//! as [`Input::Tick`]. The same seed and the same inputs give the same outputs.
//!
//! Identifiers have 160 bits, and how far two are from each other is their XOR. A node knows
//! many that are near to it and few that are far, in a table of buckets; whoever wants
//! something asks those it knows that are nearest to it for nearer ones, and so on. One node
//! may stand in several networks (BEP 32), each a [`Family`] with its own identifier and table:
//! IPv4, IPv6, and tabs, which reach each other through channels. A request looks in all of
//! them at once.

mod address;
mod config;
mod id;
mod io;
mod item;
pub mod krpc;
mod view;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub use address::{Contact, Family, NodeAddress, TabTag};
pub use config::Config;
pub use id::{Distance, InvalidNodeId, NodeId};
pub use io::{AnnouncedPort, Failure, Input, Output, Request, RequestId, Stats};
pub use item::{
    Item, ItemError, MAX_SALT, MAX_VALUE, MutableItem, SecretKey, immutable_target, mutable_target,
};
pub use view::{
    BucketView, CandidateState, CandidateView, ContactView, FamilyView, LookupView, Traffic, View,
};

use crate::time::Time;

/// What a node remembers over restarts: who it was and whom it knew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// What it was called, in each family.
    pub ids: Vec<(Family, NodeId)>,
    /// Whom it knew, the most reliable first.
    pub contacts: Vec<Contact>,
}

/// See the module.
#[derive(Debug)]
pub struct Dht {
    out: VecDeque<Output>,
}

impl Dht {
    /// A node that knows whom it knew before, if it was there before. `seed` comes from the
    /// host's system.
    pub fn new(_config: Config, _saved: Saved, _seed: u64, _now: Time) -> Self {
        Dht {
            out: VecDeque::new(),
        }
    }

    /// Something happened.
    pub fn handle(&mut self, _now: Time, _input: Input) {}

    /// The next thing for the host to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to send [`Input::Tick`]; never, if there is nothing to wait for.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// What a person sees.
    pub fn view(&self, _now: Time) -> View {
        View {
            families: Vec::new(),
            requests: 0,
            lookups: 0,
            calls: 0,
            torrents: 0,
            peers: 0,
            items: 0,
            round_trip: None,
            traffic: Traffic::default(),
        }
    }

    /// Lookups that are under way, to watch them.
    pub fn lookups(&self) -> Vec<LookupView> {
        Vec::new()
    }

    /// What we are called in a family.
    pub fn id(&self, _family: Family) -> Option<NodeId> {
        None
    }

    /// The nodes of our table that are closest to a target, closest first.
    pub fn closest(&self, _family: Family, _target: NodeId, _count: usize) -> Vec<Contact> {
        Vec::new()
    }

    /// What passed since the start.
    pub fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    /// What to remember over restarts.
    pub fn save(&self) -> Saved {
        Saved::default()
    }
}
