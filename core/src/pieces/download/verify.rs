//! Pieces that are full: what their hash said, and whether they could be kept.

use super::{Begun, Download, SessionId};
use crate::chunk::Chunk;
use crate::pieces::parts::Content;
use crate::pieces::{PieceIndex, Priority};

impl<C: Chunk> Download<C> {
    /// The hash was right; [`Download::written`] or [`Download::write_failed`] is to follow.
    /// Returns who sent bad blocks of this piece earlier: proven liars.
    ///
    /// Nothing happens unless the piece is being verified; the same goes for the next three.
    pub fn verified(&mut self, piece: PieceIndex) -> Vec<SessionId> {
        let Some(Begun::Verifying { content, senders }) = self.begun.get(&piece) else {
            return Vec::new();
        };
        for sender in senders {
            if let Some(load) = self.loads.get_mut(sender) {
                load.verified = true;
            }
        }
        self.suspects.clear(piece, content)
    }

    /// The hash was right and the write confirmed: we have it.
    pub fn written(&mut self, piece: PieceIndex) {
        if self.end_verifying(piece).is_some() {
            self.stock.gain(piece);
            self.pick_at_random_first();
        }
    }

    /// A piece that we had is lost: it is wanted again, unless it is skipped. False, and
    /// nothing happens, if we don't have it.
    pub fn lost(&mut self, piece: PieceIndex) -> bool {
        let wanted = self.priority(piece) > Priority::Skip;
        if !self.stock.lose(piece, wanted) {
            return false;
        }
        self.picker.put_back(piece);
        if wanted {
            for load in self.loads.values_mut() {
                load.missing_from = load.missing_from.min(piece.get());
            }
        }
        self.pick_at_random_first();
        true
    }

    /// The hash was wrong: the piece is wanted again. Returns the proven liar, if it was
    /// filled by one session alone.
    ///
    /// If several contributed, it is remembered what each of them sent. The piece is then
    /// fetched by one session alone, by another one if possible, until it is right;
    /// [`Download::verified`] then returns those whose blocks were bad.
    ///
    /// The lone session must not be waited for longer than for others: what it leaves
    /// unanswered is to be given to [`Download::release`], and the piece is fetched afresh.
    pub fn rejected(&mut self, piece: PieceIndex) -> Vec<SessionId> {
        let Some((content, senders)) = self.end_verifying(piece) else {
            return Vec::new();
        };
        self.waste.corrupt += self.stock.bytes_of(piece);
        self.wary = true;
        self.picker.put_back(piece);
        self.suspects.add(piece, &content, &senders)
    }

    /// The write failed: the piece is wanted again, nobody is to blame.
    pub fn write_failed(&mut self, piece: PieceIndex) {
        if self.end_verifying(piece).is_some() {
            self.picker.put_back(piece);
        }
    }

    fn end_verifying(&mut self, piece: PieceIndex) -> Option<(Content<C>, Vec<SessionId>)> {
        match self.begun.remove(&piece)? {
            Begun::Verifying { content, senders } => {
                self.verifying -= 1;
                self.bytes_begun -= self.memory(piece);
                Some((content, senders))
            }
            other => {
                self.begun.insert(piece, other);
                None
            }
        }
    }
}
