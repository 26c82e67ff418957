//! What there is to see of a network.

use serde::{Deserialize, Serialize};
use swarm_core::dht::{CandidateState, NodeId};

use super::Network;
use super::node::{Mind, Node};

/// One moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkSnapshot {
    /// Virtual seconds since the start.
    pub time: f64,
    /// Every node that ever came, in the order in which they did.
    pub nodes: Vec<Dot>,
    /// Lookups that are under way.
    pub walks: Vec<Walk>,
    /// Lookups that have ended, and those of them that found what they looked for.
    pub ended: (u32, u32),
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dot {
    /// Where on the ring of identifiers, from 0 to 1.
    pub place: f64,
    /// It is there,
    pub present: bool,
    /// and has joined,
    pub joined: bool,
    /// and means well.
    pub honest: bool,
}

/// A lookup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// Who looks.
    pub node: u32,
    /// Where to on the ring.
    pub target: f64,
    /// Nodes that it knows of, the closest first.
    pub steps: Vec<Step>,
}

/// A node that a lookup knows of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which; none if nobody is there.
    pub node: Option<u32>,
    /// How many nodes told of one another on the way to it.
    pub hops: u8,
    /// It was asked.
    pub asked: bool,
    /// It answered.
    pub answered: bool,
    /// Leading bits that it has in common with the target.
    pub bits: u8,
}

pub(super) fn snapshot(network: &Network) -> NetworkSnapshot {
    let lookups = &network.measure.lookups;
    let found = lookups.iter().filter(|lookup| lookup.found).count();
    NetworkSnapshot {
        time: network.seconds(),
        nodes: network.nodes.iter().map(dot).collect(),
        walks: walks(network),
        ended: (lookups.len() as u32, found as u32),
    }
}

fn dot(node: &Node) -> Dot {
    Dot {
        place: place(node.id),
        present: !matches!(node.mind, Mind::Gone),
        joined: node.joined.is_some(),
        honest: !matches!(node.mind, Mind::Adversary(_)),
    }
}

fn walks(network: &Network) -> Vec<Walk> {
    let mut walks = Vec::new();
    for (index, request, _) in network.measure.under_way() {
        let Some(dht) = network.nodes[index as usize].dht() else {
            continue;
        };
        for lookup in dht.lookups() {
            if lookup.request != Some(request) {
                continue;
            }
            let steps = lookup.candidates.iter().map(|candidate| Step {
                node: network.internet.owner(candidate.address),
                hops: candidate.hops,
                asked: candidate.state != CandidateState::New,
                answered: candidate.state == CandidateState::Answered,
                bits: candidate
                    .id
                    .map_or(0, |id| id.common_bits(lookup.target) as u8),
            });
            walks.push(Walk {
                node: index,
                target: place(lookup.target),
                steps: steps.collect(),
            });
        }
    }
    walks
}

/// On a ring of length 1.
fn place(id: NodeId) -> f64 {
    let mut first = [0; 8];
    first.copy_from_slice(&id.0[..8]);
    u64::from_be_bytes(first) as f64 / 2_f64.powi(64)
}
