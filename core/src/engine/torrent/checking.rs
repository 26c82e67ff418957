//! Going through a store, piece by piece.

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, Job, Output, StoreError, Work};
use crate::pieces::{Layout, PieceIndex};

/// How many pieces are read and hashed at once: no more bytes than of pieces in progress,
/// which are none while it is checked.
fn most_at_once<C: Chunk>(cx: &Cx<'_, C>, layout: &Layout) -> usize {
    let longest = layout.length(PieceIndex::FIRST);
    let longest = u64::from(cx.config.cut().stretch(longest, 0).1);
    let fit = usize::try_from(cx.config.bytes_in_progress / longest).unwrap_or(usize::MAX);
    fit.clamp(1, cx.config.max_checks)
}

impl<C: Chunk> Torrent<C> {
    /// Reads on; when all is done, begins to transfer.
    pub(super) fn check_more(&mut self, cx: &mut Cx<'_, C>) {
        let (Some(layout), Some(check)) = (self.about.layout(), self.phase.check_mut()) else {
            return;
        };
        let (most, cut) = (most_at_once(cx, layout), cx.config.cut());
        let (info_hash, added) = (self.info_hash, self.added);
        while let Some((piece, work)) = check.next(layout, cut, most) {
            let job = Job {
                info_hash,
                piece,
                part: None,
                added,
            };
            cx.emit(Output::Store(job, work));
        }
        if check.is_idle() {
            let have = check.have().clone();
            cx.event(Event::Checked(info_hash, have.clone()));
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
        let Some(check) = self.phase.check_mut() else {
            return;
        };
        // Nothing else is asked for, and nothing else counts.
        if !check.read(piece) {
            return;
        }
        match result {
            Ok(data) => {
                check.hash(piece);
                cx.emit(Output::Store(self.job(piece), Work::Hash { data }));
            }
            Err(_) => self.check_more(cx),
        }
    }

    pub(super) fn checked_hash(&mut self, cx: &mut Cx<'_, C>, piece: PieceIndex, right: bool) {
        let check = self.phase.check_mut();
        if check.is_some_and(|check| check.hashed(piece, right)) {
            self.check_more(cx);
        }
    }
}
