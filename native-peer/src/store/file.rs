//! A download folder.
//!
//! - What is in a file's place already is somebody's: it is read, and taken if it is right,
//!   but never written to, unless its owner says so ([`Wishes::overwrite`]).
//! - A file in the making has a name of its own (see `names`), and gets its real one, which
//!   must be free, once all of it is there.
//! - Nothing is believed that was not verified: what is there at first is hashed by the engine,
//!   as is what we write; a file to which, as far as can be told, somebody else has written too
//!   (see `trail`) is read back in the end ([`FileStore::read_back`]), and one that changed after
//!   it was verified is hashed again before it is shared on.
//! - Only what is wanted matters: nothing is looked at in the places of other files.
//!
//! Every file is opened anew for every span, without following links (see `folder`). That
//! costs microseconds a piece, and a file that vanishes is noticed. Holes in files take no
//! room where the file system knows sparse files.

mod changes;
mod check;
mod complete;
mod flush;
mod folder;
mod names;
mod part;
mod read_back;
mod trail;

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cap_std::fs::File;
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Bitfield, PieceIndex};

use super::{Changed, Stamp, Store, hash_in_stretches, is_right, store_error};
use crate::Error;
use crate::text::shown;
use flush::Flusher;
use folder::{Folder, There};
use names::Names;
use part::Part;
use trail::Trail;

/// Bytes that are written at once: a block. The system puts what is written at once into memory
/// that lies together, and in a virtual machine the large stretches of it are those that nobody
/// has used yet, each to be fetched from the host: half a gigabyte took 0.2 s of a processor in
/// such writes, and 0.1 to 0.8 s in ones of 256 KiB.
const AT_ONCE: usize = 16 << 10;

/// See the module.
#[derive(Debug)]
pub struct FileStore {
    folder: Folder,
    metainfo: Metainfo,
    wishes: Wishes,
    names: Vec<Names>,
    begun: bool,
    state: Mutex<State>,
    /// Of each file, held while it is written to: its writes come one after the other, as in the
    /// system itself.
    trails: Vec<Mutex<Trail>>,
    flusher: Flusher,
}

/// What a person wants of a download folder.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Files, by their indices, that are not to be complete in the end.
    pub left_out: BTreeSet<usize>,
    /// Files of the torrent's names that are not what it has are replaced, once what replaces
    /// them is complete.
    pub overwrite: bool,
}

#[derive(Debug)]
struct State {
    /// Pieces that were verified and are here.
    had: Bitfield,
    files: Vec<FileState>,
    /// Something was written that was not read since.
    written: bool,
    /// Pieces that were written in parts, and not verified since.
    in_parts: BTreeSet<PieceIndex>,
    /// Files that changed since they were verified.
    changed: BTreeSet<usize>,
}

#[derive(Clone, Copy, Debug)]
struct FileState {
    lies: Lies,
    /// Pieces of it that are not here.
    lacking: u32,
}

/// Under which name a file is to be found.
#[derive(Clone, Copy, Debug)]
enum Lies {
    /// That of a file in the making; it may not be there yet.
    InTheMaking,
    /// Its own: it was there, or it is complete. It looked like this when it was verified.
    Named {
        /// We made it.
        ours: bool,
        stamp: Stamp,
    },
}

impl FileStore {
    /// The torrent's files below `folder`, which must exist. What is there is looked at, and
    /// refused where it can't be what the torrent has. Nothing is written yet, except that a
    /// file that is to be overwritten is copied, so that what is right in it is not fetched.
    pub fn open(folder: &Path, metainfo: &Metainfo, wishes: Wishes) -> Result<Self, Error> {
        let folder = Folder::open(folder).map_err(|error| store_error(&shown(folder), &error))?;
        let pieces = metainfo.layout().piece_count();
        let mut lacking = vec![0; metainfo.files().len()];
        for piece in metainfo.layout().pieces() {
            for span in metainfo.piece_spans(piece) {
                lacking[span.file] += 1;
            }
        }
        let trails = lacking.iter().map(|_| Mutex::default()).collect();
        let flusher = Flusher::new(lacking.len());
        let files = lacking.into_iter().map(|lacking| FileState {
            lies: Lies::InTheMaking,
            lacking,
        });
        let mut store = FileStore {
            folder,
            names: names::names(metainfo, &wishes.left_out),
            metainfo: metainfo.clone(),
            wishes,
            begun: false,
            state: Mutex::new(State {
                had: Bitfield::empty(pieces),
                files: files.collect(),
                written: false,
                in_parts: BTreeSet::new(),
                changed: BTreeSet::new(),
            }),
            trails,
            flusher,
        };
        store.look_around()?;
        Ok(store)
    }

    /// Some of the torrent's bytes may be here.
    pub fn has_something(&self) -> bool {
        self.begun
    }

    /// Some wanted file is not there yet: the folder will be written to.
    pub fn will_write(&self) -> bool {
        let state = self.state();
        let mut files = state.files.iter().enumerate();
        files.any(|(file, state)| self.is_wanted(file) && matches!(state.lies, Lies::InTheMaking))
    }

    fn is_wanted(&self, file: usize) -> bool {
        !self.wishes.left_out.contains(&file)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole at every point where a thread can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trail(&self, file: usize) -> MutexGuard<'_, Trail> {
        // As above.
        let trail = self.trails[file].lock();
        trail.unwrap_or_else(PoisonError::into_inner)
    }

    fn lies(&self, file: usize) -> Lies {
        self.state().files[file].lies
    }

    fn set_lies(&self, file: usize, lies: Lies) {
        self.state().files[file].lies = lies;
    }

    /// What the torrent's own name of a file looks like now.
    fn stamp(&self, file: usize) -> io::Result<Stamp> {
        let metadata = self.folder.read(&self.names[file].named)?.metadata()?;
        Ok(Stamp::from(&metadata))
    }

    fn shown(&self, file: usize) -> String {
        self.folder.shown(&self.names[file].named)
    }

    fn error(&self, file: usize, error: &io::Error) -> StoreError {
        store_error(&self.shown(file), error)
    }

    /// Reads a stretch of a file. It is in `doubt` where it may not be what was verified.
    fn read_span(
        &self,
        file: usize,
        offset: u64,
        buffer: &mut [u8],
        doubt: &mut bool,
    ) -> io::Result<()> {
        let names = &self.names[file];
        let from = |mut opened: File, buffer: &mut [u8]| {
            opened.seek(SeekFrom::Start(offset))?;
            opened.read_exact(buffer)
        };
        match self.lies(file) {
            Lies::Named { stamp, .. } => {
                let opened = self.folder.read(&names.named)?;
                if Stamp::from(&opened.metadata()?) != stamp {
                    *doubt = true;
                    self.state().changed.insert(file);
                }
                from(opened, buffer)
            }
            Lies::InTheMaking => match self.folder.read(&names.part) {
                Ok(opened) => from(opened, buffer),
                // Completed a moment ago, by us or by another process; or not wanted.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    *doubt = true;
                    from(self.folder.read(&names.named)?, buffer)
                }
                Err(error) => Err(error),
            },
        }
    }

    /// Writes a stretch of a file, or sees that it is there already.
    fn write_span(&self, file: usize, offset: u64, data: &[u8]) -> Result<(), StoreError> {
        if let Lies::Named { ours, .. } = self.lies(file) {
            match self.is_there(file, offset, data) {
                Ok(true) => return Ok(()),
                Ok(false) if ours || self.wishes.overwrite => self.take_over(file)?,
                Ok(false) => return Err(StoreError::Failed(self.in_the_way(&[file]))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.set_lies(file, Lies::InTheMaking);
                }
                Err(error) => return Err(self.error(file, &error)),
            }
        }
        let part = &self.names[file].part;
        let opened = match self.folder.write(part, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Another process may have completed it.
                if self.is_wanted(file) && self.is_there(file, offset, data).unwrap_or(false) {
                    return Ok(());
                }
                self.folder.write(part, true)
            }
            opened => opened,
        };
        let write = |mut opened: File| {
            self.trail(file).write(&mut opened, |opened| {
                opened.seek(SeekFrom::Start(offset))?;
                let mut stretches = data.chunks(AT_ONCE);
                stretches.try_for_each(|stretch| opened.write_all(stretch))
            })?;
            self.flusher.wrote(file, opened, data.len())
        };
        opened
            .and_then(write)
            .map_err(|error| store_error(&self.folder.shown(part), &error))
    }

    fn write_stretch(&self, piece: PieceIndex, begin: u32, data: &[u8]) -> Result<(), StoreError> {
        let length = u32::try_from(data.len()).expect("no longer than its piece");
        for span in self.metainfo.piece_spans(piece) {
            if let Some(part) = Part::of(&span, begin, length) {
                self.write_span(span.file, part.offset, &data[part.here])?;
            }
        }
        self.state().written = true;
        Ok(())
    }
}

impl FileStore {
    /// A stretch of a piece, and a file of it that may not be what was verified.
    fn read_stretch(
        &self,
        piece: PieceIndex,
        begin: u32,
        length: u32,
    ) -> Result<(Bytes, Option<usize>), StoreError> {
        use io::ErrorKind::{NotFound, UnexpectedEof};
        // What no span covers is padding: zeros.
        let mut buffer = vec![0; length as usize];
        let mut doubt = false;
        let mut doubted = None;
        for span in self.metainfo.piece_spans(piece) {
            let Some(part) = Part::of(&span, begin, length) else {
                continue;
            };
            let here = &mut buffer[part.here];
            match self.read_span(span.file, part.offset, here, &mut doubt) {
                Ok(()) => {}
                Err(error) if error.kind() == UnexpectedEof => return Err(StoreError::Missing),
                Err(error) if error.kind() == NotFound => {
                    self.note_gone(span.file);
                    return Err(StoreError::Missing);
                }
                Err(error) => {
                    let text = format!("{}: {error}", self.shown(span.file));
                    return Err(StoreError::Unreadable(text));
                }
            }
            if doubt {
                doubted.get_or_insert(span.file);
            }
        }
        Ok((buffer.into(), doubted))
    }

    /// The SHA-1 of a piece as it is now.
    fn hash(&self, piece: PieceIndex) -> Result<[u8; 20], StoreError> {
        hash_in_stretches(self.metainfo.layout().length(piece), |begin, length| {
            self.read_stretch(piece, begin, length)
                .map(|(data, _)| data)
        })
    }

    /// The piece is here, and right.
    fn holds(&self, piece: PieceIndex) -> bool {
        self.hash(piece) == Ok(self.metainfo.piece_hash(piece))
    }

    fn is_not_what_it_was(&self, file: usize) -> StoreError {
        StoreError::Unreadable(format!("{} is not what it was", self.shown(file)))
    }
}

impl Store for FileStore {
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError> {
        let length = self.metainfo.layout().length(piece);
        match self.read_stretch(piece, 0, length)? {
            (data, Some(file)) if !is_right(&self.metainfo, piece, &data) => {
                Err(self.is_not_what_it_was(file))
            }
            (data, _) => Ok(data),
        }
    }

    fn read_part(&self, piece: PieceIndex, begin: u32, length: u32) -> Result<Bytes, StoreError> {
        match self.read_stretch(piece, begin, length)? {
            (_, Some(file)) if !self.holds(piece) => Err(self.is_not_what_it_was(file)),
            (data, _) => Ok(data),
        }
    }

    fn write(&self, piece: PieceIndex, data: &[u8]) -> Result<(), StoreError> {
        self.write_stretch(piece, 0, data)?;
        self.count_in(&[piece])
    }

    fn write_part(&self, piece: PieceIndex, begin: u32, data: &[u8]) -> Result<(), StoreError> {
        self.state().in_parts.insert(piece);
        self.write_stretch(piece, begin, data)
    }

    fn verify(&self, piece: PieceIndex) -> Result<[u8; 20], StoreError> {
        let digest = self.hash(piece)?;
        // What was only found here is counted when all of it was looked at.
        if digest == self.metainfo.piece_hash(piece) && self.state().in_parts.remove(&piece) {
            self.count_in(&[piece])?;
        }
        Ok(digest)
    }

    fn finish(&self) -> Result<(), StoreError> {
        self.all_are_there()
    }

    fn is_doubtful(&self) -> bool {
        !self.state().changed.is_empty()
    }

    fn recheck(&self) -> Vec<Changed> {
        self.recheck_changed()
    }
}

#[cfg(test)]
mod tests;
