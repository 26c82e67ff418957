//! Waking up: a slot, its database, the torrents in it, the tracker.

use std::rc::Rc;

use swarm_core::engine::{Command, Resume, StoreError};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::Bitfield;
use wasm_bindgen_futures::spawn_local;
use web_sys::DedicatedWorkerGlobalScope;

use super::embed::Listener;
use super::host::{Host, Input};
use super::open::private;
use super::parts::CUT;
use super::slot;
use super::source::Source;
use super::store::{Content, Record, Store};
use super::torrents::Torrent;
use crate::messages::ToPage;

/// Bytes of pieces that are kept in memory in browsers that give us no database.
const MEMORY: u64 = 256 << 20;

/// Starts a peer in the `wanted` slot, or in another.
pub(super) async fn start(
    scope: DedicatedWorkerGlobalScope,
    listener: Listener,
    tracker: String,
    wanted: Option<u32>,
    relay_only: bool,
) -> Rc<Host> {
    let (store, complaint) = match open_store(&scope, listener, wanted).await {
        Ok(store) => (store, None),
        Err(reason) => (Store::in_memory(MEMORY), Some(reason)),
    };
    let host = Host::new(scope, listener, store, &tracker);
    if relay_only {
        host.set_relay_only(true);
    }
    if let Some(reason) = complaint {
        host.notice(
            true,
            format!(
                "This browser gives the page no storage ({reason}). Sharing files works; downloads are kept in \
                 memory, up to {} MiB, and lost when the tab is closed. A private window often is the cause.",
                MEMORY >> 20
            ),
        );
    }
    let (store, page) = (host.store.clone(), Rc::downgrade(&host));
    store.on_closed(move || {
        if let Some(host) = page.upgrade() {
            spawn_local(host.begin_anew());
        }
    });
    resume_all(&host).await;
    host.keep_connected();
    host.changed();
    host
}

async fn open_store(
    scope: &DedicatedWorkerGlobalScope,
    listener: Listener,
    wanted: Option<u32>,
) -> Result<Store, String> {
    // A page that embeds the swarm may be of the same origin, and does not go on with what
    // somebody keeps in ours.
    let slots = match listener {
        Listener::Page => slot::OWN,
        Listener::Embedder => slot::EMBEDDED,
    };
    let slot = slot::take(slots, wanted).await?;
    listener.tell(scope, &ToPage::Slot(slot), &[]);
    Store::open(slot).await.map_err(|error| error.to_string())
}

/// Goes on with every torrent of this slot.
pub(super) async fn resume_all(host: &Rc<Host>) {
    let records = match host.store.records().await {
        Ok(records) => records,
        Err(error) => {
            return host.notice(true, format!("What this tab kept can't be read: {error}"));
        }
    };
    for record in records {
        let info_hash = record.info_hash;
        if let Err(reason) = resume(host, record).await {
            host.notice(true, cannot_resume(info_hash, &reason));
        }
    }
}

async fn resume(host: &Rc<Host>, record: Record) -> Result<(), String> {
    let metainfo = match &record.content {
        Content::Link(_) => None,
        Content::Torrent(bytes) | Content::Made(bytes) => {
            Some(Metainfo::from_torrent(bytes).map_err(|error| error.to_string())?)
        }
    };
    let source = match &record.content {
        Content::Made(_) => host
            .store
            .source(record.info_hash)
            .await
            .map_err(|error| words(&error))?,
        _ => None,
    };
    let source = source.map(|copy| Source::of_copy(copy, &record));
    let is_unchecked = source.as_ref().is_some_and(|source| !source.checked);
    let mut torrent = Torrent {
        record,
        metainfo,
        source,
    };
    if let Some(metainfo) = torrent.metainfo.as_ref().filter(|m| host.is_strange(m)) {
        torrent.record.paused = true;
        host.notice(false, private(metainfo));
    }
    host.torrents.insert(torrent.clone());
    host.follow_trackers();
    if is_unchecked {
        spawn_local(go_on_checked(Rc::clone(host), torrent.record.info_hash));
        return Ok(());
    }
    let resume = kept(host, &torrent).await?;
    host.go_on(&torrent, resume);
    Ok(())
}

/// The tab was closed before its copy of some files was compared with their hashes.
async fn go_on_checked(host: Rc<Host>, info_hash: InfoHash) {
    let name = host.torrents.name(info_hash);
    let length = host.torrents.metainfo(info_hash);
    let length = length.map_or(0, |metainfo| metainfo.layout().total_length());
    let work = host.begin_hashing(name, length);
    host.compare_source(info_hash, &work.progress).await;
    host.end_hashing(work.id);
    if work.cancelled.get() {
        return host.remove(info_hash);
    }
    // Unless it was removed meanwhile.
    if let Some(torrent) = host.torrents.look(info_hash, Torrent::clone) {
        match kept(&host, &torrent).await {
            Ok(resume) => host.go_on(&torrent, resume),
            Err(reason) => host.notice(true, cannot_resume(info_hash, &reason)),
        }
    }
}

fn cannot_resume(info_hash: InfoHash, reason: &str) -> String {
    format!("A kept torrent can't be resumed ({info_hash}): {reason}")
}

/// What is here of a torrent.
pub(super) async fn kept(host: &Rc<Host>, torrent: &Torrent) -> Result<Resume, String> {
    let Some(metainfo) = &torrent.metainfo else {
        return Ok(Resume::Nothing);
    };
    let layout = metainfo.layout();
    let mut pieces = Bitfield::empty(layout.piece_count());
    if let Some(source) = &torrent.source {
        let there = layout.pieces().filter(|piece| source.has(piece.get()));
        there.for_each(|piece| {
            pieces.insert(piece);
        });
        if pieces.is_full() {
            return Ok(Resume::Pieces(pieces));
        }
    }
    let info_hash = metainfo.info_hash();
    let kept = host.store.pieces(info_hash).await;
    let kept = kept.map_err(|error| words(&error))?;
    let lost = host.store.take_lost(info_hash);
    if lost > 0 {
        host.notice(
            true,
            format!(
                "“{}”: the browser lost {lost} of the pieces that this tab kept. They are fetched again from \
                 others who have them.",
                metainfo.name()
            ),
        );
    }
    if CUT.in_parts(layout.piece_length()) {
        let freed = host.store.keep_only(info_hash, &kept).await;
        freed.map_err(|error| words(&error))?;
    }
    for piece in kept.into_iter().filter_map(|index| layout.piece(index)) {
        pieces.insert(piece);
    }
    Ok(Resume::Pieces(pieces))
}

impl Host {
    /// Tells a new engine of a torrent of which that is here, and what is wanted of it.
    pub(super) fn go_on(self: &Rc<Self>, torrent: &Torrent, resume: Resume) {
        self.feed(Input::Command(command(torrent, resume)));
        self.tell_wishes(torrent.record.info_hash);
    }
}

fn command(torrent: &Torrent, resume: Resume) -> Command {
    let paused = torrent.record.paused;
    match (&torrent.metainfo, &torrent.record.content) {
        (Some(metainfo), _) => Command::AddTorrent {
            metainfo: metainfo.clone(),
            resume,
            paused,
        },
        (None, content) => Command::AddLink {
            info_hash: torrent.record.info_hash,
            name: match content {
                Content::Link(name) => name.clone(),
                Content::Torrent(_) | Content::Made(_) => None,
            },
            check: false,
            paused,
        },
    }
}

fn words(error: &StoreError) -> String {
    error.to_string()
}
