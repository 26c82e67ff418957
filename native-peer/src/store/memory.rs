//! Pieces in memory: for tests and for programs that embed a peer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Layout, PieceIndex};

use super::Store;

/// See the module.
#[derive(Debug)]
pub struct MemoryStore {
    layout: Layout,
    pieces: Mutex<BTreeMap<PieceIndex, Bytes>>,
}

impl MemoryStore {
    /// A store of nothing yet.
    pub fn new(metainfo: &Metainfo) -> Self {
        MemoryStore {
            layout: *metainfo.layout(),
            pieces: Mutex::default(),
        }
    }

    fn pieces(&self) -> MutexGuard<'_, BTreeMap<PieceIndex, Bytes>> {
        // The map is whole at every point where a thread can panic.
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError> {
        self.pieces()
            .get(&piece)
            .cloned()
            .ok_or(StoreError::Missing)
    }

    fn write(&self, piece: PieceIndex, data: &[u8]) -> Result<(), StoreError> {
        debug_assert_eq!(
            data.len(),
            self.layout.length(piece) as usize,
            "a whole piece"
        );
        self.pieces().insert(piece, Bytes::copy_from_slice(data));
        Ok(())
    }

    fn finish(&self) -> Result<(), StoreError> {
        match self.pieces().len() == self.layout.piece_count() as usize {
            true => Ok(()),
            false => Err(StoreError::Missing),
        }
    }
}
