//! Files that a person shares, wherever they are: read, never written.
//!
//! A file that looks different than when it was hashed is not believed any more: what is read
//! of it is hashed again, piece by piece, and only pieces that differ are lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Layout, PieceIndex};

use super::{Changed, Stamp, Store, hash_in_stretches, is_right};
use crate::text::shown;

/// Bytes of pieces that lie across files and are kept in memory. A file that is changed or
/// deleted would spoil them for its neighbours, which then nobody could complete. Enough for
/// a folder of a hundred files with pieces of 256 KiB; little beside what reading takes.
const BORDERS: usize = 32 << 20;

/// See the module.
#[derive(Debug)]
pub struct SharedFiles {
    layout: Layout,
    files: Vec<SharedFile>,
    /// There once everything is hashed.
    metainfo: OnceLock<Metainfo>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct SharedFile {
    path: PathBuf,
    /// Its first byte within the torrent.
    offset: u64,
    length: u64,
}

#[derive(Debug, Default)]
struct State {
    /// What each file looked like when it was last verified.
    stamps: Vec<Stamp>,
    /// Files that look different now, and were not read again yet.
    changed: BTreeSet<usize>,
    borders: BTreeMap<PieceIndex, Bytes>,
    border_bytes: usize,
}

impl SharedFiles {
    /// These files, in the order in which the torrent has them, as they looked when they were
    /// found.
    pub fn new(layout: Layout, files: impl IntoIterator<Item = (PathBuf, Stamp)>) -> Self {
        let mut end = 0;
        let mut stamps = Vec::new();
        let files = files.into_iter().map(|(path, stamp)| {
            let offset = end;
            end += stamp.length;
            stamps.push(stamp);
            SharedFile {
                path,
                offset,
                length: stamp.length,
            }
        });
        let files = files.collect();
        SharedFiles {
            layout,
            files,
            metainfo: OnceLock::new(),
            state: Mutex::new(State {
                stamps,
                ..State::default()
            }),
        }
    }

    /// How the files are cut into pieces.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Everything was hashed: from now on, what looks different is compared with this.
    /// Before, a file that changes is an error.
    pub fn hashed(&self, metainfo: Metainfo) {
        // Once, by whoever made it.
        let _ = self.metainfo.set(metainfo);
    }

    /// The files that `offset..end` of the torrent touches, empty ones left out.
    fn overlapping(&self, offset: u64, end: u64) -> impl Iterator<Item = (usize, &SharedFile)> {
        let first = self
            .files
            .partition_point(|f| f.offset + f.length <= offset);
        self.files
            .iter()
            .enumerate()
            .skip(first)
            .take_while(move |(_, f)| f.offset < end)
            .filter(|(_, f)| f.length > 0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole at every point where a thread can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The piece as the files are now; errors name the file.
    fn read_now(&self, piece: PieceIndex) -> Result<Bytes, (usize, String)> {
        let (data, doubted, count) = self.read_stretch(piece, 0, self.layout.length(piece))?;
        match (doubted, self.metainfo.get()) {
            (Some(index), metainfo) => {
                if metainfo.is_none_or(|metainfo| !is_right(metainfo, piece, &data)) {
                    return Err((index, "it changed since it was hashed".to_owned()));
                }
            }
            (None, None) if count > 1 => self.keep_border(piece, &data),
            (None, _) => {}
        }
        Ok(data)
    }

    /// A stretch of a piece as the files are now, compared with nothing.
    fn read_part_now(
        &self,
        piece: PieceIndex,
        begin: u32,
        length: u32,
    ) -> Result<Bytes, (usize, String)> {
        let (data, doubted, _) = self.read_stretch(piece, begin, length)?;
        let Some(index) = doubted else {
            return Ok(data);
        };
        let changed = || (index, "it changed since it was hashed".to_owned());
        match self.is_right_now(piece) {
            true => Ok(data),
            false => Err(changed()),
        }
    }

    /// The SHA-1 of the piece as the files are now.
    fn hash_now(&self, piece: PieceIndex) -> Result<[u8; 20], StoreError> {
        hash_in_stretches(self.layout.length(piece), |begin, length| {
            let read = self.read_stretch(piece, begin, length);
            read.map(|(data, ..)| data)
                .map_err(|error| self.unreadable(error))
        })
    }

    fn is_right_now(&self, piece: PieceIndex) -> bool {
        let right = self.metainfo.get().map(|m| m.piece_hash(piece));
        right.is_some_and(|right| self.hash_now(piece) == Ok(right))
    }

    /// A stretch of a piece, a file that looks different now, and how many files it is of.
    fn read_stretch(
        &self,
        piece: PieceIndex,
        begin: u32,
        length: u32,
    ) -> Result<(Bytes, Option<usize>, usize), (usize, String)> {
        let start = self.layout.offset(piece) + u64::from(begin);
        let end = start + u64::from(length);
        let mut buffer = Vec::with_capacity(length as usize);
        let mut doubted = None;
        let mut count = 0;
        for (index, file) in self.overlapping(start, end) {
            let from = start.max(file.offset);
            let to = end.min(file.offset + file.length);
            let read = file.read(from - file.offset, to - from, &mut buffer);
            let stamp = read.map_err(|error| (index, error.to_string()))?;
            if stamp != self.state().stamps[index] {
                doubted = Some(index);
                self.state().changed.insert(index);
            }
            count += 1;
        }
        Ok((Bytes::from(buffer), doubted, count))
    }

    /// What a person is told, and the store remembers, of a file that can't be read.
    fn unreadable(&self, (index, error): (usize, String)) -> StoreError {
        let mut state = self.state();
        if self.metainfo.get().is_some() {
            state.changed.insert(index);
        }
        let path = shown(&self.files[index].path);
        StoreError::Unreadable(format!("{path}: {error}"))
    }

    fn keep_border(&self, piece: PieceIndex, data: &Bytes) {
        let mut state = self.state();
        if state.border_bytes + data.len() <= BORDERS
            && state.borders.insert(piece, data.clone()).is_none()
        {
            state.border_bytes += data.len();
        }
    }

    /// A piece of a file that changed can't be read, or is not what it was.
    fn is_lost(&self, piece: PieceIndex) -> bool {
        !self.state().borders.contains_key(&piece) && !self.is_right_now(piece)
    }

    fn recheck_file(&self, index: usize) -> Changed {
        let file = &self.files[index];
        let length = u64::from(self.layout.piece_length());
        let end = (file.offset + file.length).div_ceil(length);
        let pieces: Vec<_> = (file.offset / length..end)
            .filter_map(|piece| self.layout.piece(u32::try_from(piece).ok()?))
            .collect();
        let stamp = file.stamp();
        let mut lost = pieces.clone();
        // One that is gone need not be asked for every piece.
        lost.retain(|piece| match &stamp {
            Ok(_) => self.is_lost(*piece),
            Err(_) => !self.state().borders.contains_key(piece),
        });
        let mut state = self.state();
        if let Ok(stamp) = stamp {
            state.stamps[index] = stamp;
        }
        // It was noted again while it was read, because of what is known by now.
        state.changed.remove(&index);
        Changed {
            file: shown(&file.path),
            lost,
            pieces: pieces.len(),
            unreadable: stamp.err().map(|error| error.to_string()),
        }
    }
}

impl Store for SharedFiles {
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError> {
        if self.metainfo.get().is_some()
            && let Some(data) = self.state().borders.get(&piece)
        {
            return Ok(data.clone());
        }
        self.read_now(piece).map_err(|error| self.unreadable(error))
    }

    fn read_part(&self, piece: PieceIndex, begin: u32, length: u32) -> Result<Bytes, StoreError> {
        if self.metainfo.get().is_some()
            && let Some(data) = self.state().borders.get(&piece)
        {
            return Ok(data.slice(begin as usize..(begin + length) as usize));
        }
        let read = self.read_part_now(piece, begin, length);
        read.map_err(|error| self.unreadable(error))
    }

    fn write_part(&self, piece: PieceIndex, _begin: u32, data: &[u8]) -> Result<(), StoreError> {
        self.write(piece, data)
    }

    fn verify(&self, piece: PieceIndex) -> Result<[u8; 20], StoreError> {
        self.hash_now(piece)
    }

    fn write(&self, _piece: PieceIndex, _data: &[u8]) -> Result<(), StoreError> {
        Err(StoreError::Failed(
            "files that are shared are never written to".to_owned(),
        ))
    }

    fn finish(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_doubtful(&self) -> bool {
        !self.state().changed.is_empty()
    }

    fn recheck(&self) -> Vec<Changed> {
        let files = std::mem::take(&mut self.state().changed);
        files
            .into_iter()
            .map(|index| self.recheck_file(index))
            .collect()
    }
}

impl SharedFile {
    fn stamp(&self) -> io::Result<Stamp> {
        let now = fs::metadata(&self.path)?;
        if !now.is_file() {
            // To open a pipe may take for ever.
            return Err(io::Error::other("it is not a file any more"));
        }
        Ok(Stamp::from(&now))
    }

    /// Appends `length` bytes from `offset` to `buffer`; returns what the file looked like.
    fn read(&self, offset: u64, length: u64, buffer: &mut Vec<u8>) -> io::Result<Stamp> {
        let stamp = self.stamp()?;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        if file.take(length).read_to_end(buffer)? as u64 != length {
            return Err(io::Error::other("it became shorter"));
        }
        Ok(stamp)
    }
}

#[cfg(test)]
mod tests;
