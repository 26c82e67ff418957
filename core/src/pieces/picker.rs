//! Which piece to begin next.
//!
//! # What a choice costs
//!
//! With N pieces and P peers, a choice may not look at all pieces, nor at all of those that
//! a peer has. To find the rarest piece that a peer has is to intersect sets that change
//! all the time, for which nothing is known that is fast in the worst case; so the work is
//! *amortised*:
//!
//! - Buckets hold the wanted pieces that equally many peers have. There are at most P + 1,
//!   whatever N is. They are asked from the rarest on, and an empty one, or one in which a
//!   peer is known to have nothing, costs one comparison.
//! - Within a bucket, a few random tries come first; they succeed with all but peers that
//!   have next to nothing of it. Only then its entries are gone through in order, and what
//!   is passed over is never looked at again for this peer: a cursor for each peer and
//!   bucket stands behind it, and whatever the peer gains is appended. An entry is made by
//!   one change of one piece (a have, a peer that comes or goes), and each peer passes over
//!   it at most once, or twice with the gaps that are closed at times. So all choices
//!   together cost no more than a few steps for each change and peer, usually none.
//! - A change of one piece moves it from one bucket to another: `O(1)`.
//! - In order, the lowest piece is found behind a cursor too, 64 pieces in one step.
//!   The streaming window is a bounded number of pieces, and looked through like this.
//! - Suggestions and small sets of pieces are looked at one by one, and bounded.

mod buckets;
mod holders;
mod strategy;

use buckets::{Bucket, Cursor};
use holders::Holders;
pub(super) use strategy::MAX_LISTED;
pub use strategy::Strategy;

use super::download::SessionId;
use super::{Bitfield, PieceIndex, Priority};
use crate::rng::Rng;
use crate::sorted::SortedMap;

/// Knows how many connected peers have each piece, and picks among those that are
/// wanted and not begun.
///
/// Peers that have everything would move every piece. They are only counted:
///
/// > a piece's availability = `seeds` + `holders` of it
///
/// and only that sum is promised. `seeds` never exceeds the number of connected peers that
/// have everything, because only such a peer raises it, and the leaving of such a peer
/// lowers it while there is something to lower. A peer that *became* full through
/// [`Picker::peer_has`] stands in `holders`; when it leaves, `seeds` is lowered in its
/// place, and some peer that joined as a seed stands in `holders` from then on: the sums
/// are the same. So nobody needs to remember who was counted where. It also follows that
/// a connected peer that does *not* have everything is counted in `holders` for each of
/// its pieces.
#[derive(Clone, Debug)]
pub struct Picker {
    strategy: Strategy,
    rng: Rng,
    /// There is nothing to trade yet: any piece is as good as another.
    random_first: bool,
    /// Pieces of the streaming window.
    window: u32,
    play_position: PieceIndex,
    /// Neither had nor begun.
    unbegun: Bitfield,
    priorities: Vec<Priority>,
    /// Those of the unbegun pieces that are wanted, by [`Priority::rank`].
    ranks: [Rank; 3],
    /// Where in its bucket a wanted piece is; meaningless for others.
    positions: Vec<u32>,
    /// Those in `seeds` apart.
    holders: Holders,
    /// Peers that have everything, see above.
    seeds: u32,
    peers: SortedMap<SessionId, Searched>,
}

/// Wanted pieces of one priority.
#[derive(Clone, Debug)]
struct Rank {
    wanted: Bitfield,
    /// The same, by how many `holders` they have.
    buckets: Vec<Bucket>,
}

/// What need not be searched again for one peer, by rank.
#[derive(Clone, Debug, Default)]
struct Searched {
    buckets: [Vec<Cursor>; 3],
    /// The peer has no wanted piece before this one.
    lowest: [u32; 3],
}

impl Picker {
    /// All pieces of the torrent wanted, except those that we `have`. `window` is how many
    /// pieces [`Strategy::Streaming`] takes in order.
    pub fn new(have: &Bitfield, strategy: Strategy, window: u32, rng: Rng) -> Self {
        let pieces = have.piece_count();
        let rank = Rank {
            wanted: Bitfield::empty(pieces),
            buckets: vec![Bucket::default()],
        };
        let mut picker = Picker {
            strategy,
            rng,
            random_first: false,
            window,
            play_position: PieceIndex::FIRST,
            unbegun: Bitfield::empty(pieces),
            priorities: vec![Priority::default(); pieces as usize],
            ranks: [rank.clone(), rank.clone(), rank],
            positions: vec![0; pieces as usize],
            holders: Holders::new(pieces),
            seeds: 0,
            peers: SortedMap::new(),
        };
        let all = (0..pieces).map(PieceIndex);
        for piece in picker.in_random_order(all.filter(|piece| !have.has(*piece))) {
            picker.unbegun.insert(piece);
            picker.enter(piece);
        }
        picker
    }

    /// Changes the strategy from now on.
    pub fn set_strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
    }

    /// Where the streaming window starts; the first piece at the beginning.
    pub fn set_play_position(&mut self, piece: PieceIndex) {
        self.play_position = piece;
    }

    /// Whether [`Strategy::RarestFirst`] picks at random, because there is nothing to trade
    /// yet. Off at first.
    pub fn set_random_first(&mut self, random_first: bool) {
        self.random_first = random_first;
    }

    /// Gives every piece its priority; pieces beyond the end of the slice are normal.
    /// `O(pieces)`.
    pub fn set_priorities(&mut self, priorities: &[Priority]) {
        let new = |piece: PieceIndex| {
            let given = priorities.get(piece.as_usize());
            given.copied().unwrap_or_default()
        };
        let all = (0..self.unbegun.piece_count()).map(PieceIndex);
        let changed: Vec<_> = all
            .filter(|piece| self.priority(*piece) != new(*piece))
            .collect();
        for piece in self.in_random_order(changed.into_iter()) {
            self.exit(piece);
            self.priorities[piece.as_usize()] = new(piece);
            self.enter(piece);
        }
        for searched in self.peers.values_mut() {
            searched.lowest = [0; 3];
        }
    }

    /// How much this piece is wanted.
    pub fn priority(&self, piece: PieceIndex) -> Priority {
        self.priorities[piece.as_usize()]
    }

    /// A connected peer, which did not have this piece, has it now.
    pub fn peer_has(&mut self, session: SessionId, piece: PieceIndex) {
        if let Some(searched) = self.peers.get_mut(&session) {
            searched.may_have(piece);
        }
        self.add_holder(piece);
    }

    /// A peer with these pieces connected.
    pub fn peer_joined(&mut self, session: SessionId, pieces: &Bitfield) {
        self.peers.insert(session, Searched::default());
        if pieces.is_full() {
            self.seeds += 1;
            return;
        }
        for piece in self.in_random_order(pieces.iter()) {
            self.add_holder(piece);
        }
    }

    /// A peer is gone. `pieces` are those with which it joined and those that it was said
    /// to have since, no more and no less.
    pub fn peer_left(&mut self, session: SessionId, pieces: &Bitfield) {
        self.peers.remove(&session);
        if pieces.is_full() && self.seeds > 0 {
            self.seeds -= 1;
            return;
        }
        for piece in self.in_random_order(pieces.iter()) {
            self.exit(piece);
            self.holders.remove(piece);
            self.enter(piece);
        }
    }

    /// What comes next is open to suggestions: the strategy gives no order.
    pub(super) fn takes_advice(&self) -> bool {
        self.strategy == Strategy::RarestFirst
    }

    /// How many connected peers have this piece.
    pub fn availability(&self, piece: PieceIndex) -> u32 {
        self.seeds + self.holders.of(piece)
    }

    /// How many have the piece that the fewest have. Cheap: it looks at no piece.
    pub fn copies(&self) -> u32 {
        self.seeds + self.holders.least()
    }

    /// It is neither had nor begun, whatever its priority.
    pub fn is_unbegun(&self, piece: PieceIndex) -> bool {
        self.unbegun.has(piece)
    }

    /// Some wanted piece is with some connected peer.
    pub fn any_available(&self) -> bool {
        self.ranks.iter().any(|rank| {
            let unavailable = if self.seeds == 0 {
                rank.buckets[0].len()
            } else {
                0
            };
            rank.wanted.count() as usize > unavailable
        })
    }

    /// A piece that was begun is to be begun again (its hash was wrong, or we gave it up).
    pub fn put_back(&mut self, piece: PieceIndex) {
        let new = self.unbegun.insert(piece);
        assert!(new, "a piece that is put back was begun");
        self.enter(piece);
        for searched in self.peers.values_mut() {
            searched.may_have(piece);
        }
    }

    /// Takes out of the choice a piece that is about to be begun.
    fn take_out(&mut self, piece: PieceIndex) {
        self.exit(piece);
        let was_unbegun = self.unbegun.remove(piece);
        assert!(was_unbegun, "only unbegun pieces are begun");
    }

    fn add_holder(&mut self, piece: PieceIndex) {
        self.exit(piece);
        self.holders.add(piece);
        self.enter(piece);
    }

    /// The rank in which a piece stands.
    fn rank(&self, piece: PieceIndex) -> Option<usize> {
        let rank = self.priority(piece).rank()?;
        self.unbegun.has(piece).then_some(rank)
    }

    /// Puts a piece where it belongs, unless nobody wants to begin it.
    fn enter(&mut self, piece: PieceIndex) {
        if let Some(rank) = self.rank(piece) {
            let Rank { wanted, buckets } = &mut self.ranks[rank];
            let holders = self.holders.of(piece) as usize;
            if buckets.len() <= holders {
                buckets.resize_with(holders + 1, Bucket::default);
            }
            wanted.insert(piece);
            buckets[holders].push(piece, &mut self.positions);
        }
    }

    /// Takes it away from there: before its number of holders, its priority or its being
    /// unbegun changes.
    fn exit(&mut self, piece: PieceIndex) {
        if let Some(rank) = self.rank(piece) {
            let Rank { wanted, buckets } = &mut self.ranks[rank];
            let holders = self.holders.of(piece) as usize;
            wanted.remove(piece);
            buckets[holders].remove(piece, &mut self.positions, &mut self.rng);
        }
    }

    /// Pieces enter buckets in random order, or whoever finds the first there would find
    /// the same as everybody else in the swarm.
    fn in_random_order(&mut self, pieces: impl Iterator<Item = PieceIndex>) -> Vec<PieceIndex> {
        let mut pieces: Vec<PieceIndex> = pieces.collect();
        self.rng.shuffle(&mut pieces);
        pieces
    }
}

impl Searched {
    /// This piece may be wanted and with the peer, now.
    fn may_have(&mut self, piece: PieceIndex) {
        for lowest in &mut self.lowest {
            *lowest = piece.get().min(*lowest);
        }
    }
}

#[cfg(test)]
mod tests;
