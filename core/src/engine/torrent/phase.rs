//! How far a torrent is: its metadata is fetched, its store checked, its pieces transferred.

use super::check::Check;
use super::fetch::Fetch;
use crate::chunk::Chunk;
use crate::pieces::{Bitfield, Download, PieceIndex};

/// See the module.
#[derive(Debug)]
pub(super) enum Phase<C: Chunk> {
    /// The metadata is being fetched.
    Metadata(Fetch),
    /// What the store holds is being read and hashed.
    Checking(Check),
    /// Downloading or seeding.
    Active(Box<Download<C>>),
}

impl<C: Chunk> Phase<C> {
    pub(super) fn fetch(&self) -> Option<&Fetch> {
        match self {
            Phase::Metadata(fetch) => Some(fetch),
            Phase::Checking(_) | Phase::Active(_) => None,
        }
    }

    pub(super) fn fetch_mut(&mut self) -> Option<&mut Fetch> {
        match self {
            Phase::Metadata(fetch) => Some(fetch),
            Phase::Checking(_) | Phase::Active(_) => None,
        }
    }

    pub(super) fn is_checking(&self) -> bool {
        matches!(self, Phase::Checking(_))
    }

    pub(super) fn check_mut(&mut self) -> Option<&mut Check> {
        match self {
            Phase::Checking(check) => Some(check),
            Phase::Metadata(_) | Phase::Active(_) => None,
        }
    }

    pub(super) fn download(&self) -> Option<&Download<C>> {
        match self {
            Phase::Active(download) => Some(download),
            Phase::Metadata(_) | Phase::Checking(_) => None,
        }
    }

    pub(super) fn download_mut(&mut self) -> Option<&mut Download<C>> {
        match self {
            Phase::Active(download) => Some(download),
            Phase::Metadata(_) | Phase::Checking(_) => None,
        }
    }

    /// The pieces that we have, or have found so far; none while nobody knows how many there
    /// are.
    pub(super) fn have(&self) -> Option<&Bitfield> {
        match self {
            Phase::Metadata(_) => None,
            Phase::Checking(check) => Some(check.have()),
            Phase::Active(download) => Some(download.have()),
        }
    }

    /// Every piece is here.
    pub(super) fn is_complete(&self) -> bool {
        self.download().is_some_and(Download::is_complete)
    }

    /// Every piece that is wanted is here.
    pub(super) fn is_finished(&self) -> bool {
        self.download().is_some_and(Download::is_finished)
    }

    /// There is a piece that others may have from us.
    pub(super) fn has_something(&self) -> bool {
        self.download()
            .is_some_and(|download| !download.have().is_empty())
    }

    /// How much is done, 0 to 1, of what is done in this phase.
    pub(super) fn progress(&self) -> f64 {
        match self {
            Phase::Metadata(_) => 0.0,
            Phase::Checking(check) => check.progress(),
            Phase::Active(download) => {
                let (had, missing) = (download.bytes_had(), download.bytes_missing());
                had as f64 / (had + missing).max(1) as f64
            }
        }
    }

    /// Pieces that are not to be had from the store any more. Those of them that were ours, and
    /// that others may have been told of.
    pub(super) fn lose(&mut self, pieces: &[PieceIndex]) -> Vec<PieceIndex> {
        match self {
            Phase::Metadata(_) => Vec::new(),
            Phase::Checking(check) => {
                pieces.iter().for_each(|piece| check.lose(*piece));
                Vec::new()
            }
            Phase::Active(download) => {
                let lost = pieces.iter().filter(|piece| download.lost(**piece));
                lost.copied().collect()
            }
        }
    }
}
