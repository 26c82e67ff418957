//! What a peer allows itself and others. Every bound on its memory is here.

mod announce;
mod check;
mod tracker;
mod web_seeds;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::choke::ChokeConfig;
use crate::net::lane::Pacing;
use crate::overlay::OverlayConfig;
use crate::pieces::{Cut, Layout, PieceIndex, Strategy};

pub use announce::AnnounceConfig;
pub use check::ConfigError;
pub use tracker::TrackerConfig;
pub use web_seeds::WebSeedConfig;

pub use crate::peer::{
    DirectConfig, IntroduceConfig, MeasureConfig, PathsConfig, PexConfig, PlacesConfig,
    RequestConfig, RtcConfig, WorkConfig,
};

/// See the module. `Config::default()` suits a tab, of which a browser has many;
/// [`Config::terminal`] gives a program of its own more memory for what is far away.
///
/// A recording has every field under its name, here and in the parts of it: a field that is
/// renamed keeps its old name as a `serde(alias)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Names the software to other peers (BEP 10 `v`).
    pub client: String,
    /// The port at which the host takes connections by TCP, if it does: told to those with whom
    /// we talk that way (BEP 10 `p`).
    pub listen_port: Option<u16>,
    /// The port of the host's node of the DHT, if it has one: told to those with whom we talk by
    /// TCP (BEP 5, "torrent file extensions" and the message `port`), but not in private torrents.
    pub dht_port: Option<u16>,
    /// How pieces are chosen in torrents that say nothing else.
    pub strategy: Strategy,
    /// Sessions of one torrent at once. 50, as in most clients: enough neighbours to see
    /// what is rare, few enough to tell them all of each piece.
    pub max_peers: usize,
    /// Sessions that we open ourselves; beyond it we only accept. The rest of `max_peers` is
    /// room for newcomers, or a full swarm would turn them away.
    pub target_peers: usize,
    /// Who may request from us.
    pub choke: ChokeConfig,
    /// Who has a place with us.
    pub places: PlacesConfig,
    /// How many ways there are to one peer.
    pub paths: PathsConfig,
    /// The overlay of tabs, by which those of one swarm find each other through those of others.
    pub overlay: OverlayConfig,
    /// What peers may tell us of trackers.
    pub exchange: ExchangeConfig,
    /// How peers tell each other of peers.
    pub pex: PexConfig,
    /// How much is asked of whom.
    pub requests: RequestConfig,
    /// When a peer has lost our trust.
    pub trust: TrustConfig,
    /// What a peer may cost us for nothing.
    pub work: WorkConfig,
    /// Of whom the info dictionary is fetched.
    pub metadata: MetadataConfig,
    /// How we get on with the tracker.
    pub tracker: TrackerConfig,
    /// The same with trackers by HTTP and UDP.
    pub announce: AnnounceConfig,
    /// How web seeds are made use of.
    pub web_seeds: WebSeedConfig,
    /// Bytes of pieces in progress, hashing and writing included, in one torrent; beyond them
    /// only what is asked of those far away ([`RequestConfig::far`]).
    pub bytes_in_progress: u64,
    /// The longest piece that is held in memory whole; longer ones are written, read and
    /// hashed in parts. 16 MiB, the longest that common programs make by themselves: whole
    /// pieces are hashed before they are written, and need not be read again.
    pub whole_piece: u32,
    /// Bytes of a part: a multiple of a block, and no less than the longest block that may be
    /// asked of us. 1 MiB: the store's overhead is spread over 64 blocks.
    pub part: u32,
    /// The longest piece that is taken on at all: nothing of it can be passed on before all of
    /// it is here. A host whose store knows no parts says what it can hold whole.
    pub max_piece: u32,
    /// Bytes of pieces kept in memory to serve from, over all torrents.
    pub read_cache: u64,
    /// Store reads under way at once, over all torrents; together they are of no more bytes
    /// than `read_cache`, unless there is but one.
    pub max_reads: usize,
    /// Bytes of one peer's requests that are read before their turn: 128 KiB, or each of many
    /// small pieces would wait for the store in its turn.
    pub read_ahead: usize,
    /// So many pieces, or parts of long ones, in any case: two, the one that is being sent and
    /// the next.
    pub read_ahead_pieces: usize,
    /// Pieces hashed at once when checking what is on disk; fewer where they are longer than
    /// `bytes_in_progress` together.
    pub max_checks: usize,
    /// Credit that we keep each channel at, at the start and at the most, unless much is
    /// asked over a long way. It follows what
    /// is asked of the peer, twice: the relay sets memory apart for every byte of credit,
    /// and has none to give to those who use it while it lies about with the others.
    pub receive_window: (u32, u32),
    /// The same at the most where more is asked than that ([`RequestConfig::far`]), a quarter
    /// more of it. What is not asked any more is not given back.
    pub far_window: u32,
    /// Bytes handed to the tracker link and not yet reported as written, at least and at
    /// most; in between about as much as the link takes in `link_delay`. At least a block
    /// with its header.
    pub link_budget: (usize, usize),
    /// The same at most in a wire, which carries a single peer. 192 KiB, four messages of a data
    /// channel: with more than that Chromium's threads wait for each other, and between two tabs
    /// of one machine a third less comes through, at the same cost a byte. What is under way to a
    /// peer far away is counted elsewhere, by the channel itself. No more than `link_budget.1`
    /// counts.
    pub wire_budget: usize,
    /// The same until it is known how fast the link is: 64 KiB, a quarter of a second of
    /// 2 Mbit/s, and soon doubled where that is little.
    pub first_link_budget: usize,
    /// What is handed to a slow link stands in its queue, and can be neither cancelled nor
    /// overtaken: a tenth of a second bridges the pauses between the host's reports. In a
    /// large swarm a piece waits for this long at each of its many stops.
    pub link_delay: Duration,
    /// Bytes of one data frame's payload: large and few is fastest in a tab.
    pub frame_payload: usize,
    /// Requests of one peer that we keep, told to it as `reqq` (BEP 10; libtorrent's
    /// default is 2000, 512 blocks are 8 MiB already). 16 bytes each.
    pub max_incoming_requests: usize,
    /// Bytes of small messages that may wait for a peer that takes nothing: beyond the first
    /// number it gets no more answers to what it asks, and a peer that goes on asking is let
    /// go; beyond the second, which news of our pieces may reach, it is let go in any case.
    /// 64 KiB are the refusals of seven full queues, and times `max_peers` still next to
    /// nothing; 4 MiB say that half a million pieces came while it did not listen.
    pub max_waiting: (usize, usize),
    /// Have messages of one peer that are kept before the metadata says how many pieces there
    /// are. 65,536, of four bytes each: those of a long torrent from a peer that does not send
    /// a bitfield, and 12.5 MiB of `max_peers` that all do so.
    pub max_early_haves: usize,
    /// Pieces that a new peer may request while it is choked (BEP 6 "allowed fast"; ten
    /// there). None by default: we unchoke whoever comes while there is a slot, so the set
    /// would only let many choked newcomers split a busy line, each waiting long for its
    /// first piece, and hand the first pieces to those that never give any.
    pub allowed_fast: usize,
    /// Pieces that a seeder suggests to each peer it serves, ahead of the one being sent
    /// (BEP 6 "suggest piece"): different ones to different peers, so that each piece
    /// leaves once before any leaves twice (the aim of BEP 16, super-seeding, without
    /// hiding what we have). So many more than it asks for at once: two, so that the next
    /// is known before one ends. Zero suggests nothing.
    pub suggestions: usize,
    /// Suggestions to one peer at once: 32. Of tiny pieces it may ask for hundreds, and each
    /// that is suggested to one is kept from others.
    pub max_suggestions: usize,
    /// Suggestions of one peer that we remember, the newest ones (BEP 6). 64: the picker looks
    /// at no more.
    pub max_suggested: usize,
    /// Pieces of which we remember that one peer lets us request them while it chokes us
    /// (BEP 6 "allowed fast", of which there are ten by default). 64: the picker looks at no
    /// more.
    pub max_fast_pieces: usize,
    /// How often sessions are looked after: rates are measured, slots passed on, debts and
    /// silences noticed. A second: finer than nearly all times that are compared then, and
    /// next to no work.
    pub upkeep: Duration,
    /// A session that says nothing at all for this long is closed (BEP 3: two minutes).
    pub idle_timeout: Duration,
    /// Who said nothing to a peer for this long says that it is alive: 100 seconds, so that it
    /// comes before the two minutes are over (BEP 3: "generally two minutes").
    pub keep_alive: Duration,
}

/// What a peer may do wrong. Corrupt data is not a matter of counting: whoever is proven to
/// have sent it is banned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrustConfig {
    /// Bad pieces of which it is remembered who sent which block, until the piece was
    /// fetched again and shows who lied. Each takes 24 bytes a block.
    pub suspects: usize,
    /// Requests that a peer may leave unanswered, or refuse while it does not choke us,
    /// between two blocks that it sends: beyond, it claims pieces that it does not deliver.
    /// Two full queues.
    pub max_broken_promises: u32,
    /// A peer that does not choke us, and leaves every request unanswered for this long,
    /// takes a place for nothing, even where nobody else wants it. Two minutes: twice what
    /// makes it snubbed.
    pub max_debt: Duration,
    /// A peer that lost its place is not talked to for this long: five minutes, so that it
    /// does not come back at once, and an honest one that had a bad moment does.
    pub shun: Duration,
    /// Payload bytes that nobody asked for: 1 MiB, more than what crosses on the wire.
    pub max_unrequested: u64,
    /// Outcasts remembered of each kind, the banned and the shunned, in one torrent: 1024, some
    /// twelve bytes each. Beyond it the lowest numbers, the oldest connections, are forgotten.
    pub outcasts: usize,
    /// Peers that gave us something and left, remembered in one torrent, because it may turn
    /// out later what that was worth: 256, five times `max_peers`, some hundred bytes each.
    pub departed: usize,
}

/// How the info dictionary is fetched (BEP 9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetadataConfig {
    /// Peers that are asked for the first piece at once: eight pieces of 16 KiB are no
    /// burden, and of so many hardly all are slow.
    pub sources: usize,
    /// Those of them that are asked for all of it at once. Three: the best, and two that may
    /// turn out to be better; each costs the whole dictionary once more.
    pub running: usize,
    /// Requests under way to each of those.
    pub pipeline: u32,
    /// After this time a source is compared with others by its pace: half a second, in which
    /// a dictionary of common size comes whole.
    pub trial: Duration,
    /// A source that is silent for this long loses its place while others wait for it.
    pub patience: Duration,
    /// A source that is silent for this long is given up.
    pub timeout: Duration,
    /// Bytes of unfinished copies: two of the longest dictionary.
    pub bytes: usize,
}

/// What peers tell each other of trackers (`docs/protocol.md`, "Trackers").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExchangeConfig {
    /// Addresses of one torrent that are remembered of what peers say; 0, as is usual, takes no
    /// part in it: a host has to make something of them. 8 where it does: twice as many as a
    /// page connects to.
    pub known: usize,
    /// Of them from one session. 2, so that no single peer fills the list.
    pub of_one: usize,
    /// Between two messages to one peer; of those that come, what comes within half of it is
    /// passed over. A minute: trackers seldom change.
    pub pause: Duration,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        ExchangeConfig {
            known: 0,
            of_one: 2,
            pause: Duration::from_mins(1),
        }
    }
}

impl Config {
    /// For a program that has its memory to itself: what is under way to and from fast peers
    /// far away may be several times what is enough for a tab. 32 MiB from one, a fifth of a
    /// second of 160 MB/s; all of them share twice that, and whoever is near gets nothing of it.
    /// Others may have as much asked of us.
    pub fn terminal() -> Self {
        let default = Config::default();
        Config {
            far_window: 32 << 20,
            // A socket's own queue is behind it, and nobody else's threads.
            wire_budget: default.link_budget.1,
            max_incoming_requests: 4096,
            // The refusals of two full queues, of which each is half of what we keep.
            max_waiting: (128 << 10, default.max_waiting.1),
            requests: RequestConfig {
                far: 4096,
                ..default.requests
            },
            ..default
        }
    }

    /// Why a torrent of this layout is not taken on, if so.
    pub fn refuses(&self, layout: &Layout) -> Option<Failure> {
        let length = layout.length(PieceIndex::FIRST);
        let most = self.max_piece;
        (length > most).then_some(Failure::LongPieces { length, most })
    }

    /// How much may wait in a lane.
    pub(super) fn pacing(&self) -> Pacing {
        Pacing {
            budget: self.link_budget,
            alone: self.wire_budget,
            first_budget: self.first_link_budget,
            delay: self.link_delay,
        }
    }

    /// How pieces are moved.
    pub(super) fn cut(&self) -> Cut {
        Cut {
            whole: self.whole_piece,
            part: self.part,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            client: concat!("Tabswarm ", env!("CARGO_PKG_VERSION")).to_owned(),
            listen_port: None,
            dht_port: None,
            strategy: Strategy::RarestFirst,
            max_peers: 50,
            target_peers: 30,
            choke: ChokeConfig::default(),
            places: PlacesConfig::default(),
            paths: PathsConfig::default(),
            overlay: OverlayConfig::default(),
            exchange: ExchangeConfig::default(),
            pex: PexConfig::default(),
            requests: RequestConfig::default(),
            trust: TrustConfig::default(),
            work: WorkConfig::default(),
            metadata: MetadataConfig::default(),
            tracker: TrackerConfig::default(),
            announce: AnnounceConfig::default(),
            web_seeds: WebSeedConfig::default(),
            bytes_in_progress: 24 << 20,
            whole_piece: 16 << 20,
            part: 1 << 20,
            max_piece: Layout::MAX_PIECE,
            read_cache: 16 << 20,
            max_reads: 8,
            read_ahead: 128 << 10,
            read_ahead_pieces: 2,
            max_checks: 4,
            receive_window: (256 << 10, 4 << 20),
            far_window: 4 << 20,
            link_budget: (17 << 10, 2 << 20),
            wire_budget: 192 << 10,
            first_link_budget: 64 << 10,
            link_delay: Duration::from_millis(100),
            frame_payload: 256 << 10,
            max_incoming_requests: 512,
            max_waiting: (64 << 10, 4 << 20),
            max_early_haves: 1 << 16,
            allowed_fast: 0,
            suggestions: 2,
            max_suggestions: 32,
            max_suggested: 64,
            max_fast_pieces: 64,
            upkeep: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(150),
            keep_alive: Duration::from_secs(100),
        }
    }
}

impl Default for TrustConfig {
    fn default() -> Self {
        TrustConfig {
            suspects: 64,
            max_broken_promises: 512,
            max_debt: Duration::from_secs(120),
            shun: Duration::from_secs(300),
            max_unrequested: 1 << 20,
            outcasts: 1024,
            departed: 256,
        }
    }
}

impl Default for MetadataConfig {
    fn default() -> Self {
        MetadataConfig {
            sources: 8,
            running: 3,
            pipeline: 8,
            trial: Duration::from_millis(500),
            patience: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
            bytes: 32 << 20,
        }
    }
}
