//! The store for browsers that give this page no database: lost with the tab, and small.

use std::cell::{Cell, RefCell};

use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use web_sys::Blob;

use super::{Key, Record};

/// See the module. Everything is in the browser's memory, none in the worker's own.
#[derive(Debug)]
pub(super) struct Memory {
    capacity: u64,
    used: Cell<u64>,
    records: RefCell<Vec<Record>>,
    pieces: RefCell<Vec<(Key, ArrayBuffer)>>,
    sources: RefCell<Vec<(InfoHash, Blob)>>,
}

impl Memory {
    pub(super) fn new(capacity: u64) -> Self {
        Memory {
            capacity,
            used: Cell::default(),
            records: RefCell::default(),
            pieces: RefCell::default(),
            sources: RefCell::default(),
        }
    }

    pub(super) fn write(&self, pieces: &[(Key, Uint8Array)]) -> Result<(), StoreError> {
        let lengths = pieces.iter().map(|(_, data)| u64::from(data.byte_length()));
        if self.used.get() + lengths.sum::<u64>() > self.capacity {
            let megabytes = self.capacity >> 20;
            return Err(StoreError::Full(format!(
                "this browser gives the page no storage, and more than {megabytes} MiB don't go into its memory"
            )));
        }
        let mut kept = self.pieces.borrow_mut();
        for (key, data) in pieces {
            match kept.binary_search_by_key(key, |(key, _)| *key) {
                Ok(_) => {}
                Err(place) => {
                    let copy = data.slice(0, data.length()).buffer();
                    self.used
                        .set(self.used.get() + u64::from(data.byte_length()));
                    kept.insert(place, (*key, copy));
                }
            }
        }
        Ok(())
    }

    pub(super) fn read(&self, keys: &[Key]) -> Vec<Result<ArrayBuffer, StoreError>> {
        let kept = self.pieces.borrow();
        let read = |key: &Key| match kept.binary_search_by_key(key, |(key, _)| *key) {
            Ok(place) => Ok(kept[place].1.clone()),
            Err(_) => Err(StoreError::Missing),
        };
        keys.iter().map(read).collect()
    }

    pub(super) fn pieces(&self, info_hash: InfoHash) -> Result<Vec<u32>, StoreError> {
        let kept = self.pieces.borrow();
        let keys = kept.iter().map(|(key, _)| *key);
        let own = keys.filter(|(torrent, _)| *torrent == info_hash);
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
        let mut pieces = self.pieces.borrow_mut();
        pieces.retain(|((torrent, _), _)| *torrent != info_hash);
        let left = pieces.iter().map(|(_, data)| u64::from(data.byte_length()));
        self.used.set(left.sum());
        Ok(())
    }
}
