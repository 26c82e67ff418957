//! What the node wants of the store: to read, write, hash and verify.

use std::rc::Rc;

use js_sys::Uint8Array;
use swarm_core::chunk::{Buffer as _, Chunk as _};
use swarm_core::engine::{Done, Job, StoreError, Work};
use swarm_core::id::InfoHash;
use swarm_core::pieces::PieceIndex;
use wasm_bindgen_futures::spawn_local;

use super::super::chunk::{TabBuffer, TabChunk};
use super::super::parts::read_part;
use super::super::pieces::read_piece;
use super::{Host, Input};

impl Host {
    /// Does it, and tells the node what came of it.
    pub(super) fn begin_work(self: &Rc<Self>, job: Job, work: Work<TabChunk>) {
        let (host, generation) = (Rc::clone(self), self.generation.get());
        spawn_local(async move {
            let done = host.work(generation, job, work).await;
            // What an earlier node asked for is not told to this one.
            if let Some(done) = done.filter(|_| host.is_current(generation)) {
                host.feed(Input::Store(job, done));
            }
        });
    }

    /// What came of it; nothing where it does not matter any more.
    async fn work(
        self: &Rc<Self>,
        generation: u32,
        job: Job,
        work: Work<TabChunk>,
    ) -> Option<Done<TabChunk>> {
        let Job {
            info_hash,
            piece,
            part,
            ..
        } = job;
        let key = (info_hash, piece.get());
        Some(match (work, part) {
            (Work::Read { .. }, None) => Done::Read(self.read(info_hash, piece).await),
            (Work::Read { length }, Some(begin)) => {
                Done::Read(self.read_part(info_hash, piece, begin, length).await)
            }
            (Work::Write { data }, None) => {
                let metainfo = self.torrents.metainfo(info_hash);
                let kept = metainfo.map_or(data.len(), |m| m.kept_length(piece) as usize);
                // Padding behind the last file is not kept.
                let kept = data.slice(0..kept);
                // The data lives until it is stored, or its memory would be used again.
                Done::Written(self.store.write(key, kept.view()).await)
            }
            (Work::Write { data }, Some(begin)) => {
                Done::Written(self.store.write_stretch(key, begin, data.view()).await)
            }
            (Work::Hash { data }, _) => Done::Hashed(self.hasher.hash(&data.view()).await),
            (Work::Verify, _) => Done::Verified(self.verify(generation, info_hash, piece).await?),
        })
    }

    async fn read(
        self: &Rc<Self>,
        info_hash: InfoHash,
        piece: PieceIndex,
    ) -> Result<TabChunk, StoreError> {
        let metainfo = self.torrents.metainfo(info_hash);
        let metainfo = metainfo.ok_or(StoreError::Missing)?;
        let buffer = match self.read_source(&metainfo, piece).await {
            Some(buffer) => buffer,
            None => read_piece(&self.store, &self.hasher, &metainfo, piece).await?,
        };
        let length = metainfo.layout().length(piece);
        let kept = TabChunk::of_array(Uint8Array::new(&buffer));
        if kept.len() == length as usize {
            return Ok(kept);
        }
        let mut whole = TabBuffer::new(length as usize);
        whole.write(0, &kept);
        whole.blank(kept.len()..length as usize);
        Ok(whole.freeze())
    }

    async fn read_part(
        &self,
        info_hash: InfoHash,
        piece: PieceIndex,
        begin: u32,
        length: u32,
    ) -> Result<TabChunk, StoreError> {
        let metainfo = self.torrents.metainfo(info_hash);
        let metainfo = metainfo.ok_or(StoreError::Missing)?;
        let part = read_part(&self.store, &metainfo, piece, begin, length).await?;
        Ok(TabChunk::of_array(part))
    }
}
