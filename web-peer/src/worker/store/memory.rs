//! The store for browsers that give this page no database: lost with the tab, and small.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

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
    records: RefCell<BTreeMap<InfoHash, Record>>,
    pieces: RefCell<BTreeMap<Key, ArrayBuffer>>,
    sources: RefCell<BTreeMap<InfoHash, Blob>>,
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
        let length: u64 = pieces
            .iter()
            .map(|(_, data)| u64::from(data.byte_length()))
            .sum();
        if self.used.get() + length > self.capacity {
            let megabytes = self.capacity >> 20;
            return Err(StoreError::Full(format!(
                "this browser gives the page no storage, and more than {megabytes} MiB don't go into its memory"
            )));
        }
        let mut kept = self.pieces.borrow_mut();
        for (key, data) in pieces {
            let old = kept.insert(*key, data.slice(0, data.length()).buffer());
            let old = old.map_or(0, |old| u64::from(old.byte_length()));
            self.used
                .set(self.used.get() + u64::from(data.byte_length()) - old);
        }
        Ok(())
    }

    pub(super) fn read(&self, keys: &[Key]) -> Vec<Result<ArrayBuffer, StoreError>> {
        let pieces = self.pieces.borrow();
        keys.iter()
            .map(|key| pieces.get(key).cloned().ok_or(StoreError::Missing))
            .collect()
    }

    pub(super) fn pieces(&self, info_hash: InfoHash) -> Result<Vec<u32>, StoreError> {
        let pieces = self.pieces.borrow();
        Ok(pieces
            .range((info_hash, 0)..=(info_hash, u32::MAX))
            .map(|((_, piece), _)| *piece)
            .collect())
    }

    pub(super) fn put_record(&self, record: &Record) -> Result<(), StoreError> {
        self.records
            .borrow_mut()
            .insert(record.info_hash, record.clone());
        Ok(())
    }

    pub(super) fn records(&self) -> Result<Vec<Record>, StoreError> {
        Ok(self.records.borrow().values().cloned().collect())
    }

    pub(super) fn put_source(&self, info_hash: InfoHash, source: &Blob) -> Result<(), StoreError> {
        self.sources.borrow_mut().insert(info_hash, source.clone());
        Ok(())
    }

    pub(super) fn source(&self, info_hash: InfoHash) -> Result<Option<Blob>, StoreError> {
        Ok(self.sources.borrow().get(&info_hash).cloned())
    }

    pub(super) fn remove(&self, info_hash: InfoHash) -> Result<(), StoreError> {
        self.records.borrow_mut().remove(&info_hash);
        self.sources.borrow_mut().remove(&info_hash);
        self.pieces.borrow_mut().retain(|key, data| {
            let stays = key.0 != info_hash;
            if !stays {
                self.used
                    .set(self.used.get() - u64::from(data.byte_length()));
            }
            stays
        });
        Ok(())
    }
}
