//! What to ask of a session, from what it should do to what it may do.
//!
//! Beginning pieces costs what the picker's choices cost. Everything else looks at pieces in
//! progress only, of which the limit of bytes in progress allows few, and mostly at those
//! that have something to ask for.

use super::{Begun, Download, SessionId};
use crate::chunk::Chunk;
use crate::pieces::partial::{Copies, Partial};
use crate::pieces::picker::MAX_LISTED;
use crate::pieces::{Bitfield, Block, PieceIndex};

/// How many requests to one session the endgame tops up to. Most of these blocks arrive
/// from elsewhere too, so it wants just enough of them to bridge a round trip.
const ENDGAME_QUEUE: usize = 16;
/// As many for a session that has not sent anything yet, or keeps us waiting: enough to show
/// that it is better than that.
const PROBATION_QUEUE: usize = 2;

/// Blocks that are being chosen for one session.
pub(super) struct Choice<'a> {
    pub(super) session: SessionId,
    pub(super) peer_has: &'a Bitfield,
    pub(super) suggested: &'a [PieceIndex],
    /// So many are wanted.
    pub(super) count: usize,
    pub(super) chosen: Vec<Block>,
}

impl Choice<'_> {
    fn is_done(&self) -> bool {
        self.room() == 0
    }

    fn room(&self) -> usize {
        self.count - self.chosen.len()
    }
}

impl<C: Chunk> Download<C> {
    pub(super) fn choose(&mut self, choice: &mut Choice<'_>) {
        self.go_on(choice);
        self.begin_suggested(choice);
        self.adopt(choice, Orphans::OfOthers);
        while !choice.is_done() && self.begin(choice) {
            self.go_on(choice);
        }
        self.adopt(choice, Orphans::Any);
        self.join(choice);
        if choice.count == 0 || !choice.chosen.is_empty() {
            return;
        }
        if self.make_room(choice) {
            self.begin(choice);
            self.go_on(choice);
        }
        if choice.chosen.is_empty() {
            self.ask_again(choice);
        }
    }

    /// As [`Download::choose`], among few pieces: no room is made for them, nothing is asked
    /// for again.
    pub(super) fn choose_among(&mut self, choice: &mut Choice<'_>, pieces: &[PieceIndex]) {
        let pieces: Vec<PieceIndex> = pieces
            .iter()
            .copied()
            .take(MAX_LISTED)
            .filter(|piece| choice.peer_has.has(*piece))
            .collect();
        let shares = self.may_share(choice.session);
        for &piece in &pieces {
            if self.open.contains(&(None, piece))
                && (shares || self.filling(piece).is_some_and(|p| p.received() == 0))
            {
                self.set_owner(piece, Some(choice.session));
            }
            if self.open.contains(&(Some(choice.session), piece)) {
                self.ask(choice, piece);
            }
        }
        while !choice.is_done()
            && self.has_room()
            && let Some(piece) = self.picker.pick_among(choice.peer_has, &pieces)
        {
            self.start(choice.session, piece);
            self.ask(choice, piece);
        }
        for &piece in &pieces {
            if shares && self.joinable.contains(&piece) {
                self.ask(choice, piece);
            }
        }
    }

    /// The session's own pieces.
    fn go_on(&mut self, choice: &mut Choice<'_>) {
        while !choice.is_done()
            && let Some(piece) = self.first_open_of(choice.session)
        {
            self.ask(choice, piece);
        }
    }

    /// Pieces that the peer suggests (BEP 6) and nobody else connected has, ahead of what was
    /// left unfinished and may well be finished elsewhere: its time is the scarcest.
    fn begin_suggested(&mut self, choice: &mut Choice<'_>) {
        if choice.is_done() || !self.picker.takes_advice() {
            return;
        }
        let rare: Vec<PieceIndex> = choice
            .suggested
            .iter()
            .copied()
            .take(MAX_LISTED)
            .filter(|piece| self.availability(*piece) <= 1 && !self.suspects.contains(*piece))
            .collect();
        while !choice.is_done()
            && self.has_room()
            && let Some(piece) = self.picker.pick_among(choice.peer_has, &rare)
        {
            self.start(choice.session, piece);
            self.ask(choice, piece);
        }
    }

    /// Pieces whose owner is gone or choked us.
    fn adopt(&mut self, choice: &mut Choice<'_>, orphans: Orphans) {
        let shares = self.may_share(choice.session);
        let adopted: Vec<PieceIndex> = self
            .open_orphans()
            .filter(|(piece, partial)| {
                choice.peer_has.has(*piece)
                    && (shares || partial.received() == 0)
                    && (orphans == Orphans::Any || partial.failed_by != Some(choice.session))
            })
            .map(|(piece, _)| piece)
            .take(choice.room())
            .collect();
        for piece in adopted {
            if choice.is_done() {
                return;
            }
            self.set_owner(piece, Some(choice.session));
            self.ask(choice, piece);
        }
    }

    /// A piece that nobody began; false if there is none, or no room for it.
    fn begin(&mut self, choice: &Choice<'_>) -> bool {
        if !self.has_room() {
            return false;
        }
        let Some(piece) = self.next_piece(choice) else {
            return false;
        };
        self.start(choice.session, piece);
        true
    }

    fn next_piece(&mut self, choice: &Choice<'_>) -> Option<PieceIndex> {
        let Choice {
            session,
            peer_has,
            suggested,
            ..
        } = *choice;
        let piece = self.picker.pick(session, peer_has, suggested)?;
        let holders = self.availability(piece);
        let unfit = self.suspects.contains(piece) && !self.may_share(session);
        if !unfit && !self.suspects.better_with_others(piece, session, holders) {
            return Some(piece);
        }
        // Who contributed to it, would not finish it, or is not known well enough for it, may
        // do something else first.
        let other = self.picker.pick(session, peer_has, suggested);
        if other.is_some() || unfit {
            self.picker.put_back(piece);
        }
        other.or((!unfit).then_some(piece))
    }

    fn start(&mut self, session: SessionId, piece: PieceIndex) {
        let alone = self.suspects.contains(piece);
        let padding = self.stock.padding().clone();
        let partial = Partial::new(self.layout, padding, piece, alone, &self.limits);
        self.begun.insert(piece, Begun::Filling(partial));
        self.bytes_begun += self.memory(piece);
        self.set_owner(piece, Some(session));
    }

    /// Other sessions' pieces. By piece, not by owner: idle sessions together finish one
    /// after the other.
    fn join(&mut self, choice: &mut Choice<'_>) {
        if !self.may_share(choice.session) {
            return;
        }
        let joined: Vec<PieceIndex> = self
            .joinable
            .iter()
            .copied()
            .filter(|piece| choice.peer_has.has(*piece))
            .take(choice.room())
            .collect();
        for piece in joined {
            self.ask(choice, piece);
        }
    }

    /// At the limit of bytes in progress, pieces that nobody works on must not keep an idle
    /// session from others: the peers that have them may be gone for good. The least useful
    /// ones are given up until there is room. False if that won't help, or if there will be
    /// room anyway, because pieces are being verified.
    fn make_room(&mut self, choice: &Choice<'_>) -> bool {
        if self.open_orphans().next().is_none()
            || self.verifying > 0
            || !self.load(choice.session).asked.is_empty()
            || !self.picker.any_of(choice.session, choice.peer_has)
        {
            return false;
        }
        while !self.has_room() {
            let least_useful = self
                .open_orphans()
                .filter(|(_, partial)| !partial.is_awaited())
                .min_by_key(|(piece, partial)| {
                    (self.availability(*piece) > 0, partial.received(), *piece)
                })
                .map(|(piece, _)| piece);
            let Some(piece) = least_useful else {
                return false;
            };
            self.give_up(piece);
        }
        true
    }

    /// The endgame: blocks that were asked of others, those of the fewest first.
    ///
    /// Not while anything is left to begin: sessions that are idle only because of the limit
    /// of bytes in progress would double the traffic of the whole download. But what is asked
    /// only of those that don't deliver is asked at any time of one that does: it may be
    /// just what takes up that limit.
    fn ask_again(&mut self, choice: &mut Choice<'_>) {
        let asker = self.asker(choice.session);
        let endgame = !self.picker.any_available();
        if !self.may_share(choice.session) || !endgame && !asker.delivers {
            return;
        }
        let asked = self.load(choice.session).asked.len();
        let queue = if asker.delivers {
            ENDGAME_QUEUE
        } else {
            PROBATION_QUEUE
        };
        let most = choice.room().min(queue.saturating_sub(asked));
        if most == 0 {
            return;
        }
        let mut candidates: Vec<(Copies, Block)> = self
            .repeatable
            .iter()
            .filter(|piece| choice.peer_has.has(**piece))
            .filter_map(|piece| self.filling(*piece))
            .flat_map(|partial| partial.repeatable_for(asker))
            .filter(|(copies, _)| endgame || copies.sure == 0)
            .collect();
        self.rng.shuffle(&mut candidates);
        candidates.sort_by_key(|(copies, _)| *copies);
        candidates.truncate(most);
        for (_, block) in candidates {
            if let Some(partial) = self.filling_mut(block.piece) {
                partial.ask_again(asker, block);
                self.load(choice.session).asked.insert(block);
                self.relist(block.piece);
                choice.chosen.push(block);
            }
        }
        choice.chosen.sort_unstable();
    }

    /// Asks the session for the piece's unasked blocks.
    fn ask(&mut self, choice: &mut Choice<'_>, piece: PieceIndex) {
        let before = choice.chosen.len();
        let asker = self.asker(choice.session);
        let partial = self.filling_mut(piece);
        let partial = partial.expect("open pieces are in progress");
        partial.ask(asker, choice.count, &mut choice.chosen);
        let asked = choice.chosen[before..].iter().copied();
        self.load(choice.session).asked.extend(asked);
        self.relist(piece);
    }

    /// Another piece may be begun. Which it will be is not known yet; only the last may be
    /// shorter.
    fn has_room(&self) -> bool {
        let bytes = self.limits.memory(self.layout.piece_length());
        let most = self.limits.bytes_in_progress + self.far_bytes;
        self.begun.len() < 2 || self.bytes_begun + bytes <= most
    }

    fn first_open_of(&self, session: SessionId) -> Option<PieceIndex> {
        let lowest = (Some(session), PieceIndex::FIRST);
        let (owner, piece) = *self.open.range(lowest..).next()?;
        (owner == Some(session)).then_some(piece)
    }

    /// Pieces without an owner that have blocks which are asked of nobody.
    fn open_orphans(&self) -> impl Iterator<Item = (PieceIndex, &Partial<C>)> {
        // None sorts before every session.
        let orphans = self.open.iter().take_while(|(owner, _)| owner.is_none());
        orphans.filter_map(|(_, piece)| Some((*piece, self.filling(*piece)?)))
    }
}

/// Which pieces without an owner a session adopts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Orphans {
    /// Those of which it was not the last to leave a request unanswered.
    OfOthers,
    /// All.
    Any,
}
