//! The store in files of the origin private file system.
//!
//! Each torrent has a file, in which a piece lies where there was room when it came, so that
//! the file is as long as what is kept. IndexedDB has the records, and a mark for each piece:
//! where it is. To write the bytes this way costs the browser half of what it costs as values
//! of IndexedDB, and to read them next to nothing; what earlier versions kept as values is
//! read from there.
//!
//! A mark is written once the bytes are, and nothing that is marked is overwritten. So a
//! crash of the browser costs nothing that was marked. A power cut may undo the last marks,
//! as it does in IndexedDB, and may lose bytes that are marked, or leave others in their
//! place: nobody waits for the disk, which would stop the worker for as long as the disk takes
//! (a second for each gigabyte on a fast one). Hence pieces that an earlier session wrote are
//! [unproven](Files::is_proven) until they have been compared with their hashes. Pieces in
//! stretches are compared only once, when they are confirmed, and there the disk is waited for.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use wasm_bindgen::JsValue;

use super::indexed::Indexed;
use super::{Key, Place, Stretch, removed};
use folder::Folder;
use index::{Entry, Spot};
use piece_file::PieceFile;

mod folder;
mod index;
mod marks;
mod piece_file;

#[cfg(test)]
mod tests;

/// See the module.
#[derive(Debug)]
pub(super) struct Files {
    /// The marks and all that is no piece, and pieces of earlier versions.
    pub(super) indexed: Indexed,
    folder: Folder,
    /// A list: a tab has a handful.
    torrents: RefCell<Vec<Rc<Torrent>>>,
}

#[derive(Debug)]
struct Torrent {
    info_hash: InfoHash,
    removed: Cell<bool>,
    state: RefCell<State>,
}

#[derive(Debug)]
enum State {
    /// Who waits for it.
    Opening(Vec<oneshot::Sender<Result<Rc<PieceFile>, StoreError>>>),
    Open(Rc<PieceFile>),
}

impl Files {
    /// Gives the database back where this browser has no such files for us.
    pub(super) async fn open(name: &str, indexed: Indexed) -> Result<Self, Indexed> {
        let Some(folder) = Folder::open(name).await else {
            return Err(indexed);
        };
        let files = Files {
            indexed,
            folder,
            torrents: RefCell::default(),
        };
        files.remove_orphans().await;
        Ok(files)
    }

    /// Removes files that belong to no torrent. It does no harm where that fails.
    async fn remove_orphans(&self) {
        let Ok(torrents) = marks::torrents(&self.indexed).await else {
            return;
        };
        for name in self.folder.names().await.unwrap_or_default() {
            if torrents.includes(&JsValue::from_str(&name), 0) {
                continue;
            }
            if let Ok(info_hash) = name.parse() {
                let _ = marks::forget_pieces(&self.indexed, info_hash).await;
            }
            self.folder.remove(&name).await;
        }
    }

    /// After the browser closed the storage, and perhaps cleared it.
    pub(super) async fn reopen(&self) -> Result<(), StoreError> {
        self.indexed.reopen().await?;
        for torrent in self.torrents.take() {
            let file = match &*torrent.state.borrow() {
                State::Open(file) => Rc::clone(file),
                State::Opening(_) => continue,
            };
            self.let_go(torrent.info_hash, &file).await;
        }
        self.folder.reopen().await
    }

    /// Closes a file that the browser may have cleared.
    async fn let_go(&self, info_hash: InfoHash, file: &PieceFile) {
        match self.folder.has(&info_hash.to_string()).await {
            true => file.close(),
            false => file.abandon(),
        }
    }

    /// Closes all files; each is opened again when it is needed.
    #[cfg(test)]
    pub(super) fn close(&self) {
        for torrent in self.torrents.take() {
            if let State::Open(file) = &*torrent.state.borrow() {
                file.close();
            }
        }
    }

    fn find(&self, info_hash: InfoHash) -> Option<Rc<Torrent>> {
        let torrents = self.torrents.borrow();
        let found = torrents.iter().find(|t| t.info_hash == info_hash);
        found.cloned()
    }

    /// The file of a torrent, which is opened when it is first needed.
    async fn file(&self, info_hash: InfoHash) -> Result<Rc<PieceFile>, StoreError> {
        if let Some(torrent) = self.find(info_hash) {
            let (done, opened) = oneshot::channel();
            match &mut *torrent.state.borrow_mut() {
                State::Open(file) => return Ok(Rc::clone(file)),
                State::Opening(waiting) => waiting.push(done),
            }
            return opened.await.unwrap_or_else(|_| Err(removed()));
        }
        let torrent = Rc::new(Torrent {
            info_hash,
            removed: Cell::new(false),
            state: RefCell::new(State::Opening(Vec::new())),
        });
        self.torrents.borrow_mut().push(Rc::clone(&torrent));
        let mut opened = self.open_file(info_hash).await.map(Rc::new);
        let is_it = |other: &Rc<Torrent>| Rc::ptr_eq(other, &torrent);
        if let Ok(file) = &opened {
            if torrent.removed.get() {
                file.remove();
                self.remove_file(info_hash).await;
            } else if !self.torrents.borrow().iter().any(is_it) {
                self.let_go(info_hash, file).await;
                let closed = "the browser closed the storage".into();
                opened = Err(StoreError::Failed(closed));
            }
        }
        let before = match &opened {
            Ok(file) => torrent.state.replace(State::Open(Rc::clone(file))),
            Err(_) => {
                self.torrents.borrow_mut().retain(|other| !is_it(other));
                torrent.state.replace(State::Opening(Vec::new()))
            }
        };
        if let State::Opening(waiting) = before {
            for waiting in waiting {
                // Nobody waits any more when the receiver is gone.
                let _ = waiting.send(opened.clone());
            }
        }
        opened
    }

    async fn open_file(&self, info_hash: InfoHash) -> Result<PieceFile, StoreError> {
        let handle = self.folder.file(&info_hash.to_string()).await?;
        let marks = marks::load(&self.indexed, info_hash).await;
        let opened = marks.and_then(|marks| PieceFile::new(handle.clone(), marks));
        let (file, gone) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                handle.close();
                return Err(error);
            }
        };
        if !gone.is_empty() {
            marks::forget(&self.indexed, info_hash, &gone).await?;
        }
        Ok(file)
    }

    pub(super) async fn write(&self, batch: &[(Place, Uint8Array)]) -> Result<(), StoreError> {
        let mut files = Vec::with_capacity(batch.len());
        for (place, _) in batch {
            files.push(self.file(place.key().0).await?);
        }
        // From here to the transaction nothing is awaited, so that no removal comes between.
        let mut written = Vec::with_capacity(batch.len());
        let mut kept_in = Vec::with_capacity(batch.len());
        let mut failure = Ok(());
        for ((place, data), file) in batch.iter().zip(files) {
            if file.is_removed() {
                continue;
            }
            match file.write(data) {
                Ok(extent) => {
                    written.push((place.key().0, place.spot(), extent));
                    kept_in.push(file);
                }
                Err(error) => {
                    failure = Err(error);
                    break;
                }
            }
        }
        if failure.is_ok() {
            failure = marks::put(&self.indexed, &written).await;
        }
        for ((_, spot, extent), file) in written.into_iter().zip(kept_in) {
            match failure {
                Ok(()) => file.insert(spot, extent),
                Err(_) => file.release(extent),
            }
        }
        failure
    }

    pub(super) async fn read(&self, keys: &[Key]) -> Vec<Result<ArrayBuffer, StoreError>> {
        let mut results = Vec::with_capacity(keys.len());
        // Those of earlier versions are read together.
        let mut values = Vec::new();
        for (info_hash, piece) in keys {
            let file = self.file(*info_hash).await;
            let read = file.map(|file| {
                let entry = file.index.borrow().find((*piece, None)).copied();
                entry.map(|entry| file.read(entry.extent))
            });
            if let Ok(None) = read {
                values.push((results.len(), (*info_hash, *piece)));
            }
            results.push(read.and_then(|read| read.unwrap_or(Err(StoreError::Missing))));
        }
        if !values.is_empty() {
            let keys: Vec<Key> = values.iter().map(|(_, key)| *key).collect();
            let read = self.indexed.read(&keys).await;
            for ((place, _), read) in values.into_iter().zip(read) {
                results[place] = read;
            }
        }
        results
    }

    pub(super) async fn stretches(
        &self,
        key: Key,
        bytes: Range<u32>,
    ) -> Result<Vec<Stretch>, StoreError> {
        let file = self.file(key.0).await?;
        let found = file.index.borrow().stretches(key.1, bytes.clone()).to_vec();
        if found.is_empty() {
            return self.indexed.stretches(key, bytes).await;
        }
        let read = |entry: Entry| Some((entry.spot.1?, file.read(entry.extent)));
        let read = found.into_iter().filter_map(read);
        read.map(|(begin, bytes)| Ok((begin, bytes?))).collect()
    }

    pub(super) async fn confirm(&self, key: Key) -> Result<(), StoreError> {
        self.file(key.0).await?.flush()?;
        self.indexed.confirm(key).await
    }

    pub(super) async fn forget_stretches(
        &self,
        info_hash: InfoHash,
        ranges: &[(u32, Option<u32>)],
    ) -> Result<(), StoreError> {
        let file = self.file(info_hash).await?;
        let is_one = |(piece, begin): Spot| {
            let mut ranges = ranges.iter();
            let within = |(first, end): &(u32, Option<u32>)| {
                piece >= *first && end.is_none_or(|end| piece < end)
            };
            begin.is_some() && ranges.any(within)
        };
        let stretches = file.index.borrow().spots(is_one);
        marks::forget_stretches(&self.indexed, info_hash, ranges, &stretches).await?;
        file.forget(|entry| stretches.binary_search(&entry.spot).is_ok());
        Ok(())
    }

    pub(super) async fn pieces(&self, info_hash: InfoHash) -> Result<Vec<u32>, StoreError> {
        // What is not in the file any more is forgotten as it is opened.
        let file = self.file(info_hash).await?;
        let in_database = self.indexed.pieces(info_hash).await?;
        let index = file.index.borrow();
        let mut pieces: Vec<u32> = index.pieces().collect();
        // There are many only where an earlier version wrote them, and none in the file.
        for piece in in_database {
            if let Err(place) = pieces.binary_search(&piece) {
                pieces.insert(place, piece);
            }
        }
        Ok(pieces)
    }

    /// How many pieces were kept that are not there any more, since it was asked last.
    pub(super) fn take_lost(&self, info_hash: InfoHash) -> u32 {
        let torrent = self.find(info_hash);
        torrent.map_or(0, |torrent| match &*torrent.state.borrow() {
            State::Open(file) => file.lost.take(),
            State::Opening(_) => 0,
        })
    }

    /// Whether it was written, or compared with its hash, since the tab was loaded, or is in
    /// the database.
    pub(super) fn is_proven(&self, (info_hash, piece): Key) -> bool {
        let torrent = self.find(info_hash);
        torrent.is_none_or(|torrent| match &*torrent.state.borrow() {
            State::Open(file) => {
                let index = file.index.borrow();
                index.find((piece, None)).is_none_or(|entry| entry.proven)
            }
            State::Opening(_) => true,
        })
    }

    /// A piece was compared with its hash: from now on it is proven, or not kept any more.
    pub(super) async fn prove(
        &self,
        (info_hash, piece): Key,
        is_right: bool,
    ) -> Result<(), StoreError> {
        let file = self.file(info_hash).await?;
        let spot = (piece, None);
        if is_right {
            file.index.borrow_mut().prove(piece);
            return Ok(());
        }
        let before = file.index.borrow().find(spot).copied();
        let Some(before) = before.filter(|entry| !entry.proven) else {
            return Ok(());
        };
        marks::forget(&self.indexed, info_hash, &[spot]).await?;
        file.forget(|entry| *entry == before);
        Ok(())
    }

    pub(super) async fn remove(&self, info_hash: InfoHash) -> Result<(), StoreError> {
        if let Some(torrent) = self.find(info_hash) {
            self.torrents
                .borrow_mut()
                .retain(|other| other.info_hash != info_hash);
            torrent.removed.set(true);
            if let State::Open(file) = &*torrent.state.borrow() {
                file.remove();
            }
        }
        self.indexed.remove(info_hash).await?;
        self.remove_file(info_hash).await;
        Ok(())
    }

    /// Unless the torrent was added again meanwhile.
    async fn remove_file(&self, info_hash: InfoHash) {
        if self.find(info_hash).is_none() {
            self.folder.remove(&info_hash.to_string()).await;
        }
    }
}

impl Place {
    fn spot(&self) -> Spot {
        match *self {
            Place::Piece((_, piece)) => (piece, None),
            Place::Stretch((_, piece), begin) => (piece, Some(begin)),
        }
    }
}
