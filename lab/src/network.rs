//! Thousands of nodes of the DHT, in virtual time.
//!
//! Every node is a real [`swarm_core::dht::Dht`] that speaks the real protocol, datagram by
//! datagram; what lies between them is made up ([`internet`]), and so are those who mean no
//! good ([`adversary`]). First the network comes about, then nobody wants anything for a while,
//! then some nodes announce torrents, then things go wrong, and others look for the torrents, or
//! announce some that nobody looks for.
//! The same [`NetworkScenario`], seed included, gives the same run to the byte.
//!
//! [`Network::live`] has none of that script: somebody looks keys up, kills nodes and mends things
//! by hand, and [`Walk`] shows a lookup step by step. The same things done at the same virtual
//! times give the same run.

mod abuse;
mod adversary;
mod internet;
mod live;
mod measure;
mod node;
mod play;
mod results;
mod scenario;
mod snapshot;
mod start;
mod watch;

use std::time::Duration;

use swarm_core::dht::Dht;
use swarm_core::rng::Rng;

use crate::ScenarioError;
use crate::schedule::{Nanos, Schedule, nanos, seconds};

use abuse::Loot;
use adversary::Ring;
use internet::{Index, Internet};
use live::Live;
use measure::Measure;
use node::Node;

pub use abuse::{Abuse, AbuseResult};
pub use results::{AnnounceResult, LookupResult, NetworkResults, Quantiles, TableResult};
pub use scenario::{NetworkScenario, NodeOptions, RoundTrip, Start};
pub use snapshot::{BucketCounts, Dot, DotState, NetworkFigures, NetworkSnapshot, NodeTable};
pub use watch::{Ending, Hop, HopState, Walk};

/// Announces are spread over so many seconds, and things go wrong as many later.
const ANNOUNCES: f64 = 10.0;
/// Whoever looks for something, and has heard nothing after so many seconds, is not waited for.
const PATIENCE: f64 = 60.0;

/// Something that happens.
#[derive(Debug)]
enum Event {
    /// A node's timer.
    Tick(Index),
    /// A datagram arrives.
    Datagram {
        from: Index,
        to: Index,
        bytes: Vec<u8>,
    },
    /// Somebody joins: in a network that comes about, or in the place of somebody who left.
    Join,
    /// A node is gone, without a word.
    Die(Index),
    /// A node hears of another by which it can join.
    Hear {
        node: Index,
        of: Index,
    },
    /// The first and the last moment in which nobody wants anything.
    Idle,
    Busy,
    /// The torrent of this number is announced.
    Announce(usize),
    /// A share of the nodes dies.
    Trouble,
    /// An abuser asks once more.
    Abuse(Index),
    /// Somebody looks for a torrent.
    Lookup,
}

/// See the module.
#[derive(Debug)]
pub struct Network {
    scenario: NetworkScenario,
    now: Nanos,
    /// When it is over, whoever still waits.
    end: Nanos,
    over: bool,
    queue: Schedule<Event>,
    internet: Internet,
    nodes: Vec<Node>,
    /// Honest nodes that are there, in no order.
    alive: Vec<Index>,
    /// Bootstrap nodes: everybody who comes has heard of them.
    servers: Vec<Index>,
    /// Somebody plays with it.
    live: Option<Live>,
    /// What the liars and the Sybils know of each other.
    ring: Ring,
    /// What the abusers know.
    loot: Loot,
    /// Nothing passes between the two sides.
    parted: bool,
    rng: Rng,
    measure: Measure,
}

impl Network {
    /// At time zero.
    pub fn new(scenario: NetworkScenario) -> Result<Self, ScenarioError> {
        let mut network = Network::empty(scenario)?;
        network.begin();
        network.write_script();
        Ok(network)
    }

    /// Nobody is there.
    fn empty(scenario: NetworkScenario) -> Result<Self, ScenarioError> {
        scenario.validate()?;
        let root = Rng::new(scenario.seed).fork("network");
        Ok(Network {
            now: 0,
            end: 0,
            over: false,
            queue: Schedule::default(),
            internet: Internet::new(scenario.round_trip, scenario.loss, root.fork("internet")),
            nodes: Vec::new(),
            alive: Vec::new(),
            servers: Vec::new(),
            live: None,
            ring: Ring::new(&scenario, root.fork("ring")),
            loot: Loot::default(),
            parted: scenario.partition > 0.0,
            measure: Measure::new(&scenario, &mut root.fork("torrents")),
            rng: root.fork("events"),
            scenario,
        })
    }

    /// What happens when.
    fn write_script(&mut self) {
        let Network {
            scenario,
            queue,
            rng,
            ..
        } = self;
        let joined = match scenario.start {
            Start::Ready => 0.0,
            Start::Joins(over) => over,
        };
        let begins = joined + scenario.idle;
        let lookups = begins + 2.0 * ANNOUNCES;
        self.end = nanos(lookups + scenario.span + PATIENCE);
        queue.push(nanos(joined + scenario.idle / 2.0), Event::Idle);
        queue.push(nanos(begins), Event::Busy);
        for torrent in 0..scenario.torrents as usize {
            let at = begins + ANNOUNCES * rng.unit();
            queue.push(nanos(at), Event::Announce(torrent));
        }
        queue.push(nanos(lookups), Event::Trouble);
        let late = scenario.torrents as usize..2 * scenario.torrents as usize;
        for torrent in late {
            let at = lookups + scenario.span * rng.unit();
            queue.push(nanos(at) + 1, Event::Announce(torrent));
        }
        for _ in 0..scenario.lookups {
            let at = lookups + scenario.span * rng.unit();
            // Behind what goes wrong, if it is at the same time.
            queue.push(nanos(at) + 1, Event::Lookup);
        }
    }

    /// What is played.
    pub fn scenario(&self) -> &NetworkScenario {
        &self.scenario
    }

    /// Virtual time since the start.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    /// All lookups have ended, or will not; never, if somebody plays with it.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Plays on until this time, or for so many events, whichever comes first; returns how
    /// many events it played. Zero when the time is reached or it is over.
    pub fn play(&mut self, until: Duration, events: usize) -> usize {
        let until = u64::try_from(until.as_nanos()).unwrap_or(Nanos::MAX);
        let mut played = 0;
        while played < events && !self.over {
            match self.queue.next_time() {
                Some(at) if at <= until && at <= self.end => {}
                _ => {
                    self.now = self.now.max(until.min(self.end));
                    self.over = self.live.is_none() && until >= self.end;
                    break;
                }
            }
            let Some((at, event)) = self.queue.pop() else {
                break;
            };
            self.now = at;
            played += 1;
            self.handle(event);
            self.over |= self.live.is_none() && self.measure.all_ended(&self.scenario);
        }
        self.measure.events += played as u64;
        played
    }

    /// Plays to the end.
    pub fn run(&mut self) {
        while !self.over {
            self.play(Duration::MAX, usize::MAX);
        }
    }

    /// Lookups that have ended so far.
    pub fn ended(&self) -> usize {
        self.measure.lookups.len()
    }

    /// Nodes that are there.
    pub fn population(&self) -> usize {
        self.alive.len()
    }

    /// What was measured so far.
    pub fn results(&self) -> NetworkResults {
        results::results(self)
    }

    /// What there is to see now.
    pub fn snapshot(&self) -> NetworkSnapshot {
        snapshot::snapshot(self)
    }

    /// A number that two runs have in common only when everything that happened in them was
    /// the same.
    pub fn fingerprint(&self) -> u64 {
        self.measure.fingerprint
    }

    /// An honest node that is there.
    fn dht(&self, index: Index) -> Option<&Dht> {
        self.nodes.get(index as usize)?.dht()
    }

    fn seconds(&self) -> f64 {
        seconds(self.now)
    }
}
