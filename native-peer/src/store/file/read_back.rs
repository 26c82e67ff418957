//! Files that may not be what was written are read back before anybody is told that they are
//! complete.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use swarm_core::engine::StoreError;
use swarm_core::pieces::PieceIndex;

use super::{FileStore, Lies};

/// More threads than this only make a disk's head jump.
const MAX_THREADS: usize = 4;

impl FileStore {
    /// Reads the pieces of wanted files to which somebody else may have written, and returns those
    /// that are not what was written: something else has changed them. They are to be fetched
    /// again; files of ours that have them are in the making once more. Nothing is read that was
    /// not written to since the engine has read it.
    pub fn read_back(&self) -> Result<Vec<PieceIndex>, StoreError> {
        if !std::mem::take(&mut self.state().written) {
            return Ok(Vec::new());
        }
        let bad = self.bad_pieces();
        if !bad.is_empty() {
            // What replaces them is to be read too.
            self.state().written = true;
            self.reopen(&bad)?;
        }
        Ok(bad)
    }

    fn bad_pieces(&self) -> Vec<PieceIndex> {
        let layout = self.metainfo.layout();
        let doubtful: BTreeSet<usize> = (0..self.names.len())
            .filter(|file| self.is_wanted(*file) && !self.is_as_we_left_it(*file))
            .collect();
        if doubtful.is_empty() {
            return Vec::new();
        }
        let next = AtomicU32::new(0);
        let work = || {
            let mut bad = Vec::new();
            while let Some(piece) = layout.piece(next.fetch_add(1, Ordering::Relaxed)) {
                let mut spans = self.metainfo.piece_spans(piece);
                if !spans.any(|span| doubtful.contains(&span.file)) {
                    continue;
                }
                if !self.holds(piece) {
                    bad.push(piece);
                }
            }
            bad
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut bad: Vec<PieceIndex> = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.min(MAX_THREADS))
                .map(|_| scope.spawn(work))
                .collect();
            threads
                .into_iter()
                .flat_map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
                .collect()
        });
        bad.sort_unstable();
        bad
    }

    /// Nobody else has written to a file since what it has was verified.
    pub(super) fn is_as_we_left_it(&self, file: usize) -> bool {
        let names = &self.names[file];
        let opened = match self.lies(file) {
            Lies::Named { .. } => self.folder.read(&names.named),
            Lies::InTheMaking => self.folder.read(&names.part),
        };
        let metadata = opened.and_then(|opened| opened.metadata());
        metadata.is_ok_and(|metadata| self.trail(file).is_at(&metadata))
    }

    /// These pieces are not here after all.
    fn reopen(&self, bad: &[PieceIndex]) -> Result<(), StoreError> {
        for &piece in bad {
            if !self.state().had.remove(piece) {
                continue;
            }
            for span in self.metainfo.piece_spans(piece) {
                self.state().files[span.file].lacking += 1;
                if let Lies::Named { ours: true, .. } = self.lies(span.file) {
                    let names = &self.names[span.file];
                    match self.folder.rename(&names.named, &names.part.name, false) {
                        Ok(()) => {}
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                        Err(error) => return Err(self.error(span.file, &error)),
                    }
                    self.set_lies(span.file, Lies::InTheMaking);
                }
            }
        }
        Ok(())
    }
}
