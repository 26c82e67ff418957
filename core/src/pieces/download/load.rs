//! What was given to one session to do.

use std::collections::BTreeSet;

use crate::pieces::{Block, PieceIndex};

/// What a session was asked for, so that letting go of it costs no more than that.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Blocks that are asked of it.
    pub(super) asked: BTreeSet<Block>,
    /// Pieces that it owns.
    pub(super) owned: BTreeSet<PieceIndex>,
    /// The peer has nothing before this piece that we still miss.
    pub(super) missing_from: u32,
}
