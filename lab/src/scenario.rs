//! What is simulated. Times are seconds, rates are bytes a second, shares are 0 to 1.

use serde::{Deserialize, Serialize};
use swarm_core::pieces::Strategy;

mod direct;
mod validate;

pub use direct::{DirectLinks, RelayUse};
pub(crate) use validate::within;

/// See the module. A scenario file holds one of these; whatever it leaves out has the
/// value of [`Scenario::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Everything random comes from it.
    pub seed: u64,
    /// How many pieces the torrent has.
    pub pieces: u32,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// How pieces are chosen.
    #[serde(with = "StrategyName")]
    pub strategy: Strategy,
    /// Who has what at the start.
    pub start: Start,
    /// Peers that have everything at the start (and seed for ever, whatever `stay` says,
    /// unless `seeders_leave_after` is set). None with [`Start::SpreadOut`].
    pub seeders: u32,
    /// The seeders leave at this time.
    pub seeders_leave_after: Option<f64>,
    /// Peers that want everything: contributors, free-riders and liars together.
    pub leechers: u32,
    /// Leechers that never upload, as a share of `leechers`.
    pub free_riders: f64,
    /// Peers that claim to have everything and send corrupt blocks, as a share of
    /// `leechers`. They are no leechers: nobody waits for them to complete.
    pub liars: f64,
    /// Members, beside the leechers and there before everybody else, that say they want
    /// something and ask for nothing.
    pub idle: u32,
    /// As many that say they have everything and answer no request.
    pub promisers: u32,
    /// As many that misbehave under the seeder's peer id.
    pub impostors: u32,
    /// When leechers arrive.
    pub arrivals: Arrivals,
    /// How long leechers stay.
    pub stay: Stay,
    /// The link of each seeder.
    pub seeder_link: AccessLink,
    /// The link of everybody else.
    pub leecher_link: AccessLink,
    /// What the relay can pass on, all channels together; none for no limit.
    pub relay_capacity: Option<f64>,
    /// What the relay is for, where peers can link directly.
    pub relay: RelayUse,
    /// What direct links are like; there are none with [`RelayUse::Only`].
    pub direct: DirectLinks,
    /// The store of every peer.
    pub store: Store,
    /// Times at which the tracker and relay is away.
    pub outages: Vec<Outage>,
    /// Peers choose whom they unchoke. Without it everybody is unchoked at all times.
    pub choking: bool,
    /// What the engines are told instead of their defaults.
    pub engine: EngineOptions,
    /// The run ends here even if peers are waiting.
    pub time_limit: f64,
}

/// Who has what at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The seeders have everything, the leechers nothing.
    #[default]
    Centralized,
    /// There is one copy of each piece, spread uniformly over the leechers that are there
    /// at the start; nobody has everything.
    SpreadOut,
}

/// Strategies have the names here that everything else has.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Strategy", rename_all = "kebab-case")]
enum StrategyName {
    #[serde(alias = "Sequential")]
    Sequential,
    #[serde(alias = "RarestFirst")]
    RarestFirst,
    #[serde(alias = "Streaming")]
    Streaming,
}

/// When leechers arrive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// All at time zero.
    #[default]
    AtOnce,
    /// One after the other, this many a second on average (Poisson process).
    Poisson(f64),
    /// At these times, in order; leechers beyond the list arrive with its last.
    Trace(Vec<f64>),
}

/// How long leechers stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stay {
    /// To the end, seeding once they are complete.
    #[default]
    Forever,
    /// They leave with the last piece.
    UntilComplete,
    /// They seed for this long after the last piece.
    SeedFor(f64),
    /// They leave after an exponentially distributed time of this mean, complete or not.
    Exponential(f64),
    /// The n-th leecher leaves this long after it came; those beyond the list stay.
    Trace(Vec<f64>),
}

/// One peer's access to the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccessLink {
    /// Bytes a second towards the relay.
    pub up: f64,
    /// Bytes a second from the relay.
    pub down: f64,
    /// Seconds between peer and relay, one way.
    pub latency: f64,
    /// Up to this many seconds more, uniformly; order is kept.
    pub jitter: f64,
}

/// What a peer's store is like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Store {
    /// Bytes a second, for reads and writes together; none for no limit.
    pub rate: Option<f64>,
    /// Seconds that every read and write takes at least.
    pub latency: f64,
    /// Up to this many seconds more, uniformly: what was asked for later may come earlier.
    pub jitter: f64,
    /// The share of leechers whose disk fills up.
    pub full_share: f64,
    /// Where it fills up: after this share of the pieces.
    pub full_at: f64,
    /// Room is made, and the person resumes, after this many seconds; none for never.
    pub room_after: Option<f64>,
    /// The share of writes that fail in other ways; the person resumes after
    /// `room_after`.
    pub failures: f64,
}

/// The tracker and relay is away.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Outage {
    /// From this time on,
    pub at: f64,
    /// for so many seconds. It comes back without memory, as after a restart.
    pub lasts: f64,
}

/// What the engines are told instead of their defaults; see [`swarm_core::engine::Config`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EngineOptions {
    /// Sessions of a peer at once.
    pub max_peers: Option<usize>,
    /// Sessions that a peer opens itself.
    pub target_peers: Option<usize>,
    /// Channels to one peer at once, 1 or 2: with 2, who comes back after an outage is known
    /// again.
    pub channels: Option<usize>,
}

/// Why a scenario can't be played.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// A number is out of its range.
    #[error("{name} is {value}: {wanted}")]
    OutOfRange {
        /// Its name in a scenario file.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it should be.
        wanted: &'static str,
    },
}

impl Default for Scenario {
    /// One seeder and ten leechers of equal links share 100 MiB in 400 pieces.
    fn default() -> Self {
        Scenario {
            seed: 1,
            pieces: 400,
            piece_length: 256 << 10,
            strategy: Strategy::RarestFirst,
            start: Start::Centralized,
            seeders: 1,
            seeders_leave_after: None,
            leechers: 10,
            free_riders: 0.0,
            liars: 0.0,
            idle: 0,
            promisers: 0,
            impostors: 0,
            arrivals: Arrivals::AtOnce,
            stay: Stay::Forever,
            seeder_link: AccessLink::default(),
            leecher_link: AccessLink::default(),
            relay_capacity: None,
            relay: RelayUse::default(),
            direct: DirectLinks::default(),
            store: Store::default(),
            outages: Vec::new(),
            choking: true,
            engine: EngineOptions::default(),
            time_limit: 86_400.0,
        }
    }
}

impl Default for AccessLink {
    /// A fibre line with a modest upload: 1 MB/s up, 4 MB/s down, 20 ms to the relay.
    fn default() -> Self {
        AccessLink {
            up: 1e6,
            down: 4e6,
            latency: 0.02,
            jitter: 0.005,
        }
    }
}

impl Default for Store {
    /// As fast as IndexedDB in a tab.
    fn default() -> Self {
        Store {
            rate: Some(150e6),
            latency: 0.002,
            jitter: 0.0,
            full_share: 0.0,
            full_at: 0.5,
            room_after: Some(60.0),
            failures: 0.0,
        }
    }
}
