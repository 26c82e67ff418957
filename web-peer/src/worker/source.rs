//! The bytes of torrents that were made here.
//!
//! At first they are in the files that a person dropped, which anybody may change. The
//! browser copies those into our storage; the copy is compared with the hashes, because a
//! file may have changed while it was copied, and what differs is lost. Until then each
//! piece is compared as it is read. What is lost is fetched from others like any piece.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::engine::{Command, StoreError};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::PieceIndex;
use swarm_core::sorted::{SortedMap, SortedSet};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::host::{Host, Input};
use super::js::{read_blob, slice};
use super::sha1::Hasher;
use super::store::Record;
use super::torrents::Torrent;

/// Bytes to read at once while comparing, if the pieces are not longer.
const STRETCH: u32 = 4 << 20;
/// Reads of a piece that turns out to be wrong, with everything compared in between.
const TRIES: u32 = 2;
/// Files that are named to a person.
const NAMED: usize = 3;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// All bytes in order.
    pub(super) blob: Blob,
    /// It is our own copy, and was compared with the hashes.
    pub(super) checked: bool,
    /// Pieces that are not in it. Once fetched they are in the store.
    pub(super) lost: SortedSet<u32>,
}

impl Source {
    /// The files as they were dropped, whose hashes have just been taken.
    pub(super) fn of_files(blob: Blob) -> Self {
        Source {
            blob,
            checked: false,
            lost: SortedSet::new(),
        }
    }

    /// The copy that is kept.
    pub(super) fn of_copy(blob: Blob, record: &Record) -> Self {
        Source {
            blob,
            checked: record.more.checked,
            lost: record.more.lost.iter().copied().collect(),
        }
    }

    /// It should have this piece.
    pub(super) fn has(&self, piece: u32) -> bool {
        !self.lost.contains(&piece)
    }

    /// A piece, right or wrong.
    pub(super) async fn read(
        &self,
        metainfo: &Metainfo,
        piece: PieceIndex,
    ) -> Result<ArrayBuffer, JsValue> {
        let layout = metainfo.layout();
        let from = layout.offset(piece);
        let part = slice(&self.blob, from, from + u64::from(layout.length(piece)))?;
        read_blob(&part).await
    }

    /// Compares all that it should have with the hashes; returns what it does not have.
    async fn compare(
        &self,
        hasher: &Hasher,
        metainfo: &Metainfo,
        progress: &Cell<f64>,
    ) -> SortedSet<u32> {
        let layout = metainfo.layout();
        let per_stretch = (STRETCH / layout.piece_length()).max(1) as usize;
        let pieces: Vec<PieceIndex> = layout.pieces().filter(|p| self.has(p.get())).collect();
        let mut lost = self.lost.clone();
        for stretch in pieces.chunk_by(|a, b| a.get() + 1 == b.get()) {
            for stretch in stretch.chunks(per_stretch) {
                if !is_right(self, hasher, metainfo, stretch).await {
                    // Which of them?
                    for piece in stretch {
                        if !is_right(self, hasher, metainfo, &[*piece]).await {
                            lost.insert(piece.get());
                        }
                    }
                }
                let done = stretch.last().map_or(0, |piece| piece.get() + 1);
                progress.set(f64::from(done) / f64::from(layout.piece_count()));
            }
        }
        lost
    }
}

/// Whether pieces that follow each other are all as they should be.
async fn is_right(
    source: &Source,
    hasher: &Hasher,
    metainfo: &Metainfo,
    stretch: &[PieceIndex],
) -> bool {
    let layout = metainfo.layout();
    let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else {
        return true;
    };
    let start = layout.offset(*first);
    let end = layout.offset(*last) + u64::from(layout.length(*last));
    let part = slice(&source.blob, start, end);
    let Ok(part) = part else { return false };
    let Ok(buffer) = read_blob(&part).await else {
        return false;
    };
    if u64::from(buffer.byte_length()) != end - start {
        return false;
    }
    let bytes = Uint8Array::new(&buffer);
    let mut from = 0;
    for piece in stretch {
        let to = from + layout.length(*piece);
        let digest = hasher.hash(&bytes.subarray(from, to)).await;
        if digest != metainfo.piece_hash(*piece) {
            return false;
        }
        from = to;
    }
    true
}

/// Sources that are being copied or compared, and who waits for the end of that.
#[derive(Debug, Default)]
pub(super) struct UnderWay(RefCell<SortedMap<InfoHash, Vec<oneshot::Sender<()>>>>);

impl UnderWay {
    /// Begins, unless it is under way.
    fn begin(&self, info_hash: InfoHash) -> bool {
        let mut under_way = self.0.borrow_mut();
        let is_new = !under_way.contains_key(&info_hash);
        under_way.entry(info_hash).or_default();
        is_new
    }

    /// Something is.
    pub(super) fn is_busy(&self) -> bool {
        !self.0.borrow().is_empty()
    }

    fn end(&self, info_hash: InfoHash) {
        for waiting in self.0.borrow_mut().remove(&info_hash).unwrap_or_default() {
            // Nobody waits any more when the receiver is gone.
            let _ = waiting.send(());
        }
    }

    /// Waits for the end of what is under way.
    async fn wait(&self, info_hash: InfoHash) {
        let (done, end) = oneshot::channel();
        match self.0.borrow_mut().get_mut(&info_hash) {
            Some(waiting) => waiting.push(done),
            None => return,
        }
        let _ = end.await;
    }
}

impl Host {
    /// A piece out of a torrent's source, verified where others may change it; none if it is
    /// not there.
    pub(super) async fn read_source(
        self: &Rc<Self>,
        metainfo: &Metainfo,
        piece: PieceIndex,
    ) -> Option<ArrayBuffer> {
        let info_hash = metainfo.info_hash();
        for _ in 0..TRIES {
            let source = self.torrents.source(info_hash)?;
            if !source.has(piece.get()) {
                return None;
            }
            if let Ok(buffer) = source.read(metainfo, piece).await
                && buffer.byte_length() == metainfo.layout().length(piece)
            {
                let digest = match source.checked {
                    true => None,
                    false => Some(self.hasher.hash(&Uint8Array::new(&buffer)).await),
                };
                if digest.is_none_or(|digest| digest == metainfo.piece_hash(piece)) {
                    return Some(buffer);
                }
            }
            // A copy may have it, or it is lost, and perhaps not alone.
            self.compare_source(info_hash, &Cell::default()).await;
        }
        self.torrents.change(info_hash, |torrent| {
            if let Some(source) = &mut torrent.source {
                source.lost.insert(piece.get());
            }
        });
        None
    }

    /// Copies what is shared into the storage, so that a reloaded tab goes on seeding.
    pub(super) async fn keep_source(self: Rc<Self>, record: Record, blob: Blob, replaces: bool) {
        let info_hash = record.info_hash;
        if !self.sources.begin(info_hash) {
            return;
        }
        let kept = async {
            if replaces {
                self.store.remove(info_hash).await?;
            }
            self.store.put_source(info_hash, &blob).await?;
            self.store.source(info_hash).await
        };
        match kept.await {
            Ok(Some(copy)) => self.take_copy(record, copy).await,
            Ok(None) => self.cannot_keep(info_hash, &StoreError::Missing),
            Err(error) => self.cannot_keep(info_hash, &error),
        }
        self.sources.end(info_hash);
        self.changed();
    }

    fn cannot_keep(&self, info_hash: InfoHash, error: &StoreError) {
        let name = self.torrents.name(info_hash);
        self.notice(
            false,
            format!("“{name}” is shared while this tab stays open, and has to be added again after that: {error}"),
        );
    }

    /// From now on the copy is read, which nobody can change, move or delete.
    async fn take_copy(self: &Rc<Self>, record: Record, copy: Blob) {
        let info_hash = record.info_hash;
        if !self.torrents.contains(info_hash) {
            // It was removed while the browser copied.
            return drop(self.store.remove(info_hash).await);
        }
        // A tab that is reloaded meanwhile goes on from here.
        self.update(info_hash, |torrent| torrent.record.more.checked = false);
        let source = Source::of_copy(copy, &record);
        self.settle(info_hash, source, &Cell::default()).await;
    }

    /// Compares what is left of a source with its hashes; if that is under way, waits for it.
    pub(super) async fn compare_source(self: &Rc<Self>, info_hash: InfoHash, progress: &Cell<f64>) {
        if !self.sources.begin(info_hash) {
            return self.sources.wait(info_hash).await;
        }
        if let Some(source) = self.torrents.source(info_hash) {
            self.settle(info_hash, source, progress).await;
        }
        self.sources.end(info_hash);
        self.changed();
    }

    /// Compares a source, and goes on with what it has.
    async fn settle(
        self: &Rc<Self>,
        info_hash: InfoHash,
        mut source: Source,
        progress: &Cell<f64>,
    ) {
        let Some(metainfo) = self.torrents.metainfo(info_hash) else {
            return;
        };
        let lost = source.compare(&self.hasher, &metainfo, progress).await;
        let news: SortedSet<u32> = lost
            .iter()
            .filter(|piece| source.has(**piece))
            .copied()
            .collect();
        source.lost = lost;
        source.checked = true;
        self.update(info_hash, |torrent| {
            torrent.record.more.checked = true;
            torrent.record.more.lost = source.lost.iter().copied().collect();
            torrent.source = Some(source);
        });
        self.tell_lost(&metainfo, &news);
    }

    /// The browser closed the storage, as it does when a person clears it: finds out what is
    /// left, and goes on with that.
    pub(super) async fn begin_anew(self: Rc<Self>) {
        if let Err(error) = self.store.reopen().await {
            return self.notice(
                true,
                format!(
                    "The browser closed this page’s storage. Reload the page to go on. ({error})"
                ),
            );
        }
        self.notice(
            true,
            "The browser’s storage of this page was cleared. What this tab kept there is fetched again from \
             others who have it.",
        );
        for info_hash in self.torrents.all() {
            let Some(torrent) = self.torrents.look(info_hash, Torrent::clone) else {
                continue;
            };
            self.keep(torrent.record.clone());
            if !torrent.record.paused {
                // What was being written when it happened may have stopped it.
                self.feed(Input::Command(Command::Resume(info_hash)));
            }
            let Some(metainfo) = torrent.metainfo else {
                continue;
            };
            match torrent.source {
                Some(source) if !source.checked => {
                    spawn_local(Rc::clone(&self).keep_source(torrent.record, source.blob, false));
                    continue;
                }
                Some(_) => self.compare_source(info_hash, &Cell::default()).await,
                None => {}
            }
            let kept = self.torrents.source(info_hash);
            let is_gone = |piece: &PieceIndex| kept.as_ref().is_none_or(|s| !s.has(piece.get()));
            let pieces = metainfo.layout().pieces().filter(is_gone).collect();
            self.feed(Input::Lost { info_hash, pieces });
        }
    }

    fn tell_lost(self: &Rc<Self>, metainfo: &Metainfo, lost: &SortedSet<u32>) {
        if lost.is_empty() {
            return;
        }
        let info_hash = metainfo.info_hash();
        let layout = metainfo.layout();
        let pieces: Vec<PieceIndex> = lost.iter().filter_map(|p| layout.piece(*p)).collect();
        self.notice(true, words(metainfo, &pieces));
        self.feed(Input::Lost { info_hash, pieces });
    }
}

/// Which files changed, and what that means.
fn words(metainfo: &Metainfo, lost: &[PieceIndex]) -> String {
    let spans = lost.iter().flat_map(|piece| metainfo.piece_spans(*piece));
    let files: SortedSet<usize> = spans.map(|span| span.file).collect();
    let named = files.iter().take(NAMED).filter_map(|file| {
        let path = metainfo.files().get(*file)?.path.parts().join("/");
        Some(format!("“{path}”"))
    });
    let mut names: Vec<String> = named.collect();
    if files.len() > NAMED {
        names.push(format!("{} more", files.len() - NAMED));
    }
    let names = names.join(", ");
    let all = metainfo.layout().piece_count();
    let rest = match lost.len() {
        lost if lost == all as usize => "nothing of it is left to share".to_owned(),
        1 => format!("one of {all} pieces is lost, the others are shared on"),
        lost => format!("{lost} of {all} pieces are lost, the others are shared on"),
    };
    format!(
        "{names} changed, or can’t be read any more: {rest}. Add it again to share it as it is now."
    )
}
