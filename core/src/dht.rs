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
//!
//! What is decided is in files of its own: `reply` what others are answered, `hear` what their
//! answers mean, `walk` how lookups go on, `rounds` what becomes of the host's requests, `join`
//! how a node comes in and stays. What they decide about is in the others, each of which owns
//! its fields.

mod address;
mod calls;
mod config;
mod hear;
mod id;
mod io;
mod item;
mod join;
pub mod krpc;
mod limits;
mod lookup;
mod network;
pub mod record;
mod reply;
mod requests;
mod rounds;
mod secure;
mod send;
mod storage;
mod table;
mod tokens;
mod view;
mod votes;
mod walk;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

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

use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use calls::Calls;
use limits::{Budget, Watch};
use lookup::{Lookup, LookupId, Phase};
use network::Network;
use requests::Requests;
use storage::Storage;
use tokens::Tokens;

/// What a node remembers over restarts: who it was and whom it knew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// What it was called, in each family.
    pub ids: Vec<(Family, NodeId)>,
    /// Whom it knew, those that were heard last first.
    pub contacts: Vec<Contact>,
}

/// See the module.
#[derive(Debug)]
pub struct Dht {
    config: Config,
    rng: Rng,
    networks: Vec<Network>,
    calls: Calls,
    lookups: SortedMap<LookupId, Lookup>,
    begun_lookups: u64,
    requests: Requests,
    storage: Storage,
    tokens: Tokens,
    watch: Watch,
    budget: Budget,
    /// Queries wait until there is room to send them.
    starved: bool,
    upkeep_at: Time,
    /// Upkeeps so far, by which they take turns.
    upkeeps: usize,
    traffic: Traffic,
    out: VecDeque<Output>,
}

impl Dht {
    /// A node that knows whom it knew before, if it was there before. `seed` comes from the
    /// host's system.
    pub fn new(config: Config, saved: Saved, seed: u64, now: Time) -> Self {
        let Saved { ids, contacts } = saved;
        // Others see much of what is drawn, and must not find out the secret from it.
        let secret = one_way(seed, b"secret");
        let drawn = one_way(seed, b"drawn");
        let (first, _) = drawn.split_first_chunk().expect("a hash has twenty bytes");
        let mut rng = Rng::new(u64::from_be_bytes(*first));
        let families = [
            (config.v4, Family::V4),
            (config.v6, Family::V6),
            (config.tabs, Family::Tab),
        ];
        let families = families.into_iter().filter(|(takes_part, _)| *takes_part);
        let networks = families
            .map(|(_, family)| {
                let id = ids.iter().find(|(saved, _)| *saved == family);
                let id = id.map_or_else(|| NodeId::random(&mut rng), |(_, id)| *id);
                let contacts = contacts.iter().copied();
                let contacts = contacts.filter(|contact| contact.address.family() == family);
                Network::new(family, id, contacts.take(config.max_saved).collect(), now)
            })
            .collect();
        Dht {
            networks,
            rng,
            calls: Calls::default(),
            lookups: SortedMap::new(),
            begun_lookups: 0,
            requests: Requests::default(),
            storage: Storage::default(),
            tokens: Tokens::new(secret, now),
            watch: Watch::default(),
            budget: Budget::new(now, &config),
            starved: false,
            upkeep_at: now,
            upkeeps: 0,
            traffic: Traffic::default(),
            out: VecDeque::new(),
            config,
        }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Tick => {}
            Input::Datagram { from, bytes } => self.receive(now, from, &bytes),
            Input::Bootstrap(addresses) => self.bootstrap(now, &addresses),
            Input::Assume(contacts) => self.assume(now, &contacts),
            Input::ExternalAddress(address) => self.is_at(now, address),
            Input::Start(id, request) => self.start(now, id, request),
            Input::Stop(id) => self.stop(id),
        }
        self.pass_calls(now);
        self.join(now);
        self.begin_rounds(now);
        self.keep_up(now);
        // What ends makes room for what waits.
        while self.walk(now) {
            self.join(now);
            self.begin_rounds(now);
        }
    }

    /// The next thing for the host to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.out.pop_front();
        if self.out.is_empty() {
            // There may be thousands of nodes, all of which said much once.
            self.out = VecDeque::new();
        }
        output
    }

    /// When to send [`Input::Tick`]; never, if there is nothing to wait for.
    pub fn poll_timeout(&self) -> Option<Time> {
        let lingering = self
            .lookups
            .values()
            .filter_map(|lookup| match lookup.phase {
                Phase::Lingering { until } => Some(until),
                Phase::Walking | Phase::Storing => None,
            });
        let upkeep = self
            .networks
            .iter()
            .any(|network| !network.table.is_empty());
        let room = self.walking() < self.config.max_lookups;
        // Where the number of queries is what holds lookups up, an end of one goes on with them.
        let starved = self.starved && self.calls.len() < self.config.max_calls;
        let due = [
            self.calls.due(&self.config),
            self.requests.due().filter(|_| room),
            starved.then(|| self.budget.room_at(&self.config)),
            upkeep.then_some(self.upkeep_at),
        ];
        let joins = self.networks.iter().map(|network| &network.join);
        let joins = joins
            .filter(|join| !join.running)
            .filter_map(|join| join.at);
        due.into_iter()
            .flatten()
            .chain(lingering)
            .chain(joins)
            .min()
    }

    /// What a person sees.
    pub fn view(&self, now: Time) -> View {
        let (torrents, peers, items) = self.storage.counts();
        let families = self.networks.iter();
        View {
            families: families
                .map(|network| network.view(now, &self.config))
                .collect(),
            requests: self.requests.len(),
            lookups: self.walking(),
            calls: self.calls.len(),
            torrents,
            peers,
            items,
            round_trip: self.calls.round_trip(),
            traffic: self.traffic,
        }
    }

    /// Lookups that are under way, to watch them.
    pub fn lookups(&self) -> Vec<LookupView> {
        self.lookups.values().map(Lookup::view).collect()
    }

    /// What we are called in a family, if we take part in it.
    pub fn id(&self, family: Family) -> Option<NodeId> {
        self.network(family).map(|network| network.table.own())
    }

    /// The nodes of our table that are closest to a target, closest first.
    pub fn closest(&self, family: Family, target: NodeId, count: usize) -> Vec<Contact> {
        let network = self.network(family);
        network.map_or_else(Vec::new, |network| network.table.closest(target, count))
    }

    /// What passed since the start.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// What the node does and allows.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What to remember over restarts.
    pub fn save(&self) -> Saved {
        let ids = self.networks.iter();
        let ids = ids.map(|network| (network.family, network.table.own()));
        let contacts = self.networks.iter();
        let mut contacts: Vec<_> = contacts.flat_map(Network::save).collect();
        contacts.sort_by_key(|(heard, contact)| (std::cmp::Reverse(*heard), *contact));
        contacts.truncate(self.config.max_saved);
        Saved {
            ids: ids.collect(),
            contacts: contacts.into_iter().map(|(_, contact)| contact).collect(),
        }
    }

    fn network(&self, family: Family) -> Option<&Network> {
        self.networks
            .iter()
            .find(|network| network.family == family)
    }

    /// Lookups that have not arrived.
    fn walking(&self) -> usize {
        let over = |lookup: &&Lookup| matches!(lookup.phase, Phase::Lingering { .. });
        self.lookups.values().filter(|lookup| !over(lookup)).count()
    }
}

/// What a seed becomes, from which nobody finds the way back.
fn one_way(seed: u64, label: &[u8]) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(seed.to_be_bytes());
    hash.update(label);
    hash.finalize().into()
}
