//! What was given to one session to do.

use crate::pieces::{Block, PieceIndex};
use crate::sorted::SortedSet;

/// What a session was asked for, so that letting go of it costs no more than that; and what
/// it has shown of itself.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Blocks that are asked of it.
    pub(super) asked: SortedSet<Block>,
    /// Pieces that it owns.
    pub(super) owned: SortedSet<PieceIndex>,
    /// The peer has nothing before this piece that we still miss.
    pub(super) missing_from: u32,
    /// What its promises are worth.
    pub(super) standing: Standing,
    /// A piece to which it contributed was right.
    pub(super) verified: bool,
    /// How many pieces it has, as it says.
    pub(super) pieces: u32,
}

/// What the promises of a session are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has not sent anything yet: on probation.
    #[default]
    New,
    /// It sends what is asked of it.
    Delivers,
    /// It keeps us waiting.
    Doubted,
}
