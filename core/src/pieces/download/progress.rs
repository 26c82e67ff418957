//! Pieces in progress, and the lists in which they stand.

use std::collections::BTreeSet;

use super::{Begun, Download, SessionId};
use crate::pieces::partial::Partial;
use crate::pieces::{PieceIndex, Priority};

impl Download {
    /// The session let go of something in this piece.
    pub(super) fn after_release(&mut self, piece: PieceIndex, session: SessionId) {
        let Some(partial) = self.filling(piece) else {
            return;
        };
        let untouched = partial.received() == 0 && !partial.is_awaited();
        let alone = partial.alone;
        let owner = partial.owner.filter(|owner| *owner != session);
        self.set_owner(piece, owner);
        if owner.is_none() && alone {
            // What another would add to it would make blame uncertain again.
            self.suspects.avoid(piece, session);
            self.give_up(piece);
        } else if owner.is_none() && untouched {
            self.give_up(piece);
        } else {
            self.give_up_if_skipped(piece);
        }
    }

    pub(super) fn give_up_if_skipped(&mut self, piece: PieceIndex) {
        if self.priority(piece) == Priority::Skip
            && self.filling(piece).is_some_and(|p| !p.is_awaited())
        {
            self.give_up(piece);
        }
    }

    /// Lets go of a piece in progress and of what has arrived of it: it is unbegun again.
    pub(super) fn give_up(&mut self, piece: PieceIndex) {
        let Some(partial) = self.remove_filling(piece) else {
            return;
        };
        for (block, asked) in partial.asked() {
            for session in asked {
                self.load(*session).asked.remove(&block);
            }
        }
        self.bytes_begun -= u64::from(self.layout.length(piece));
        self.waste.given_up += partial.received_bytes();
        self.picker.put_back(piece);
    }

    /// A piece in progress has another owner now, or none.
    pub(super) fn set_owner(&mut self, piece: PieceIndex, owner: Option<SessionId>) {
        let Some(partial) = self.filling_mut(piece) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut partial.owner, owner) {
            self.open.remove(&(Some(old), piece));
            self.load(old).owned.remove(&piece);
        } else {
            self.open.remove(&(None, piece));
        }
        if let Some(owner) = owner {
            self.load(owner).owned.insert(piece);
        }
        self.relist(piece);
    }

    /// Takes a piece in progress out of all lists but those of the blocks asked of sessions.
    pub(super) fn remove_filling(&mut self, piece: PieceIndex) -> Option<Partial> {
        self.set_owner(piece, None);
        self.filling(piece)?;
        self.open.remove(&(None, piece));
        self.joinable.remove(&piece);
        self.repeatable.remove(&piece);
        match self.begun.remove(&piece) {
            Some(Begun::Filling(partial)) => Some(partial),
            _ => None,
        }
    }

    /// A piece in progress stands in exactly those lists in which it belongs now.
    pub(super) fn relist(&mut self, piece: PieceIndex) {
        let Some(partial) = self.filling(piece) else {
            return;
        };
        let wanted = self.priority(piece) > Priority::Skip;
        let owner = partial.owner;
        let open = wanted && partial.has_unasked();
        let joinable = open && !partial.alone;
        let repeatable = wanted && !partial.alone && partial.is_repeatable();
        list(&mut self.open, (owner, piece), open);
        list(&mut self.joinable, piece, joinable);
        list(&mut self.repeatable, piece, repeatable);
    }
}

fn list<T: Ord>(set: &mut BTreeSet<T>, item: T, belongs: bool) {
    if belongs {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}
