//! How we get on with trackers that answer and know nothing of us in between: HTTP and UDP.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnnounceConfig {
    /// However soon a tracker wants the next announce, or we want more peers: no sooner than
    /// after this, unless there is an event to tell. A minute: who comes meanwhile hears of us.
    pub least: Duration,
    /// And no later than after this, whatever it says: two hours, after which most have forgotten
    /// us.
    pub most: Duration,
    /// A tracker that did not answer as it should is tried again after this, at first and at
    /// most. It doubles each time. A quarter of a minute, and half an hour, the interval of most
    /// trackers.
    pub retry: (Duration, Duration),
    /// An announce that the host has not brought an answer to within this time has failed: two
    /// minutes, more than all attempts by UDP together.
    pub timeout: Duration,
    /// Peers that are asked for at once, at most: 200, as many as trackers tell of.
    pub numwant: u32,
    /// Trackers of one torrent that are made use of: 32. Each is an announce now and again, and
    /// torrents with a hundred of them have mostly dead ones.
    pub trackers: usize,
}

impl Default for AnnounceConfig {
    fn default() -> Self {
        AnnounceConfig {
            least: Duration::from_secs(60),
            most: Duration::from_hours(2),
            retry: (Duration::from_secs(15), Duration::from_mins(30)),
            timeout: Duration::from_secs(120),
            numwant: 200,
            trackers: 32,
        }
    }
}
