//! What the page and its worker say to each other.
//!
//! [`page_kit::message`] says how they travel. The worker sends [`ToPage::Ready`] first;
//! what the page posts before that would be lost.

pub(crate) use page_kit::message::{pack, unpack};
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use swarm_core::engine::view::Changes;
use swarm_core::engine::{DirectId, DirectWork, Enough, Reached, View};
use swarm_core::id::InfoHash;
use swarm_core::net::Rates;
use swarm_core::pieces::Strategy;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// The first message. Takes a peer slot, opens its database, resumes its torrents,
    /// connects.
    Start {
        /// The WebSocket address of the tracker.
        tracker: String,
        /// The slot that this tab had before it was reloaded.
        slot: Option<u32>,
        /// See [`ToWorker::RelayOnly`].
        relay_only: bool,
    },
    /// Says that no direct links are to be made, and those there are closed; or takes it back.
    RelayOnly(bool),
    /// What a person allows from now on.
    SetLimits(Limits),
    /// The channel of a direct link in the making. Attached: the `RTCDataChannel`, or a
    /// `MessagePort` in its place where that can't leave the page.
    Channel(DirectId),
    /// What became of a direct link: its description, or that there is none, any more.
    Direct(DirectId, Option<String>),
    /// Shares files. Attached: the `File`s, one for each path, in order, and what the answer
    /// ([`ToPage::Added`], or [`ToPage::Notice`] of an error) is to have attached. So it is with what
    /// is added in other ways.
    Share {
        /// The folder's name when it is a folder or several files, none for one file.
        folder: Option<String>,
        /// The files' paths below the folder.
        paths: Vec<Vec<String>>,
    },
    /// Takes part in what a share link, magnet link or info-hash names.
    AddLink(String),
    /// Takes part in what a `.torrent` file describes.
    AddTorrent {
        /// What the file is called.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// Wants to see how everything is: answered by one [`ToPage::State`]. A page that nobody
    /// sees does not ask.
    Look {
        /// Now, as it does that has just come into view; else as soon as something has changed
        /// since the last answer.
        at_once: bool,
    },
    /// Stops transfers.
    Pause(InfoHash),
    /// Goes on; also after an error.
    Resume(InfoHash),
    /// Says whether a file is to be fetched; kept for the next load.
    SetWanted {
        /// The torrent.
        info_hash: InfoHash,
        /// Its index.
        file: u32,
        /// If not, it is left out, and of [`ToWorker::Save`] too.
        wanted: bool,
    },
    /// As [`ToWorker::SetWanted`], for all files.
    SetAllWanted(InfoHash, bool),
    /// Changes how pieces are chosen; kept for the next load.
    SetStrategy(InfoHash, Strategy),
    /// Forgets a torrent and frees its storage.
    Remove(InfoHash),
    /// Tells a tracker of a torrent no more; kept for the next load.
    RemoveTracker {
        /// The torrent.
        info_hash: InfoHash,
        /// As in [`TrackerShown::url`].
        url: String,
    },
    /// Gives up sharing files that are still being hashed.
    CancelHashing(u32),
    /// Wants the files. Attached: the handle of a file or of a folder on the disk, in which they
    /// are to be; where there is none, it is answered by [`ToPage::Saved`].
    Save {
        /// The torrent.
        info_hash: InfoHash,
        /// One file by its index, or all that are wanted (one as itself, several as a ZIP, or in
        /// a folder of their own).
        file: Option<u32>,
    },
    /// Wants them no more.
    CancelSave(InfoHash),
    /// Shows this file of a torrent from now on, by its index, and no other: it comes first, in
    /// the order in which it is read.
    Play(Option<(InfoHash, u32)>),
    /// The service worker answers a request. Attached: the `MessagePort` through which it asks
    /// for what is in a file (`worker/line.rs`).
    Stream {
        /// The torrent.
        info_hash: InfoHash,
        /// As in [`ToWorker::Save`].
        file: Option<u32>,
        /// It is a download, from the beginning to the end.
        save: bool,
    },
    /// Wants to see a torrent's swarm.
    Swarm(InfoHash, Watching),
    /// Wants the `.torrent` file: answered by [`ToPage::Saved`].
    SaveTorrent(InfoHash),
    /// Begins to record the session, with a new engine over the same store; or ends the
    /// recording: answered by [`ToPage::Saved`].
    Record(bool),
}

/// Of somebody who looks at a torrent's swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Watching {
    /// Knows nothing of it, and wants to see it: answered by one [`ToPage::Swarm`].
    Begin,
    /// Has drawn the last, and wants the next, as soon as something has changed.
    Next,
    /// Wants no more.
    End,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ToPage {
    /// The worker listens.
    Ready,
    /// A direct link is to be made, or given up: answered by [`ToWorker::Channel`] and
    /// [`ToWorker::Direct`].
    Direct {
        /// Which one.
        id: DirectId,
        /// What to do.
        work: DirectWork,
        /// The URLs of STUN servers.
        stun: Vec<String>,
    },
    /// The slot that this tab has; kept in sessionStorage for the next load.
    Slot(u32),
    /// What there is to see: the answer to [`ToWorker::Look`], or something has happened.
    State(State),
    /// What a page has to know that nobody sees; when it has changed.
    Glance(Glance),
    /// Something went wrong, or something happened that a person should know.
    Notice {
        /// It is an error.
        error: bool,
        /// In words.
        text: String,
    },
    /// A file to hand to the person. Attached: its `Blob`.
    Saved {
        /// The file's name.
        name: String,
    },
    /// What is new about a torrent's swarm: the answer to [`ToWorker::Swarm`].
    Swarm {
        /// The torrent.
        info_hash: InfoHash,
        /// Everything is in it: the answer to [`Watching::Begin`].
        is_first: bool,
        /// A [`swarm_core::engine::view::SwarmChanges`] as postcard: the picture's program reads
        /// it, and the page need not be able to.
        news: Vec<u8>,
    },
    /// A torrent was added by [`ToWorker::AddLink`], [`ToWorker::AddTorrent`] or
    /// [`ToWorker::Share`], or was there already: the page may bring it into view.
    Added(InfoHash),
}

/// What a person sees of a tab that is not in front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Glance {
    /// How far everything is that is on its way, 0 to 100.
    pub percent: Option<u8>,
    /// Something is under way that starts from the beginning if the tab is closed.
    pub is_busy: bool,
    /// Somebody gets something from here that nobody else is known to have as a whole.
    pub is_needed: bool,
}

/// What a person allows; nothing is limited that is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Bytes a second, of all torrents together.
    pub rates: Rates,
    /// Peers of each torrent.
    pub peers: Option<NonZeroU32>,
    /// How much of each torrent is shared.
    pub enough: Enough,
}

/// A snapshot of everything that the page shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// A torrent came, went, or does something else than before: told unasked, and shown even
    /// where nobody looks, which it seldom is.
    pub has_happened: bool,
    /// How every torrent is doing.
    pub view: View,
    /// What is new about what they are and have, since the last snapshot with them in it.
    pub changes: Vec<(InfoHash, Changes)>,
    /// The trackers of torrents, where they are other ones than in the last snapshot, or other
    /// things are to be said of them.
    pub(crate) trackers: Vec<(InfoHash, Vec<TrackerShown>)>,
    /// Files that are being hashed and are no torrent yet.
    pub hashing: Vec<HashingView>,
    /// Seconds until the next try to reach the tracker, while it is not connected.
    pub reconnect_in: Option<u32>,
    /// Bytes used and bytes allowed by the browser, if it says so.
    pub storage: Option<(u64, u64)>,
    /// Torrents whose files are being put together for [`ToPage::Saved`], with progress 0 to 1.
    pub saving: Vec<(InfoHash, f64)>,
    /// Torrents that were paused because there was enough of sharing them, and why.
    pub enough: Vec<(InfoHash, Reached)>,
    /// Bytes recorded so far, while the session is recorded.
    pub recording: Option<u64>,
}

/// Files that are being hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HashingView {
    /// For [`ToWorker::CancelHashing`].
    pub id: u32,
    /// Of the file or folder.
    pub name: String,
    /// Bytes.
    pub length: u64,
    /// 0 to 1.
    pub progress: f64,
}

/// One tracker of a torrent, or one of its web seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrackerShown {
    /// Its address.
    pub(crate) url: String,
    /// How it is.
    pub(crate) state: TrackerState,
    /// Who named it.
    pub(crate) by: NamedBy,
}

/// Who named a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NamedBy {
    /// It is the server that the page came from.
    Page,
    /// The `.torrent` file, or a link.
    Torrent,
    /// Another peer.
    Peer,
}

/// How one tracker of a torrent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TrackerState {
    /// It has not spoken yet.
    Connecting,
    /// The torrent is in its swarm, or about to be.
    Up,
    /// It speaks to us, and is told nothing: the torrent takes part nowhere just now.
    Idle,
    /// It takes only so many torrents of one tab, and it is the turn of others.
    Waiting,
    /// There is no connection; it is tried again.
    Down,
    /// This page has as many links as it may have.
    Spare,
    /// It refused the torrent, or this page may not connect to it, for this reason.
    Refused(String),
    /// It can't be spoken with, for this reason.
    Unsupported(String),
    /// It is no tracker but a web seed (BEP 19).
    WebSeed {
        /// It is asked for what no peer gives.
        up: bool,
        /// What is wrong with it.
        trouble: Option<String>,
    },
}
