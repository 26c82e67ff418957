//! Nodes that speak the protocol and mean no good.
//!
//! Liars and Sybils ask nobody anything: they answer, and what they say leads astray. What the
//! others ask is in [`abuse`](super::abuse).

use swarm_core::dht::krpc::{Ask, Body, Message, Response};
use swarm_core::dht::{Contact, NodeId};
use swarm_core::rng::Rng;

use super::NetworkScenario;
use super::abuse::Abuse;
use super::internet::{Index, Internet};
use super::node::Node;

/// Nodes that are told of in an answer.
const TOLD: usize = 8;
/// Bits that made-up nodes have in common with what is looked for: more than any real node.
const CLOSE: usize = 40;

/// What one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Tells of nodes that are not there, very close to what is looked for.
    Liar,
    /// Is one party of many names around a torrent, who tell of each other.
    Sybil,
    /// Asks more than it may, and for what is not its own.
    Abuser(Abuse),
}

/// What they know of each other.
#[derive(Debug)]
pub(super) struct Ring {
    rng: Rng,
    /// Around each torrent.
    around: Vec<Vec<Index>>,
}

impl Ring {
    pub(super) fn new(scenario: &NetworkScenario, rng: Rng) -> Self {
        Ring {
            rng,
            around: vec![Vec::new(); scenario.torrents as usize],
        }
    }

    /// One more around a torrent; what it calls itself.
    pub(super) fn join(
        &mut self,
        index: Index,
        torrent: usize,
        target: NodeId,
        rng: &mut Rng,
    ) -> NodeId {
        self.around[torrent].push(index);
        target.random_at(CLOSE + rng.below(8), rng)
    }

    /// What one answers, if it does.
    pub(super) fn answer(
        &mut self,
        own: &Node,
        kind: Kind,
        bytes: &[u8],
        nodes: &[Node],
        internet: &mut Internet,
    ) -> Option<Vec<u8>> {
        let message = Message::parse(bytes).ok()?;
        let Body::Query(query) = message.body else {
            return None;
        };
        let target = match query.ask {
            Ask::FindNode { target } | Ask::Get { target, .. } => Some(target),
            Ask::GetPeers { info_hash } => Some(info_hash),
            // Taken with thanks, and forgotten.
            Ask::Ping | Ask::AnnouncePeer { .. } | Ask::Put { .. } => None,
        };
        let told = target.map(|target| match kind {
            Kind::Liar => self.made_up(target, internet),
            Kind::Sybil => self.others(target, nodes),
            // It is busy with other things.
            Kind::Abuser(_) => Vec::new(),
        });
        let response = Response {
            id: own.id,
            nodes: told.unwrap_or_default(),
            token: target.map(|_| b"sybil".to_vec()),
            ..Response::default()
        };
        let answer = Message {
            transaction: message.transaction,
            version: None,
            read_only: false,
            ip: None,
            body: Body::Response(response),
        };
        Some(answer.encode())
    }

    fn made_up(&mut self, target: NodeId, internet: &mut Internet) -> Vec<Contact> {
        let one = |_| Contact {
            id: target.random_at(CLOSE, &mut self.rng),
            address: internet.nowhere(),
        };
        (0..TOLD).map(one).collect()
    }

    /// Those who are around the torrent that is closest to the target.
    fn others(&mut self, target: NodeId, nodes: &[Node]) -> Vec<Contact> {
        let closest = self.around.iter().filter_map(|around| {
            let id = nodes[*around.first()? as usize].id;
            Some((id.distance(target), around))
        });
        let Some((_, around)) = closest.min_by_key(|(distance, _)| *distance) else {
            return Vec::new();
        };
        let begin = self.rng.below(around.len());
        let told = around.iter().cycle().skip(begin);
        let told = told.take(TOLD.min(around.len()));
        told.map(|index| Contact::from(&nodes[*index as usize]))
            .collect()
    }
}
