//! A torrent's bytes, from wherever they are, for a person rather than for other peers.

use futures_channel::oneshot;
use js_sys::Uint8Array;
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::PieceIndex;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::host::Host;
use super::js::{read_blob, slice, store_error};
use super::parts::{CUT, read_part};
use super::pieces::read_piece;
use super::sha1::Hasher;
use super::source::Source;
use super::store::Store;

/// What is read at once: a piece, or a part of one that is kept in stretches.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    piece: PieceIndex,
    /// The first byte within the piece.
    begin: u32,
    length: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Reader {
    store: Store,
    hasher: Hasher,
    metainfo: Metainfo,
    source: Option<Source>,
    /// The last that was read, for what begins in it.
    latest: Option<(Unit, Uint8Array)>,
}

impl Reader {
    pub(super) fn new(host: &Host, metainfo: Metainfo) -> Self {
        Reader {
            store: host.store.clone(),
            hasher: host.hasher.clone(),
            source: host.torrents.source(metainfo.info_hash()),
            metainfo,
            latest: None,
        }
    }

    /// All bytes, if none of them is elsewhere.
    pub(super) fn whole_source(&self) -> Option<&Blob> {
        let source = self.source.as_ref()?;
        source.lost.is_empty().then_some(&source.blob)
    }

    /// Bytes `from` to `to` of the torrent, one after the other, in the browser's memory. Some
    /// of them may be views of more.
    pub(super) async fn read(&mut self, from: u64, to: u64) -> Result<Vec<Uint8Array>, StoreError> {
        if let Some(blob) = self.whole_source() {
            let part = slice(blob, from, to).map_err(|error| store_error(&error))?;
            let buffer = read_blob(&part)
                .await
                .map_err(|error| store_error(&error))?;
            return Ok(vec![Uint8Array::new(&buffer)]);
        }
        let mut units = Vec::new();
        let mut next = from;
        while next < to {
            let (unit, end) = self.unit_at(next)?;
            units.push(unit);
            next = end;
        }
        // All at once, so that they share a transaction.
        let reads: Vec<_> = units
            .into_iter()
            .map(|unit| {
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
                (unit, result)
            })
            .collect();
        let mut parts = Vec::new();
        let mut length = 0;
        for (unit, result) in reads {
            let bytes = result.await.unwrap_or(Err(StoreError::Missing))?;
            let start = self.metainfo.layout().offset(unit.piece) + u64::from(unit.begin);
            let within = |position: u64| {
                let position = position.saturating_sub(start);
                position.min(u64::from(bytes.length())) as u32
            };
            let part = bytes.subarray(within(from), within(to));
            length += u64::from(part.length());
            parts.push(part);
            self.latest = Some((unit, bytes));
        }
        match length == to - from {
            true => Ok(parts),
            false => Err(StoreError::Failed("a kept piece is too short".to_owned())),
        }
    }

    /// The piece that has this byte, and the end of what is read at once with it.
    pub(super) fn piece_at(&self, byte: u64) -> Result<(PieceIndex, u64), StoreError> {
        let (unit, end) = self.unit_at(byte)?;
        Ok((unit.piece, end))
    }

    /// What has this byte of the torrent, and the byte behind it.
    fn unit_at(&self, byte: u64) -> Result<(Unit, u64), StoreError> {
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
