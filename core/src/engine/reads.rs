//! What the store has read, for those whom we serve or to be checked.

use super::cache::Key;
use super::{Done, Engine, Job, StoreError};
use crate::chunk::Chunk;
use crate::id::InfoHash;
use crate::pieces::PieceIndex;
use crate::time::Time;

impl<C: Chunk> Engine<C> {
    /// A store has done something.
    pub(super) fn handle_done(&mut self, now: Time, job: Job, done: Done<C>) {
        let Job {
            info_hash,
            piece,
            part,
            added,
        } = job;
        // One that was removed and added again knows of other bytes and other files.
        let torrent = self.torrents.get(&info_hash);
        if torrent.is_none_or(|torrent| torrent.added() != added) {
            return;
        }
        match (done, part) {
            (Done::Read(result), None) => self.handle_read(now, info_hash, piece, result),
            (Done::Read(result), Some(begin)) => {
                self.handle_part_read(now, info_hash, piece, begin, result);
            }
            (Done::Written(result), None) => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.written(cx, piece, result);
                });
            }
            (Done::Written(result), Some(begin)) => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.part_written(cx, piece, begin, result);
                });
            }
            (Done::Hashed(digest), _) => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.hashed(cx, piece, digest);
                });
            }
            (Done::Verified(result), _) => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.part_verified(cx, piece, result);
                });
            }
        }
    }

    fn handle_read(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        piece: PieceIndex,
        result: Result<C, StoreError>,
    ) {
        let result = self.or_padding(info_hash, piece, None, result);
        if !self.cache.end_read((info_hash, piece, 0)) {
            self.with(now, info_hash, |torrent, cx| {
                torrent.checked_read(cx, piece, result);
            });
            return;
        }
        let length = self.length_of(info_hash, piece);
        self.end_read(now, (info_hash, piece, 0), length, result);
    }

    fn handle_part_read(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        piece: PieceIndex,
        begin: u32,
        result: Result<C, StoreError>,
    ) {
        let cut = self.config.cut();
        let part = begin / cut.part;
        if !self.cache.end_read((info_hash, piece, part)) {
            return;
        }
        let stretch = self.length_of(info_hash, piece);
        let length = stretch.map(|length| cut.stretch(length, part).1);
        let result = self.or_padding(info_hash, piece, length.map(|l| (begin, l)), result);
        self.end_read(now, (info_hash, piece, part), length, result);
    }

    fn length_of(&self, info_hash: InfoHash, piece: PieceIndex) -> Option<u32> {
        self.torrents.get(&info_hash)?.length_of(piece)
    }

    /// Nobody need keep a piece, or a stretch of it, that is nothing but padding.
    fn or_padding(
        &self,
        info_hash: InfoHash,
        piece: PieceIndex,
        stretch: Option<(u32, u32)>,
        result: Result<C, StoreError>,
    ) -> Result<C, StoreError> {
        let known = || {
            let torrent = self.torrents.get(&info_hash)?;
            let (begin, length) = stretch.or(Some((0, torrent.length_of(piece)?)))?;
            torrent.padding_of(piece, begin, length)
        };
        match result {
            Err(StoreError::Missing) => known().ok_or(StoreError::Missing),
            result => result,
        }
    }

    /// A read for those whom we serve ended; it was to be of so many bytes.
    fn end_read(
        &mut self,
        now: Time,
        key: Key,
        length: Option<u32>,
        result: Result<C, StoreError>,
    ) {
        let failed = match (result, length) {
            (Ok(data), Some(length)) if data.len() == length as usize => {
                self.cache.insert(key, data);
                None
            }
            (Ok(data), Some(length)) => {
                let found = data.len();
                Some(StoreError::Unreadable(format!(
                    "the storage has {found} of a piece's {length} bytes"
                )))
            }
            // Whoever asked for it is gone.
            (_, None) => None,
            (Err(error), Some(_)) => Some(error),
        };
        if let Some(error) = failed {
            self.with(now, key.0, |torrent, cx| {
                torrent.upload_read_failed(cx, key.1, &error);
            });
        }
        self.with_all(now, |torrent, cx| torrent.wake_uploads(cx));
    }
}
