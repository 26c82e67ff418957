//! Wanted pieces of one priority, by how many peers have them.

use crate::pieces::{Bitfield, PieceIndex};
use crate::rng::Rng;

/// How often chance is tried before the entries are gone through in order. A piece of a
/// bucket is with a random one of P peers at least every P-th time, so that fewer tries
/// than there are peers find one with most peers.
const PROBES: usize = 32;

/// No piece has this number: see `Layout::MAX_PIECES`.
const GONE: PieceIndex = PieceIndex(u32::MAX);

/// The wanted pieces that the same number of peers have.
///
/// A log: what comes is appended, what goes leaves a gap, and gaps are closed when they
/// are the greater part. So a [`Cursor`] may say that nothing before it is of use to a
/// peer, and that stays true: what a peer gains comes to another bucket, at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    log: Vec<PieceIndex>,
    live: usize,
    /// Counts how often the gaps were closed: cursors of earlier times are void.
    epoch: u32,
}

/// How far a bucket was searched for one peer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    epoch: u32,
    next: usize,
}

impl Bucket {
    /// How many pieces there are.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Appends a piece and notes where it stands.
    pub(super) fn push(&mut self, piece: PieceIndex, positions: &mut [u32]) {
        positions[piece.as_usize()] = position(self.log.len());
        self.log.push(piece);
        self.live += 1;
    }

    /// Takes out the piece that stands where `positions` says.
    pub(super) fn remove(&mut self, piece: PieceIndex, positions: &mut [u32], rng: &mut Rng) {
        let entry = &mut self.log[positions[piece.as_usize()] as usize];
        assert_eq!(*entry, piece, "a piece stands where it was put");
        *entry = GONE;
        self.live -= 1;
        if self.log.len() > 2 * self.live + PROBES {
            self.close_gaps(positions, rng);
        }
    }

    /// A piece that the peer has: a random one, where the peer has many of them. The same
    /// peer must be asked about with the same cursor.
    pub(super) fn find(
        &self,
        cursor: &mut Cursor,
        peer_has: &Bitfield,
        rng: &mut Rng,
    ) -> Option<PieceIndex> {
        if self.live == 0 {
            return None;
        }
        if cursor.epoch != self.epoch {
            *cursor = Cursor {
                epoch: self.epoch,
                next: 0,
            };
        }
        let rest = &self.log[cursor.next..];
        if rest.is_empty() {
            return None;
        }
        let useful = |piece: &PieceIndex| peer_has.has(*piece);
        let start = rng.below(rest.len());
        if rest.len() <= PROBES {
            // All of them, from anywhere.
            let (before, after) = rest.split_at(start);
            let found = after.iter().chain(before).copied().find(useful);
            if found.is_none() {
                cursor.next = self.log.len();
            }
            return found;
        }
        let mut probes = (0..PROBES).map(|_| rest[rng.below(rest.len())]);
        if let Some(piece) = probes.find(useful) {
            return Some(piece);
        }
        let useless = rest.iter().take_while(|piece| !useful(piece)).count();
        cursor.next += useless;
        rest.get(useless).copied()
    }

    /// In random order, because those who had no luck with chance take the first.
    fn close_gaps(&mut self, positions: &mut [u32], rng: &mut Rng) {
        self.log.retain(|piece| *piece != GONE);
        rng.shuffle(&mut self.log);
        for (number, piece) in self.log.iter().enumerate() {
            positions[piece.as_usize()] = position(number);
        }
        self.epoch += 1;
    }
}

fn position(number: usize) -> u32 {
    u32::try_from(number).expect("a bucket's log is no longer than two times all pieces")
}
