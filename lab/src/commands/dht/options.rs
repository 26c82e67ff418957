//! A network on the command line.

use clap::{Args, ValueEnum};
use swarm_lab::network::{Abuse, NetworkScenario, Start};

use crate::commands::units::seconds;

/// What is not given is as in the scenario file, or the default.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Scenario")]
pub(super) struct Options {
    /// Everything random comes from it.
    #[arg(long)]
    seed: Option<u64>,
    /// Nodes, liars among them, Sybils not.
    #[arg(long)]
    nodes: Option<u32>,
    /// Nodes join one after the other within this time; without, all are there and know whom
    /// they would know.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    joins: Option<f64>,
    /// Nodes that everybody knows from the start.
    #[arg(long, value_name = "NODES")]
    bootstrap: Option<u32>,
    /// Nobody knows anybody: every node assumes that it is the first.
    #[arg(long, conflicts_with = "bootstrap")]
    no_bootstrap: bool,
    /// The bootstrap nodes are gone once the network is there.
    #[arg(long)]
    bootstrap_goes: bool,
    /// Time in which nobody wants anything, before anything is announced.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    idle: Option<f64>,
    /// Torrents that are announced, each by one node.
    #[arg(long)]
    torrents: Option<u32>,
    /// Times that somebody looks for one of them.
    #[arg(long)]
    lookups: Option<u32>,
    /// Time in which all that happens.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    span: Option<f64>,
    /// Median of round trips between two nodes.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    round_trip: Option<f64>,
    /// Standard deviation of their logarithms.
    #[arg(long)]
    sigma: Option<f64>,
    /// Share of datagrams that are lost (0 to 1).
    #[arg(long, value_name = "SHARE")]
    loss: Option<f64>,
    /// Share of nodes that die at once, between announces and lookups (0 to 1).
    #[arg(long, value_name = "SHARE")]
    dead: Option<f64>,
    /// Nodes stay for an exponentially distributed time of this median; a plain number is of
    /// minutes.
    #[arg(long, value_name = "MEDIAN", value_parser = minutes)]
    churn: Option<f64>,
    /// Share of nodes that tell of nodes that are not there, and remember nothing (0 to 1).
    #[arg(long, value_name = "SHARE")]
    liars: Option<f64>,
    /// Share of nodes that ask for more than they may, once things go wrong (0 to 1).
    #[arg(long, value_name = "SHARE")]
    abusers: Option<f64>,
    /// What those do.
    #[arg(long, value_enum)]
    abuse: Option<AbuseOption>,
    /// Queries a second that each of them sends.
    #[arg(long, value_name = "QUERIES")]
    abuse_rate: Option<f64>,
    /// Identities of one party around the torrents, which tell of each other and remember
    /// nothing.
    #[arg(long, value_name = "IDENTITIES")]
    sybils: Option<u32>,
    /// Networks (/24) that the party has addresses in.
    #[arg(long, value_name = "NETWORKS")]
    sybil_networks: Option<u32>,
    /// This share of the nodes can't reach the others until lookups begin (0 to 1).
    #[arg(long, value_name = "SHARE")]
    partition: Option<f64>,
    /// Contacts of a bucket.
    #[arg(long)]
    k: Option<usize>,
    /// The first buckets are as wide as the others, and not up to sixteen times as wide.
    #[arg(long)]
    narrow: bool,
    /// Queries of a lookup at once.
    #[arg(long)]
    alpha: Option<usize>,
    /// How many of the closest nodes are told of an announce.
    #[arg(long, value_name = "NODES")]
    closest: Option<usize>,
    /// Contacts of a bucket that wait for a place.
    #[arg(long, value_name = "CONTACTS")]
    replacements: Option<usize>,
    /// When a lookup goes on without an answer.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    short_timeout: Option<f64>,
    /// When an answer is not waited for any more.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    long_timeout: Option<f64>,
    /// Between two queries that keep the table alive.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    upkeep: Option<f64>,
    /// Between two announces.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    announce_interval: Option<f64>,
    /// A subnet may have as many places in a table as it likes.
    #[arg(long)]
    many_per_subnet: bool,
}

/// See [`Abuse`].
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AbuseOption {
    /// Asks for peers, all the time.
    Floods,
    /// Announces itself with others' tokens.
    ReplaysTokens,
    /// Puts values under others' keys.
    TakesKeys,
}

impl From<AbuseOption> for Abuse {
    fn from(option: AbuseOption) -> Self {
        match option {
            AbuseOption::Floods => Abuse::Floods,
            AbuseOption::ReplaysTokens => Abuse::ReplaysTokens,
            AbuseOption::TakesKeys => Abuse::TakesKeys,
        }
    }
}

impl Options {
    /// Sets what was given.
    pub(super) fn apply(&self, scenario: &mut NetworkScenario) {
        set(&mut scenario.seed, self.seed);
        set(&mut scenario.nodes, self.nodes);
        set(&mut scenario.start, self.joins.map(Start::Joins));
        set(&mut scenario.bootstrap, self.bootstrap);
        if self.no_bootstrap {
            scenario.bootstrap = 0;
            // Where all know each other nobody needs one.
            if scenario.start == Start::Ready {
                scenario.start = Start::Joins(0.0);
            }
        }
        scenario.bootstrap_goes |= self.bootstrap_goes;
        set(&mut scenario.idle, self.idle);
        set(&mut scenario.torrents, self.torrents);
        if self.torrents.is_none() {
            // One node announces one of them.
            scenario.torrents = scenario.torrents.min(scenario.nodes);
        }
        set(&mut scenario.lookups, self.lookups);
        set(&mut scenario.span, self.span);
        set(&mut scenario.round_trip.median, self.round_trip);
        set(&mut scenario.round_trip.sigma, self.sigma);
        set(&mut scenario.loss, self.loss);
        set(&mut scenario.dead, self.dead);
        scenario.churn = self.churn.or(scenario.churn);
        set(&mut scenario.liars, self.liars);
        set(&mut scenario.abusers, self.abusers);
        set(&mut scenario.abuse, self.abuse.map(Abuse::from));
        set(&mut scenario.abuse_rate, self.abuse_rate);
        set(&mut scenario.sybils, self.sybils);
        set(&mut scenario.sybil_networks, self.sybil_networks);
        set(&mut scenario.partition, self.partition);
        let node = &mut scenario.node;
        node.k = self.k.or(node.k);
        node.narrow |= self.narrow;
        node.alpha = self.alpha.or(node.alpha);
        node.closest = self.closest.or(node.closest);
        node.replacements = self.replacements.or(node.replacements);
        node.short_timeout = self.short_timeout.or(node.short_timeout);
        node.long_timeout = self.long_timeout.or(node.long_timeout);
        node.upkeep = self.upkeep.or(node.upkeep);
        node.announce_interval = self.announce_interval.or(node.announce_interval);
        node.many_per_subnet |= self.many_per_subnet;
    }
}

fn set<T>(field: &mut T, option: Option<T>) {
    if let Some(value) = option {
        *field = value;
    }
}

/// `60`, `1.4`, `90s`: seconds.
fn minutes(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(minutes) => Ok(minutes * 60.0),
        Err(_) => seconds(text),
    }
}
