//! Pieces, and parts of long ones, in memory to serve blocks from; least recently used ones
//! are dropped first.

use crate::chunk::Chunk;
use crate::id::InfoHash;
use crate::pieces::PieceIndex;
use crate::sorted::SortedMap;

/// A part of a piece, by its number; a piece that is held whole is its part 0.
pub(super) type Key = (InfoHash, PieceIndex, u32);

/// What is in memory, and reads under way for more. Bounded in bytes and in reads.
#[derive(Debug)]
pub(super) struct Cache<C> {
    capacity: u64,
    max_reads: usize,
    held: u64,
    pieces: SortedMap<Key, Entry<C>>,
    /// Keys by the moment of their last use.
    order: SortedMap<u64, Key>,
    moment: u64,
    /// How long each will be that is being read.
    reading: SortedMap<Key, u64>,
    reading_bytes: u64,
}

#[derive(Debug)]
struct Entry<C> {
    data: C,
    used: u64,
}

impl<C: Chunk> Cache<C> {
    pub(super) fn new(capacity: u64, max_reads: usize) -> Self {
        Cache {
            capacity,
            max_reads,
            held: 0,
            pieces: SortedMap::new(),
            order: SortedMap::new(),
            moment: 0,
            reading: SortedMap::new(),
            reading_bytes: 0,
        }
    }

    /// The part, if it is here; counts as a use.
    pub(super) fn get(&mut self, key: Key) -> Option<&C> {
        self.moment += 1;
        let entry = self.pieces.get_mut(&key)?;
        self.order.remove(&entry.used);
        self.order.insert(self.moment, key);
        entry.used = self.moment;
        Some(&entry.data)
    }

    /// Keeps a part, at the expense of those that were not used for longest. The newest
    /// stays even when it alone is larger than the capacity, or it could never be served; and
    /// so do its neighbours, with which it may share a block.
    pub(super) fn insert(&mut self, key: Key, data: C) {
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
        let stays =
            |other: &Key| (other.0, other.1) == (key.0, key.1) && other.2.abs_diff(key.2) <= 1;
        while self.held > self.capacity
            && let Some(oldest) = self.order.values().find(|other| !stays(other))
        {
            self.remove(*oldest);
        }
    }

    fn remove(&mut self, key: Key) {
        if let Some(entry) = self.pieces.remove(&key) {
            self.order.remove(&entry.used);
            self.held -= entry.data.len() as u64;
        }
    }

    /// Drops all of a piece.
    pub(super) fn remove_piece(&mut self, info_hash: InfoHash, piece: PieceIndex) {
        let all = (info_hash, piece, 0)..=(info_hash, piece, u32::MAX);
        let keys: Vec<Key> = self.pieces.range(all).map(|(key, _)| *key).collect();
        for key in keys {
            self.remove(key);
        }
    }

    /// True if the part, of so many bytes, must be read now: it is not here, nobody reads it,
    /// and there is room for one more read, which counts as under way from now on. Reads
    /// under way come to no more bytes than may be kept, unless there is one alone.
    pub(super) fn begin_read(&mut self, key: Key, bytes: u32) -> bool {
        let bytes = u64::from(bytes);
        let full = self.reading.len() >= self.max_reads
            || !self.reading.is_empty() && self.reading_bytes + bytes > self.capacity;
        if full || self.pieces.contains_key(&key) || self.reading.contains_key(&key) {
            return false;
        }
        self.reading.insert(key, bytes);
        self.reading_bytes += bytes;
        true
    }

    /// Reads under way for torrents that are here, each of which will end.
    pub(super) fn reads(&self) -> usize {
        self.reading.len()
    }

    /// A read ended; false if none was under way.
    pub(super) fn end_read(&mut self, key: Key) -> bool {
        let ended = self.reading.remove(&key);
        self.reading_bytes -= ended.unwrap_or_default();
        ended.is_some()
    }

    /// Drops everything of a torrent. How its reads end does not matter any more.
    pub(super) fn forget(&mut self, info_hash: InfoHash) {
        let mut left = 0;
        self.reading.retain(|key, bytes| {
            let goes_on = key.0 != info_hash;
            left += if goes_on { *bytes } else { 0 };
            goes_on
        });
        self.reading_bytes = left;
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
    use bytes::Bytes;

    use super::*;
    use crate::pieces::Layout;

    #[test]
    fn the_least_recently_used_piece_goes_first() {
        let mut cache = Cache::<Bytes>::new(3 << 10, 2);
        let layout = Layout::new(1 << 20, 1 << 14).unwrap();
        let keys: Vec<Key> = layout.pieces().map(|p| (InfoHash([0; 20]), p, 0)).collect();
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
        let mut cache = Cache::<Bytes>::new(1 << 20, 2);
        let layout = Layout::new(1 << 20, 1 << 14).unwrap();
        let keys: Vec<Key> = layout.pieces().map(|p| (InfoHash([0; 20]), p, 0)).collect();
        assert!(cache.begin_read(keys[0], 1));
        assert!(!cache.begin_read(keys[0], 1));
        assert!(cache.begin_read(keys[1], 1));
        assert!(!cache.begin_read(keys[2], 1));
        assert!(cache.end_read(keys[0]));
        assert!(!cache.end_read(keys[0]));
        assert!(cache.begin_read(keys[2], 1));
    }

    #[test]
    fn reads_are_bounded_in_bytes_but_one_always_goes() {
        let mut cache = Cache::<Bytes>::new(100, 8);
        let layout = Layout::new(1 << 20, 1 << 14).unwrap();
        let keys: Vec<Key> = layout.pieces().map(|p| (InfoHash([0; 20]), p, 0)).collect();
        assert!(cache.begin_read(keys[0], 1000));
        assert!(!cache.begin_read(keys[1], 1));
        assert!(cache.end_read(keys[0]));
        assert!(cache.begin_read(keys[1], 60));
        assert!(!cache.begin_read(keys[2], 41));
        assert!(cache.begin_read(keys[2], 40));
    }

    #[test]
    fn parts_that_may_share_a_block_stay_together() {
        let mut cache = Cache::<Bytes>::new(10, 8);
        let piece = Layout::new(1, 1).unwrap().piece(0).unwrap();
        let key = |part| (InfoHash([0; 20]), piece, part);
        for part in 0..4 {
            cache.insert(key(part), Bytes::from(vec![0; 10]));
        }
        let here: Vec<bool> = (0..4).map(|part| cache.get(key(part)).is_some()).collect();
        assert_eq!(here, [false, false, true, true]);
        cache.remove_piece(InfoHash([0; 20]), piece);
        assert_eq!((cache.held, cache.order.len()), (0, 0));
    }
}
