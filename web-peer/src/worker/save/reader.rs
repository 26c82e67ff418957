//! A torrent's bytes as blobs, from wherever they are.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Array, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::PieceIndex;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::SaveError;
use super::crc::Crc;
use crate::worker::js::{read_blob, slice, store_error};
use crate::worker::parts::{CUT, read_part};
use crate::worker::pieces::read_piece;
use crate::worker::sha1::Hasher;
use crate::worker::source::Source;
use crate::worker::store::Store;

/// Bytes that make one blob, and that are read ahead.
const CHUNK: u64 = 8 << 20;

/// What is read at once: a piece, or a part of one that is kept in stretches.
#[derive(Clone, Copy, PartialEq)]
struct Unit {
    piece: PieceIndex,
    /// The first byte within the piece.
    begin: u32,
    length: u32,
}

/// See the module.
pub(super) struct Reader {
    store: Store,
    hasher: Hasher,
    metainfo: Metainfo,
    source: Option<Source>,
    /// The last that was read, for the next file that begins in it.
    latest: Option<(Unit, Uint8Array)>,
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
        hasher: Hasher,
        metainfo: Metainfo,
        source: Option<Source>,
        progress: Rc<Cell<f64>>,
        cancelled: Rc<Cell<bool>>,
    ) -> Self {
        Reader {
            store,
            hasher,
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
        let mut units = Vec::new();
        let mut next = from;
        while next < to {
            let (unit, end) = self.unit_at(next)?;
            units.push((next, unit));
            next = end;
        }
        // All at once, so that they share a transaction.
        let reads: Vec<_> = units
            .into_iter()
            .map(|(begin, unit)| {
                let (done, result) = oneshot::channel();
                let latest = self.latest.clone().filter(|(latest, _)| *latest == unit);
                let (store, hasher) = (self.store.clone(), self.hasher.clone());
                let metainfo = self.metainfo.clone();
                let source = self.source.clone();
                spawn_local(async move {
                    let _ = done.send(match latest {
                        Some((_, bytes)) => Ok(bytes),
                        None => unit.read(&store, &hasher, &metainfo, source).await,
                    });
                });
                (begin, unit, result)
            })
            .collect();
        let mut parts = Vec::new();
        for (begin, unit, result) in reads {
            let bytes = result.await.unwrap_or(Err(StoreError::Missing))?;
            let start = self.metainfo.layout().offset(unit.piece) + u64::from(unit.begin);
            let within = |position: u64| (position - start).min(u64::from(bytes.length())) as u32;
            parts.push(bytes.subarray(within(begin), within(to)));
            self.latest = Some((unit, bytes));
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

    /// What has this byte of the torrent, and the byte behind it.
    fn unit_at(&self, byte: u64) -> Result<(Unit, u64), SaveError> {
        let layout = self.metainfo.layout();
        let piece = u32::try_from(byte / u64::from(layout.piece_length())).ok();
        let piece = piece.and_then(|piece| layout.piece(piece));
        let piece = piece.ok_or(StoreError::Missing)?;
        let (start, length) = (layout.offset(piece), layout.length(piece));
        let within = u32::try_from(byte - start).expect("within the piece");
        let (begin, length) = CUT.stretch(length, CUT.part_at(length, within));
        let unit = Unit {
            piece,
            begin,
            length,
        };
        Ok((unit, start + u64::from(begin) + u64::from(length)))
    }
}

impl Unit {
    async fn read(
        self,
        store: &Store,
        hasher: &Hasher,
        metainfo: &Metainfo,
        source: Option<Source>,
    ) -> Result<Uint8Array, StoreError> {
        let Unit {
            piece,
            begin,
            length,
        } = self;
        if CUT.in_parts(metainfo.layout().length(piece)) {
            return read_part(store, metainfo, piece, begin, length).await;
        }
        let buffer = match source.filter(|source| source.has(piece.get())) {
            Some(source) => source
                .read(metainfo, piece)
                .await
                .map_err(|error| store_error(&error)),
            None => read_piece(store, hasher, metainfo, piece).await,
        };
        buffer.map(|buffer| Uint8Array::new(&buffer))
    }
}
