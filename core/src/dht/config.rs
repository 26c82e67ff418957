//! What a node of the DHT does and allows. Every bound on its memory and its traffic is here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// See the module. The defaults suit a peer at home; "libtorrent" in a reason means that the
/// value is that of its 2.1, which most of the network's nodes run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Takes part over IPv4.
    pub v4: bool,
    /// Takes part over IPv6 (BEP 32).
    pub v6: bool,
    /// Takes part among tabs.
    pub tabs: bool,
    /// Asks, and answers nobody (BEP 43): for who can't be reached from outside, since others
    /// would lose time with it if they put it into their tables. Off.
    pub read_only: bool,
    /// What the software calls itself (BEP 5, `v`): two letters and two bytes of version.
    pub version: [u8; 4],

    /// Contacts of a bucket (Kademlia's k). 8: BEP 5. With 20 lookups cost two or three times
    /// as much and succeed as often.
    pub bucket: usize,
    /// Contacts of the first buckets, those of the farthest nodes, if more than
    /// [`Config::bucket`]. 128, 64, 32, 16 (libtorrent): nearly half a hop less a lookup.
    pub first_buckets: [usize; 4],
    /// Contacts of a bucket that wait for the place of one that stops answering. 8 (libtorrent).
    pub replacements: usize,
    /// Of a subnet (a /24 of IPv4, a /64 of IPv6) no more than one is in a bucket, in a
    /// lookup, and none twice in a table: who has one such network doesn't own a region of the
    /// identifiers. Addresses that mean nothing on the Internet are exempt. On (libtorrent).
    pub one_per_subnet: bool,
    /// Nodes whose identifiers do not fit their addresses (BEP 42) get into no table and may
    /// not announce. Off (libtorrent): half of the network has none that fit. Those with
    /// fitting ones come first either way.
    pub enforce_ids: bool,

    /// Queries of a lookup under way at once (Kademlia's α). 4: between Kademlia's 3 and
    /// libtorrent's 5; with the short timeout more buys nothing.
    pub alpha: usize,
    /// How many of the closest nodes a lookup wants to have heard, and an announce is told to.
    /// 8: BEP 5's k, independent of the width of buckets.
    pub closest: usize,
    /// A query that is not answered for as long as TCP would wait (the smoothed round trip and
    /// four deviations, RFC 6298), but no less than this, doesn't hold its lookup up any more.
    /// Half a second: what a host that is busy now and then is late by, and no more is gained by
    /// less, since nobody who is slow holds up what can be done without it.
    pub short_timeout: Duration,
    /// As long as nobody has answered anything yet, the time that TCP would wait. Half a second:
    /// nine of ten answers come sooner.
    pub first_timeout: Duration,
    /// Deviations beyond the smoothed round trip after which a query of a lookup is slow: the
    /// next one is asked beside it, and its lookup waits for it no less. 1: one answer in six is
    /// slower, where round trips are lognormal with σ = 0.6.
    pub slow_deviations: u32,
    /// After this long an answer is not an answer, and its node has failed. 15 s (libtorrent):
    /// what is late is still worth having.
    pub long_timeout: Duration,
    /// Queries that may be under way at once; more wait. 256: sixteen lookups, with what is
    /// late of each.
    pub max_calls: usize,
    /// Lookups at once, of all requests and of upkeep; more wait. 16.
    pub max_lookups: usize,
    /// Nodes that a lookup keeps, the closest ones. 64: eight answers' worth.
    pub max_candidates: usize,
    /// Requests of the host at once; more fail. 4,096: a seedbox's torrents.
    pub max_requests: usize,
    /// Peers that a request is told in one round; more are dropped. 2,000: four nodes' fill.
    pub max_found: usize,

    /// Time between queries that keep the table alive, each to whoever was silent for the
    /// longest. 5 s (libtorrent, "NICE"): less and steadier traffic than refreshing buckets.
    pub upkeep: Duration,
    /// Time between lookups of ourselves, which keep our neighbourhood known; after one, buckets
    /// with few contacts that nobody looked into for this long are looked through. 15 min: BEP 5.
    pub refresh: Duration,
    /// A contact that was silent for this long is asked before it is preferred to a new one.
    /// 15 min: BEP 5.
    pub questionable: Duration,
    /// A contact that left this many queries unanswered in a row is dropped even if nobody
    /// waits for its place. 2: one datagram may be lost.
    pub max_failures: u8,
    /// Without contacts, bootstrap nodes are asked again after this long, then twice that, and
    /// so on up to [`Config::bootstrap_most`]. 5 s.
    pub bootstrap_least: Duration,
    /// See [`Config::bootstrap_least`]. 5 min: a server that is back is found soon enough.
    pub bootstrap_most: Duration,
    /// Though there are contacts, one of the bootstrap nodes is asked after this long whom it
    /// knows near us: two halves of a network that lost each other have nobody else in common.
    /// 1 h: a burden to nobody.
    pub bootstrap_again: Duration,
    /// Bootstrap nodes that are remembered. 32.
    pub max_bootstrap: usize,
    /// Contacts that [`super::Dht::save`] gives. 200: half a table, of which some are alive
    /// weeks later.
    pub max_saved: usize,

    /// Time between announces. 15 min (libtorrent): thrice in [`Config::peer_expiry`].
    pub announce_interval: Duration,
    /// An announce or store that came to nothing is tried again after this long. 1 min.
    pub retry: Duration,
    /// Time between stores of a value that is kept alive. 1 h: BEP 44.
    pub put_interval: Duration,
    /// An announced peer is forgotten after this long. 45 min (libtorrent).
    pub peer_expiry: Duration,
    /// A value is forgotten after this long. 2 h: BEP 44.
    pub item_expiry: Duration,
    /// Torrents of which announces are stored; of more, those whose info-hashes are farthest
    /// from us go. 2,000 (libtorrent).
    pub max_torrents: usize,
    /// Peers of one torrent that are stored; the oldest goes. 500 (libtorrent).
    pub max_peers_per_torrent: usize,
    /// Peers that are stored in all. 8,000: a third of a megabyte.
    pub max_peers: usize,
    /// Values that are stored; the farthest from us go. 250, at 1,000 bytes each a quarter of
    /// a megabyte (libtorrent: 700).
    pub max_items: usize,
    /// Time between new secrets for tokens; those of the last one are still taken. 5 min: BEP 5.
    pub token_rotation: Duration,

    /// Queries of one host (an IPv4 address, a /64) in [`Config::flood_window`]; whoever sends
    /// more is ignored for [`Config::flood_pause`]. 50 (libtorrent).
    pub flood_queries: u32,
    /// See [`Config::flood_queries`]. 10 s.
    pub flood_window: Duration,
    /// See [`Config::flood_queries`]. 5 min.
    pub flood_pause: Duration,
    /// Hosts that are watched at once for how much they ask. 256: libtorrent's 20 are lost in
    /// ordinary traffic.
    pub max_watched: usize,
    /// Bytes sent each second, answers and queries; beyond it queries of others go unanswered
    /// and our own wait. 8,000 (libtorrent): unnoticed on any line.
    pub bytes_per_second: u32,
    /// Seconds' worth of [`Config::bytes_per_second`] that may be sent at once after silence.
    /// 3 (libtorrent): two lookups.
    pub burst_seconds: u32,
    /// Bytes of an answer, if no value is in it. 1,024: BEP 32.
    pub max_answer: usize,
    /// Addresses of peers in one answer. 50: more seldom fit.
    pub max_values: usize,
    /// Strangers that may be asked at once whether they are there, because they asked us. 4.
    pub max_checks: usize,
    /// Others that must agree on our address, and be more than half of those who told one,
    /// before our identifier follows it (BEP 42). 8.
    pub address_votes: usize,
}

impl Default for Config {
    fn default() -> Self {
        const fn seconds(seconds: u64) -> Duration {
            Duration::from_secs(seconds)
        }
        const fn minutes(minutes: u64) -> Duration {
            seconds(minutes * 60)
        }
        Config {
            v4: true,
            v6: false,
            tabs: false,
            read_only: false,
            version: *b"TS\x01\x00",
            bucket: 8,
            first_buckets: [128, 64, 32, 16],
            replacements: 8,
            one_per_subnet: true,
            enforce_ids: false,
            alpha: 4,
            closest: 8,
            short_timeout: Duration::from_millis(500),
            first_timeout: Duration::from_millis(500),
            slow_deviations: 1,
            long_timeout: seconds(15),
            max_calls: 256,
            max_lookups: 16,
            max_candidates: 64,
            max_requests: 4096,
            max_found: 2000,
            upkeep: seconds(5),
            refresh: minutes(15),
            questionable: minutes(15),
            max_failures: 2,
            bootstrap_least: seconds(5),
            bootstrap_most: minutes(5),
            bootstrap_again: minutes(60),
            max_bootstrap: 32,
            max_saved: 200,
            announce_interval: minutes(15),
            retry: minutes(1),
            put_interval: minutes(60),
            peer_expiry: minutes(45),
            item_expiry: minutes(120),
            max_torrents: 2000,
            max_peers_per_torrent: 500,
            max_peers: 8000,
            max_items: 250,
            token_rotation: minutes(5),
            flood_queries: 50,
            flood_window: seconds(10),
            flood_pause: minutes(5),
            max_watched: 256,
            bytes_per_second: 8000,
            burst_seconds: 3,
            max_answer: 1024,
            max_values: 50,
            max_checks: 4,
            address_votes: 8,
        }
    }
}

impl Config {
    /// All numbers are such that a node can calculate with them: for those that come from
    /// elsewhere.
    pub(super) fn is_possible(&self) -> bool {
        const MOST: usize = 1 << 20;
        const LONGEST: Duration = Duration::from_secs(1 << 32);
        let counts = [
            self.bucket,
            self.replacements,
            self.alpha,
            self.closest,
            self.max_calls,
            self.max_lookups,
            self.max_candidates,
            self.max_requests,
            self.max_found,
            self.max_bootstrap,
            self.max_saved,
            self.max_torrents,
            self.max_peers_per_torrent,
            self.max_peers,
            self.max_items,
            self.max_watched,
            self.max_answer,
            self.max_values,
            self.max_checks,
            self.address_votes,
        ];
        let times = [
            self.short_timeout,
            self.first_timeout,
            self.long_timeout,
            self.upkeep,
            self.refresh,
            self.questionable,
            self.bootstrap_least,
            self.bootstrap_most,
            self.bootstrap_again,
            self.announce_interval,
            self.retry,
            self.put_interval,
            self.peer_expiry,
            self.item_expiry,
            self.token_rotation,
            self.flood_window,
            self.flood_pause,
        ];
        let wide = self.first_buckets.iter();
        // Nobody may have more calls than there are transactions.
        self.max_calls <= 1 << 14
            && self.slow_deviations <= 1 << 10
            && counts.iter().chain(wide).all(|count| *count <= MOST)
            && times.iter().all(|time| !time.is_zero() && *time <= LONGEST)
    }
}
