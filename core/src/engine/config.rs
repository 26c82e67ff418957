//! What a peer allows itself and others. Every bound on its memory is here.

mod check;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::choke::ChokeConfig;
use crate::pieces::Strategy;

pub use check::ConfigError;

/// See the module. `Config::default()` suits a tab and a terminal alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Names the software to other peers (BEP 10 `v`).
    pub client: String,
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
    /// How much is asked of whom.
    pub requests: RequestConfig,
    /// When a peer has lost our trust.
    pub trust: TrustConfig,
    /// Bytes of pieces in progress, hashing and writing included, in one torrent.
    pub bytes_in_progress: u64,
    /// Bytes of whole pieces kept in memory to serve from, over all torrents.
    pub read_cache: u64,
    /// Store reads under way at once, over all torrents.
    pub max_reads: usize,
    /// Pieces hashed at once when checking what is on disk.
    pub max_checks: usize,
    /// Credit that we keep each channel at, at the start and at the most. It follows what
    /// is asked of the peer, twice: the relay sets memory apart for every byte of credit,
    /// and has none to give to those who use it while it lies about with the others.
    pub receive_window: (u32, u32),
    /// Bytes handed to the tracker link and not yet reported as written, at least and at
    /// most; in between about as much as the link takes in `link_delay`. At least a block
    /// with its header.
    pub link_budget: (usize, usize),
    /// What is handed to a slow link stands in its queue, and can be neither cancelled nor
    /// overtaken: a tenth of a second bridges the pauses between the host's reports. In a
    /// large swarm a piece waits for this long at each of its many stops.
    pub link_delay: Duration,
    /// Bytes of one data frame's payload: large and few is fastest in a tab.
    pub frame_payload: usize,
    /// Requests of one peer that we keep, told to it as `reqq` (BEP 10; libtorrent's
    /// default is 2000, 512 blocks are 8 MiB already).
    pub max_incoming_requests: usize,
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
    /// A session that says nothing at all for this long is closed (BEP 3: two minutes).
    pub idle_timeout: Duration,
}

/// Who has one of the places that `max_peers` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacesConfig {
    /// A newcomer has this long to show that it is of use, and a member this long to answer
    /// when it is asked for a channel, before others are tried as well. Three seconds: ten
    /// round trips of a bad line.
    pub patience: Duration,
    /// A peer is of use for this long after a block went from one to the other: the window
    /// of tit-for-tat (BEP 3).
    pub exchange: Duration,
    /// Who lacks something and got nothing for this long takes a place from peers that have
    /// it and don't give it, too. Five seconds.
    pub starving: Duration,
    /// A peer that wants something, has an upload slot, and asks for nothing for this long
    /// wastes it: several round trips, and as long as a pause of garbage collection or of a
    /// hidden tab's timers.
    pub sitting: Duration,
    /// Such a peer comes last for slots for this long: two turns.
    pub sat: Duration,
    /// How long a member that refused, or was of no use, is left alone, at first and at most.
    /// It doubles each time. A second, because places change every few seconds; a minute,
    /// because each try is a few messages.
    pub knock: (Duration, Duration),
    /// Members of one torrent that are remembered, with what came of asking them: ten times
    /// what the tracker tells of at once. 48 bytes each.
    pub prospects: usize,
}

/// How much is asked of a peer at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestConfig {
    /// Requests in flight to a peer at the start. From there one more for each block that
    /// comes (slow start, as in TCP), until the rate stops growing. Four blocks are no
    /// burden on a slow link, and a fast one has doubled them often before a second is over.
    pub start: usize,
    /// Requests in flight at least and at most; the most is 4 MiB, the window of a channel.
    pub queue: (usize, usize),
    /// After the slow start: what the peer sends in its round trip and this time more.
    /// Half a second (libtorrent's `request_queue_time` is three): it bridges the moments in
    /// which the peer serves others, a peer that stops owes us no more than that, and no
    /// piece is late because it was asked of somebody long before its turn.
    pub queue_time: Duration,
    /// A peer that owes us blocks, and sends none for this long, is asked for little until
    /// it does, and the blocks are asked of others (libtorrent's `piece_timeout`). From a peer
    /// that was seen to be slow we wait for longer, at most as long as `snub`.
    pub timeout: Duration,
    /// A peer that owes us blocks, and sends none for this long, is doubted: others that have
    /// nothing else to do are asked for the same, and one that never sent anything is given
    /// up at once. Three seconds: thirty round trips of a bad line, and a block takes so
    /// long at 5 kB/s. Twice and four times that when it happens again, then it is asked for
    /// nothing until it sends something.
    pub doubt: Duration,
    /// A peer that owes us blocks for this long earns no upload slot (anti-snubbing, BEP 3:
    /// a minute).
    pub snub: Duration,
    /// Of how many peers the last blocks are asked (endgame, BEP 3). Two: the second request
    /// rescues a block from a slow peer, a third mostly buys a duplicate.
    pub endgame_copies: u8,
    /// With [`Strategy::RarestFirst`], so many pieces are had before the rarest are begun:
    /// until then whatever comes soonest is best, because it can be traded. Four, as
    /// libtorrent's `initial_picker_threshold`.
    pub random_first: u32,
    /// Bytes ahead of the play position that [`Strategy::Streaming`] gets in order: 16 MiB,
    /// a quarter of a minute of video at 8 Mbit/s.
    pub streaming_window: u64,
}

/// What a peer may do wrong. Corrupt data is not a matter of counting: whoever is proven to
/// have sent it is banned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

impl Default for Config {
    fn default() -> Self {
        Config {
            client: concat!("Tabswarm ", env!("CARGO_PKG_VERSION")).to_owned(),
            strategy: Strategy::RarestFirst,
            max_peers: 50,
            target_peers: 30,
            choke: ChokeConfig::default(),
            places: PlacesConfig::default(),
            requests: RequestConfig::default(),
            trust: TrustConfig::default(),
            bytes_in_progress: 24 << 20,
            read_cache: 16 << 20,
            max_reads: 8,
            max_checks: 4,
            receive_window: (256 << 10, 4 << 20),
            link_budget: (17 << 10, 2 << 20),
            link_delay: Duration::from_millis(100),
            frame_payload: 256 << 10,
            max_incoming_requests: 512,
            allowed_fast: 0,
            suggestions: 2,
            idle_timeout: Duration::from_secs(150),
        }
    }
}

impl Default for PlacesConfig {
    fn default() -> Self {
        PlacesConfig {
            patience: Duration::from_secs(3),
            exchange: Duration::from_secs(20),
            starving: Duration::from_secs(5),
            sitting: Duration::from_secs(2),
            sat: Duration::from_secs(60),
            knock: (Duration::from_secs(1), Duration::from_secs(60)),
            prospects: 512,
        }
    }
}

impl Default for RequestConfig {
    fn default() -> Self {
        RequestConfig {
            start: 4,
            queue: (4, 256),
            queue_time: Duration::from_millis(500),
            timeout: Duration::from_secs(20),
            doubt: Duration::from_secs(3),
            snub: Duration::from_secs(60),
            endgame_copies: 2,
            random_first: 4,
            streaming_window: 16 << 20,
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
        }
    }
}
