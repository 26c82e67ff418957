//! Which piece to begin next.

use serde::{Deserialize, Serialize};

use super::{Bitfield, PieceIndex};
use crate::rng::Rng;

/// How the next piece is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// Lowest index first.
    Sequential,
    /// The piece that the fewest connected peers have, ties at random.
    #[default]
    RarestFirst,
}

/// Knows how many connected peers have each piece, and picks among those that are
/// wanted and not begun.
#[derive(Clone, Debug)]
pub struct Picker {}

impl Picker {
    /// All of `pieces` pieces wanted, except those that we `have`.
    pub fn new(have: &Bitfield, strategy: Strategy, rng: Rng) -> Self { let _ = (have, strategy, rng); todo!() }
    /// Changes the strategy from now on.
    pub fn set_strategy(&mut self, strategy: Strategy) { let _ = strategy; todo!() }
    /// A connected peer has this piece now.
    pub fn peer_has(&mut self, piece: PieceIndex) { let _ = piece; todo!() }
    /// A peer with these pieces connected.
    pub fn peer_joined(&mut self, pieces: &Bitfield) { let _ = pieces; todo!() }
    /// A peer with these pieces is gone.
    pub fn peer_left(&mut self, pieces: &Bitfield) { let _ = pieces; todo!() }
    /// How many connected peers have this piece.
    pub fn availability(&self, piece: PieceIndex) -> u32 { let _ = piece; todo!() }
    /// The next piece to begin among those that the peer has; it counts as begun from now on.
    pub fn pick(&mut self, peer_has: &Bitfield) -> Option<PieceIndex> { let _ = peer_has; todo!() }
    /// A piece that was begun is wanted again (its hash was wrong, or we gave it up).
    pub fn put_back(&mut self, piece: PieceIndex) { let _ = piece; todo!() }
}
