//! Pieces that are too long to be held in memory: written part by part as they arrive, hashed
//! where they lie.

use super::storing::Begun;
use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Job, Output, StoreError, Work};
use crate::pieces::{Download, PieceIndex, Stretch};

impl<C: Chunk> Torrent<C> {
    /// Has the host write what is ready.
    pub(super) fn write_stretches(&mut self, cx: &mut Cx<'_, C>) {
        while let Some(stretch) = self.phase.download_mut().and_then(Download::next_stretch) {
            let Stretch { piece, begin, data } = stretch;
            self.storing.write_part(piece, begin);
            let part = Some(begin);
            let job = Job {
                part,
                ..self.job(piece)
            };
            cx.emit(Output::Store(job, Work::Write { data }));
        }
        if self
            .phase
            .download_mut()
            .is_some_and(Download::take_reopened)
        {
            self.refill.ask_everybody();
        }
    }

    /// A stretch was put in its place, or could not be.
    pub(in crate::engine) fn part_written(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        begin: u32,
        result: Result<(), StoreError>,
    ) {
        let Some(begun) = self.storing.part_written(piece, begin) else {
            return;
        };
        let Some(download) = self.phase.download_mut() else {
            return;
        };
        let whole = download.stretch_written(piece, begin, result.is_ok());
        if download.take_reopened() {
            self.refill.ask_everybody();
        }
        if let Err(error) = result {
            // What a person has mended since is no reason to stop again.
            if begun == Begun::Lately {
                self.fail(cx, error.into());
            }
        } else if whole {
            self.storing.verify(piece);
            cx.emit(Output::Store(self.job(piece), Work::Verify));
        }
    }

    /// A piece was hashed where it lies, or could not be.
    pub(in crate::engine) fn part_verified(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        result: Result<[u8; 20], StoreError>,
    ) {
        let Some(metainfo) = self.about.metainfo() else {
            return;
        };
        let hash = metainfo.piece_hash(piece);
        if self.phase.is_checking() {
            return self.checked_hash(cx, piece, result == Ok(hash));
        }
        let Some(begun) = self.storing.verified(piece) else {
            return;
        };
        let Some(download) = self.phase.download_mut() else {
            return;
        };
        self.refill.ask_everybody();
        match result {
            Ok(digest) if digest == hash => {
                let liars = download.verified(piece);
                self.blame(cx, &liars);
                self.gain(cx, piece);
            }
            Ok(_) => {
                let liars = download.rejected(piece);
                self.blame(cx, &liars);
            }
            Err(error) => {
                download.write_failed(piece);
                // What is gone can be fetched once more, as any piece that is lost.
                if begun == Begun::Lately && error != StoreError::Missing {
                    self.fail(cx, error.into());
                }
            }
        }
        if self
            .phase
            .download_mut()
            .is_some_and(Download::take_reopened)
        {
            self.refill.ask_everybody();
        }
    }
}
