//! What a remote peer takes from us, and what it is advised to.

use std::time::Duration;

use crate::pieces::PieceIndex;
use crate::sorted::SortedSet;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Giving {
    /// We answer its requests, since then.
    pub(crate) unchoked: Option<Time>,
    /// When we last stopped to.
    pub(crate) choked: Option<Time>,
    /// It lacks something that we have, it says.
    pub(crate) interested: bool,
    /// When it last asked for something.
    pub(crate) asked: Option<Time>,
    /// It had an upload slot, lately, and asked for nothing, until then.
    pub(crate) sat: Option<Time>,
    /// Pieces that it may ask for while we choke it (BEP 6).
    pub(crate) allowed_fast: Vec<PieceIndex>,
    /// Pieces that we suggested and it does not have yet.
    pub(crate) dealt: Vec<PieceIndex>,
    /// Those of them that it has begun to ask for.
    pub(crate) begun: SortedSet<PieceIndex>,
    /// Pieces that we alone gave it, that nobody else has got since, and when it had them.
    pub(crate) hoard: Vec<(PieceIndex, Time)>,
    /// How many pieces that we alone gave it others have got since.
    pub(crate) passed_on: usize,
}

impl Giving {
    /// It is gone: its slot, and what it was to take, are for others.
    pub(super) fn leaves(&mut self) {
        self.unchoked = None;
        self.sat = None;
        self.allowed_fast.clear();
        self.dealt.clear();
        self.begun.clear();
        self.hoard.clear();
    }

    /// It has an upload slot.
    pub(crate) fn is_unchoked(&self) -> bool {
        self.unchoked.is_some()
    }

    /// Gives it an upload slot.
    pub(crate) fn unchoke(&mut self, now: Time) {
        self.unchoked = Some(now);
    }

    /// Takes its upload slot away.
    pub(crate) fn choke(&mut self, now: Time) {
        self.unchoked = None;
        self.choked = Some(now);
    }

    /// It asks for something.
    pub(crate) fn asks(&mut self, now: Time) {
        self.asked = Some(now);
        self.sat = None;
    }

    /// It keeps what we gave it to itself: of the pieces that it had the time to pass on,
    /// two at least, others got fewer than they did not get.
    pub(crate) fn hoards(&self, now: Time, time: Duration) -> bool {
        let kept = self.hoard.iter().filter(|(_, since)| now - *since >= time);
        let kept = kept.count();
        kept >= 2 && kept > self.passed_on
    }

    /// It has a piece: one that we advised it to take counts as its hoard, and true is
    /// returned.
    pub(crate) fn has_got(&mut self, piece: PieceIndex, now: Time) -> bool {
        self.begun.remove(&piece);
        self.allowed_fast.retain(|allowed| *allowed != piece);
        let place = self.dealt.iter().position(|dealt| *dealt == piece);
        if let Some(place) = place {
            self.dealt.swap_remove(place);
            self.hoard.push((piece, now));
        }
        place.is_some()
    }

    /// Somebody else has a piece that we had given to it alone.
    pub(crate) fn passes_on(&mut self, piece: PieceIndex) {
        self.hoard.retain(|(hoarded, _)| *hoarded != piece);
        self.passed_on += 1;
    }
}
