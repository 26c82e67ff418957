//! What a run measured.

use serde::{Deserialize, Serialize};

use crate::snapshot::Role;

/// See the module. Times are seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Results {
    /// Virtual seconds that were played.
    pub time: f64,
    /// Events that were played.
    pub events: u64,
    /// Blocks that arrived at leechers, duplicates included.
    pub blocks: u64,
    /// One for each peer that came.
    pub peers: Vec<PeerResult>,
    /// Completion times of the contributors, from arrival.
    pub completion: Summary,
    /// Completion times of the free-riders, from arrival.
    pub free_rider_completion: Summary,
    /// The theoretical least time for the last completion, where the formula applies (all
    /// at once, centralized): max(F/u_s, F/d_min, N·F/(u_s + Σu_i)).
    pub least_time: Option<f64>,
    /// Payload bytes sent over what all present peers could have sent until the last
    /// completion.
    pub utilisation: f64,
    /// Payload bytes by who sent them.
    pub by_source: Vec<(Role, u64)>,
    /// Payload bytes that arrived for nothing: duplicates.
    pub duplicate: u64,
    /// Payload bytes that arrived for nothing: corrupt, or not asked for.
    pub corrupt: u64,
    /// The longest time in which a connected leecher that somebody connected could serve
    /// had no new byte.
    pub longest_stall: f64,
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PeerResult {
    /// What it was.
    pub role: Role,
    /// When it came.
    pub arrived: f64,
    /// When it had everything.
    pub completed: Option<f64>,
    /// When it left.
    pub left: Option<f64>,
    /// Verified pieces at the end.
    pub pieces: u32,
    /// Payload bytes taken.
    pub received: u64,
    /// Payload bytes given.
    pub sent: u64,
    /// Payload bytes that arrived for nothing.
    pub wasted: u64,
    /// Peers that it banned.
    pub banned: u32,
    /// The longest time without a new byte while it was connected and lacked something.
    pub longest_stall: f64,
}

/// Of a list of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// How many there are.
    pub count: u32,
    /// How many there would be if all had completed.
    pub of: u32,
    /// Their mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// The last.
    pub last: f64,
}
