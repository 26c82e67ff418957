//! What a tab keeps: its torrents, their pieces, and the files that it shares.
//!
//! Whole pieces are the unit, and transactions are few: while one is under way, reads
//! and writes gather for the next. [`Backend`]s only carry batches out: into files, where the
//! browser has them for us, else into its database, else into memory. Pieces that are too
//! long to be held in memory whole are kept in stretches, which count for nothing until
//! their piece is confirmed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

mod files;
mod indexed;
mod memory;
mod schema;

#[cfg(test)]
mod conformance;

pub(super) use schema::{Content, More, Record, Sharing, Tracking, Wishes};

use files::Files;
use indexed::Indexed;
use memory::Memory;

/// A piece: of which torrent, and its index.
pub(super) type Key = (InfoHash, u32);

/// A stretch of a piece: its first byte within the piece, and its bytes.
pub(super) type Stretch = (u32, ArrayBuffer);

/// Where bytes go.
#[derive(Clone, Copy, Debug)]
enum Place {
    Piece(Key),
    /// From this byte of the piece on.
    Stretch(Key, u32),
}

/// Bytes of pieces in one transaction, beyond which the rest waits for the next.
const BATCH_BYTES: u32 = 8 << 20;
/// Pieces in one transaction.
const BATCH_PIECES: usize = 64;
/// Transactions of a kind at once: the browser prepares one while it commits the other.
const TRANSACTIONS: u32 = 2;
/// How often what the browser closed is opened again for a write.
const OPENED: u32 = 5;

/// See the module. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Store(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    backend: Backend,
    writes: RefCell<VecDeque<Write>>,
    writing: Cell<u32>,
    reads: RefCell<VecDeque<Read>>,
    reading: Cell<u32>,
}

#[derive(Debug)]
struct Write {
    place: Place,
    data: Uint8Array,
    done: oneshot::Sender<Result<(), StoreError>>,
}

#[derive(Debug)]
struct Read {
    key: Key,
    done: oneshot::Sender<Result<ArrayBuffer, StoreError>>,
}

#[derive(Debug)]
enum Backend {
    Files(Files),
    Indexed(Indexed),
    Memory(Memory),
}

/// Calls the same method of whichever backend it is.
macro_rules! either {
    ($backend:expr, $store:ident => $call:expr) => {
        match $backend {
            Backend::Files($store) => $call.await,
            Backend::Indexed($store) => $call.await,
            Backend::Memory($store) => $call,
        }
    };
}

/// The same of the database, where there is one.
macro_rules! database {
    ($backend:expr, $store:ident => $call:expr) => {
        match $backend {
            Backend::Files(Files {
                indexed: $store, ..
            })
            | Backend::Indexed($store) => $call.await,
            Backend::Memory($store) => $call,
        }
    };
}

impl Store {
    /// The database of a peer slot, and its folder if the browser has files for us.
    pub(super) async fn open(slot: u32) -> Result<Self, StoreError> {
        let name = format!("tabswarm-{slot}");
        let indexed = Indexed::open(&name).await?;
        Ok(Self::new(match Files::open(&name, indexed).await {
            Ok(files) => Backend::Files(files),
            Err(indexed) => Backend::Indexed(indexed),
        }))
    }

    /// For browsers that give this page no database: forgets all with the tab, and holds
    /// `capacity` bytes of pieces at most.
    pub(super) fn in_memory(capacity: u64) -> Self {
        Self::new(Backend::Memory(Memory::new(capacity)))
    }

    fn new(backend: Backend) -> Self {
        Store(Rc::new(Inner {
            backend,
            writes: RefCell::default(),
            writing: Cell::default(),
            reads: RefCell::default(),
            reading: Cell::default(),
        }))
    }

    /// Calls back when the browser has closed the storage, and perhaps cleared it.
    pub(super) fn on_closed(&self, callback: impl Fn() + 'static) {
        match &self.0.backend {
            Backend::Files(Files { indexed, .. }) | Backend::Indexed(indexed) => {
                indexed.on_closed(Box::new(callback));
            }
            Backend::Memory(_) => {}
        }
    }

    /// Opens it once more after that.
    pub(super) async fn reopen(&self) -> Result<(), StoreError> {
        match &self.0.backend {
            Backend::Files(store) => store.reopen().await,
            Backend::Indexed(store) => store.reopen().await,
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Keeps a piece; returns once it survives a reload.
    pub(super) async fn write(&self, key: Key, data: Uint8Array) -> Result<(), StoreError> {
        self.put(Place::Piece(key), data).await
    }

    /// Keeps a stretch of a piece in place of all that began within it.
    pub(super) async fn write_stretch(
        &self,
        key: Key,
        begin: u32,
        data: Uint8Array,
    ) -> Result<(), StoreError> {
        self.put(Place::Stretch(key, begin), data).await
    }

    async fn put(&self, place: Place, data: Uint8Array) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        self.0
            .writes
            .borrow_mut()
            .push_back(Write { place, data, done });
        if self.0.writing.get() < TRANSACTIONS {
            self.0.writing.set(self.0.writing.get() + 1);
            spawn_local(self.clone().carry_out_writes());
        }
        answer.await.unwrap_or_else(|_| Err(removed()))
    }

    async fn carry_out_writes(self) {
        loop {
            let batch = take_batch(&mut self.0.writes.borrow_mut(), |write| write.data.length());
            if batch.is_empty() {
                break;
            }
            let writes: Vec<_> = batch
                .iter()
                .map(|write| (write.place, write.data.clone()))
                .collect();
            let result = self.carry_out(&writes).await;
            for write in batch {
                // Nobody waits any more when the receiver is gone.
                let _ = write.done.send(result.clone());
            }
        }
        self.0.writing.set(self.0.writing.get() - 1);
    }

    /// Writes once more to a storage that the browser closed meanwhile, which reads fail to; and
    /// while it still clears it, it may close what was just opened.
    async fn carry_out(&self, writes: &[(Place, Uint8Array)]) -> Result<(), StoreError> {
        let mut opened = 0;
        loop {
            let written = either!(&self.0.backend, store => store.write(writes));
            let has_failed = matches!(written, Err(StoreError::Failed(_)));
            let (place, _) = writes[0];
            if !has_failed || opened == OPENED || self.source(place.key().0).await.is_ok() {
                return written;
            }
            opened += 1;
            self.reopen().await?;
        }
    }

    /// A whole piece.
    pub(super) async fn read(&self, key: Key) -> Result<ArrayBuffer, StoreError> {
        let (done, answer) = oneshot::channel();
        self.0.reads.borrow_mut().push_back(Read { key, done });
        if self.0.reading.get() < TRANSACTIONS {
            self.0.reading.set(self.0.reading.get() + 1);
            spawn_local(self.clone().carry_out_reads());
        }
        answer.await.unwrap_or_else(|_| Err(removed()))
    }

    async fn carry_out_reads(self) {
        loop {
            // The caller bounds what it has under way, so the lengths don't matter.
            let batch = take_batch(&mut self.0.reads.borrow_mut(), |_| 1);
            if batch.is_empty() {
                break;
            }
            let keys: Vec<Key> = batch.iter().map(|read| read.key).collect();
            let results = either!(&self.0.backend, store => store.read(&keys));
            for (read, result) in batch.into_iter().zip(results) {
                let _ = read.done.send(result);
            }
        }
        self.0.reading.set(self.0.reading.get() - 1);
    }

    /// The stretches of a piece that begin within these bytes of it, in order.
    pub(super) async fn stretches(
        &self,
        key: Key,
        bytes: Range<u32>,
    ) -> Result<Vec<Stretch>, StoreError> {
        either!(&self.0.backend, store => store.stretches(key, bytes))
    }

    /// The stretches of a piece are verified: from now on it is one of [`Store::pieces`].
    pub(super) async fn confirm(&self, key: Key) -> Result<(), StoreError> {
        either!(&self.0.backend, store => store.confirm(key))
    }

    /// Frees the stretches of a piece, which were not right.
    pub(super) async fn reject(&self, (info_hash, piece): Key) -> Result<(), StoreError> {
        let range = (piece, Some(piece.saturating_add(1)));
        either!(&self.0.backend, store => store.forget_stretches(info_hash, &[range]))
    }

    /// Frees the stretches of all pieces but these, which are in order: those of pieces that
    /// were never confirmed.
    pub(super) async fn keep_only(
        &self,
        info_hash: InfoHash,
        pieces: &[u32],
    ) -> Result<(), StoreError> {
        let mut ranges = Vec::new();
        let mut first = 0;
        for piece in pieces {
            if first < *piece {
                ranges.push((first, Some(*piece)));
            }
            first = piece.saturating_add(1);
        }
        ranges.push((first, None));
        either!(&self.0.backend, store => store.forget_stretches(info_hash, &ranges))
    }

    /// The indices of the pieces that are here, in order.
    pub(super) async fn pieces(&self, info_hash: InfoHash) -> Result<Vec<u32>, StoreError> {
        either!(&self.0.backend, store => store.pieces(info_hash))
    }

    /// How many pieces were kept that are not there any more, since it was asked last.
    pub(super) fn take_lost(&self, info_hash: InfoHash) -> u32 {
        match &self.0.backend {
            Backend::Files(store) => store.take_lost(info_hash),
            Backend::Indexed(_) | Backend::Memory(_) => 0,
        }
    }

    /// Whether what [`Store::read`] gives of this piece is sure to be what was written. Else
    /// it is to be compared with its hash, and [`Store::prove`] told of it.
    pub(super) fn is_proven(&self, key: Key) -> bool {
        match &self.0.backend {
            Backend::Files(store) => store.is_proven(key),
            Backend::Indexed(_) | Backend::Memory(_) => true,
        }
    }

    /// A piece was compared with its hash: if it is not right, it is freed.
    pub(super) async fn prove(&self, key: Key, is_right: bool) -> Result<(), StoreError> {
        match &self.0.backend {
            Backend::Files(store) => store.prove(key, is_right).await,
            Backend::Indexed(_) | Backend::Memory(_) => Ok(()),
        }
    }

    /// Lets go of the files, as a worker does when it ends.
    #[cfg(test)]
    pub(super) fn close(&self) {
        if let Backend::Files(store) = &self.0.backend {
            store.close();
        }
    }

    /// Keeps what a torrent is, in place of what was kept of it before.
    pub(super) async fn put_record(&self, record: &Record) -> Result<(), StoreError> {
        database!(&self.0.backend, store => store.put_record(record))
    }

    /// Every torrent, in the order in which they were added.
    pub(super) async fn records(&self) -> Result<Vec<Record>, StoreError> {
        let mut sorted: Vec<Record> = Vec::new();
        // They are few; the standard library's sort would weigh more than all of them.
        for record in database!(&self.0.backend, store => store.records())? {
            let place = sorted.partition_point(|other| other.added <= record.added);
            sorted.insert(place, record);
        }
        Ok(sorted)
    }

    /// Keeps a copy of the bytes of a torrent that was made here.
    pub(super) async fn put_source(
        &self,
        info_hash: InfoHash,
        source: &Blob,
    ) -> Result<(), StoreError> {
        database!(&self.0.backend, store => store.put_source(info_hash, source))
    }

    /// The bytes of a torrent that was made here, if they are kept.
    pub(super) async fn source(&self, info_hash: InfoHash) -> Result<Option<Blob>, StoreError> {
        database!(&self.0.backend, store => store.source(info_hash))
    }

    /// Forgets a torrent with its pieces and source, writes that have not begun included.
    pub(super) async fn remove(&self, info_hash: InfoHash) -> Result<(), StoreError> {
        self.0
            .writes
            .borrow_mut()
            .retain(|write| write.place.key().0 != info_hash);
        either!(&self.0.backend, store => store.remove(info_hash))
    }
}

impl Place {
    fn key(&self) -> Key {
        match *self {
            Place::Piece(key) | Place::Stretch(key, _) => key,
        }
    }
}

fn take_batch<T>(queue: &mut VecDeque<T>, length: impl Fn(&T) -> u32) -> Vec<T> {
    let mut bytes = 0;
    let mut count = 0;
    for item in queue.iter().take(BATCH_PIECES) {
        if bytes >= BATCH_BYTES {
            break;
        }
        bytes += length(item);
        count += 1;
    }
    // Draining is a lot of code, for each type anew.
    (0..count).filter_map(|_| queue.pop_front()).collect()
}

fn removed() -> StoreError {
    StoreError::Failed("the torrent was removed".to_owned())
}
