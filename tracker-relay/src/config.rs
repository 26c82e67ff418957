//! What a server may be told.

use std::path::PathBuf;
use std::time::Duration;

use swarm_core::dht;
use swarm_core::hub::HubConfig;
use swarm_core::wire::webtorrent;

use crate::proxies::Proxies;

/// Files that are open beside clients' connections: those of the page that are being read,
/// connections that are closing, and the process's own.
const OTHER_FILES: u64 = 256;

/// Everything that a server may be told; the defaults serve. All its limits are here.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the page comes from.
    pub page: Page,
    /// Limits of the tracker and relay. `max_connections` are WebSockets.
    pub hub: HubConfig,
    /// Origins (`https://example.org`) whose pages may connect, beside the page that is served
    /// here; `*` stands for all. Clients that are no browser send no origin, and may always
    /// connect.
    pub allowed_origins: Vec<String>,
    /// Proxies in front of this server. What they report of their clients (`X-Forwarded-For`,
    /// `X-Forwarded-Host`) is believed, and nobody else's.
    pub trusted_proxies: Vec<Proxies>,
    /// A client that was silent for this long is pinged, and after twice as much again
    /// its connection is closed.
    pub ping_interval: Duration,
    /// A client that takes no bytes for this long while there are some for it is closed.
    pub write_timeout: Duration,
    /// How long a client may take to send the head of a request, and be idle before one.
    pub http_timeout: Duration,
    /// Bytes of answers that may wait for one client. While there are more, it is not read
    /// from: whoever asks has to listen too.
    pub max_answers: usize,
    /// Pings of a client from one look at it to the next, which are a quarter of the shorter of
    /// the two timeouts apart. A client that wants to know whether we are there asks every few
    /// seconds; each ping costs us an answer of its own.
    pub max_pings: u32,
    /// Bytes of a request's head: a dozen times what a browser sends, and what one who only
    /// begins requests makes us hold. No less than 8 KiB.
    pub max_head: usize,
    /// Clients at once that are told why their connection ends, and may answer. Others, in a
    /// rush of those that are refused, only see that it does.
    pub max_leaving: usize,
    /// Connections at once of whatever kind, which are open files to the system. Those beyond
    /// are told that there is no place for them.
    pub max_sockets: usize,
    /// Connections at once that are no WebSocket yet. When all are taken, the oldest of the
    /// address that has most gives way: 1,024 are as many pages on their way at once, and
    /// one takes a fraction of a second.
    pub max_http_connections: usize,
    /// Bytes of large messages that have begun to arrive, of all clients together. When they
    /// are used up, the largest of the address that has most is given up. 256 MiB are a
    /// thousand pieces of half a megabyte, half sent.
    pub max_unfinished: u64,
    /// Times in a second that one address (of IPv6, one /64) is told its own: a classroom
    /// whose tabs all connect at once, and ten kilobytes a second for somebody in whose name
    /// others ask.
    pub max_stun_rate: u32,
    /// Connection ids that one address (of IPv6, one /64) gets from the UDP tracker in a
    /// second. A client needs one a minute.
    pub max_udp_connects: u32,
    /// What a node of the DHT does and allows here. The rate is a server's: 250 kB a second are
    /// a thousand answers, while 8 kB, which suit a peer at home, are thirty.
    pub dht: dht::Config,
    /// Ordinary clients may announce and scrape over HTTP.
    pub http_tracker: bool,
    /// WebSockets that ask for no subprotocol speak that of WebTorrent's trackers.
    pub webtorrent: bool,
    /// What a message of theirs may hold.
    pub webtorrent_limits: webtorrent::MessageLimits,
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
            trusted_proxies: Vec::new(),
            ping_interval: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            http_timeout: Duration::from_secs(15),
            // About thirty answers to an announce.
            max_answers: 64 << 10,
            max_pings: 100,
            max_head: 16 << 10,
            max_leaving: 64,
            max_sockets: usize::MAX,
            max_http_connections: 1024,
            max_unfinished: 256 << 20,
            max_stun_rate: 200,
            max_udp_connects: 200,
            dht: dht::Config {
                bytes_per_second: 250_000,
                ..dht::Config::default()
            },
            http_tracker: true,
            webtorrent: true,
            webtorrent_limits: webtorrent::MessageLimits::default(),
        }
    }
}

impl Config {
    /// Lowers the numbers of connections to what a process that may have `files` open files
    /// can serve. True if it had to.
    pub fn fit_files(&mut self, files: u64) -> bool {
        let available = files.saturating_sub(OTHER_FILES).max(2);
        let available = usize::try_from(available).unwrap_or(usize::MAX);
        self.max_sockets = self.max_sockets.min(available);
        self.max_http_connections = self.max_http_connections.min((available / 4).max(1));
        // One address may have half of the WebSockets, two a third each, and so on: what an
        // eighth is too much is used up by eight greedy ones together, if at all.
        let sockets = available - self.max_http_connections;
        let most = sockets + sockets / 8;
        let fewer = self.hub.max_connections > most;
        if fewer {
            self.hub.max_connections = most;
        }
        fewer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_into_the_files_that_there_may_be() {
        let mut config = Config::default();
        assert!(!config.fit_files(1 << 20));
        assert_eq!(
            config.hub.max_connections,
            HubConfig::default().max_connections
        );
        assert!(config.fit_files(1024));
        assert_eq!(config.max_sockets, 768);
        assert_eq!(config.max_http_connections, 192);
        assert_eq!(config.hub.max_connections, 576 + 72);
        for files in 0..300 {
            config.fit_files(files);
            assert!(config.max_http_connections >= 1 && config.hub.max_connections >= 1);
        }
    }
}
