//! Pieces in memory: for tests and for programs that embed a peer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Layout, PieceIndex};

use super::Store;

/// See the module.
#[derive(Debug)]
pub struct MemoryStore {
    layout: Layout,
    pieces: Mutex<BTreeMap<PieceIndex, Bytes>>,
    /// What was written of pieces in parts.
    parts: Mutex<BTreeMap<PieceIndex, Vec<u8>>>,
    metainfo: Metainfo,
}

impl MemoryStore {
    /// A store of nothing yet.
    pub fn new(metainfo: &Metainfo) -> Self {
        MemoryStore {
            layout: *metainfo.layout(),
            pieces: Mutex::default(),
            parts: Mutex::default(),
            metainfo: metainfo.clone(),
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

    fn read_part(&self, piece: PieceIndex, begin: u32, length: u32) -> Result<Bytes, StoreError> {
        let whole = self.read(piece)?;
        Ok(whole.slice(begin as usize..(begin + length) as usize))
    }

    fn write_part(&self, piece: PieceIndex, begin: u32, data: &[u8]) -> Result<(), StoreError> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let length = self.layout.length(piece) as usize;
        let whole = parts.entry(piece).or_insert_with(|| vec![0; length]);
        whole[begin as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }

    fn verify(&self, piece: PieceIndex) -> Result<[u8; 20], StoreError> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(written) = parts.remove(&piece) else {
            return Ok(Sha1::digest(self.read(piece)?).into());
        };
        let digest = Sha1::digest(&written).into();
        if digest == self.metainfo.piece_hash(piece) {
            self.pieces().insert(piece, written.into());
        } else {
            parts.insert(piece, written);
        }
        Ok(digest)
    }

    fn finish(&self) -> Result<(), StoreError> {
        match self.pieces().len() == self.layout.piece_count() as usize {
            true => Ok(()),
            false => Err(StoreError::Missing),
        }
    }
}
