//! The download of one torrent: which blocks are asked of whom, what has arrived.
//!
//! Pure bookkeeping without time: the engine decides how many requests a peer may
//! have, and when one is too old.

mod choose;
mod in_order;
mod limits;
mod load;
mod progress;
mod receive;
mod standing;
mod stock;
mod suspects;
mod verify;

use std::collections::VecDeque;

use bytes::Bytes;
use choose::Choice;
pub use limits::{DownloadLimits, Waste};
use load::Load;
pub use receive::BlockOutcome;
use stock::Stock;
use suspects::Suspects;

use super::partial::Partial;
use super::parts::Content;
use super::{Bitfield, Block, Layout, Padding, Picker, PieceIndex, Priority, Strategy, Stretch};
use crate::chunk::Chunk;
use crate::rng::Rng;
use crate::sorted::{SortedMap, SortedSet};

/// Who a block is asked of; the engine's number for a session, never used twice.
pub type SessionId = u32;

/// See the module.
///
/// A piece is, at any time, exactly one of: unbegun (in the picker), in progress (here,
/// with a buffer), being verified and written (counted here), or had.
///
/// A piece that one session began is filled by that session alone while there is other
/// work for the rest: so blame for a bad hash is mostly certain. Others join in when they
/// would be idle otherwise (limit of bytes in progress reached, or nothing left to begin).
/// When every missing block is asked of somebody, idle sessions ask for it again (endgame).
///
/// A piece whose hash was wrong is filled by one session alone without exception the next
/// time; see [`Download::rejected`] for how liars are found.
///
/// A skipped piece is not begun. If it is in progress when it becomes skipped, what is asked
/// of it may still arrive, and if that makes it whole it is kept; nothing more is asked of
/// it, and it is given up when nothing more is awaited.
#[derive(Debug)]
pub struct Download<C: Chunk = Bytes> {
    layout: Layout,
    limits: DownloadLimits,
    stock: Stock,
    picker: Picker,
    /// Pieces that are begun and not had.
    begun: SortedMap<PieceIndex, Begun<C>>,
    /// Bytes of the pieces in `begun`.
    bytes_begun: u64,
    /// How many more of them there may be than the limits say, see [`Download::make_way`].
    far_bytes: u64,
    /// How many of them are being verified and written.
    verifying: usize,
    /// Wanted pieces in progress that have blocks which are asked of nobody, by owner: what
    /// makes the common pick a look-up instead of a search.
    open: SortedSet<(Option<SessionId>, PieceIndex)>,
    /// Those of them that others than their owner may help to fill.
    joinable: SortedSet<PieceIndex>,
    /// Wanted pieces in progress of which the endgame may ask something again.
    repeatable: SortedSet<PieceIndex>,
    loads: SortedMap<SessionId, Load>,
    suspects: Suspects,
    /// A piece was bad: newcomers are watched.
    wary: bool,
    /// Stretches of pieces in parts that are to be written.
    stretches: VecDeque<Stretch<C>>,
    /// There is memory again for blocks that nobody was asked for.
    reopened: bool,
    waste: Waste,
    /// Spreads sessions over blocks in the endgame.
    rng: Rng,
}

#[derive(Debug)]
enum Begun<C: Chunk> {
    Filling(Partial<C>),
    Verifying {
        content: Content<C>,
        /// Who sent each block.
        senders: Vec<SessionId>,
    },
    /// Given up while stretches of it, which begin at these bytes, were being written.
    Draining(SortedSet<u32>),
}

impl<C: Chunk> Download<C> {
    /// A download that starts with the pieces in `have`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is the download's own generator"
    )]
    pub fn new(
        layout: Layout,
        have: Bitfield,
        strategy: Strategy,
        limits: DownloadLimits,
        rng: Rng,
    ) -> Self {
        let window = (limits.streaming_window / u64::from(layout.piece_length())).max(2);
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        let mut download = Download {
            layout,
            limits,
            picker: Picker::new(&have, strategy, window, rng.fork("picker")),
            stock: Stock::new(layout, have),
            begun: SortedMap::new(),
            bytes_begun: 0,
            far_bytes: 0,
            verifying: 0,
            open: SortedSet::new(),
            joinable: SortedSet::new(),
            repeatable: SortedSet::new(),
            loads: SortedMap::new(),
            suspects: Suspects::new(limits.suspects),
            wary: false,
            stretches: VecDeque::new(),
            reopened: false,
            waste: Waste::default(),
            rng: rng.fork("endgame"),
        };
        download.pick_at_random_first();
        download
    }

    /// Says which bytes are zeros that everybody knows (BEP 47): blocks of nothing else are
    /// not asked for, and none of these bytes counts. To be said before anything is begun.
    #[must_use]
    pub fn with_padding(mut self, padding: Padding) -> Self {
        debug_assert!(self.begun.is_empty());
        self.stock.set_padding(padding);
        self
    }

    /// So many bytes are asked for, or may be, of peers so far away that they have not come for
    /// long: so many more may be in progress.
    pub fn make_way(&mut self, bytes: u64) {
        self.far_bytes = bytes;
    }

    /// Verified and written pieces.
    pub fn have(&self) -> &Bitfield {
        self.stock.have()
    }

    /// Bytes of verified and written pieces, without padding.
    pub fn bytes_had(&self) -> u64 {
        self.stock.bytes_had()
    }

    /// Bytes of the pieces that are wanted and not had, without padding.
    pub fn bytes_missing(&self) -> u64 {
        self.stock.bytes_missing()
    }

    /// Every piece is had.
    pub fn is_complete(&self) -> bool {
        self.have().is_full()
    }

    /// Every piece that is not skipped is had.
    pub fn is_finished(&self) -> bool {
        self.stock.missing().is_empty()
    }

    /// A wanted piece that some connected peer has is not begun: there is no endgame yet.
    pub fn is_any_left(&self) -> bool {
        self.picker.any_available()
    }

    /// Bytes that arrived for nothing so far.
    pub fn waste(&self) -> Waste {
        self.waste
    }

    /// Pieces that are begun and not had, those being verified and written included, in order.
    pub fn in_progress(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.begun.keys().copied()
    }

    /// The peer has something that we want and don't have; pieces in progress count. Cheap:
    /// what was passed over once is not looked at again.
    pub fn wants_any_of(&mut self, session: SessionId, peer_has: &Bitfield) -> bool {
        let pieces = self.layout.piece_count();
        let from = &mut self.loads.entry(session).or_default().missing_from;
        let found = self
            .stock
            .missing()
            .first_common_in(peer_has, *from..pieces);
        *from = found.map_or(pieces, PieceIndex::get);
        found.is_some()
    }

    /// How many connected peers have this piece.
    pub fn availability(&self, piece: PieceIndex) -> u32 {
        self.picker.availability(piece)
    }

    /// How many have the piece that the fewest have: so often they hold everything together.
    pub fn copies(&self) -> u32 {
        self.picker.copies()
    }

    /// Changes the strategy from now on.
    pub fn set_strategy(&mut self, strategy: Strategy) {
        self.picker.set_strategy(strategy);
    }

    /// Where [`Strategy::Streaming`] reads; the first piece until it is said.
    pub fn set_play_position(&mut self, piece: PieceIndex) {
        self.picker.set_play_position(piece);
    }

    /// How much this piece is wanted.
    pub fn priority(&self, piece: PieceIndex) -> Priority {
        self.picker.priority(piece)
    }

    /// Gives every piece its priority (see [`super::piece_priorities`] for those of files);
    /// pieces beyond the end of the slice are normal. `O(pieces)`.
    pub fn set_priorities(&mut self, priorities: &[Priority]) {
        self.picker.set_priorities(priorities);
        self.find_missing();
        for piece in self.in_progress().collect::<Vec<_>>() {
            self.relist(piece);
            self.give_up_if_skipped(piece);
        }
    }

    /// A peer connected that has these pieces.
    pub fn peer_joined(&mut self, session: SessionId, pieces: &Bitfield) {
        self.picker.peer_joined(session, pieces);
        self.load(session).pieces = pieces.count();
    }

    /// A connected peer, which did not have this piece, has it now.
    pub fn peer_has(&mut self, session: SessionId, piece: PieceIndex) {
        self.picker.peer_has(session, piece);
        let load = self.load(session);
        load.missing_from = piece.get().min(load.missing_from);
        load.pieces = load.pieces.saturating_add(1);
    }

    /// A peer is gone: its availability, and what was asked of it, are released. `pieces`
    /// are those with which it joined and those that it was said to have since.
    pub fn peer_left(&mut self, session: SessionId, pieces: &Bitfield) {
        self.picker.peer_left(session, pieces);
        self.release_all(session);
        self.loads.remove(&session);
    }

    /// Chooses up to `count` blocks to ask of this session, and marks them as asked.
    /// Blocks of one piece come in order. `peer_has` is what the peer was said to have when
    /// it joined and since.
    ///
    /// A piece in `suggested` (BEP 6) is begun in place of another that is as rare, never of
    /// a rarer one; a seeder that suggests different pieces to different peers so hands out
    /// each piece once before it hands out any twice. The first 64 are looked at.
    pub fn pick(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        count: usize,
        suggested: &[PieceIndex],
    ) -> Vec<Block> {
        let mut choice = Choice {
            session,
            peer_has,
            suggested,
            count,
            chosen: Vec::new(),
        };
        self.choose(&mut choice);
        choice.chosen
    }

    /// As [`Download::pick`], but among these pieces alone, of which 64 are looked at: for a
    /// peer that chokes us and allows them all the same (BEP 6, allowed fast).
    pub fn pick_among(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        pieces: &[PieceIndex],
        count: usize,
    ) -> Vec<Block> {
        let mut choice = Choice {
            session,
            peer_has,
            suggested: &[],
            count,
            chosen: Vec::new(),
        };
        self.choose_among(&mut choice, pieces);
        choice.chosen
    }

    /// The session won't send this block (rejected it, timed out): it may be asked
    /// elsewhere. Nothing happens if it is not asked of the session.
    ///
    /// Its owner loses the piece by that, and adopts it again only when it has nothing else
    /// to do. It may then be asked for the same block at once: the engine should wait
    /// before it picks for a session that rejects.
    pub fn release(&mut self, session: SessionId, block: Block) {
        let asker = self.asker(session);
        let Some(partial) = self.filling_mut(block.piece) else {
            return;
        };
        if partial.release(asker, block) {
            partial.failed_by = Some(session);
            self.load(session).asked.remove(&block);
            self.after_release(block.piece, session);
        }
    }

    /// The session won't send anything that was asked of it (it choked us). Its pieces are
    /// up for adoption. Costs what there is to release.
    pub fn release_all(&mut self, session: SessionId) {
        let asker = self.asker(session);
        let load = self.load(session);
        let asked = std::mem::take(&mut load.asked);
        let mut pieces = std::mem::take(&mut load.owned);
        for block in asked {
            if let Some(partial) = self.filling_mut(block.piece) {
                partial.release(asker, block);
                pieces.insert(block.piece);
            }
        }
        for piece in pieces {
            self.after_release(piece, session);
        }
    }

    fn find_missing(&mut self) {
        let picker = &self.picker;
        self.stock
            .want(|piece| picker.priority(piece) > Priority::Skip);
        for load in self.loads.values_mut() {
            load.missing_from = 0;
        }
    }

    fn pick_at_random_first(&mut self) {
        let few = self.have().count() < self.limits.random_first;
        self.picker.set_random_first(few);
    }

    fn load(&mut self, session: SessionId) -> &mut Load {
        self.loads.entry(session).or_default()
    }

    fn filling(&self, piece: PieceIndex) -> Option<&Partial<C>> {
        match self.begun.get(&piece) {
            Some(Begun::Filling(partial)) => Some(partial),
            _ => None,
        }
    }

    fn filling_mut(&mut self, piece: PieceIndex) -> Option<&mut Partial<C>> {
        match self.begun.get_mut(&piece) {
            Some(Begun::Filling(partial)) => Some(partial),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
