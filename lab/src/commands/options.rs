//! A scenario on the command line.

use std::path::Path;
use std::str::FromStr;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::de::DeserializeOwned;
use swarm_core::pieces;
use swarm_lab::Scenario;
use swarm_lab::scenario::{AccessLink, Arrivals, Outage, RelayUse, Start, Stay};

use super::units::{piece_length, rate, seconds};

/// What was asked for makes no sense: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Wrong(pub(crate) String);

/// Everything of a scenario but what `lab compare` varies. What is not given is as in the
/// scenario file, or the default.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct Options {
    /// Everything random comes from it.
    #[arg(long)]
    seed: Option<u64>,
    /// How many pieces the torrent has.
    #[arg(long)]
    pieces: Option<u32>,
    /// Length of a piece, a multiple of 16 KiB.
    #[arg(long, value_name = "SIZE", value_parser = piece_length)]
    piece_length: Option<u32>,
    /// Who has what at the start: the seeders everything, or the leechers one copy of each
    /// piece (then without seeders).
    #[arg(long)]
    start: Option<StartName>,
    /// Peers that have everything.
    #[arg(long)]
    seeders: Option<u32>,
    /// The seeders leave at this time.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    seeders_leave_after: Option<f64>,
    /// Peers that want everything.
    #[arg(long)]
    leechers: Option<u32>,
    /// Leechers that never upload, as a share of all (0 to 1).
    #[arg(long, value_name = "SHARE")]
    free_riders: Option<f64>,
    /// Leechers that send corrupt blocks, as a share of all (0 to 1).
    #[arg(long, value_name = "SHARE")]
    liars: Option<f64>,
    /// Members that hold places and ask for nothing.
    #[arg(long)]
    idle: Option<u32>,
    /// Members that say they have everything and answer no request.
    #[arg(long)]
    promisers: Option<u32>,
    /// Members that misbehave under the seeder's name.
    #[arg(long)]
    impostors: Option<u32>,
    /// at-once, poisson:PER_SECOND, or trace:TIME,TIME,…
    #[arg(long, value_name = "HOW", value_parser = arrivals)]
    arrivals: Option<Arrivals>,
    /// forever, until-complete, seed-for:TIME, exp:MEAN_TIME, or trace:TIME,TIME,…
    #[arg(long, value_name = "HOW", value_parser = stay)]
    stay: Option<Stay>,
    /// Upload of every peer's link, a second.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    up: Option<f64>,
    /// Download of every peer's link, a second.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    down: Option<f64>,
    /// From a peer to the relay, one way.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    latency: Option<f64>,
    /// Up to so much more.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    jitter: Option<f64>,
    /// Upload of the seeders, if it is not the others'.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    seeder_up: Option<f64>,
    /// Download of the seeders, if it is not the others'.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    seeder_down: Option<f64>,
    /// What the relay passes on, all together: a rate, or unlimited.
    #[arg(long, value_name = "RATE", value_parser = rate_or_unlimited)]
    relay_capacity: Option<Limit>,
    /// Whether peers link directly, and what the relay is for then.
    #[arg(long)]
    relay: Option<RelayName>,
    /// From one peer to another by a direct link, one way.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    direct_latency: Option<f64>,
    /// Up to so much more.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    direct_jitter: Option<f64>,
    /// What each direct link carries: a rate, or unlimited.
    #[arg(long, value_name = "RATE", value_parser = rate_or_unlimited)]
    direct_rate: Option<Limit>,
    /// Share of pairs that cannot be linked directly (0 to 1).
    #[arg(long, value_name = "SHARE")]
    direct_unable: Option<f64>,
    /// Direct links break after so long on average, or never.
    #[arg(long, value_name = "TIME", value_parser = time_or_never)]
    direct_lifetime: Option<Limit>,
    /// Direct links of a peer at once.
    #[arg(long, value_name = "LINKS")]
    direct_most: Option<u32>,
    /// Peers that are linked introduce others to each other, beyond that.
    #[arg(long)]
    introductions: bool,
    /// What a peer's store reads and writes: a rate, or unlimited.
    #[arg(long, value_name = "RATE", value_parser = rate_or_unlimited)]
    store_rate: Option<Limit>,
    /// What every read and write takes at least.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    store_latency: Option<f64>,
    /// Up to so much more, at random: a store that answers in any order.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    store_jitter: Option<f64>,
    /// Share of writes that fail.
    #[arg(long, value_name = "SHARE")]
    store_failures: Option<f64>,
    /// Share of leechers whose disk fills up.
    #[arg(long, value_name = "SHARE")]
    full_share: Option<f64>,
    /// Where it fills up: after this share of the pieces.
    #[arg(long, value_name = "SHARE")]
    full_at: Option<f64>,
    /// After how long a person makes room and resumes, or never.
    #[arg(long, value_name = "TIME", value_parser = time_or_never)]
    room_after: Option<Limit>,
    /// The tracker and relay is away: from a time on, for so long (30s+20s). May be given
    /// several times, in order.
    #[arg(long, value_name = "AT+LASTS", value_parser = outage)]
    outage: Vec<Outage>,
    /// Sessions of a peer at once.
    #[arg(long)]
    max_peers: Option<usize>,
    /// Sessions that a peer opens itself.
    #[arg(long)]
    target_peers: Option<usize>,
    /// Channels to one peer at once, 1 or 2; with 2, who comes back after an outage is known
    /// again.
    #[arg(long)]
    channels: Option<usize>,
    /// Virtual time after which to stop.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    time_limit: Option<f64>,
}

impl Options {
    /// Sets what was given.
    pub(crate) fn apply(&self, scenario: &mut Scenario) {
        set(&mut scenario.seed, self.seed);
        set(&mut scenario.pieces, self.pieces);
        set(&mut scenario.piece_length, self.piece_length);
        if let Some(start) = self.start {
            scenario.start = start.into();
            if scenario.start == Start::SpreadOut {
                scenario.seeders = 0;
            }
        }
        set(&mut scenario.seeders, self.seeders);
        set(&mut scenario.leechers, self.leechers);
        set(&mut scenario.free_riders, self.free_riders);
        set(&mut scenario.liars, self.liars);
        set(&mut scenario.idle, self.idle);
        set(&mut scenario.promisers, self.promisers);
        set(&mut scenario.impostors, self.impostors);
        set(&mut scenario.arrivals, self.arrivals.clone());
        set(&mut scenario.stay, self.stay.clone());
        if self.seeders_leave_after.is_some() {
            scenario.seeders_leave_after = self.seeders_leave_after;
        }
        self.link(&mut scenario.leecher_link);
        self.link(&mut scenario.seeder_link);
        set(&mut scenario.seeder_link.up, self.seeder_up);
        set(&mut scenario.seeder_link.down, self.seeder_down);
        limit(&mut scenario.relay_capacity, self.relay_capacity);
        set(&mut scenario.relay, self.relay.map(RelayUse::from));
        let direct = &mut scenario.direct;
        set(&mut direct.latency, self.direct_latency);
        set(&mut direct.jitter, self.direct_jitter);
        limit(&mut direct.rate, self.direct_rate);
        set(&mut direct.unable, self.direct_unable);
        limit(&mut direct.lifetime, self.direct_lifetime);
        direct.most = self.direct_most.or(direct.most);
        direct.introductions |= self.introductions;
        let store = &mut scenario.store;
        limit(&mut store.rate, self.store_rate);
        set(&mut store.latency, self.store_latency);
        set(&mut store.jitter, self.store_jitter);
        set(&mut store.failures, self.store_failures);
        set(&mut store.full_share, self.full_share);
        set(&mut store.full_at, self.full_at);
        limit(&mut store.room_after, self.room_after);
        if !self.outage.is_empty() {
            scenario.outages.clone_from(&self.outage);
        }
        let engine = &mut scenario.engine;
        engine.max_peers = self.max_peers.or(engine.max_peers);
        engine.target_peers = self.target_peers.or(engine.target_peers);
        engine.channels = self.channels.or(engine.channels);
        set(&mut scenario.time_limit, self.time_limit);
    }

    fn link(&self, link: &mut AccessLink) {
        set(&mut link.up, self.up);
        set(&mut link.down, self.down);
        set(&mut link.latency, self.latency);
        set(&mut link.jitter, self.jitter);
    }
}

fn set<T>(field: &mut T, option: Option<T>) {
    if let Some(value) = option {
        *field = value;
    }
}

fn limit(field: &mut Option<f64>, option: Option<Limit>) {
    if let Some(Limit(value)) = option {
        *field = value;
    }
}

/// Reads a scenario file: TOML if its name says so, JSON otherwise.
pub(crate) fn read<S: DeserializeOwned>(path: &Path) -> anyhow::Result<S> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let scenario = if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        toml::from_str(&text)
            .map_err(|error| (error.span().map(|s| s.start), error.message().to_owned()))
    } else {
        serde_json::from_str(&text).map_err(|error| (None, error.to_string()))
    };
    let scenario = scenario.map_err(|(at, message)| {
        let line = at.map(|at| {
            text.as_bytes()[..at.min(text.len())]
                .iter()
                .filter(|b| **b == b'\n')
                .count()
                + 1
        });
        let line = line.map_or(String::new(), |line| format!("line {line}: "));
        Wrong(format!("{name}: {line}{}", message.replace('\n', " ")))
    });
    Ok(scenario?)
}

/// A scenario that can be played.
pub(crate) fn checked(scenario: Scenario) -> Result<Scenario, Wrong> {
    match scenario.validate() {
        Ok(()) => Ok(scenario),
        Err(error) => Err(Wrong(error.to_string())),
    }
}

/// How pieces are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    /// In order.
    Sequential,
    /// What the fewest have.
    RarestFirst,
    /// In order near the play position, the rarest elsewhere.
    Streaming,
}

impl From<Strategy> for pieces::Strategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Sequential => pieces::Strategy::Sequential,
            Strategy::RarestFirst => pieces::Strategy::RarestFirst,
            Strategy::Streaming => pieces::Strategy::Streaming,
        }
    }
}

/// Do peers choose whom they unchoke?
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// They do.
    On,
    /// Everybody is unchoked at all times.
    Off,
}

/// Who has what at the start.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum StartName {
    Centralized,
    SpreadOut,
}

impl From<StartName> for Start {
    fn from(name: StartName) -> Self {
        match name {
            StartName::Centralized => Start::Centralized,
            StartName::SpreadOut => Start::SpreadOut,
        }
    }
}

/// What the relay is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RelayName {
    /// It carries everything at first; then, of each pair, whatever is better.
    Free,
    /// It carries everything; direct links stand by.
    Fixed,
    /// It carries what no direct link can.
    Spare,
    /// There are no direct links.
    Only,
}

impl From<RelayName> for RelayUse {
    fn from(name: RelayName) -> Self {
        match name {
            RelayName::Free => RelayUse::Free,
            RelayName::Fixed => RelayUse::Fixed,
            RelayName::Spare => RelayUse::Spare,
            RelayName::Only => RelayUse::Only,
        }
    }
}

/// A figure, or none at all.
#[derive(Clone, Copy, Debug)]
struct Limit(Option<f64>);

fn rate_or_unlimited(text: &str) -> Result<Limit, String> {
    match text {
        "unlimited" => Ok(Limit(None)),
        _ => rate(text).map(|rate| Limit(Some(rate))),
    }
}

fn time_or_never(text: &str) -> Result<Limit, String> {
    match text {
        "never" => Ok(Limit(None)),
        _ => seconds(text).map(|time| Limit(Some(time))),
    }
}

fn arrivals(text: &str) -> Result<Arrivals, String> {
    match text.split_once(':') {
        None if text == "at-once" => Ok(Arrivals::AtOnce),
        Some(("poisson", rate)) => f64::from_str(rate)
            .map(Arrivals::Poisson)
            .map_err(|_| format!("`{rate}` is no number of arrivals a second")),
        Some(("trace", times)) => trace(times).map(Arrivals::Trace),
        _ => Err("at-once, poisson:0.5 or trace:0s,10s,1min".to_owned()),
    }
}

fn stay(text: &str) -> Result<Stay, String> {
    match text.split_once(':') {
        None if text == "forever" => Ok(Stay::Forever),
        None if text == "until-complete" => Ok(Stay::UntilComplete),
        Some(("seed-for", time)) => seconds(time).map(Stay::SeedFor),
        Some(("exp", mean)) => seconds(mean).map(Stay::Exponential),
        Some(("trace", times)) => trace(times).map(Stay::Trace),
        _ => Err("forever, until-complete, seed-for:60s, exp:120s or trace:10s,1min".to_owned()),
    }
}

fn trace(times: &str) -> Result<Vec<f64>, String> {
    times.split(',').map(seconds).collect()
}

fn outage(text: &str) -> Result<Outage, String> {
    let (at, lasts) = text
        .split_once('+')
        .ok_or_else(|| "write when it begins and how long it lasts: 30s+20s".to_owned())?;
    Ok(Outage {
        at: seconds(at)?,
        lasts: seconds(lasts)?,
    })
}
