//! What a peer allows itself and others. Every bound on its memory is here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pieces::Strategy;

/// See the module. `Config::default()` suits a tab and a terminal alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Names the software to other peers (BEP 10 `v`).
    pub client: String,
    /// How pieces are chosen in torrents that say nothing else.
    pub strategy: Strategy,
    /// Sessions of one torrent at once.
    pub max_peers: usize,
    /// Sessions that we open ourselves; beyond it we only accept.
    pub target_peers: usize,
    /// Peers that may request from us at once, in one torrent.
    pub upload_slots: usize,
    /// Bytes of pieces in progress, hashing and writing included, in one torrent.
    pub bytes_in_progress: u64,
    /// Bytes of whole pieces kept in memory to serve from, over all torrents.
    pub read_cache: u64,
    /// Store reads under way at once, over all torrents.
    pub max_reads: usize,
    /// Pieces hashed at once when checking what is on disk.
    pub max_checks: usize,
    /// Credit that we give each channel.
    pub receive_window: u32,
    /// Bytes handed to the tracker link and not yet reported as written.
    pub link_budget: usize,
    /// Bytes of one data frame's payload: large and few is fastest in a tab.
    pub frame_payload: usize,
    /// Requests in flight to one peer at the start, and at the most.
    pub request_queue: (usize, usize),
    /// Requests of one peer that we keep.
    pub max_incoming_requests: usize,
    /// A request that is not answered for this long is asked elsewhere.
    pub request_timeout: Duration,
    /// A session that says nothing at all for this long is closed (BEP 3: two minutes).
    pub idle_timeout: Duration,
    /// A peer that contributed to this many bad pieces is banned; at once if it alone did.
    pub max_bad_pieces: u32,
    /// How often rates are measured and slots are given out.
    pub choke_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            client: concat!("Tabswarm ", env!("CARGO_PKG_VERSION")).to_owned(),
            strategy: Strategy::RarestFirst,
            max_peers: 50,
            target_peers: 30,
            upload_slots: 8,
            bytes_in_progress: 24 << 20,
            read_cache: 16 << 20,
            max_reads: 8,
            max_checks: 4,
            receive_window: 4 << 20,
            link_budget: 2 << 20,
            frame_payload: 256 << 10,
            request_queue: (64, 256),
            max_incoming_requests: 512,
            request_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(150),
            max_bad_pieces: 3,
            choke_interval: Duration::from_secs(10),
        }
    }
}
