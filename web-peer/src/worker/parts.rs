//! Pieces that are too long to be held in memory whole.
//!
//! The store keeps their stretches as they came, unverified; once the piece was hashed where
//! it lies, it is confirmed. What is not confirmed by the time a tab is loaded again is
//! freed. Files that are shared here never have such pieces.

use std::rc::Rc;

use js_sys::Uint8Array;
use sha1::{Digest as _, Sha1};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Cut, PieceIndex};

use super::host::Host;
use super::store::Store;

/// Which pieces are kept in stretches, and how much of one is in memory at a time. No stretch
/// reaches across the end of a part, so a database that was written with another length of a
/// part can't be read.
pub(super) const CUT: Cut = Cut {
    whole: 16 << 20,
    part: 1 << 20,
};

/// `length` bytes of a piece from `begin` on, which is where a part begins. In the browser's
/// memory; padding is zeros.
pub(super) async fn read_part(
    store: &Store,
    metainfo: &Metainfo,
    piece: PieceIndex,
    begin: u32,
    length: u32,
) -> Result<Uint8Array, StoreError> {
    let key = (metainfo.info_hash(), piece.get());
    let mut stretches = store.stretches(key, begin..begin + length).await?;
    if stretches.is_empty() {
        // Earlier versions kept pieces of up to 64 MiB whole.
        let whole = store.read(key).await;
        stretches.extend(whole.ok().map(|whole| (0, whole)));
    }
    let is_whole = |at: u32, bytes: u32| at == begin && bytes == length;
    if let [(at, bytes)] = &stretches[..]
        && is_whole(*at, bytes.byte_length())
    {
        return Ok(Uint8Array::new(bytes));
    }
    let part = Uint8Array::new_with_length(length);
    let offset = metainfo.layout().offset(piece);
    let is_known = |from: u32, to: u32| {
        from >= to
            || metainfo
                .padding()
                .covers(offset + u64::from(from), to - from)
    };
    // Up to here all is there.
    let mut next = begin;
    for (at, bytes) in stretches {
        if !is_known(next, at) {
            return Err(StoreError::Missing);
        }
        let (from, to) = (
            at.max(begin),
            (at + bytes.byte_length()).min(begin + length),
        );
        let bytes = Uint8Array::new(&bytes).subarray(from - at, to.max(from) - at);
        part.set(&bytes, from - begin);
        next = next.max(to);
    }
    match is_known(next, begin + length) {
        true => Ok(part),
        false => Err(StoreError::Missing),
    }
}

impl Host {
    /// The SHA-1 of a piece where it lies, a part at a time.
    async fn hash_parts(
        &self,
        info_hash: InfoHash,
        piece: PieceIndex,
    ) -> Result<[u8; 20], StoreError> {
        let metainfo = self.torrents.metainfo(info_hash);
        let metainfo = metainfo.ok_or(StoreError::Missing)?;
        let length = metainfo.layout().length(piece);
        // The browser's own hashing takes everything at once.
        let mut hash = Sha1::new();
        let mut buffer = vec![0; CUT.part as usize];
        let mut begin = 0;
        while begin < length {
            let part = CUT.part.min(length - begin);
            let bytes = read_part(&self.store, &metainfo, piece, begin, part).await?;
            let buffer = &mut buffer[..part as usize];
            bytes.copy_to(buffer);
            hash.update(buffer);
            begin += part;
        }
        Ok(hash.finalize().into())
    }

    /// Hashes a piece where it lies, and keeps it if it is right, or frees what there is of it.
    /// None if nobody wants to know any more.
    pub(super) async fn verify(
        self: &Rc<Self>,
        generation: u32,
        info_hash: InfoHash,
        piece: PieceIndex,
    ) -> Option<Result<[u8; 20], StoreError>> {
        let digest = self.hash_parts(info_hash, piece).await;
        let metainfo = self.torrents.metainfo(info_hash)?;
        // Another node may be writing other bytes to the same place.
        if !self.is_current(generation) {
            return None;
        }
        let key = (info_hash, piece.get());
        let settled = match &digest {
            Ok(digest) if *digest == metainfo.piece_hash(piece) => self.store.confirm(key).await,
            _ => self.store.reject(key).await,
        };
        Some(settled.and(digest))
    }
}
