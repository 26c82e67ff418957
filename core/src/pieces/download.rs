//! The download of one torrent: which blocks are asked of whom, what has arrived.
//!
//! Pure bookkeeping without time: the engine decides how many requests a peer may
//! have, and when one is too old.

use bytes::Bytes;

use super::{Bitfield, Block, Layout, PieceIndex, Strategy};
use crate::rng::Rng;

/// Who a block is asked of; the engine's number for a session.
pub type SessionId = u32;

/// What a download may hold in memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of pieces that are begun and not yet written, hashing and writing included.
    /// At least two pieces are always allowed.
    pub bytes_in_progress: u64,
    /// How many peers one block may be asked of in the endgame.
    pub endgame_copies: u8,
}

/// What became of a block that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It was not asked of this session: to be ignored, its bytes counted as waste.
    Unrequested,
    /// We have it already: waste.
    Duplicate,
    /// It is kept. Tell these sessions that we no longer need it.
    Kept {
        /// Others of which it was asked too.
        cancel: Vec<SessionId>,
    },
    /// It was the last of its piece: hash it.
    Complete {
        /// Others of which this block was asked too.
        cancel: Vec<SessionId>,
        /// The piece.
        piece: PieceIndex,
        /// Its bytes.
        data: Bytes,
    },
}

/// See the module.
///
/// A piece is, at any time, exactly one of: wanted (in the picker), in progress (here,
/// with a buffer), being verified and written (counted here), or had.
///
/// A piece that one session began is filled by that session alone while there is other
/// work for the rest: blame for a bad hash is then certain. Others join in when they
/// would be idle otherwise (limit of bytes in progress reached, or nothing left to begin).
/// When every missing block is asked of somebody, idle sessions ask for it again (endgame).
#[derive(Debug)]
pub struct Download {}

impl Download {
    /// A download that starts with the pieces in `have`.
    pub fn new(layout: Layout, have: Bitfield, strategy: Strategy, limits: Limits, rng: Rng) -> Self {
        let _ = (layout, have, strategy, limits, rng);
        todo!()
    }
    /// Verified and written pieces.
    pub fn have(&self) -> &Bitfield { todo!() }
    /// Every piece is had.
    pub fn is_complete(&self) -> bool { self.have().is_full() }
    /// Changes the strategy from now on.
    pub fn set_strategy(&mut self, strategy: Strategy) { let _ = strategy; todo!() }

    /// A peer connected that has these pieces.
    pub fn peer_joined(&mut self, pieces: &Bitfield) { let _ = pieces; todo!() }
    /// A connected peer has this piece now.
    pub fn peer_has(&mut self, piece: PieceIndex) { let _ = piece; todo!() }
    /// A peer is gone: its availability, and what was asked of it, are released.
    pub fn peer_left(&mut self, session: SessionId, pieces: &Bitfield) { let _ = (session, pieces); todo!() }

    /// Chooses up to `count` blocks to ask of this session, and marks them as asked.
    pub fn pick(&mut self, session: SessionId, peer_has: &Bitfield, count: usize) -> Vec<Block> {
        let _ = (session, peer_has, count);
        todo!()
    }
    /// The session won't send this block (choked us, rejected it, timed out): it may be asked elsewhere.
    pub fn release(&mut self, session: SessionId, block: Block) { let _ = (session, block); todo!() }
    /// The session won't send anything that was asked of it.
    pub fn release_all(&mut self, session: SessionId) { let _ = session; todo!() }
    /// A block arrived.
    pub fn receive(&mut self, session: SessionId, block: Block, data: &[u8]) -> Received {
        let _ = (session, block, data);
        todo!()
    }
    /// The hash was right and the write confirmed: we have it.
    pub fn written(&mut self, piece: PieceIndex) { let _ = piece; todo!() }
    /// The hash was wrong: the piece is wanted again. Returns who contributed to it.
    pub fn rejected(&mut self, piece: PieceIndex) -> Vec<SessionId> { let _ = piece; todo!() }
    /// The write failed: the piece is wanted again, nobody is to blame.
    pub fn write_failed(&mut self, piece: PieceIndex) { let _ = piece; todo!() }
    /// Bytes of verified pieces.
    pub fn bytes_had(&self) -> u64 { todo!() }
}
