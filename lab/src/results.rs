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
    /// Payload bytes that the relay was handed.
    pub relayed: u64,
    /// Payload bytes that went from peer to peer by direct links.
    pub direct: u64,
    /// Direct links that came about,
    pub links: u64,
    /// and those of them that broke.
    pub links_broken: u64,
    /// Payload bytes by who sent them.
    pub by_source: Vec<(Role, u64)>,
    /// Payload bytes that arrived at leechers for nothing, because they were there already.
    pub duplicate: u64,
    /// For nothing, because the hash of their piece was wrong.
    pub corrupt: u64,
    /// For nothing, because they were not asked for, or no longer.
    pub unrequested: u64,
    /// For nothing, because their piece was given up before it was whole.
    pub given_up: u64,
    /// What each role gave and took, in the order of [`Role`]; roles that came only.
    pub fairness: Vec<Fairness>,
    /// Jain's index of what the contributors gave over what they took, (Σx)² / (n·Σx²): 1
    /// if all gave the same share, 1/n if one gave everything. None without contributors
    /// that took anything.
    pub fairness_index: Option<f64>,
    /// The longest time in which a connected leecher that somebody connected could serve
    /// had no new byte.
    pub longest_stall: f64,
}

impl Results {
    /// Payload bytes that arrived at leechers for nothing.
    pub fn wasted(&self) -> u64 {
        self.duplicate + self.corrupt + self.unrequested + self.given_up
    }

    /// Share of the payload that went through the relay.
    pub fn relayed_share(&self) -> f64 {
        self.relayed as f64 / (self.relayed + self.direct).max(1) as f64
    }

    /// How many leechers there were.
    pub fn leechers(&self) -> u32 {
        self.completion.of + self.free_rider_completion.of
    }

    /// Share of the leechers that completed.
    pub fn complete_share(&self) -> f64 {
        let complete = self.completion.count + self.free_rider_completion.count;
        f64::from(complete) / f64::from(self.leechers().max(1))
    }

    /// The completion curve: at each time (since the start) at which leechers completed,
    /// the share of all leechers that were complete then. It begins with none at time 0.
    pub fn completion_curve(&self) -> Vec<(f64, f64)> {
        let leechers = self.peers.iter().filter(|peer| peer.role.is_leecher());
        let mut times: Vec<f64> = leechers.filter_map(|peer| peer.completed).collect();
        times.sort_by(f64::total_cmp);
        let all = f64::from(self.leechers().max(1));
        let mut curve = vec![(0.0, 0.0)];
        for (number, time) in times.into_iter().enumerate() {
            curve.push((time, (number + 1) as f64 / all));
        }
        curve
    }
}

/// What the peers of a role gave and took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fairness {
    /// Which role.
    pub role: Role,
    /// How many peers there were.
    pub peers: u32,
    /// Payload bytes that they sent.
    pub given: u64,
    /// Payload bytes that they received.
    pub taken: u64,
    /// Given over taken; none if they took nothing.
    pub ratio: Option<f64>,
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
    /// Direct links that it had, one after the other and at once.
    pub links: u32,
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
