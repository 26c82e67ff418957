//! How web seeds (BEP 19) are made use of, peers of last resort.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebSeedConfig {
    /// Addresses of one torrent that are made use of at all: eight. Each may be tried, and kept
    /// in mind.
    pub known: usize,
    /// Those of one torrent that take a peer's place at once: two. One is as fast as its line,
    /// and the other is there when it fails.
    pub at_once: usize,
    /// So long peers have the download to themselves: a second, in which they are found and
    /// greet, as a rule.
    pub head_start: Duration,
    /// Bytes a second from all peers that are enough: then a web seed is asked only for pieces
    /// that none of them has. 256 KiB, two megabits: a film can be watched meanwhile.
    pub enough: u64,
    /// Requests in flight to a web seed, as long as it brings what it is asked for: 128, which
    /// is 2 MiB. When it has brought half, it is asked for as much again, so a range is about a
    /// megabyte, and there is always a next one.
    pub ahead: usize,
    /// The longest range that is asked for by one request of HTTP, in bytes: 4 MiB, as
    /// libtorrent's, where many blocks lie side by side.
    pub range: u32,
    /// A web seed that is asked for something and sends nothing for so long has failed: twenty
    /// seconds, as for a peer's block.
    pub patience: Duration,
    /// Fewer bytes than these in that time are as good as none, unless a range ends with them: a
    /// block's, 800 a second. Who sends one now and then keeps the place of one that would send all.
    pub least: u32,
    /// How long one that failed is left alone, at first and at most. It doubles each time, until
    /// a range comes whole. Five seconds, and ten minutes. One that can't send ranges waits for
    /// the longest time at once.
    pub retry: (Duration, Duration),
}

impl Default for WebSeedConfig {
    fn default() -> Self {
        WebSeedConfig {
            known: 8,
            at_once: 2,
            head_start: Duration::from_secs(1),
            enough: 256 << 10,
            ahead: 128,
            range: 4 << 20,
            patience: Duration::from_secs(20),
            least: 16 << 10,
            retry: (Duration::from_secs(5), Duration::from_mins(10)),
        }
    }
}
