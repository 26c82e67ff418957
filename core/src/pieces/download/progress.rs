//! Pieces in progress, and the lists in which they stand.

use super::{Begun, Download, SessionId};
use crate::chunk::Chunk;
use crate::pieces::partial::Partial;
use crate::pieces::parts::Content;
use crate::pieces::{PieceIndex, Priority, Stretch};
use crate::sorted::SortedSet;

impl<C: Chunk> Download<C> {
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
        self.waste.given_up += partial.received_bytes();
        let writing: SortedSet<u32> = partial.writing().collect();
        if writing.is_empty() {
            self.bytes_begun -= self.memory(piece);
            self.picker.put_back(piece);
        } else {
            // What is written late must not come into the way of what is fetched then.
            self.begun.insert(piece, Begun::Draining(writing));
        }
    }

    /// The next stretch of a piece in parts that is to be written.
    pub fn next_stretch(&mut self) -> Option<Stretch<C>> {
        self.stretches.pop_front()
    }

    /// Somebody may be asked for what there was no memory for, since this was last asked.
    pub fn take_reopened(&mut self) -> bool {
        std::mem::take(&mut self.reopened)
    }

    /// A stretch out of [`Download::next_stretch`] was written, or could not be. True if all
    /// of its piece is written now: hash it where it lies, then say [`Download::verified`] and
    /// [`Download::written`], or [`Download::rejected`], or [`Download::write_failed`].
    pub fn stretch_written(&mut self, piece: PieceIndex, begin: u32, kept: bool) -> bool {
        match self.begun.get_mut(&piece) {
            Some(Begun::Draining(writing)) => {
                writing.remove(&begin);
                if writing.is_empty() {
                    self.begun.remove(&piece);
                    self.bytes_begun -= self.memory(piece);
                    self.picker.put_back(piece);
                    self.reopened = true;
                }
                return false;
            }
            Some(Begun::Filling(partial)) => {
                if !partial.stretch_written(begin, kept) {
                    return false;
                }
            }
            Some(Begun::Verifying { .. }) | None => return false,
        }
        self.reopened = true;
        self.relist(piece);
        if self.filling(piece).is_some_and(Partial::is_complete) {
            return self.begin_verifying(piece).is_some();
        }
        self.give_up_if_skipped(piece);
        false
    }

    /// Everything is here: the piece waits for its hash.
    pub(super) fn begin_verifying(&mut self, piece: PieceIndex) -> Option<Content<C>> {
        let (content, senders) = self.remove_filling(piece)?.finish();
        self.verifying += 1;
        let verifying = Begun::Verifying {
            content: content.clone(),
            senders,
        };
        self.begun.insert(piece, verifying);
        Some(content)
    }

    /// Bytes that a piece in progress takes in memory, at most.
    pub(super) fn memory(&self, piece: PieceIndex) -> u64 {
        self.limits.memory(self.layout.length(piece))
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
    pub(super) fn remove_filling(&mut self, piece: PieceIndex) -> Option<Partial<C>> {
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

fn list<T: Ord>(set: &mut SortedSet<T>, item: T, belongs: bool) {
    if belongs {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}
