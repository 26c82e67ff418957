//! What a server may be told.

use std::path::PathBuf;
use std::time::Duration;

use swarm_core::hub::HubConfig;

/// Everything that a server may be told; the defaults serve.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the page comes from.
    pub page: Page,
    /// Limits of the tracker and relay.
    pub hub: HubConfig,
    /// Origins (`https://example.org`) whose pages may connect. Empty: all of them.
    /// Clients that are no browser send no origin, and may always connect.
    pub allowed_origins: Vec<String>,
    /// A client that was silent for this long is pinged, and after twice as much again
    /// its connection is closed.
    pub ping_interval: Duration,
    /// A client that takes no byte for this long while there are some for it is closed.
    pub write_timeout: Duration,
    /// Bytes of answers that may wait for one client. While there are more, it is not read
    /// from: whoever asks has to listen too.
    pub max_answers: usize,
    /// Connections at once that are no WebSocket yet.
    pub max_http_connections: usize,
}

/// Where the page comes from.
#[derive(Clone, Debug)]
pub enum Page {
    /// From this binary; a debug build reads it from the checkout's `dist/`.
    BuiltIn,
    /// From a folder.
    Folder(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Config {
            page: Page::BuiltIn,
            hub: HubConfig::default(),
            allowed_origins: Vec::new(),
            ping_interval: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            // About thirty answers to an announce.
            max_answers: 64 << 10,
            max_http_connections: 1024,
        }
    }
}
