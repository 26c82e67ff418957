//! What is played. Times are seconds, shares are 0 to 1.

use serde::{Deserialize, Serialize};

use super::Abuse;
use crate::ScenarioError;
use crate::scenario::within;

/// See the module. What it begins with, what goes wrong, and what is looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkScenario {
    /// Everything random comes from it.
    pub seed: u64,
    /// Nodes, liars and abusers among them, Sybils not.
    pub nodes: u32,
    /// How the network comes about.
    pub start: Start,
    /// Nodes that everybody knows from the start, and that stay to the end. With none nobody
    /// ever hears of anybody.
    pub bootstrap: u32,
    /// The bootstrap nodes are gone once the network is there.
    pub bootstrap_goes: bool,
    /// Time from the start, or from the last join, until anything is announced. Traffic is
    /// measured in its second half: nobody looks for anything then.
    pub idle: f64,
    /// Torrents that are announced, each by one node, which stays to the end; as many that nobody
    /// looks for are announced while others are looked for.
    pub torrents: u32,
    /// Times that somebody looks for one of them.
    pub lookups: u32,
    /// Time in which all that happens.
    pub span: f64,
    /// Round trips between nodes.
    pub round_trip: RoundTrip,
    /// Share of datagrams that are lost.
    pub loss: f64,
    /// Share of nodes that die at once, without a word, between announces and lookups.
    pub dead: f64,
    /// Nodes stay for an exponentially distributed time of this median, and for each that goes
    /// one joins; none if they stay to the end.
    pub churn: Option<f64>,
    /// Share of nodes that tell of nodes that are not there, and remember nothing.
    pub liars: f64,
    /// Share of nodes that ask for more than they may, once things go wrong.
    pub abusers: f64,
    /// What those do.
    pub abuse: Abuse,
    /// Queries a second that each of them sends.
    pub abuse_rate: f64,
    /// Identities of one party, as close to the torrents as can be, which tell of each other
    /// and remember nothing.
    pub sybils: u32,
    /// Networks (/24) that the party has addresses in.
    pub sybil_networks: u32,
    /// This share of the nodes can't reach the others, nor they it, until lookups begin.
    pub partition: f64,
    /// What nodes are told instead of their defaults.
    pub node: NodeOptions,
}

/// How the network comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// It is there, and all know whom they would know.
    #[default]
    Ready,
    /// Nodes join one after the other within this time, through the bootstrap nodes.
    Joins(f64),
}

/// Round trips between two nodes: a lognormal distribution over pairs, the same for a pair each
/// time but for the jitter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoundTrip {
    /// The median over pairs.
    pub median: f64,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
    /// Up to this share more, uniformly, each time.
    pub jitter: f64,
}

/// What nodes are told instead of their defaults; see [`swarm_core::dht::Config`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeOptions {
    /// Contacts of a bucket.
    pub k: Option<usize>,
    /// The first buckets are as wide as the others.
    pub narrow: bool,
    /// Queries of a lookup at once.
    pub alpha: Option<usize>,
    /// How many of the closest nodes are told of an announce.
    pub closest: Option<usize>,
    /// Contacts of a bucket that wait for a place.
    pub replacements: Option<usize>,
    /// When a lookup goes on without an answer.
    pub short_timeout: Option<f64>,
    /// When an answer is not waited for any more.
    pub long_timeout: Option<f64>,
    /// Between two queries that keep the table alive.
    pub upkeep: Option<f64>,
    /// Between two announces.
    pub announce_interval: Option<f64>,
    /// A subnet may have as many places as it likes.
    pub many_per_subnet: bool,
}

impl Default for NetworkScenario {
    /// A thousand nodes that all answer.
    fn default() -> Self {
        NetworkScenario {
            seed: 1,
            nodes: 1000,
            start: Start::Ready,
            bootstrap: 3,
            bootstrap_goes: false,
            idle: 60.0,
            torrents: 100,
            lookups: 1000,
            span: 30.0,
            round_trip: RoundTrip::default(),
            loss: 0.0,
            dead: 0.0,
            churn: None,
            liars: 0.0,
            abusers: 0.0,
            abuse: Abuse::default(),
            abuse_rate: 100.0,
            sybils: 0,
            sybil_networks: 1,
            partition: 0.0,
            node: NodeOptions::default(),
        }
    }
}

impl Default for RoundTrip {
    /// As measured in the mainline DHT: half of all answers come within 90 ms.
    fn default() -> Self {
        RoundTrip {
            median: 0.09,
            sigma: 0.6,
            jitter: 0.1,
        }
    }
}

/// A year.
const MAX_TIME: f64 = 366.0 * 86_400.0;

impl NetworkScenario {
    /// Says what is wrong with it, if anything is.
    pub fn validate(&self) -> Result<(), ScenarioError> {
        let share = |name, value| within(name, value, 0.0, 1.0, "a share from 0 to 1");
        let time = |name, value| within(name, value, 0.0, MAX_TIME, "seconds, at most a year");
        let nodes = f64::from(self.nodes);
        within("nodes", nodes, 2.0, 1e6, "from 2 to 1,000,000")?;
        let bootstrap = f64::from(self.bootstrap);
        within("bootstrap", bootstrap, 0.0, nodes, "at most all nodes")?;
        if let Start::Joins(over) = self.start {
            time("start.joins", over)?;
        }
        time("idle", self.idle)?;
        time("span", self.span)?;
        let torrents = f64::from(self.torrents);
        within("torrents", torrents, 1.0, nodes, "from 1 to all nodes")?;
        let lookups = f64::from(self.lookups);
        within("lookups", lookups, 0.0, 1e6, "at most 1,000,000")?;
        let RoundTrip {
            median,
            sigma,
            jitter,
        } = self.round_trip;
        within("round-trip.median", median, 1e-6, 60.0, "up to a minute")?;
        within("round-trip.sigma", sigma, 0.0, 3.0, "from 0 to 3")?;
        within("round-trip.jitter", jitter, 0.0, 10.0, "from 0 to 10")?;
        share("loss", self.loss)?;
        share("dead", self.dead)?;
        share("liars", self.liars)?;
        share("abusers", self.abusers)?;
        share("abusers", self.liars + self.abusers)?;
        let rate = self.abuse_rate;
        within("abuse-rate", rate, 1e-3, 1e6, "up to a million a second")?;
        share("partition", self.partition)?;
        self.churn.map_or(Ok(()), |median| {
            within("churn", median, 1.0, MAX_TIME, "a second at least")
        })?;
        let sybils = f64::from(self.sybils);
        within("sybils", sybils, 0.0, 1e6, "at most 1,000,000")?;
        let networks = f64::from(self.sybil_networks);
        within("sybil-networks", networks, 1.0, 1e5, "from 1 to 100,000")?;
        self.node.validate()
    }
}

impl NodeOptions {
    fn validate(&self) -> Result<(), ScenarioError> {
        for (name, count) in [
            ("node.k", self.k),
            ("node.alpha", self.alpha),
            ("node.closest", self.closest),
        ] {
            let value = count.unwrap_or(1) as f64;
            within(name, value, 1.0, 128.0, "from 1 to 128")?;
        }
        let replacements = self.replacements.unwrap_or(0) as f64;
        within("node.replacements", replacements, 0.0, 128.0, "at most 128")?;
        for (name, time) in [
            ("node.short-timeout", self.short_timeout),
            ("node.long-timeout", self.long_timeout),
            ("node.upkeep", self.upkeep),
            ("node.announce-interval", self.announce_interval),
        ] {
            let value = time.unwrap_or(1.0);
            within(name, value, 1e-3, MAX_TIME, "a millisecond at least")?;
        }
        Ok(())
    }
}
