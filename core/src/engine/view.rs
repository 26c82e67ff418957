//! What a person sees, as plain data.
//!
//! What changes often is in [`View`], which is small and made a few times a second. What a
//! torrent is and has grows with its files and pieces, and changes little: it is borrowed
//! from the engine ([`Contents`]), and told to viewers elsewhere by its [`Changes`].

mod changes;
mod contents;
mod swarm;

pub use changes::{Changes, HaveChange, Known, Told};
pub use contents::{Contents, Description};
pub use swarm::{KnownPeer, PeerChange, PeerContents, SwarmChanges, SwarmKnown, SwarmTold};

use serde::{Deserialize, Serialize};

use crate::id::InfoHash;
use crate::peer::PeerPath;
use crate::pieces::{Strategy, Waste};

/// A snapshot of what changes often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The link to the tracker.
    pub tracker: TrackerView,
    /// What a person's limits hold back.
    pub held: Held,
    /// Every torrent, in the order in which they were added.
    pub torrents: Vec<TorrentView>,
}

/// What rates that a person set ([`Input::SetRates`](super::Input::SetRates)) hold back: somebody
/// waited for them within the last two seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What others want of us.
    pub up: bool,
    /// What we want of others.
    pub down: bool,
}

/// The link to the tracker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TrackerView {
    /// Not connected; the host is trying.
    #[default]
    Down,
    /// Connected, not yet welcomed.
    Connecting,
    /// Connected.
    Up,
}

/// What a torrent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TorrentState {
    /// Files are being read and hashed.
    Hashing,
    /// Only the info-hash is known; peers are asked for the rest.
    Metadata,
    /// Pieces are missing.
    Downloading,
    /// Everything that is wanted is here.
    Seeding,
    /// A person paused it.
    Paused,
    /// It stopped, see [`TorrentView::error`].
    Error,
}

impl TorrentState {
    /// One lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            TorrentState::Hashing => "hashing",
            TorrentState::Metadata => "metadata",
            TorrentState::Downloading => "downloading",
            TorrentState::Seeding => "seeding",
            TorrentState::Paused => "paused",
            TorrentState::Error => "error",
        }
    }
}

/// What a torrent is at the tracker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Not announced: there is no connection, or it does not take part just now.
    #[default]
    Away,
    /// Announced, and the tracker has not answered yet.
    Joining,
    /// In the swarm: others find it.
    Member,
    /// The tracker takes fewer swarms than there are torrents: it waits for its turn.
    Waiting,
    /// The tracker refused it, in these words; it is announced again later.
    Refused(String),
}

impl Standing {
    /// Of several trackers, the one that has made most of it counts.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Standing::Away => 0,
            Standing::Refused(_) => 1,
            Standing::Waiting => 2,
            Standing::Joining => 3,
            Standing::Member => 4,
        }
    }
}

/// How a torrent is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TorrentView {
    /// Its info-hash.
    pub info_hash: InfoHash,
    /// What it is doing.
    pub state: TorrentState,
    /// Verified over all bytes of the pieces that are wanted, 0 to 1. While hashing: hashed over all.
    pub progress: f64,
    /// Payload bytes received, bytes a second now.
    pub down_rate: u64,
    /// Payload bytes sent, bytes a second now.
    pub up_rate: u64,
    /// Payload bytes received since it was added.
    pub downloaded: u64,
    /// Payload bytes sent since it was added.
    pub uploaded: u64,
    /// Payload bytes received for nothing, whatever the reason.
    pub wasted: u64,
    /// The same by reasons.
    pub waste: Waste,
    /// How pieces are chosen.
    pub strategy: Strategy,
    /// Seconds until it is complete at the present rate.
    pub eta: Option<u64>,
    /// Members of the swarm that have everything, as the tracker last said.
    pub complete: u32,
    /// Members of the swarm that lack something, as the tracker last said.
    pub incomplete: u32,
    /// How often the connected peers together hold every piece: at 1 and above we may
    /// leave, and the swarm goes on without us.
    pub copies: u32,
    /// What the tracker has made of it: whether others can find it.
    pub standing: Standing,
    /// Connected peers.
    pub peers: Vec<PeerView>,
    /// Why the state is [`TorrentState::Error`].
    pub error: Option<String>,
}

/// One connected peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerView {
    /// What it calls itself.
    pub peer_id: String,
    /// Its software, as it says.
    pub client: String,
    /// How it is reached.
    pub path: PeerPath,
    /// It stands in a swarm of ordinary clients too, as it says: pieces come from there.
    pub gateway: bool,
    /// Pieces that it has over all pieces, 0 to 1.
    pub progress: f64,
    /// Payload bytes received from it.
    pub down: u64,
    /// Payload bytes sent to it.
    pub up: u64,
    /// Payload bytes received from it, bytes a second now.
    pub down_rate: u64,
    /// Payload bytes sent to it, bytes a second now.
    pub up_rate: u64,
    /// It lets us request.
    pub unchoked_us: bool,
    /// We let it request.
    pub unchoked: bool,
}
