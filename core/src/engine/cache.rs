//! Whole pieces in memory to serve blocks from, least recently used ones dropped first.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::id::InfoHash;
use crate::pieces::PieceIndex;

type Key = (InfoHash, PieceIndex);

/// Pieces in memory, and reads under way for more. Bounded in bytes and in reads.
#[derive(Debug)]
pub(super) struct Cache {
    capacity: u64,
    max_reads: usize,
    held: u64,
    pieces: BTreeMap<Key, Entry>,
    /// Keys by the moment of their last use.
    order: BTreeMap<u64, Key>,
    moment: u64,
    reading: BTreeSet<Key>,
}

#[derive(Debug)]
struct Entry {
    data: Bytes,
    used: u64,
}

impl Cache {
    pub(super) fn new(capacity: u64, max_reads: usize) -> Self {
        Cache {
            capacity,
            max_reads,
            held: 0,
            pieces: BTreeMap::new(),
            order: BTreeMap::new(),
            moment: 0,
            reading: BTreeSet::new(),
        }
    }

    /// The piece, if it is here; counts as a use.
    pub(super) fn get(&mut self, key: Key) -> Option<&Bytes> {
        self.moment += 1;
        let entry = self.pieces.get_mut(&key)?;
        self.order.remove(&entry.used);
        self.order.insert(self.moment, key);
        entry.used = self.moment;
        Some(&entry.data)
    }

    /// Keeps a piece, at the expense of those that were not used for longest. The newest
    /// stays even when it alone is larger than the capacity, or it could never be served.
    pub(super) fn insert(&mut self, key: Key, data: Bytes) {
        self.remove(key);
        self.moment += 1;
        self.held += data.len() as u64;
        self.order.insert(self.moment, key);
        self.pieces.insert(
            key,
            Entry {
                data,
                used: self.moment,
            },
        );
        while self.held > self.capacity && self.pieces.len() > 1 {
            let Some((_, oldest)) = self.order.first_key_value() else {
                break;
            };
            self.remove(*oldest);
        }
    }

    /// Drops a piece.
    pub(super) fn remove(&mut self, key: Key) {
        if let Some(entry) = self.pieces.remove(&key) {
            self.order.remove(&entry.used);
            self.held -= entry.data.len() as u64;
        }
    }

    /// True if the piece must be read now: it is not here, nobody reads it, and there is
    /// room for one more read, which counts as under way from now on.
    pub(super) fn begin_read(&mut self, key: Key) -> bool {
        if self.pieces.contains_key(&key) || self.reading.len() >= self.max_reads {
            return false;
        }
        self.reading.insert(key)
    }

    /// Reads under way, each of which will end.
    pub(super) fn reads(&self) -> usize {
        self.reading.len()
    }

    /// A read ended; false if none was under way.
    pub(super) fn end_read(&mut self, key: Key) -> bool {
        self.reading.remove(&key)
    }

    /// Drops everything of a torrent. Reads under way still end.
    pub(super) fn forget(&mut self, info_hash: InfoHash) {
        let keys: Vec<Key> = self
            .pieces
            .keys()
            .filter(|key| key.0 == info_hash)
            .copied()
            .collect();
        for key in keys {
            self.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::Layout;

    #[test]
    fn the_least_recently_used_piece_goes_first() {
        let mut cache = Cache::new(3 << 10, 2);
        let layout = Layout::new(1 << 20, 1 << 14).unwrap();
        let keys: Vec<Key> = layout.pieces().map(|p| (InfoHash([0; 20]), p)).collect();
        for key in &keys[..3] {
            cache.insert(*key, Bytes::from(vec![0; 1 << 10]));
        }
        assert!(cache.get(keys[0]).is_some());
        cache.insert(keys[3], Bytes::from(vec![0; 1 << 10]));
        assert!(cache.get(keys[0]).is_some());
        assert!(cache.get(keys[1]).is_none());
        assert_eq!(cache.held, 3 << 10);
        cache.forget(InfoHash([0; 20]));
        assert_eq!((cache.held, cache.order.len()), (0, 0));
    }

    #[test]
    fn a_piece_is_read_once_and_reads_are_bounded() {
        let mut cache = Cache::new(1 << 20, 2);
        let layout = Layout::new(1 << 20, 1 << 14).unwrap();
        let keys: Vec<Key> = layout.pieces().map(|p| (InfoHash([0; 20]), p)).collect();
        assert!(cache.begin_read(keys[0]));
        assert!(!cache.begin_read(keys[0]));
        assert!(cache.begin_read(keys[1]));
        assert!(!cache.begin_read(keys[2]));
        assert!(cache.end_read(keys[0]));
        assert!(!cache.end_read(keys[0]));
        assert!(cache.begin_read(keys[2]));
    }
}
