//! A torrent's bytes as blobs, from wherever they are.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::SaveError;
use super::crc::Crc;
use crate::worker::js::{read_blob, slice, store_error};
use crate::worker::source::Source;
use crate::worker::store::Store;

/// Bytes that make one blob, and that are read ahead.
const CHUNK: u64 = 8 << 20;

/// See the module.
pub(super) struct Reader {
    store: Store,
    metainfo: Metainfo,
    source: Option<Source>,
    /// The last piece that was read, for the next file that begins in it.
    latest: Option<(u32, ArrayBuffer)>,
    /// Made for the first file that needs it.
    crc: Option<Crc>,
    done: u64,
    total: u64,
    progress: Rc<Cell<f64>>,
    cancelled: Rc<Cell<bool>>,
}

impl Reader {
    pub(super) fn new(
        store: Store,
        metainfo: Metainfo,
        source: Option<Source>,
        progress: Rc<Cell<f64>>,
        cancelled: Rc<Cell<bool>>,
    ) -> Self {
        Reader {
            store,
            metainfo,
            source,
            latest: None,
            crc: None,
            done: 0,
            total: 0,
            progress,
            cancelled,
        }
    }

    /// How many bytes there are to read in all, for the progress.
    pub(super) fn expect_bytes(&mut self, total: u64) {
        self.total = total;
    }

    /// All bytes, if none of them is elsewhere.
    fn whole_source(&self) -> Option<&Blob> {
        let source = self.source.as_ref()?;
        source.lost.is_empty().then_some(&source.blob)
    }

    /// `length` bytes from `offset` in the torrent.
    pub(super) async fn file(&mut self, offset: u64, length: u64) -> Result<Vec<Blob>, SaveError> {
        if let Some(blob) = self.whole_source() {
            return Ok(vec![slice(blob, offset, offset + length)?]);
        }
        self.each_chunk(offset, length, |_| {}).await
    }

    /// The same, and its CRC-32.
    pub(super) async fn file_with_crc(
        &mut self,
        offset: u64,
        length: u64,
    ) -> Result<(Vec<Blob>, u32), SaveError> {
        let mut crc = self.crc.take().unwrap_or_else(Crc::new);
        let mut parts = self
            .each_chunk(offset, length, |bytes| crc.update(&bytes.to_vec()))
            .await?;
        let value = crc.take();
        self.crc = Some(crc);
        if let Some(blob) = self.whole_source() {
            // Straight from the source: nothing needs to be copied.
            parts = vec![slice(blob, offset, offset + length)?];
        }
        Ok((parts, value))
    }

    /// Reads it in chunks, shows the bytes of each to `look`, and makes a blob of each.
    async fn each_chunk(
        &mut self,
        offset: u64,
        length: u64,
        mut look: impl FnMut(&Uint8Array),
    ) -> Result<Vec<Blob>, SaveError> {
        let mut blobs = Vec::new();
        let (mut from, end) = (offset, offset + length);
        while from < end {
            if self.cancelled.get() {
                return Err(SaveError::Cancelled);
            }
            let to = end.min(from + CHUNK);
            let parts = self.read(from, to).await?;
            parts.iter().for_each(&mut look);
            if self.whole_source().is_none() {
                blobs.push(Blob::new_with_u8_array_sequence(
                    &parts.iter().collect::<Array>(),
                )?);
            }
            self.done += to - from;
            self.progress
                .set(self.done as f64 / self.total.max(1) as f64);
            from = to;
        }
        Ok(blobs)
    }

    /// Some bytes, in the browser's memory.
    async fn read(&mut self, from: u64, to: u64) -> Result<Vec<Uint8Array>, SaveError> {
        if let Some(blob) = self.whole_source() {
            let buffer = read_blob(&slice(blob, from, to)?).await?;
            return Ok(vec![Uint8Array::new(&buffer)]);
        }
        let info_hash = self.metainfo.info_hash();
        let piece_length = u64::from(self.metainfo.layout().piece_length());
        let pieces: Vec<u32> = (from / piece_length..=(to - 1) / piece_length)
            .map(|piece| piece as u32)
            .collect();
        // All at once, so that they share a transaction.
        let reads: Vec<_> = pieces
            .into_iter()
            .map(|piece| {
                let (done, result) = oneshot::channel();
                let (store, latest) = (self.store.clone(), self.latest.clone());
                let metainfo = self.metainfo.clone();
                let source = self.source.clone().filter(|source| source.has(piece));
                spawn_local(async move {
                    let index = metainfo.layout().piece(piece);
                    let _ = done.send(match (latest, source, index) {
                        (Some((index, buffer)), ..) if index == piece => Ok(buffer),
                        (_, Some(source), Some(index)) => source
                            .read(&metainfo, index)
                            .await
                            .map_err(|error| store_error(&error)),
                        _ => store.read((info_hash, piece)).await,
                    });
                });
                (piece, result)
            })
            .collect();
        let mut parts = Vec::new();
        for (piece, result) in reads {
            let buffer = result.await.unwrap_or(Err(StoreError::Missing))?;
            let start = u64::from(piece) * piece_length;
            let within = |position: u64| {
                position
                    .saturating_sub(start)
                    .min(u64::from(buffer.byte_length())) as u32
            };
            parts.push(Uint8Array::new(&buffer).subarray(within(from), within(to)));
            self.latest = Some((piece, buffer));
        }
        if parts
            .iter()
            .map(|part| u64::from(part.length()))
            .sum::<u64>()
            != to - from
        {
            return Err(SaveError::Failed("a kept piece is too short".to_owned()));
        }
        Ok(parts)
    }
}
