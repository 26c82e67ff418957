//! What to ask of a session, from what it should do to what it may do.

use super::{Begun, Download, SessionId};
use crate::pieces::partial::Partial;
use crate::pieces::{Bitfield, Block, PieceIndex};

/// How many requests to one session the endgame tops up to. Most of these blocks arrive
/// from elsewhere too, so it wants just enough of them to bridge a round trip.
const ENDGAME_QUEUE: usize = 16;

impl Download {
    pub(super) fn choose(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        count: usize,
    ) -> Vec<Block> {
        let mut chosen = Vec::new();
        self.go_on(session, count, &mut chosen);
        self.adopt(session, peer_has, count, Orphans::OfOthers, &mut chosen);
        while chosen.len() < count && self.begin(session, peer_has) {
            self.go_on(session, count, &mut chosen);
        }
        self.adopt(session, peer_has, count, Orphans::Any, &mut chosen);
        self.join(session, peer_has, count, &mut chosen);
        if chosen.is_empty() && count > 0 && self.make_room(session, peer_has) {
            self.begin(session, peer_has);
            self.go_on(session, count, &mut chosen);
        }
        if chosen.is_empty() && count > 0 && !self.picker.any_available() {
            self.ask_again(session, peer_has, count, &mut chosen);
        }
        chosen
    }

    /// The session's own pieces.
    fn go_on(&mut self, session: SessionId, count: usize, chosen: &mut Vec<Block>) {
        while chosen.len() < count
            && let Some(piece) = self.first_open_of(session)
        {
            self.ask(piece, session, count, chosen);
        }
    }

    /// Pieces whose owner is gone or choked us.
    fn adopt(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        count: usize,
        orphans: Orphans,
        chosen: &mut Vec<Block>,
    ) {
        while chosen.len() < count {
            let orphan = self.open_orphans().find(|(piece, partial)| {
                peer_has.has(*piece)
                    && (orphans == Orphans::Any || partial.failed_by != Some(session))
            });
            let Some((piece, _)) = orphan else {
                return;
            };
            self.open.remove(&(None, piece));
            self.open.insert((Some(session), piece));
            if let Some(partial) = self.filling(piece) {
                partial.owner = Some(session);
            }
            self.ask(piece, session, count, chosen);
        }
    }

    /// A piece that nobody began; false if there is none, or no room for it.
    fn begin(&mut self, session: SessionId, peer_has: &Bitfield) -> bool {
        // Which piece it will be is not known yet; only the last may be shorter.
        if !self.has_room(u64::from(self.layout.piece_length())) {
            return false;
        }
        let Some(piece) = self.picker.pick(peer_has) else {
            return false;
        };
        let alone = self.suspect.contains(&piece);
        let partial = Partial::new(self.layout, piece, session, alone);
        self.begun.insert(piece, Begun::Filling(partial));
        self.bytes_begun += u64::from(self.layout.length(piece));
        self.open.insert((Some(session), piece));
        true
    }

    /// Other sessions' pieces.
    fn join(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        count: usize,
        chosen: &mut Vec<Block>,
    ) {
        if chosen.len() >= count {
            return;
        }
        let candidates = self.open.iter().map(|&(_, piece)| piece);
        let mut candidates: Vec<PieceIndex> = candidates
            .filter(|piece| peer_has.has(*piece) && self.may_join(*piece))
            .collect();
        // By piece, not by owner: idle sessions together finish one after the other.
        candidates.sort_unstable();
        for piece in candidates {
            if chosen.len() >= count {
                return;
            }
            self.ask(piece, session, count, chosen);
        }
    }

    /// At the limit of bytes in progress, pieces that nobody works on must not keep an idle
    /// session from others: the peers that have them may be gone for good. The least useful
    /// ones are given up until there is room. False if that won't help, or if there will be
    /// room anyway, because pieces are being verified.
    fn make_room(&mut self, session: SessionId, peer_has: &Bitfield) -> bool {
        let wanted = u64::from(self.layout.piece_length());
        if self.open_orphans().next().is_none()
            || self.filling_all().count() < self.begun.len()
            || !self.picker.any_of(peer_has)
            || self
                .filling_all()
                .any(|(_, partial)| partial.asked_of(session) > 0)
        {
            return false;
        }
        while !self.has_room(wanted) {
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
    /// of bytes in progress would double the traffic of the whole download.
    fn ask_again(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        count: usize,
        chosen: &mut Vec<Block>,
    ) {
        let asked: usize = self.filling_all().map(|(_, p)| p.asked_of(session)).sum();
        let copies = usize::from(self.limits.endgame_copies);
        let mut candidates: Vec<(usize, Block)> = self
            .filling_all()
            .filter(|(piece, partial)| peer_has.has(*piece) && !partial.alone)
            .flat_map(|(_, partial)| partial.asked_of_others(session))
            .filter(|(asked, _)| *asked < copies)
            .collect();
        self.rng.shuffle(&mut candidates);
        candidates.sort_by_key(|(asked, _)| *asked);
        candidates.truncate(count.min(ENDGAME_QUEUE.saturating_sub(asked)));
        for (_, block) in candidates {
            if let Some(partial) = self.filling(block.piece) {
                partial.ask_again(session, block);
                chosen.push(block);
            }
        }
        chosen.sort_unstable();
    }

    /// Asks the session for the piece's unasked blocks.
    fn ask(
        &mut self,
        piece: PieceIndex,
        session: SessionId,
        count: usize,
        chosen: &mut Vec<Block>,
    ) {
        let partial = self.filling(piece).expect("open pieces are in progress");
        partial.ask(session, count, chosen);
        let owner = partial.owner;
        if !partial.has_unasked() {
            self.open.remove(&(owner, piece));
        }
    }

    fn has_room(&self, bytes: u64) -> bool {
        self.begun.len() < 2 || self.bytes_begun + bytes <= self.limits.bytes_in_progress
    }

    fn first_open_of(&self, session: SessionId) -> Option<PieceIndex> {
        let lowest = (Some(session), PieceIndex::FIRST);
        let (owner, piece) = *self.open.range(lowest..).next()?;
        (owner == Some(session)).then_some(piece)
    }

    /// Pieces without an owner that have blocks which are asked of nobody.
    fn open_orphans(&self) -> impl Iterator<Item = (PieceIndex, &Partial)> {
        // None sorts before every session.
        let orphans = self.open.iter().take_while(|(owner, _)| owner.is_none());
        orphans.filter_map(|(_, piece)| match self.begun.get(piece) {
            Some(Begun::Filling(partial)) => Some((*piece, partial)),
            _ => None,
        })
    }

    fn may_join(&self, piece: PieceIndex) -> bool {
        matches!(self.begun.get(&piece), Some(Begun::Filling(partial)) if !partial.alone)
    }

    fn filling_all(&self) -> impl Iterator<Item = (PieceIndex, &Partial)> {
        self.begun.iter().filter_map(|(piece, begun)| match begun {
            Begun::Filling(partial) => Some((*piece, partial)),
            Begun::Verifying { .. } => None,
        })
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
