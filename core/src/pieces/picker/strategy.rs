//! The choice itself.

use serde::{Deserialize, Serialize};

use super::{Cursor, Picker};
use crate::pieces::download::SessionId;
use crate::pieces::{Bitfield, PieceIndex, Priority};

/// How many random pieces are tried before the next one is searched for.
const PROBES: usize = 32;
/// How many suggestions, or pieces of a small set, are looked at, here and where blocks are chosen.
pub(in crate::pieces) const MAX_LISTED: usize = 64;

/// How the next piece is chosen among those of the same priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// Lowest index first.
    Sequential,
    /// The piece that the fewest connected peers have, ties at random; the very first
    /// pieces at random, because the rarest would take longest to come, and until
    /// something is there nothing can be traded (BEP 3).
    #[default]
    RarestFirst,
    /// A window from the play position on in order; as rarest first whatever is outside,
    /// once what the peer has of the window is had or under way.
    Streaming,
}

impl Picker {
    /// The next piece to begin among those that the peer has; it counts as begun from now
    /// on. `peer_has` is what the peer was said to have when it joined and since.
    ///
    /// A piece in `suggested` (BEP 6) is taken in place of another that is as rare, never
    /// of a rarer one, nor where the order is given. Only the first 64 are looked at.
    pub fn pick(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        suggested: &[PieceIndex],
    ) -> Option<PieceIndex> {
        let piece = self.find(session, peer_has, suggested)?;
        self.take_out(piece);
        Some(piece)
    }

    /// As [`Picker::pick`], but among these pieces alone, of which 64 are looked at.
    pub fn pick_among(&mut self, peer_has: &Bitfield, pieces: &[PieceIndex]) -> Option<PieceIndex> {
        let wanted = pieces.iter().take(MAX_LISTED).copied();
        let wanted: Vec<_> = wanted
            .filter(|&piece| self.rank(piece).is_some() && peer_has.has(piece))
            .collect();
        let best = wanted.iter().map(|&piece| self.merit(piece)).min()?;
        let ties: Vec<_> = wanted
            .into_iter()
            .filter(|&piece| self.merit(piece) == best)
            .collect();
        let piece = self.rng.choose(&ties).copied()?;
        self.take_out(piece);
        Some(piece)
    }

    /// The peer has a piece that is wanted and not begun.
    pub fn any_of(&mut self, session: SessionId, peer_has: &Bitfield) -> bool {
        self.find(session, peer_has, &[]).is_some()
    }

    fn find(
        &mut self,
        session: SessionId,
        peer_has: &Bitfield,
        suggested: &[PieceIndex],
    ) -> Option<PieceIndex> {
        for rank in 0..Priority::WANTED.len() {
            if self.ranks[rank].wanted.is_empty() {
                continue;
            }
            let found = match self.strategy {
                Strategy::Sequential => self.lowest(rank, session, peer_has),
                Strategy::RarestFirst if self.random_first => {
                    self.random(rank, peer_has, suggested)
                }
                Strategy::RarestFirst => self.rarest(rank, session, peer_has, suggested),
                Strategy::Streaming => self
                    .in_window(rank, peer_has)
                    .or_else(|| self.rarest(rank, session, peer_has, suggested)),
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn lowest(
        &mut self,
        rank: usize,
        session: SessionId,
        peer_has: &Bitfield,
    ) -> Option<PieceIndex> {
        let wanted = &self.ranks[rank].wanted;
        let from = &mut self.peers.entry(session).or_default().lowest[rank];
        let found = wanted.first_common_in(peer_has, *from..wanted.piece_count());
        *from = found.map_or(wanted.piece_count(), PieceIndex::get);
        found
    }

    fn in_window(&self, rank: usize, peer_has: &Bitfield) -> Option<PieceIndex> {
        let start = self.play_position.get();
        let window = start..start.saturating_add(self.window);
        self.ranks[rank].wanted.first_common_in(peer_has, window)
    }

    fn random(
        &mut self,
        rank: usize,
        peer_has: &Bitfield,
        suggested: &[PieceIndex],
    ) -> Option<PieceIndex> {
        let wanted = &self.ranks[rank].wanted;
        let useful = |piece: &PieceIndex| wanted.has(*piece) && peer_has.has(*piece);
        let mut suggested = suggested.iter().take(MAX_LISTED).copied();
        if let Some(piece) = suggested.find(useful) {
            return Some(piece);
        }
        let pieces = wanted.piece_count();
        let mut draw = || {
            let number = self.rng.below(pieces as usize);
            u32::try_from(number).expect("pieces are counted in u32")
        };
        let probed = (0..PROBES).map(|_| PieceIndex(draw())).find(useful);
        // A few times in a download at most.
        probed.or_else(|| {
            let start = draw();
            let after = wanted.first_common_in(peer_has, start..pieces);
            after.or_else(|| wanted.first_common_in(peer_has, 0..start))
        })
    }

    fn rarest(
        &mut self,
        rank: usize,
        session: SessionId,
        peer_has: &Bitfield,
        suggested: &[PieceIndex],
    ) -> Option<PieceIndex> {
        let rank_of = &self.ranks[rank];
        let cursors = &mut self.peers.entry(session).or_default().buckets[rank];
        if cursors.len() < rank_of.buckets.len() {
            cursors.resize(rank_of.buckets.len(), Cursor::default());
        }
        // What nobody holds is with seeds alone.
        let rarest_held = usize::from(!peer_has.is_full());
        let buckets = rank_of.buckets.iter().zip(cursors).enumerate();
        for (holders, (bucket, cursor)) in buckets.skip(rarest_held) {
            if let Some(piece) = bucket.find(cursor, peer_has, &mut self.rng) {
                let as_rare = |piece: &PieceIndex| {
                    rank_of.wanted.has(*piece)
                        && peer_has.has(*piece)
                        && self.holders.of(*piece) as usize == holders
                };
                let mut suggested = suggested.iter().take(MAX_LISTED).copied();
                return Some(suggested.find(as_rare).unwrap_or(piece));
            }
        }
        None
    }

    /// What sorts before is begun before.
    fn merit(&self, piece: PieceIndex) -> (std::cmp::Reverse<Priority>, u32, u32) {
        let holders = self.holders.of(piece);
        let ahead = piece.get().wrapping_sub(self.play_position.get());
        let (order, rarity) = match self.strategy {
            Strategy::Sequential => (piece.get(), 0),
            Strategy::RarestFirst if self.random_first => (0, 0),
            Strategy::RarestFirst => (0, holders),
            Strategy::Streaming => (ahead.min(self.window), holders),
        };
        (std::cmp::Reverse(self.priority(piece)), order, rarity)
    }
}
