//! Finding out what a store holds: every piece is read and hashed.

use super::{Cx, Phase, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, Job, Output, StoreError, Work};
use crate::pieces::{Bitfield, Layout, PieceIndex};
use crate::sorted::SortedSet;

/// How far it is.
#[derive(Debug)]
pub(super) struct Check {
    /// The next piece to read.
    next: u32,
    /// Pieces that are being read.
    reading: SortedSet<PieceIndex>,
    /// Pieces that are being hashed.
    hashing: SortedSet<PieceIndex>,
    /// Pieces whose hash was right.
    have: Bitfield,
}

impl Check {
    pub(super) fn new(pieces: u32) -> Self {
        Check {
            next: 0,
            reading: SortedSet::new(),
            hashing: SortedSet::new(),
            have: Bitfield::empty(pieces),
        }
    }

    /// Pieces done over all pieces.
    pub(super) fn progress(&self) -> f64 {
        let done = f64::from(self.next) - self.under_way() as f64;
        done / f64::from(self.have.piece_count().max(1))
    }

    /// Pieces that were looked at, or are.
    pub(super) fn begun(&self) -> usize {
        self.next as usize
    }

    fn under_way(&self) -> usize {
        self.reading.len() + self.hashing.len()
    }

    /// A piece that was found is lost again.
    pub(super) fn lose(&mut self, piece: PieceIndex) {
        self.have.remove(piece);
    }

    /// Pieces found so far.
    pub(super) fn have(&self) -> &Bitfield {
        &self.have
    }
}

/// How many pieces are read and hashed at once: no more bytes than of pieces in progress,
/// which are none while it is checked.
fn most_at_once<C>(cx: &Cx<'_, C>, layout: &Layout) -> usize {
    let longest = layout.length(PieceIndex::FIRST);
    let longest = u64::from(cx.config.cut().stretch(longest, 0).1);
    let fit = usize::try_from(cx.config.bytes_in_progress / longest).unwrap_or(usize::MAX);
    fit.clamp(1, cx.config.max_checks)
}

impl<C: Chunk> Torrent<C> {
    /// Reads on; when all is done, begins to transfer.
    pub(super) fn check_more(&mut self, cx: &mut Cx<'_, C>) {
        let Some(metainfo) = &self.metainfo else {
            return;
        };
        let Phase::Checking(check) = &mut self.phase else {
            return;
        };
        let most = most_at_once(cx, metainfo.layout());
        while check.under_way() < most
            && let Some(piece) = metainfo.layout().piece(check.next)
        {
            check.next += 1;
            let job = Job {
                info_hash: self.info_hash,
                piece,
                part: None,
            };
            let length = metainfo.layout().length(piece);
            if cx.config.cut().in_parts(length) {
                check.hashing.insert(piece);
                cx.emit(Output::Store(job, Work::Verify));
                continue;
            }
            check.reading.insert(piece);
            cx.emit(Output::Store(job, Work::Read { length }));
        }
        if check.under_way() == 0 {
            let have = check.have.clone();
            cx.event(Event::Checked(self.info_hash, have.clone()));
            self.activate(cx, have);
        }
    }

    /// A piece was read, or could not be.
    pub(in crate::engine) fn checked_read(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        result: Result<C, StoreError>,
    ) {
        let Phase::Checking(check) = &mut self.phase else {
            return;
        };
        // Nothing else is asked for, and nothing else counts.
        if !check.reading.remove(&piece) {
            return;
        }
        match result {
            Ok(data) => {
                check.hashing.insert(piece);
                cx.emit(Output::Store(self.job(piece), Work::Hash { data }));
            }
            Err(_) => self.check_more(cx),
        }
    }

    pub(super) fn checked_hash(&mut self, cx: &mut Cx<'_, C>, piece: PieceIndex, right: bool) {
        let Phase::Checking(check) = &mut self.phase else {
            return;
        };
        if !check.hashing.remove(&piece) {
            return;
        }
        if right {
            check.have.insert(piece);
        }
        self.check_more(cx);
    }
}
