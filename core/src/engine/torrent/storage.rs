//! Pieces that are full: hashes, writes, and who is to blame.

use super::storing::Begun;
use super::{Cx, Ending, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, Job, Output, StoreError, Work};
use crate::peer::SessionId;
use crate::pieces::PieceIndex;

impl<C: Chunk> Torrent<C> {
    /// Its number, see [`Job::added`].
    pub(in crate::engine) fn added(&self) -> u32 {
        self.added
    }

    /// Something to be done with a whole piece.
    pub(super) fn job(&self, piece: PieceIndex) -> Job {
        Job {
            info_hash: self.info_hash,
            piece,
            part: None,
            added: self.added,
        }
    }

    /// The hash of a piece is known.
    pub(in crate::engine) fn hashed(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        digest: [u8; 20],
    ) {
        let Some(metainfo) = self.about.metainfo() else {
            return;
        };
        let right = metainfo.piece_hash(piece) == digest;
        if self.phase.is_checking() {
            return self.checked_hash(cx, piece, right);
        }
        let Some(data) = self.storing.hashed(piece) else {
            return;
        };
        if right {
            if let Some(download) = self.phase.download_mut() {
                let liars = download.verified(piece);
                // Who sent it is no stranger any more.
                if download.is_wary() {
                    self.refill.ask_everybody();
                }
                self.blame(cx, &liars);
            }
            self.storing.write(piece, data.clone());
            cx.emit(Output::Store(self.job(piece), Work::Write { data }));
            return;
        }
        let Some(download) = self.phase.download_mut() else {
            return;
        };
        let liars = download.rejected(piece);
        self.refill.ask_everybody();
        self.blame(cx, &liars);
    }

    /// These sessions sent bad blocks, that is certain.
    pub(super) fn blame(&mut self, cx: &mut Cx<'_, C>, liars: &[SessionId]) {
        for &id in liars {
            self.ban(cx, id, &Ending::CorruptData);
        }
    }

    /// A piece was kept, or could not be.
    pub(in crate::engine) fn written(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        result: Result<(), StoreError>,
    ) {
        let Some((data, begun)) = self.storing.written(piece) else {
            return;
        };
        let Some(download) = self.phase.download_mut() else {
            return;
        };
        self.refill.ask_everybody();
        if let Err(error) = result {
            download.write_failed(piece);
            // What a person has mended since is no reason to stop again.
            if begun == Begun::Lately {
                self.fail(cx, error.into());
            }
            return;
        }
        // Who hears of a fresh piece asks for it soon.
        cx.cache.insert((self.info_hash, piece, 0), data);
        self.gain(cx, piece);
    }

    /// We have a piece now.
    pub(super) fn gain(&mut self, cx: &mut Cx<'_, C>, piece: PieceIndex) {
        let Some(download) = self.phase.download_mut() else {
            return;
        };
        download.written(piece);
        let (complete, finished) = (download.is_complete(), download.is_finished());
        self.note_have(cx, piece);
        self.tell_peers(cx, piece);
        if complete {
            self.begin_dealing();
        }
        if finished {
            cx.event(Event::Completed(self.info_hash));
        }
    }
}
