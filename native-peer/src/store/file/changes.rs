//! Files that change after they were verified.

use swarm_core::pieces::PieceIndex;

use super::{Changed, FileStore, Lies};

impl FileStore {
    /// A file that was there is gone.
    pub(super) fn note_gone(&self, file: usize) {
        if matches!(self.lies(file), Lies::Named { .. }) {
            self.state().changed.insert(file);
        }
    }

    pub(super) fn recheck_changed(&self) -> Vec<Changed> {
        let files = std::mem::take(&mut self.state().changed);
        files
            .into_iter()
            .map(|file| self.recheck_file(file))
            .collect()
    }

    fn recheck_file(&self, file: usize) -> Changed {
        let stamp = self.stamp(file);
        let pieces = self.pieces_of(file);
        let lost = match &stamp {
            Err(_) => pieces.clone(),
            Ok(_) => pieces
                .iter()
                .filter(|piece| !self.holds(**piece))
                .copied()
                .collect(),
        };
        if let (Ok(stamp), Lies::Named { ours, .. }) = (&stamp, self.lies(file)) {
            let stamp = *stamp;
            self.set_lies(file, Lies::Named { ours, stamp });
            // It was read because of this; what changes from now on is noticed again.
            self.state().changed.remove(&file);
        }
        Changed {
            file: self.shown(file),
            pieces: pieces.len(),
            lost,
            unreadable: stamp.err().map(|error| error.to_string()),
        }
    }

    /// The pieces of a file that are here.
    fn pieces_of(&self, file: usize) -> Vec<PieceIndex> {
        let file = &self.metainfo.files()[file];
        let layout = self.metainfo.layout();
        let length = u64::from(layout.piece_length());
        let end = (file.offset + file.length).div_ceil(length);
        let state = self.state();
        (file.offset / length..end)
            .filter_map(|index| layout.piece(u32::try_from(index).ok()?))
            .filter(|piece| state.had.has(*piece))
            .collect()
    }
}
