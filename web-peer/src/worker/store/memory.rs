//! The store for browsers that give this page no database: lost with the tab, and small.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use web_sys::Blob;

use super::{Key, Place, Record, Stretch};

/// A piece, or the stretch of it that begins at this byte.
type Address = (Key, Option<u32>);

/// See the module. Everything is in the browser's memory, none in the worker's own.
#[derive(Debug)]
pub(super) struct Memory {
    capacity: u64,
    used: Cell<u64>,
    records: RefCell<Vec<Record>>,
    /// Pieces and stretches in order; no bytes for a piece whose stretches are verified.
    bytes: RefCell<Vec<(Address, Option<ArrayBuffer>)>>,
    sources: RefCell<Vec<(InfoHash, Blob)>>,
}

impl Memory {
    pub(super) fn new(capacity: u64) -> Self {
        Memory {
            capacity,
            used: Cell::default(),
            records: RefCell::default(),
            bytes: RefCell::default(),
            sources: RefCell::default(),
        }
    }

    pub(super) fn write(&self, batch: &[(Place, Uint8Array)]) -> Result<(), StoreError> {
        let lengths = batch.iter().map(|(_, data)| u64::from(data.byte_length()));
        if self.used.get() + lengths.sum::<u64>() > self.capacity {
            let megabytes = self.capacity >> 20;
            return Err(StoreError::Full(format!(
                "this browser gives the page no storage, and more than {megabytes} MiB don't go into its memory"
            )));
        }
        for (place, data) in batch {
            let address = match *place {
                Place::Piece(key) => (key, None),
                Place::Stretch(key, begin) => {
                    // What an earlier try left, which may have been cut in other places.
                    let end = begin + data.length();
                    self.forget(|(of, at)| *of == key && at.is_some_and(|b| b >= begin && b < end));
                    (key, Some(begin))
                }
            };
            self.insert(address, Some(data.slice(0, data.length()).buffer()));
        }
        Ok(())
    }

    fn insert(&self, address: Address, bytes: Option<ArrayBuffer>) {
        let mut kept = self.bytes.borrow_mut();
        if let Err(place) = kept.binary_search_by_key(&address, |(address, _)| *address) {
            let length = bytes.as_ref().map_or(0, ArrayBuffer::byte_length);
            self.used.set(self.used.get() + u64::from(length));
            kept.insert(place, (address, bytes));
        }
    }

    fn forget(&self, which: impl Fn(&Address) -> bool) {
        let mut kept = self.bytes.borrow_mut();
        kept.retain(|(address, _)| !which(address));
        let left = kept.iter().filter_map(|(_, bytes)| bytes.as_ref());
        let left = left.map(|bytes| u64::from(bytes.byte_length()));
        self.used.set(left.sum());
    }

    pub(super) fn read(&self, keys: &[Key]) -> Vec<Result<ArrayBuffer, StoreError>> {
        let kept = self.bytes.borrow();
        let read = |key: &Key| {
            let found = kept.binary_search_by_key(&(*key, None), |(address, _)| *address);
            let bytes = found.ok().and_then(|place| kept[place].1.clone());
            bytes.ok_or(StoreError::Missing)
        };
        keys.iter().map(read).collect()
    }

    pub(super) fn stretches(
        &self,
        key: Key,
        bytes: Range<u32>,
    ) -> Result<Vec<Stretch>, StoreError> {
        let kept = self.bytes.borrow();
        let found = kept.iter().filter_map(|((of, begin), data)| {
            let begin = begin.filter(|begin| *of == key && bytes.contains(begin))?;
            Some((begin, data.clone()?))
        });
        Ok(found.collect())
    }

    pub(super) fn confirm(&self, key: Key) -> Result<(), StoreError> {
        self.insert((key, None), None);
        Ok(())
    }

    pub(super) fn forget_stretches(
        &self,
        info_hash: InfoHash,
        ranges: &[(u32, Option<u32>)],
    ) -> Result<(), StoreError> {
        self.forget(|((torrent, piece), begin)| {
            let mut ranges = ranges.iter();
            let within = |(first, end): &(u32, Option<u32>)| {
                piece >= first && end.is_none_or(|end| *piece < end)
            };
            *torrent == info_hash && begin.is_some() && ranges.any(within)
        });
        Ok(())
    }

    pub(super) fn pieces(&self, info_hash: InfoHash) -> Result<Vec<u32>, StoreError> {
        let kept = self.bytes.borrow();
        let pieces = kept.iter().filter(|((_, begin), _)| begin.is_none());
        let pieces = pieces.map(|((key, _), _)| *key);
        let own = pieces.filter(|(torrent, _)| *torrent == info_hash);
        Ok(own.map(|(_, piece)| piece).collect())
    }

    pub(super) fn put_record(&self, record: &Record) -> Result<(), StoreError> {
        let mut records = self.records.borrow_mut();
        records.retain(|other| other.info_hash != record.info_hash);
        records.push(record.clone());
        Ok(())
    }

    pub(super) fn records(&self) -> Result<Vec<Record>, StoreError> {
        Ok(self.records.borrow().clone())
    }

    pub(super) fn put_source(&self, info_hash: InfoHash, source: &Blob) -> Result<(), StoreError> {
        let mut sources = self.sources.borrow_mut();
        sources.retain(|(torrent, _)| *torrent != info_hash);
        sources.push((info_hash, source.clone()));
        Ok(())
    }

    pub(super) fn source(&self, info_hash: InfoHash) -> Result<Option<Blob>, StoreError> {
        let sources = self.sources.borrow();
        let found = sources.iter().find(|(torrent, _)| *torrent == info_hash);
        Ok(found.map(|(_, source)| source.clone()))
    }

    pub(super) fn remove(&self, info_hash: InfoHash) -> Result<(), StoreError> {
        let mut records = self.records.borrow_mut();
        records.retain(|record| record.info_hash != info_hash);
        let mut sources = self.sources.borrow_mut();
        sources.retain(|(torrent, _)| *torrent != info_hash);
        self.forget(|((torrent, _), _)| *torrent == info_hash);
        Ok(())
    }
}
