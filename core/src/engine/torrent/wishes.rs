//! What a person wants of a torrent.

use crate::chunk::Chunk;
use crate::engine::Resume;
use crate::metainfo::Metainfo;
use crate::pieces::{Download, Layout, Priority, Strategy, piece_priorities};

/// See the module. Some of it is wanted before anything is known to which it could apply.
#[derive(Debug)]
pub(super) struct Wishes {
    strategy: Strategy,
    /// How much each file is wanted; those beyond the end are normal.
    priorities: Vec<Priority>,
    /// Where streaming reads, as a byte of the torrent.
    play_position: u64,
    /// What to do with the store once the metadata is here.
    check_store: bool,
}

impl Wishes {
    pub(super) fn new(strategy: Strategy, check_store: bool) -> Self {
        Wishes {
            strategy,
            priorities: Vec::new(),
            play_position: 0,
            check_store,
        }
    }

    pub(super) fn strategy(&self) -> Strategy {
        self.strategy
    }

    pub(super) fn priorities(&self) -> &[Priority] {
        &self.priorities
    }

    /// What is to be made of the store when metadata came from a peer.
    pub(super) fn store(&self) -> Resume {
        if self.check_store {
            Resume::Check
        } else {
            Resume::Nothing
        }
    }

    /// Whatever there is of it is wanted, as far as is known.
    pub(super) fn wants_all(&self) -> bool {
        !self.priorities.contains(&Priority::Skip)
    }

    pub(super) fn set_strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
    }

    pub(super) fn set_priorities(&mut self, priorities: Vec<Priority>) {
        self.priorities = priorities;
    }

    pub(super) fn set_play_position(&mut self, byte: u64) {
        self.play_position = byte;
    }

    /// Says to a download which pieces are wanted.
    pub(super) fn choose_pieces<C: Chunk>(&self, download: &mut Download<C>, metainfo: &Metainfo) {
        // What is nothing but padding belongs to no file, and is not wanted.
        let all_pieces = metainfo.padding().is_empty();
        if all_pieces && self.priorities.iter().all(|p| *p == Priority::Normal) {
            return download.set_priorities(&[]);
        }
        let files = metainfo.files().iter().enumerate().map(|(index, file)| {
            let bytes = file.offset..file.offset + file.length;
            let priority = self.priorities.get(index).copied().unwrap_or_default();
            (bytes, priority)
        });
        let pieces = piece_priorities(metainfo.layout(), files);
        download.set_priorities(&pieces);
    }

    /// Says to a download where somebody watches.
    pub(super) fn choose_position<C: Chunk>(
        &self,
        download: &mut Download<C>,
        metainfo: &Metainfo,
    ) {
        let layout = metainfo.layout();
        if let Some(piece) = layout.piece(self.play_piece(layout)) {
            download.set_play_position(piece);
        }
    }

    /// The number of the piece where somebody watches.
    pub(super) fn play_piece(&self, layout: &Layout) -> u32 {
        let byte = self.play_position.min(layout.total_length() - 1);
        u32::try_from(byte / u64::from(layout.piece_length())).unwrap_or(u32::MAX)
    }
}
