//! The command line of the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches, Parser};
use swarm_core::hub::HubConfig;
use swarm_core::wire::relay::{MAX_STUN, RelayUse, StunServer};
use tracker_relay::{Config, Page, Proxies};

mod parse;

/// Tracker, relay and web page of a swarm of browser tabs, on one port.
///
/// Open the address that it prints in a few tabs. Every option can also be given as the
/// environment variable that is named with it; of those that switch something, 1 is on and 0 is off.
/// An empty variable says nothing.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        env = "TABSWARM_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080",
        value_parser = parse::address
    )]
    pub(crate) listen: SocketAddr,

    /// Serve the page from this folder instead of the one that is built in
    #[arg(long, env = "TABSWARM_PAGE", value_name = "DIR")]
    page: Option<PathBuf>,

    /// Another site whose pages may use this tracker and relay, such as https://example.org;
    /// may be repeated (comma-separated in the environment), and * lets all in. Without it
    /// only the page that is served here may, and programs
    #[arg(
        long = "allow-origin",
        env = "TABSWARM_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = parse::origin
    )]
    allowed_origins: Vec<String>,

    /// A proxy in front of this server, by its address, or by a network in which nobody but proxies
    /// is (172.30.5.0/24), as everybody in it is believed; may be repeated (comma-separated in the
    /// environment). The addresses of clients are taken from its X-Forwarded-For, and the name of the
    /// site from its X-Forwarded-Host; without this all who come through it count as one address. It
    /// has to pass the path on without what it is served under
    #[arg(
        long = "trusted-proxy",
        env = "TABSWARM_TRUSTED_PROXY",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    trusted_proxies: Vec<Proxies>,

    /// Where ordinary BitTorrent clients may announce over UDP (udp://…); port 0 takes a free
    /// one
    #[arg(long, env = "TABSWARM_UDP", value_name = "ADDR:PORT", value_parser = parse::address)]
    pub(crate) udp: Option<SocketAddr>,

    /// Be a node of the DHT there, by which a community's clients can join it (BEP 5, over UDP):
    /// it tells of other nodes, and stores who has which torrent. Port 0 takes a free one, and
    /// [::] stands for IPv4 and IPv6. Without --dht-bootstrap it begins a DHT of its own
    #[arg(long, env = "TABSWARM_DHT", value_name = "ADDR:PORT", value_parser = parse::address)]
    pub(crate) dht: Option<SocketAddr>,

    /// A node by which to join a DHT that is there already, such as dht.libtorrent.org:25401 for
    /// the one that everybody is in; may be repeated (comma-separated in the environment)
    #[arg(
        long,
        env = "TABSWARM_DHT_BOOTSTRAP",
        value_name = "HOST:PORT",
        value_delimiter = ',',
        requires = "dht",
        value_parser = dht_node::host_and_port
    )]
    pub(crate) dht_bootstrap: Vec<String>,

    /// Remember in this file which nodes of the DHT are known, for after a restart
    #[arg(
        long,
        env = "TABSWARM_DHT_TABLE",
        value_name = "FILE",
        requires = "dht"
    )]
    pub(crate) dht_table: Option<PathBuf>,

    /// Don't be a tracker for ordinary BitTorrent clients over HTTP (/announce and /scrape)
    #[arg(long, env = "TABSWARM_NO_HTTP_TRACKER", value_parser = parse::switch)]
    no_http_tracker: bool,

    /// Don't be a tracker for WebTorrent (WebSockets that ask for no subprotocol)
    #[arg(long, env = "TABSWARM_NO_WEBTORRENT", value_parser = parse::switch)]
    no_webtorrent: bool,

    /// Where to tell peers their own addresses (STUN, over UDP), which they need for direct links
    /// through routers; port 0 takes a free one. Datagrams have to come from the peers'
    /// own addresses: a proxy in front of this server does not pass them on
    #[arg(long, env = "TABSWARM_STUN", value_name = "ADDR:PORT", value_parser = parse::address)]
    pub(crate) stun: Option<SocketAddr>,

    /// The STUN server that peers are told of, this one by its public name or another; may be
    /// repeated, up to four times (comma-separated in the environment). Without it they are
    /// told the port of --stun, and use the name by which they reached this server
    #[arg(
        long = "stun-name",
        env = "TABSWARM_STUN_NAME",
        value_name = "HOST:PORT",
        value_delimiter = ','
    )]
    stun_names: Vec<StunServer>,

    /// What peers are told of the relay: use whichever way is the better, which is right on one
    /// machine and in one network, or spare it and prefer direct links, as on a public server
    #[arg(
        long,
        env = "TABSWARM_RELAY",
        value_name = "USE",
        default_value = "free"
    )]
    relay: RelayOption,

    /// Tell peers to make no direct links at all: nobody learns another's address, and all
    /// bytes go through here
    #[arg(long, env = "TABSWARM_RELAY_ONLY", value_parser = parse::switch)]
    relay_only: bool,

    /// What to log: error, warn, info, debug, trace, or filters such as tracker_relay=debug. The
    /// same line is written once a minute, and of those alike the first; the others are counted
    #[arg(
        long,
        env = "TABSWARM_LOG",
        value_name = "FILTER",
        default_value = "info",
        value_parser = parse::log_filter
    )]
    pub(crate) log: String,

    #[command(flatten)]
    limits: LimitOptions,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum RelayOption {
    Free,
    Spare,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitOptions {
    /// Tabs and programs connected at once. One address (of IPv6, one /64) may have as many as
    /// are left free, half of them when nobody else is there: with the default, ten thousand
    /// tabs of a school or an office behind one address find their place
    #[arg(long, env = "TABSWARM_MAX_CONNECTIONS", value_name = "N", default_value_t = HubConfig::default().max_connections, value_parser = parse::some::<usize>)]
    max_connections: usize,

    /// Swarms at once, shared out between addresses like connections
    #[arg(long, env = "TABSWARM_MAX_SWARMS", value_name = "N", default_value_t = HubConfig::default().max_swarms, value_parser = parse::some::<usize>)]
    max_swarms: usize,

    /// Memberships of clients in swarms at once, shared out between addresses like connections
    #[arg(long, env = "TABSWARM_MAX_MEMBERSHIPS", value_name = "N", default_value_t = HubConfig::default().max_memberships, value_parser = parse::some::<usize>)]
    max_memberships: usize,

    /// Channels that one connection may have at once
    #[arg(long, env = "TABSWARM_MAX_CHANNELS", value_name = "N", default_value_t = HubConfig::default().max_channels_per_connection)]
    max_channels: usize,

    /// Mebibytes that may be on their way to one client
    #[arg(long, env = "TABSWARM_CLIENT_MEMORY", value_name = "MIB", default_value_t = HubConfig::default().max_inflight_per_connection >> 20, value_parser = parse::some::<u64>)]
    client_memory: u64,

    /// Mebibytes that may be on their way to all clients together
    #[arg(long, env = "TABSWARM_MEMORY", value_name = "MIB", default_value_t = HubConfig::default().max_inflight >> 20, value_parser = parse::some::<u64>)]
    memory: u64,

    /// Mebibytes of what clients say which pieces they have; beyond it only the numbers are kept
    #[arg(long, env = "TABSWARM_BITFIELD_MEMORY", value_name = "MIB", default_value_t = HubConfig::default().max_bitfields >> 20)]
    bitfield_memory: usize,

    /// Kibibytes of answers that may wait for one client; until it takes some it is not read from
    #[arg(long, env = "TABSWARM_ANSWER_MEMORY", value_name = "KIB", default_value_t = Config::default().max_answers >> 10, value_parser = parse::some::<usize>)]
    answer_memory: usize,

    /// Percent of one processor core that the clients of one address may keep busy, by what they
    /// ask of the tracker; then they wait. What they relay costs nothing of it. For requests over
    /// HTTP they have half as much beside; who would have to wait for more than two seconds is
    /// refused (429)
    #[arg(long, env = "TABSWARM_ADDRESS_WORK", value_name = "PERCENT", default_value_t = default_work(), value_parser = clap::value_parser!(u64).range(1..=10_000))]
    address_work: u64,

    /// Connections at once that fetch the page. When all are in use, the oldest one of the
    /// address that has most of them is closed for a new one
    #[arg(long, env = "TABSWARM_MAX_HTTP_CONNECTIONS", value_name = "N", default_value_t = Config::default().max_http_connections, value_parser = parse::some::<usize>)]
    max_http_connections: usize,

    /// Mebibytes of large messages that have begun to arrive, of all clients together. When
    /// they are used up, the client with most of them, at the address with most, is
    /// disconnected
    #[arg(long, env = "TABSWARM_UNFINISHED_MEMORY", value_name = "MIB", default_value_t = Config::default().max_unfinished >> 20, value_parser = parse::some::<u64>)]
    unfinished_memory: u64,

    /// Times in a second that one address is told its own by --stun
    #[arg(long, env = "TABSWARM_STUN_RATE", value_name = "N", default_value_t = Config::default().max_stun_rate)]
    stun_rate: u32,

    /// Seconds that a client may take to send a request for the page, and be idle before one
    #[arg(long, env = "TABSWARM_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = Config::default().http_timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..=86_400))]
    request_timeout: u64,

    /// Seconds between the announces of a client
    #[arg(long, env = "TABSWARM_INTERVAL", value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,

    /// Seconds between the announces of an ordinary BitTorrent client; one that has been silent
    /// for half as long again is forgotten
    #[arg(long, env = "TABSWARM_CLIENT_INTERVAL", value_name = "SECONDS", default_value_t = HubConfig::default().socket_interval.as_secs(), value_parser = clap::value_parser!(u64).range(1..=86_400))]
    client_interval: u64,

    /// Seconds after which a client that takes no data, of a page or of others, is disconnected
    #[arg(long, env = "TABSWARM_WRITE_TIMEOUT", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    write_timeout: u64,
}

/// In percent of a core.
fn default_work() -> u64 {
    HubConfig::default().work_per_source.as_millis() as u64 / 10
}

impl Options {
    /// Those of the command line and the environment. Whatever is wrong with them ends the program,
    /// in words.
    pub(crate) fn read() -> Self {
        let matches = Self::command().mut_args(without_empty).get_matches();
        let options = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let names = options.stun_names.len();
        if names > MAX_STUN {
            let why = format!("--stun-name is given {names} times, and {MAX_STUN} are told");
            Self::command().error(ErrorKind::TooManyValues, why).exit();
        }
        options
    }

    pub(crate) fn config(&self) -> Config {
        let LimitOptions {
            max_connections,
            max_swarms,
            max_memberships,
            max_channels,
            client_memory,
            memory,
            bitfield_memory,
            answer_memory,
            address_work,
            max_http_connections,
            unfinished_memory,
            stun_rate,
            request_timeout,
            interval,
            client_interval,
            write_timeout,
        } = self.limits;
        let client_interval = Duration::from_secs(client_interval);
        let interval = Duration::from_secs(interval);
        let origins = self.allowed_origins.iter().filter(|it| !it.is_empty());
        let mebibytes = |count: u64| count.saturating_mul(1 << 20);
        Config {
            page: self.page.clone().map_or(Page::BuiltIn, Page::Folder),
            hub: HubConfig {
                stun: self.stun_names.clone(),
                relay: match self.relay {
                    RelayOption::Free => RelayUse::Free,
                    RelayOption::Spare => RelayUse::Spare,
                },
                relay_only: self.relay_only,
                max_connections,
                max_swarms,
                max_memberships,
                max_bitfields: bitfield_memory.saturating_mul(1 << 20),
                work_per_source: Duration::from_millis(address_work * 10),
                max_channels_per_connection: max_channels,
                max_inflight_per_connection: mebibytes(client_memory),
                max_inflight: mebibytes(memory),
                announce_interval: interval,
                member_expiry: interval * 5 / 2,
                socket_interval: client_interval,
                socket_expiry: client_interval * 3 / 2,
                ..HubConfig::default()
            },
            allowed_origins: origins.cloned().collect(),
            trusted_proxies: self.trusted_proxies.clone(),
            max_answers: answer_memory.saturating_mul(1 << 10),
            http_timeout: Duration::from_secs(request_timeout),
            max_http_connections,
            max_unfinished: mebibytes(unfinished_memory),
            max_stun_rate: stun_rate,
            http_tracker: !self.no_http_tracker,
            webtorrent: !self.no_webtorrent,
            write_timeout: Duration::from_secs(write_timeout),
            ..Config::default()
        }
    }
}

/// Whoever writes `NAME=` into a service's environment, or passes on a variable that nobody has set, wants
/// what they get without it.
fn without_empty(argument: Arg) -> Arg {
    let value = argument.get_env().and_then(std::env::var_os);
    match value.is_some_and(|value| value.is_empty()) {
        true => argument.env(None),
        false => argument,
    }
}
