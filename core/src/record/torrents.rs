//! What a recording has said of torrents so far: an entry alone does not say all of its input.

use super::RecordError;
use crate::id::InfoHash;
use crate::metainfo::Metainfo;
use crate::pieces::{Layout, PieceIndex};
use crate::sorted::SortedMap;

/// See the module. Whoever reads a recording makes an empty one before the first entry.
#[derive(Clone, Debug, Default)]
pub struct Torrents {
    layouts: SortedMap<InfoHash, Layout>,
    /// The numbers of those that are there ([`Job::added`](crate::engine::Job::added)), counted as
    /// the engine counts them. Entries of format 2 don't say them.
    numbers: SortedMap<InfoHash, u32>,
    added: u32,
}

impl Torrents {
    /// The replayed engine has learnt what is in a torrent.
    pub fn describe(&mut self, metainfo: &Metainfo) {
        self.layouts
            .insert(metainfo.info_hash(), *metainfo.layout());
    }

    /// The engine is told to add one; one that is there already it does not add.
    pub(super) fn add(&mut self, info_hash: InfoHash) {
        if !self.numbers.contains_key(&info_hash) {
            self.numbers.insert(info_hash, self.added);
            self.added = self.added.wrapping_add(1);
        }
    }

    /// The engine is told to remove one.
    pub(super) fn remove(&mut self, info_hash: InfoHash) {
        self.numbers.remove(&info_hash);
    }

    /// The number of the torrent that is there; any, if none is.
    pub(super) fn number(&self, info_hash: InfoHash) -> u32 {
        self.numbers.get(&info_hash).copied().unwrap_or_default()
    }

    pub(super) fn piece(&self, info_hash: InfoHash, piece: u32) -> Result<PieceIndex, RecordError> {
        let layout = self.layouts.get(&info_hash).ok_or(RecordError::Piece)?;
        layout.piece(piece).ok_or(RecordError::Piece)
    }
}
