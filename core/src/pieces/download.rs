//! The download of one torrent: which blocks are asked of whom, what has arrived.
//!
//! Pure bookkeeping without time: the engine decides how many requests a peer may
//! have, and when one is too old.

mod choose;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::partial::{Filled, Partial};
use super::{Bitfield, Block, Layout, Picker, PieceIndex, Strategy};
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
///
/// A piece whose hash was wrong is filled by one session alone without exception the next
/// time, so that whoever sent the bad block is found even where everybody joins in.
#[derive(Debug)]
pub struct Download {
    layout: Layout,
    limits: Limits,
    have: Bitfield,
    bytes_had: u64,
    picker: Picker,
    /// Pieces that are begun and not had.
    begun: BTreeMap<PieceIndex, Begun>,
    /// Bytes of the pieces in `begun`.
    bytes_begun: u64,
    /// Pieces in progress that have blocks which are asked of nobody, by owner: what makes
    /// the common pick a look-up instead of a search.
    open: BTreeSet<(Option<SessionId>, PieceIndex)>,
    /// Pieces whose hash was wrong, until it is right.
    suspect: BTreeSet<PieceIndex>,
    /// Spreads sessions over blocks in the endgame.
    rng: Rng,
}

#[derive(Debug)]
enum Begun {
    Filling(Partial),
    Verifying { senders: Vec<SessionId> },
}

impl Download {
    /// A download that starts with the pieces in `have`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is the download's own generator"
    )]
    pub fn new(
        layout: Layout,
        have: Bitfield,
        strategy: Strategy,
        limits: Limits,
        rng: Rng,
    ) -> Self {
        Download {
            layout,
            limits,
            bytes_had: have
                .iter()
                .map(|piece| u64::from(layout.length(piece)))
                .sum(),
            picker: Picker::new(&have, strategy, rng.fork("picker")),
            have,
            begun: BTreeMap::new(),
            bytes_begun: 0,
            open: BTreeSet::new(),
            suspect: BTreeSet::new(),
            rng: rng.fork("endgame"),
        }
    }

    /// Verified and written pieces.
    pub fn have(&self) -> &Bitfield {
        &self.have
    }

    /// Bytes of verified and written pieces.
    pub fn bytes_had(&self) -> u64 {
        self.bytes_had
    }

    /// Every piece is had.
    pub fn is_complete(&self) -> bool {
        self.have().is_full()
    }

    /// Pieces that are begun and not had, those being verified and written included, in order.
    pub fn in_progress(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.begun.keys().copied()
    }

    /// How many connected peers have this piece.
    pub fn availability(&self, piece: PieceIndex) -> u32 {
        self.picker.availability(piece)
    }

    /// Changes the strategy from now on.
    pub fn set_strategy(&mut self, strategy: Strategy) {
        self.picker.set_strategy(strategy);
    }

    /// A peer connected that has these pieces.
    pub fn peer_joined(&mut self, pieces: &Bitfield) {
        self.picker.peer_joined(pieces);
    }

    /// A connected peer, which did not have this piece, has it now.
    pub fn peer_has(&mut self, piece: PieceIndex) {
        self.picker.peer_has(piece);
    }

    /// A peer is gone: its availability, and what was asked of it, are released. `pieces`
    /// are those with which it joined and those that it was said to have since.
    pub fn peer_left(&mut self, session: SessionId, pieces: &Bitfield) {
        self.picker.peer_left(pieces);
        self.release_all(session);
    }

    /// Chooses up to `count` blocks to ask of this session, and marks them as asked.
    /// Blocks of one piece come in order.
    pub fn pick(&mut self, session: SessionId, peer_has: &Bitfield, count: usize) -> Vec<Block> {
        self.choose(session, peer_has, count)
    }

    /// The session won't send this block (rejected it, timed out): it may be asked
    /// elsewhere. Nothing happens if it is not asked of the session.
    ///
    /// Its owner loses the piece by that, and adopts it again only when it has nothing else
    /// to do. It may then be asked for the same block at once: the engine should wait
    /// before it picks for a session that rejects.
    pub fn release(&mut self, session: SessionId, block: Block) {
        let Some(partial) = self.filling(block.piece) else {
            return;
        };
        if partial.release(session, block) {
            partial.failed_by = Some(session);
            self.after_release(block.piece, session);
        }
    }

    /// The session won't send anything that was asked of it (it choked us). Its pieces are
    /// up for adoption.
    pub fn release_all(&mut self, session: SessionId) {
        let pieces: Vec<PieceIndex> = self.in_progress().collect();
        for piece in pieces {
            if let Some(partial) = self.filling(piece) {
                partial.release_all(session);
                self.after_release(piece, session);
            }
        }
    }

    /// A block arrived.
    pub fn receive(&mut self, session: SessionId, block: Block, data: &[u8]) -> Received {
        let piece = block.piece;
        let partial = match self.begun.get_mut(&piece) {
            Some(Begun::Filling(partial)) => partial,
            Some(Begun::Verifying { .. }) => return Received::Duplicate,
            None if self.have.has(piece) => return Received::Duplicate,
            None => return Received::Unrequested,
        };
        let cancel = match partial.fill(session, block, data) {
            Filled::Unrequested => return Received::Unrequested,
            Filled::Duplicate => return Received::Duplicate,
            Filled::Kept(others) => others,
        };
        if !partial.is_complete() {
            return Received::Kept { cancel };
        }
        let Some(Begun::Filling(partial)) = self.begun.remove(&piece) else {
            unreachable!("the piece was in progress a moment ago");
        };
        let (data, senders) = partial.finish();
        self.begun.insert(piece, Begun::Verifying { senders });
        Received::Complete {
            cancel,
            piece,
            data,
        }
    }

    /// The hash was right and the write confirmed: we have it. Nothing happens unless the
    /// piece is being verified; the same goes for the next two.
    pub fn written(&mut self, piece: PieceIndex) {
        if self.end_verifying(piece).is_some() {
            self.suspect.remove(&piece);
            self.have.insert(piece);
            self.bytes_had += u64::from(self.layout.length(piece));
        }
    }

    /// The hash was wrong: the piece is wanted again. Returns who contributed to it, each
    /// once.
    pub fn rejected(&mut self, piece: PieceIndex) -> Vec<SessionId> {
        let Some(senders) = self.end_verifying(piece) else {
            return Vec::new();
        };
        self.suspect.insert(piece);
        self.picker.put_back(piece);
        senders
    }

    /// The write failed: the piece is wanted again, nobody is to blame.
    pub fn write_failed(&mut self, piece: PieceIndex) {
        if self.end_verifying(piece).is_some() {
            self.picker.put_back(piece);
        }
    }

    /// The session let go of something in this piece.
    fn after_release(&mut self, piece: PieceIndex, session: SessionId) {
        let Some(Begun::Filling(partial)) = self.begun.get_mut(&piece) else {
            return;
        };
        let old_owner = partial.owner;
        if old_owner == Some(session) {
            partial.owner = None;
        }
        let untouched = partial.received() == 0 && !partial.is_awaited();
        // What another would add to a suspect piece would make blame uncertain again.
        let give_up = partial.owner.is_none() && (partial.alone || untouched);
        let open = partial.has_unasked().then_some((partial.owner, piece));
        self.open.remove(&(old_owner, piece));
        self.open.extend(open);
        if give_up {
            self.give_up(piece);
        }
    }

    /// Lets go of a piece in progress and of what has arrived of it: it is wanted again.
    fn give_up(&mut self, piece: PieceIndex) {
        if let Some(Begun::Filling(partial)) = self.begun.remove(&piece) {
            self.open.remove(&(partial.owner, piece));
            self.bytes_begun -= u64::from(self.layout.length(piece));
            self.picker.put_back(piece);
        }
    }

    fn end_verifying(&mut self, piece: PieceIndex) -> Option<Vec<SessionId>> {
        let Some(Begun::Verifying { senders }) = self.begun.get_mut(&piece) else {
            return None;
        };
        let senders = std::mem::take(senders);
        self.begun.remove(&piece);
        self.bytes_begun -= u64::from(self.layout.length(piece));
        Some(senders)
    }

    fn filling(&mut self, piece: PieceIndex) -> Option<&mut Partial> {
        match self.begun.get_mut(&piece) {
            Some(Begun::Filling(partial)) => Some(partial),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
