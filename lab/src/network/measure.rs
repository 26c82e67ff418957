//! What is measured while a network is played.

use std::collections::BTreeMap;

use swarm_core::dht::{Contact, NodeAddress, NodeId, RequestId, Stats, Traffic};
use swarm_core::id::InfoHash;
use swarm_core::rng::Rng;

use super::node::Node;
use super::results::{AnnounceResult, LookupResult};
use super::{Index, Network, NetworkScenario};
use crate::schedule::{Nanos, seconds};

/// Nodes that a lookup should have reached: as many as are told of an announce.
const CLOSEST: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) events: u64,
    pub(super) datagrams: u64,
    pub(super) fingerprint: u64,
    /// Those that are announced before things go wrong, and looked for; then as many that are
    /// announced later.
    pub(super) torrents: Vec<Torrent>,
    asked: BTreeMap<(Index, RequestId), Asked>,
    pub(super) lookups: Vec<LookupResult>,
    pub(super) announces: Vec<AnnounceResult>,
    /// Lookups that nobody was there for.
    pub(super) skipped: u32,
    /// Lookups whose node went away.
    pub(super) abandoned: u32,
    /// Times that a node said that nobody answers.
    pub(super) alone: u64,
    /// What joins took, in seconds.
    pub(super) joins: Vec<f64>,
    /// What goes wrong has gone wrong.
    pub(super) trouble: bool,
    idle_began: Option<(Nanos, Bytes)>,
    /// Bytes a second that a node sent and received, and queries a second.
    pub(super) idle: Option<[f64; 3]>,
}

/// A torrent, and who has it.
#[derive(Debug)]
pub(super) struct Torrent {
    pub(super) info_hash: InfoHash,
    pub(super) announcer: Option<(Index, NodeAddress)>,
    /// When it was announced last.
    announced: Option<Nanos>,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    index: Index,
    torrent: usize,
    announces: bool,
    pub(super) target: NodeId,
    since: Nanos,
    /// When the first peer that is one came,
    first: Option<Nanos>,
    /// and how many came that are none.
    wrong: usize,
    /// Who has it is on the other side of a network that was parted.
    across: bool,
}

/// Of all nodes together: sent, received, and queries.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes([u64; 3], usize);

impl Bytes {
    fn of(nodes: &[Node]) -> Self {
        let mut sum = Bytes::default();
        for dht in nodes.iter().filter_map(Node::dht) {
            let Traffic {
                sent_bytes,
                received_bytes,
                queries,
                ..
            } = dht.traffic();
            for (sum, more) in sum.0.iter_mut().zip([sent_bytes, received_bytes, queries]) {
                *sum += more;
            }
            sum.1 += 1;
        }
        sum
    }
}

impl Measure {
    pub(super) fn new(scenario: &NetworkScenario, rng: &mut Rng) -> Self {
        let torrent = |_| {
            let mut bytes = [0; 20];
            rng.fill(&mut bytes);
            Torrent {
                info_hash: InfoHash(bytes),
                announcer: None,
                announced: None,
            }
        };
        Measure {
            events: 0,
            datagrams: 0,
            // The offset basis of FNV-1a.
            fingerprint: 0xcbf2_9ce4_8422_2325,
            torrents: (0..2 * scenario.torrents).map(torrent).collect(),
            asked: BTreeMap::new(),
            lookups: Vec::new(),
            announces: Vec::new(),
            skipped: 0,
            abandoned: 0,
            alone: 0,
            joins: Vec::new(),
            trouble: false,
            idle_began: None,
            idle: None,
        }
    }

    /// A datagram arrived.
    pub(super) fn note(&mut self, now: Nanos, from: Index, to: Index, bytes: usize) {
        self.datagrams += 1;
        for word in [now, u64::from(from), u64::from(to), bytes as u64] {
            // As FNV-1a, a word at a time, with the high bits brought down.
            let product = (self.fingerprint ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.fingerprint = product ^ (product >> 29);
        }
    }

    pub(super) fn joined(&mut self, came: Nanos, now: Nanos) {
        self.joins.push(seconds(now - came));
    }

    pub(super) fn idle_begins(&mut self, now: Nanos, nodes: &[Node]) {
        self.idle_began = Some((now, Bytes::of(nodes)));
    }

    /// Nodes that went away took their counters with them: those of the nodes that are there
    /// are what there is.
    pub(super) fn idle_ends(&mut self, now: Nanos, nodes: &[Node]) {
        if let Some((since, before)) = self.idle_began
            && now > since
        {
            let after = Bytes::of(nodes);
            let node_seconds = seconds(now - since) * after.1.max(1) as f64;
            let mut idle = [0.0; 3];
            for (at, idle) in idle.iter_mut().enumerate() {
                *idle = after.0[at].saturating_sub(before.0[at]) as f64 / node_seconds;
            }
            self.idle = Some(idle);
        }
    }

    /// A node announces a torrent, again and again.
    pub(super) fn announces(
        &mut self,
        now: Nanos,
        torrent: usize,
        index: Index,
        request: RequestId,
        address: NodeAddress,
    ) -> InfoHash {
        let of = &mut self.torrents[torrent];
        of.announcer = Some((index, address));
        let info_hash = of.info_hash;
        self.ask(now, torrent, index, request, true, false);
        info_hash
    }

    /// A node looks for a torrent.
    pub(super) fn looks(
        &mut self,
        now: Nanos,
        torrent: usize,
        index: Index,
        request: RequestId,
        nodes: &[Node],
    ) -> InfoHash {
        let of = &self.torrents[torrent];
        let side = |index: Index| nodes[index as usize].side;
        let across = of
            .announcer
            .is_some_and(|(has, _)| side(has) != side(index));
        let info_hash = of.info_hash;
        self.ask(now, torrent, index, request, false, across);
        info_hash
    }

    fn ask(
        &mut self,
        now: Nanos,
        torrent: usize,
        index: Index,
        request: RequestId,
        announces: bool,
        across: bool,
    ) {
        let asked = Asked {
            index,
            torrent,
            announces,
            target: NodeId::from(self.torrents[torrent].info_hash),
            since: now,
            first: None,
            wrong: 0,
            across,
        };
        self.asked.insert((index, request), asked);
    }

    /// Peers were found.
    pub(super) fn peers(
        &mut self,
        now: Nanos,
        index: Index,
        request: RequestId,
        addresses: &[NodeAddress],
    ) {
        let Some(asked) = self.asked.get_mut(&(index, request)) else {
            return;
        };
        let right = self.torrents[asked.torrent].announcer;
        let right = right.map(|(_, address)| address);
        for address in addresses {
            match Some(*address) == right {
                true => {
                    asked.first.get_or_insert(now);
                }
                false => asked.wrong += 1,
            }
        }
    }

    /// A round of a request is over; announces go on.
    pub(super) fn take(&mut self, index: Index, request: RequestId) -> Option<Asked> {
        let asked = *self.asked.get(&(index, request))?;
        if !asked.announces {
            self.asked.remove(&(index, request));
        }
        Some(asked)
    }

    /// What came of it. `recall`: the share of the closest nodes that it reached; none if it
    /// failed.
    pub(super) fn ended(
        &mut self,
        now: Nanos,
        asked: Asked,
        recall: Option<f64>,
        stats: Stats,
        nodes: &[Node],
    ) {
        if asked.announces {
            if stats.stored > 0 {
                self.torrents[asked.torrent].announced = Some(now);
            }
            return self.announces.push(AnnounceResult {
                at: seconds(now),
                in_trouble: self.trouble,
                took: stats.took.as_secs_f64(),
                stored: stats.stored,
                queries: stats.queries + stats.store_queries,
                recall: recall.unwrap_or(0.0),
            });
        }
        let of = &self.torrents[asked.torrent];
        let since = of
            .announced
            .map(|at| seconds(asked.since.saturating_sub(at)));
        let age = asked.since.saturating_sub(nodes[asked.index as usize].came);
        self.lookups.push(LookupResult {
            at: seconds(asked.since),
            found: asked.first.is_some(),
            first: asked.first.map(|at| seconds(at - asked.since)),
            wrong: asked.wrong,
            took: stats.took.as_secs_f64(),
            queries: stats.queries,
            answers: stats.answers,
            hops: stats.hops,
            hops_to_first: stats.hops_to_first,
            recall: recall.unwrap_or(0.0),
            announced: since,
            age: seconds(age),
            across: asked.across,
        });
    }

    /// A node went away, and what it wanted does not matter any more.
    pub(super) fn gone(&mut self, index: Index) {
        let least = (index, RequestId(0));
        let its = self.asked.range(least..);
        let its = its.take_while(|((of, _), _)| *of == index);
        let its: Vec<_> = its.map(|(key, _)| *key).collect();
        for key in its {
            let asked = self.asked.remove(&key);
            let looked = asked.is_some_and(|asked| !asked.announces);
            self.abandoned += u32::from(looked);
        }
    }

    pub(super) fn all_ended(&self, scenario: &NetworkScenario) -> bool {
        let ended = self.lookups.len() as u32 + self.skipped + self.abandoned;
        self.trouble && ended >= scenario.lookups
    }

    /// Lookups under way, with who looks.
    pub(super) fn under_way(&self) -> impl Iterator<Item = (Index, RequestId, usize)> {
        let asked = self.asked.iter();
        let asked = asked.filter(|(_, asked)| !asked.announces);
        asked.map(|((index, request), asked)| (*index, *request, asked.torrent))
    }
}

impl Network {
    /// Which share of the nodes that are closest to a target is among these. Of those that are
    /// there, mean well, and have joined.
    pub(super) fn recall(&self, target: NodeId, closest: &[Contact]) -> f64 {
        let there = self.alive.iter().map(|index| &self.nodes[*index as usize]);
        let there = there.filter(|node| node.joined.is_some());
        let mut all: Vec<(_, NodeId)> = there
            .map(|node| (node.id.distance(target), node.id))
            .collect();
        let count = CLOSEST.min(all.len());
        if count == 0 {
            return 0.0;
        }
        all.select_nth_unstable(count - 1);
        let reached = all[..count].iter().filter(|(_, id)| {
            let mut closest = closest.iter();
            closest.any(|contact| contact.id == *id)
        });
        reached.count() as f64 / count as f64
    }
}
