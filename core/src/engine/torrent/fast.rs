//! The Fast extension (BEP 6): refusing in words, advice, and a few pieces for the choked.

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::peer::{Advice, Asked, SessionId};
use crate::pieces::allowed_fast_set;
use crate::wire::peer::{BlockRef, Message};

impl<C: Chunk> Torrent<C> {
    /// It answers our requests no more. Without the extension all are void; with it, each
    /// is rejected, but for those of allowed-fast pieces.
    pub(super) fn handle_choke(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        session.remote.getting.chokes();
        if !session.talk.fast {
            self.release_requests(cx, id);
        }
        self.ask_web_seeds();
        Ok(())
    }

    /// A request that we made is refused: it may be asked elsewhere.
    pub(super) fn handle_reject(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        block: BlockRef,
    ) -> Result<(), Fault> {
        let block = self.about.check_block(block);
        let block = block.ok_or(Fault::RejectsNoSuchBlock)?;
        let session = self.sessions.find(id)?;
        match session.talk.refused(block) {
            Asked::Now | Asked::Again => cx.throttles.down.give_back(u64::from(block.length)),
            Asked::Before => return Ok(()),
            Asked::Never => return Err(Fault::RejectsUnasked),
        }
        let getting = &mut session.remote.getting;
        getting.refuses();
        let most = cx.config.trust.max_broken_promises;
        if getting.unchoked_us && getting.breaks_promises(most) {
            return Err(Fault::BrokenPromises);
        }
        if let Some(download) = self.phase.download_mut() {
            download.release(id, block);
            self.refill.ask_everybody();
        }
        Ok(())
    }

    /// It does not need a block any more. With the extension a cancelled request is still
    /// answered, by the block or by a rejection.
    pub(super) fn handle_cancel(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        asked: BlockRef,
    ) -> Result<(), Fault> {
        let Some(block) = self.about.check_block(asked) else {
            return Ok(());
        };
        let session = self.sessions.find(id)?;
        if !session.talk.outbox.cancel(block) {
            return Ok(());
        }
        let fast = session.talk.fast;
        // It may have waited for this very piece to be read, and now waits for another.
        cx.waiting.add((self.info_hash, id));
        if fast {
            self.answer(cx, id, &Message::RejectRequest(asked))?;
        }
        Ok(())
    }

    pub(super) fn handle_suggestion(
        &mut self,
        cx: &Cx<'_, C>,
        id: SessionId,
        index: u32,
    ) -> Result<(), Fault> {
        let Some(piece) = self.about.piece(index, Fault::SuggestsNoSuchPiece)? else {
            return self.keep_advice(cx, id, Advice::Suggested(index));
        };
        let session = self.sessions.find(id)?;
        let getting = &mut session.remote.getting;
        getting.suggests(piece, cx.config.max_suggested);
        Ok(())
    }

    pub(super) fn handle_allowed_fast(
        &mut self,
        cx: &Cx<'_, C>,
        id: SessionId,
        index: u32,
    ) -> Result<(), Fault> {
        let Some(piece) = self.about.piece(index, Fault::AllowsNoSuchPiece)? else {
            return self.keep_advice(cx, id, Advice::Allowed(index));
        };
        let session = self.sessions.find(id)?;
        if session.remote.getting.fast_pieces.len() < cx.config.max_fast_pieces {
            session.remote.getting.fast_pieces.insert(piece);
            self.refill.ask(id);
        }
        Ok(())
    }

    /// Nobody knows yet how many pieces there are.
    fn keep_advice(&mut self, cx: &Cx<'_, C>, id: SessionId, advice: Advice) -> Result<(), Fault> {
        let most = cx.config.max_suggested + cx.config.max_fast_pieces;
        let session = self.sessions.find(id)?;
        session.remote.getting.advises_early(advice, most);
        Ok(())
    }

    /// The metadata is here: what a peer said of pieces before counts now.
    pub(super) fn heed_early_advice(&mut self, cx: &Cx<'_, C>, id: SessionId) -> Result<(), Fault> {
        for advice in self.sessions.find(id)?.remote.getting.take_early() {
            match advice {
                Advice::Suggested(index) => self.handle_suggestion(cx, id, index)?,
                Advice::Allowed(index) => self.handle_allowed_fast(cx, id, index)?,
            }
        }
        Ok(())
    }

    /// Lets a peer that has next to nothing take its own few pieces while it is choked.
    pub(super) fn allow_fast(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let count = cx.config.allowed_fast;
        let (Some(metainfo), Some(session)) = (self.about.metainfo(), self.sessions.get_mut(id))
        else {
            return;
        };
        let poor = session
            .remote
            .pieces
            .known()
            .is_some_and(|pieces| (pieces.count() as usize) < count);
        if !session.talk.fast || !poor || !session.remote.giving.allowed_fast.is_empty() {
            return;
        }
        // A peer can't choose it, and every other peer of the swarm comes to the same set.
        let who = session.remote.contact.address();
        let pieces = metainfo.layout().piece_count();
        session.remote.giving.allowed_fast = allowed_fast_set(&who, self.info_hash, pieces, count);
        for piece in session.remote.giving.allowed_fast.clone() {
            self.say(cx, id, &Message::AllowedFast(piece.get()));
        }
    }
}
