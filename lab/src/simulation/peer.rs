//! One peer: a node and what its host knows.

use std::collections::BTreeMap;

use swarm_core::choke::ChokeConfig;
use swarm_core::engine::Config;
use swarm_core::engine::config::{DirectConfig, MeasureConfig, PathsConfig};
use swarm_core::hub::ConnId;
use swarm_core::id::{InfoHash, LinkId};
use swarm_core::net::Backoff;
use swarm_core::node::Node;
use swarm_core::pieces::{Bitfield, Waste};
use swarm_core::rng::Rng;
use swarm_core::time::Time;

use super::attacker::Attacker;
use super::cast::Part;
use super::chunk::LabChunk;
use super::direct::LinkNumber;
use super::line::Line;
use super::measure::Stall;
use super::{Input, Nanos, Output, time};
use crate::Scenario;
use crate::scenario::RelayUse;
use crate::snapshot::Role;

/// Whole pieces that a peer keeps in memory to serve from. Less than a real peer's, because
/// a piece that was just written is a copy of its own, in each of a thousand peers.
const CACHED_PIECES: u64 = 8;
/// Links that are being made at once, as in a tab.
const LINKS_AT_ONCE: usize = 4;

/// See the module.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) part: Part,
    /// None once it has left.
    pub(super) mind: Option<Box<Mind>>,
    pub(super) rng: Rng,
    /// Its connection to the hub, from the moment it sets out.
    pub(super) conn: Option<ConnId>,
    /// The connection is open, as far as it knows.
    pub(super) online: bool,
    /// Since when, if it is.
    pub(super) online_since: Option<Nanos>,
    /// When it tries again.
    pub(super) backoff: Backoff,
    pub(super) up: Line,
    pub(super) down: Line,
    /// Its direct links, by the numbers that it knows them by.
    pub(super) wires: BTreeMap<LinkId, LinkNumber>,
    /// Links that it had.
    pub(super) links_made: u32,
    /// The one tick that counts.
    pub(super) tick: Option<Nanos>,
    /// When the store has done all that it was asked.
    pub(super) store_free: Nanos,
    /// What is written.
    pub(super) have: Bitfield,
    /// What had the right hash.
    pub(super) verified: Bitfield,
    pub(super) fills_up: bool,
    /// The store failed, and the person has not resumed yet.
    pub(super) stopped: bool,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// Payload bytes for nothing, as the engine counted them until it left.
    pub(super) waste: Waste,
    pub(super) banned: u32,
    pub(super) completed: Option<Nanos>,
    pub(super) left: Option<Nanos>,
    /// It can hear from somebody, and something is missing.
    pub(super) quiet: Stall,
    /// Moreover, somebody who is there has it.
    pub(super) starved: Stall,
}

/// What decides what a peer does.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are nodes, and each is in a box of its own"
)]
pub(super) enum Mind {
    Node(Node<Vec<u8>, LabChunk>),
    Attacker(Attacker),
}

impl Mind {
    pub(super) fn handle(&mut self, now: Time, input: Input) {
        match self {
            Mind::Node(node) => node.handle(now, input),
            Mind::Attacker(attacker) => attacker.handle(now, input),
        }
    }

    /// See [`Node::wake`].
    pub(super) fn wake(&mut self, now: Time) -> bool {
        match self {
            Mind::Node(node) => node.wake(now),
            Mind::Attacker(_) => false,
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        match self {
            Mind::Node(node) => node.poll_output(),
            Mind::Attacker(attacker) => attacker.poll_output(),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match self {
            Mind::Node(node) => node.poll_timeout().map(|(due, _)| due),
            Mind::Attacker(attacker) => attacker.poll_timeout(),
        }
    }
}

impl Peer {
    pub(super) fn new(
        scenario: &Scenario,
        info_hash: InfoHash,
        index: usize,
        part: Part,
        now: Nanos,
    ) -> Self {
        let mut rng = Rng::new(scenario.seed).fork(&format!("peer {index}"));
        let mind = match part.attack {
            Some(attack) => {
                let rng = rng.fork("attack");
                Mind::Attacker(Attacker::new(attack, info_hash, scenario.pieces, rng))
            }
            None => {
                let config = config(scenario, part.role);
                Mind::Node(Node::new(config, rng.next_u64(), time(now), None))
            }
        };
        let link = part.link;
        Peer {
            mind: Some(Box::new(mind)),
            rng,
            conn: None,
            online: false,
            online_since: None,
            backoff: Backoff::default(),
            up: Line::new(link.up, link.latency, link.jitter),
            down: Line::new(link.down, link.latency, link.jitter),
            wires: BTreeMap::new(),
            links_made: 0,
            tick: None,
            store_free: now,
            have: part.have.clone(),
            verified: part.have.clone(),
            fills_up: part.fills_up,
            stopped: false,
            received: 0,
            sent: 0,
            waste: Waste::default(),
            banned: 0,
            completed: None,
            left: None,
            quiet: Stall::default(),
            starved: Stall::default(),
            part,
        }
    }

    pub(super) fn is_present(&self) -> bool {
        self.left.is_none()
    }

    /// It is here to get everything.
    pub(super) fn is_leecher(&self) -> bool {
        self.part.role.is_leecher()
    }

    /// It gives what it has, if it is asked.
    pub(super) fn serves(&self) -> bool {
        matches!(self.part.role, Role::Seeder | Role::Contributor)
            && self.is_present()
            && !self.stopped
    }

    /// It can hear from somebody.
    pub(super) fn is_connected(&self) -> bool {
        self.online || !self.wires.is_empty()
    }

    /// It lacks something, and could take it.
    pub(super) fn wants(&self) -> bool {
        self.is_leecher() && self.is_present() && !self.stopped && !self.have.is_full()
    }

    /// Looks at the clocks that measure waiting.
    pub(super) fn clock(&mut self, now: Nanos, available: &Bitfield) {
        let quiet = self.is_connected() && self.wants();
        self.quiet.set(now, quiet);
        let starved = quiet && self.have.lacks_any_of(available);
        self.starved.set(now, starved);
    }

    /// Payload bytes for nothing until now.
    pub(super) fn waste(&self, now: Time) -> Waste {
        let Some(Mind::Node(node)) = self.mind.as_deref() else {
            return self.waste;
        };
        let torrent = node.view(now).torrents.into_iter().next();
        torrent.map_or(self.waste, |torrent| torrent.waste)
    }
}

fn config(scenario: &Scenario, role: Role) -> Config {
    let default = Config::default();
    let links = scenario.relay != RelayUse::Only;
    let channels = if links { 2 } else { default.paths.channels };
    let max_peers = scenario.engine.max_peers.unwrap_or(default.max_peers);
    let slots = match role {
        Role::FreeRider => (0, 0),
        _ if scenario.choking => default.choke.slots,
        _ => (max_peers, max_peers),
    };
    let cached = CACHED_PIECES * u64::from(scenario.piece_length);
    Config {
        strategy: scenario.strategy,
        max_peers,
        target_peers: scenario
            .engine
            .target_peers
            .unwrap_or(default.target_peers)
            .min(max_peers),
        choke: ChokeConfig {
            slots,
            ..default.choke
        },
        paths: PathsConfig {
            channels: scenario.engine.channels.unwrap_or(channels),
            measure: MeasureConfig {
                enough: match scenario.relay {
                    RelayUse::Fixed => 0,
                    _ => default.paths.measure.enough,
                },
                ..default.paths.measure
            },
            direct: DirectConfig {
                at_once: if links { LINKS_AT_ONCE } else { 0 },
                ..default.paths.direct
            },
            ..default.paths
        },
        // Simulated stores cost no memory.
        whole_piece: default.max_piece,
        read_cache: cached.clamp(1 << 20, default.read_cache),
        ..default
    }
}
