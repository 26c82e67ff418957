//! What the page shows, as signals.
//!
//! Snapshots come a few times a second. They are spread over signals that stay the same
//! as long as the thing that they describe does, so that the DOM nodes stay too: nothing
//! flickers, and nobody loses the focus.

use std::collections::BTreeMap;
use std::mem::take;

use leptos::prelude::*;
use swarm_core::engine::{PeerView, TorrentView, TrackerView};
use swarm_core::id::InfoHash;

use crate::messages::{HashingView, State};

/// Everything, newest first.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    /// The link to the tracker; none until the worker has first spoken.
    pub(crate) tracker: RwSignal<Option<TrackerView>>,
    /// Seconds until the next try to reach the tracker.
    pub(crate) reconnect_in: RwSignal<Option<u32>>,
    /// Files that are being hashed, by their numbers.
    pub(crate) hashing: RwSignal<Vec<Row<u32, ArcRwSignal<HashingView>>>>,
    /// Torrents.
    pub(crate) torrents: RwSignal<Vec<Row<InfoHash, Torrent>>>,
    /// Bytes used and bytes allowed.
    pub(crate) storage: RwSignal<Option<(u64, u64)>>,
    /// Torrents whose files are being put together.
    pub(crate) saving: RwSignal<Vec<(InfoHash, f64)>>,
    /// A torrent to bring into view.
    pub(crate) wanted: RwSignal<Option<InfoHash>>,
}

/// One thing in a list and what to know it by.
#[derive(Clone)]
pub(crate) struct Row<K, V> {
    /// Never changes.
    pub(crate) key: K,
    /// Changes often.
    pub(crate) value: V,
}

/// One torrent, its bulky parts apart from the figures that change all the time.
#[derive(Clone)]
pub(crate) struct Torrent {
    /// The view without what stands below.
    pub(crate) facts: ArcRwSignal<TorrentView>,
    /// Connected peers, in a stable order.
    pub(crate) peers: ArcRwSignal<Vec<Row<PeerKey, ArcRwSignal<PeerView>>>>,
    /// Paths and lengths.
    pub(crate) files: ArcRwSignal<Vec<(String, u64)>>,
    /// What the piece map shows.
    pub(crate) pieces: ArcRwSignal<Pieces>,
}

/// A peer id, and how many connected peers before it claim the same one.
pub(crate) type PeerKey = (String, usize);

/// Which pieces are here.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Pieces {
    /// How many there are.
    pub(crate) count: u32,
    /// Bytes of each, except the last.
    pub(crate) length: u32,
    /// Verified pieces, most significant bit first.
    pub(crate) have: Vec<u8>,
    /// Pieces in progress.
    pub(crate) in_progress: Vec<u32>,
}

impl Pieces {
    fn take_from(view: &mut TorrentView) -> Self {
        Pieces {
            count: view.pieces,
            length: view.piece_length,
            have: take(&mut view.have),
            in_progress: take(&mut view.in_progress),
        }
    }

    /// It is verified.
    pub(crate) fn has(&self, piece: u32) -> bool {
        let byte = self.have.get(piece as usize / 8);
        byte.is_some_and(|byte| byte & (0x80 >> (piece % 8)) != 0)
    }

    /// All pieces that hold any of these bytes of the torrent are verified.
    pub(crate) fn has_bytes(&self, start: u64, length: u64) -> bool {
        if length == 0 {
            return true;
        }
        let piece_of = |byte: u64| u32::try_from(byte / u64::from(self.length)).unwrap_or(u32::MAX);
        self.length > 0
            && (piece_of(start)..=piece_of(start + length - 1)).all(|piece| self.has(piece))
    }
}

impl Model {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Model {
            tracker: RwSignal::new(None),
            reconnect_in: RwSignal::new(None),
            hashing: RwSignal::new(Vec::new()),
            torrents: RwSignal::new(Vec::new()),
            storage: RwSignal::new(None),
            saving: RwSignal::new(Vec::new()),
            wanted: RwSignal::new(None),
        }
    }

    /// Nothing is shared, fetched or hashed.
    pub(crate) fn is_empty(&self) -> bool {
        self.torrents.with(Vec::is_empty) && self.hashing.with(Vec::is_empty)
    }

    /// Something is under way that starts from the beginning if the tab is closed.
    pub(crate) fn is_busy(&self) -> bool {
        self.hashing.with_untracked(|rows| !rows.is_empty())
            || self.saving.with_untracked(|saving| !saving.is_empty())
    }

    /// Shows a new snapshot.
    pub(crate) fn apply(&self, state: State) {
        set(&self.tracker, Some(state.view.tracker));
        set(&self.reconnect_in, state.reconnect_in);
        set(&self.storage, state.storage);
        set(&self.saving, state.saving);
        let hashing = state.hashing.into_iter().rev().map(|view| (view.id, view));
        reconcile(&self.hashing, hashing, ArcRwSignal::new, set);
        let torrents = state
            .view
            .torrents
            .into_iter()
            .rev()
            .map(|view| (view.info_hash, view));
        reconcile(&self.torrents, torrents, Torrent::new, Torrent::apply);
    }
}

impl Torrent {
    fn new(mut view: TorrentView) -> Self {
        let peers = ArcRwSignal::new(Vec::new());
        reconcile(&peers, keyed(take(&mut view.peers)), ArcRwSignal::new, set);
        Torrent {
            peers,
            files: ArcRwSignal::new(take(&mut view.files)),
            pieces: ArcRwSignal::new(Pieces::take_from(&mut view)),
            facts: ArcRwSignal::new(view),
        }
    }

    fn apply(&self, mut view: TorrentView) {
        reconcile(
            &self.peers,
            keyed(take(&mut view.peers)),
            ArcRwSignal::new,
            set,
        );
        set(&self.files, take(&mut view.files));
        set(&self.pieces, Pieces::take_from(&mut view));
        set(&self.facts, view);
    }
}

fn keyed(peers: Vec<PeerView>) -> impl Iterator<Item = (PeerKey, PeerView)> {
    let mut seen = BTreeMap::<String, usize>::new();
    peers.into_iter().map(move |peer| {
        let namesakes = seen.entry(peer.peer_id.clone()).or_default();
        *namesakes += 1;
        ((peer.peer_id.clone(), *namesakes), peer)
    })
}

/// Sets a signal only when that changes something: whatever depends on it runs again
/// whenever it is set.
fn set<T: PartialEq>(signal: &(impl WithUntracked<Value = T> + Set<Value = T>), value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

/// Makes the rows those of `new`, in that order. Rows that were there before are
/// updated, not replaced, and the list itself is touched only when a row comes, goes or
/// moves.
fn reconcile<K, V, N>(
    rows: &(impl WithUntracked<Value = Vec<Row<K, V>>> + Set<Value = Vec<Row<K, V>>>),
    new: impl Iterator<Item = (K, N)>,
    make: impl Fn(N) -> V,
    update: impl Fn(&V, N),
) where
    K: PartialEq + Clone,
    V: Clone,
{
    let mut old: Vec<Option<Row<K, V>>> =
        rows.with_untracked(|rows| rows.iter().cloned().map(Some).collect());
    let mut moved = false;
    let mut now = Vec::with_capacity(old.len());
    for (index, (key, view)) in new.enumerate() {
        let is_it = |row: &Option<Row<K, V>>| row.as_ref().is_some_and(|row| row.key == key);
        let at = match old.get(index).is_some_and(is_it) {
            true => Some(index),
            false => old.iter().position(is_it),
        };
        moved |= at != Some(index);
        match at.and_then(|at| old[at].take()) {
            Some(row) => {
                update(&row.value, view);
                now.push(row);
            }
            None => now.push(Row {
                key,
                value: make(view),
            }),
        }
    }
    if moved || now.len() != old.len() {
        rows.set(now);
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn rows_after(before: &[u32], after: &[u32]) -> Vec<(u32, u32)> {
        let rows = ArcRwSignal::new(Vec::new());
        let each = |keys: &[u32], value: u32| {
            keys.iter()
                .map(move |&key| (key, value))
                .collect::<Vec<_>>()
        };
        reconcile(&rows, each(before, 1).into_iter(), ArcRwSignal::new, set);
        let kept: Vec<Row<u32, ArcRwSignal<u32>>> = rows.get_untracked();
        reconcile(&rows, each(after, 2).into_iter(), ArcRwSignal::new, set);
        for row in rows.get_untracked() {
            if let Some(old) = kept.iter().find(|old| old.key == row.key) {
                assert_eq!(
                    old.value.get_untracked(),
                    2,
                    "the signal that was there is updated"
                );
            }
        }
        rows.get_untracked()
            .into_iter()
            .map(|row| (row.key, row.value.get_untracked()))
            .collect()
    }

    #[wasm_bindgen_test]
    fn rows_follow_what_is_new() {
        for (before, after) in [
            (&[][..], &[1, 2][..]),
            (&[1, 2], &[1, 2]),
            (&[1, 2], &[]),
            (&[1, 2, 3], &[3, 1]),
            (&[1, 2], &[9, 1, 2]),
        ] {
            let expected: Vec<(u32, u32)> = after.iter().map(|&key| (key, 2)).collect();
            assert_eq!(rows_after(before, after), expected);
        }
    }

    #[wasm_bindgen_test]
    fn bytes_are_here_when_all_their_pieces_are() {
        let pieces = Pieces {
            count: 3,
            length: 10,
            have: vec![0b0110_0000],
            in_progress: Vec::new(),
        };
        assert!(pieces.has_bytes(10, 20));
        assert!(pieces.has_bytes(0, 0), "an empty file");
        assert!(!pieces.has_bytes(9, 2));
        assert!(!pieces.has_bytes(25, 10));
        assert!(!Pieces::default().has_bytes(0, 1), "nothing is known yet");
    }
}
