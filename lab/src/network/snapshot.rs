//! What there is to see of a network.

use serde::{Deserialize, Serialize};
use swarm_core::dht::{BucketView, Family, NodeId};

use super::node::{Mind, Node};
use super::results::{TableResult, table};
use super::watch::Walk;
use super::{Index, Network};
use crate::schedule::time;

/// One moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkSnapshot {
    /// Virtual seconds since the start.
    pub time: f64,
    /// Every node, by its index. In a network that somebody plays with, the place of one that has
    /// been gone for a minute is taken by one that comes.
    pub nodes: Vec<Dot>,
    /// Nothing passes between two sides.
    pub parted: bool,
    /// There is a node that everybody who comes has heard of.
    pub bootstrap: bool,
    /// The last walk that was asked for.
    pub walk: Option<Walk>,
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dot {
    /// The first 32 bits of what it is called.
    pub id: u32,
    /// How it stands.
    pub state: DotState,
    /// Others begin with it.
    pub serves: bool,
    /// On which side of a network that is parted.
    pub side: bool,
}

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DotState {
    /// It is gone.
    Gone,
    /// It is there, and nobody answers it.
    Alone,
    /// It is on its way in.
    Joining,
    /// It is in.
    Joined,
    /// It means no good.
    Adversary,
}

/// Whom a node knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTable {
    /// Which node.
    pub node: u32,
    /// What it is called.
    pub id: NodeId,
    /// The bucket of nodes that share no bit with it, one bit, and so on.
    pub buckets: Vec<BucketCounts>,
    /// The first 32 bits of what its contacts are called.
    pub contacts: Vec<u32>,
}

/// A bucket, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketCounts {
    /// Contacts that it may have.
    pub room: u32,
    /// Contacts that answered what they were last asked, and have been heard of lately (BEP 5).
    pub good: u32,
    /// Contacts that did not, or have not been.
    pub questionable: u32,
    /// Of all those, contacts that are gone or out of reach, which only the simulator knows.
    pub gone: u32,
    /// Contacts that wait for a place.
    pub waiting: u32,
}

/// How a network that somebody plays with does, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkFigures {
    /// Nodes that are there.
    pub nodes: u32,
    /// Those of them that are in.
    pub joined: u32,
    /// Contacts in a table, and the share of those that are there, on average.
    pub table: TableResult,
    /// Walks that have ended, and those of them that found or stored something.
    pub walks: (u32, u32),
    /// Datagrams that arrived.
    pub datagrams: u64,
}

pub(super) fn snapshot(network: &Network) -> NetworkSnapshot {
    let servers = &network.servers;
    let nodes = network.nodes.iter().zip(0..);
    let dot = |(node, index): (&Node, Index)| Dot {
        id: prefix(node.id),
        state: state(node),
        serves: servers.contains(&index),
        side: node.side,
    };
    NetworkSnapshot {
        time: network.seconds(),
        nodes: nodes.map(dot).collect(),
        parted: network.parted,
        bootstrap: network.has_bootstrap(),
        walk: network.walk().cloned(),
    }
}

fn state(node: &Node) -> DotState {
    match node.mind {
        Mind::Gone => DotState::Gone,
        Mind::Adversary(_) => DotState::Adversary,
        Mind::Honest(_) if node.alone => DotState::Alone,
        Mind::Honest(_) if node.has_place() => DotState::Joined,
        Mind::Honest(_) => DotState::Joining,
    }
}

/// Its first 32 bits.
fn prefix(id: NodeId) -> u32 {
    let [a, b, c, d, ..] = id.0;
    u32::from_be_bytes([a, b, c, d])
}

impl Network {
    /// Whom a node knows; none if it is not there, or means no good.
    pub fn table(&self, node: u32) -> Option<NodeTable> {
        let dht = self.dht(node)?;
        let view = dht.view(time(self.now));
        let mut families = view.families.into_iter();
        let family = families.find(|of| of.family == Family::V4)?;
        let side = self.nodes[node as usize].side;
        let counts = |bucket: &BucketView| {
            let contacts = bucket.contacts.iter();
            let good = contacts.clone().filter(|contact| {
                contact.failures == 0 && contact.silent < dht.config().questionable
            });
            let gone = contacts.filter(|contact| {
                let owner = self.internet.owner(contact.contact.address);
                owner.is_none_or(|owner| self.parted && self.nodes[owner as usize].side != side)
            });
            let good = good.count();
            BucketCounts {
                room: bucket.room as u32,
                good: good as u32,
                questionable: (bucket.contacts.len() - good) as u32,
                gone: gone.count() as u32,
                waiting: bucket.replacements as u32,
            }
        };
        let contacts = family.buckets.iter().flat_map(|bucket| &bucket.contacts);
        Some(NodeTable {
            contacts: contacts.map(|it| prefix(it.contact.id)).collect(),
            node,
            id: family.id,
            buckets: family.buckets.iter().map(counts).collect(),
        })
    }

    /// How it does, in numbers.
    pub fn figures(&self) -> NetworkFigures {
        let alive = self.alive.iter();
        let joined = alive.filter(|index| self.nodes[**index as usize].has_place());
        NetworkFigures {
            nodes: self.alive.len() as u32,
            joined: joined.count() as u32,
            table: table(self),
            walks: self.live.as_ref().map_or((0, 0), |live| live.ended),
            datagrams: self.measure.datagrams,
        }
    }
}
