//! Pieces that we had and lost: a file was changed, moved or deleted.
//!
//! The peer wire has no message for it. Whoever was told of the piece and may still ask for
//! it is disconnected, and hears what we have when it meets us again; the tracker hears it
//! at once. If we want it again, everybody is: who was told of all other pieces, and of this one
//! when we had it, takes us for a seed, to which nobody gives anything.

use super::{Cx, Ending, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, StoreError, Urgency};
use crate::peer::SessionId;
use crate::pieces::{PieceIndex, Priority};
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// A piece that we said we have can't be read. Where the storage as a whole has failed,
    /// only a person can mend that.
    pub(in crate::engine) fn upload_read_failed(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        error: &StoreError,
    ) {
        let Some(download) = self.phase.download() else {
            return;
        };
        match error {
            // It was lost while it was read.
            _ if !download.have().has(piece) => {}
            StoreError::Missing | StoreError::Unreadable(_) => {
                cx.event(Event::Lost {
                    info_hash: self.info_hash,
                    piece,
                    reason: error.clone(),
                });
                self.lose(cx, &[piece]);
            }
            StoreError::Full(_) | StoreError::Failed(_) => self.fail(cx, error.clone().into()),
        }
    }

    /// See [`crate::engine::Input::Lost`].
    pub(in crate::engine) fn lose(&mut self, cx: &mut Cx<'_, C>, pieces: &[PieceIndex]) {
        let was_finished = self.is_finished();
        let lost = self.phase.lose(pieces);
        if lost.is_empty() {
            return;
        }
        for &piece in &lost {
            cx.cache.remove_piece(self.info_hash, piece);
        }
        let download = self.phase.download();
        let priority = |piece| download.map_or(Priority::Skip, |it| it.priority(piece));
        let wanted = lost.iter().any(|piece| priority(*piece) > Priority::Skip);
        let ids = self.sessions.ids();
        for id in ids {
            self.take_back(cx, id, &lost, wanted);
        }
        if was_finished && !self.is_finished() {
            // It seeded with nothing to ask for.
            self.refill.ask_everybody();
        }
        if self.is_running() && self.swarm.is_looked_for() {
            self.look(cx, Urgency::Now);
        }
    }

    /// A peer is not to count on these pieces any more, some of which may be wanted again.
    fn take_back(&mut self, cx: &mut Cx<'_, C>, id: SessionId, lost: &[PieceIndex], wanted: bool) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let needs =
            |piece: &PieceIndex| session.remote.pieces.known().is_none_or(|p| !p.has(*piece));
        // What waits to be sent to it may speak of them too.
        let waits = session.talk.outbox.ready_len() > 0;
        if session.talk.greeted && (wanted || waits || lost.iter().any(needs)) {
            return self.close_session(cx, id, &Ending::LostPieces);
        }
        let dropped = lost.iter().flat_map(|p| session.talk.outbox.drop_piece(*p));
        let dropped: Vec<_> = dropped.collect();
        let fast = session.talk.fast;
        for block in dropped.into_iter().filter(|_| fast) {
            self.say(cx, id, &Message::RejectRequest(block.to_ref()));
        }
        self.update_interest(cx, id);
        self.refill.ask(id);
    }
}
