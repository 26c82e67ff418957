//! What a peer's messages cost us, and what pays for them (see [`WorkConfig`]).

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::peer::{SessionId, WorkConfig};
use crate::wire::peer::{Message, Received};

impl<C: Chunk> Torrent<C> {
    /// Charges a session so many units; a fault if it has not so many.
    pub(super) fn charge(
        &mut self,
        cx: &Cx<'_, C>,
        id: SessionId,
        units: u32,
    ) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        if session
            .remote
            .allowance
            .spend(cx.now, &cx.config.work, units)
        {
            Ok(())
        } else {
            Err(Fault::Flood)
        }
    }

    /// News of a piece is worth what it costs, once for each piece.
    pub(super) fn pay_for_news(&mut self, cx: &Cx<'_, C>, id: SessionId) {
        let work = &cx.config.work;
        self.pay(id, work.frame.saturating_add(work.message));
    }

    /// Pays a session for something useful.
    fn pay(&mut self, id: SessionId, units: u32) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.remote.allowance.earn(units);
        }
    }
}

/// What it costs to take in so many bytes at once.
pub(in crate::engine) fn frame_cost(length: usize, config: &WorkConfig) -> u32 {
    let whole = u32::try_from(length >> 10).unwrap_or(u32::MAX);
    let bytes = config.message.saturating_mul(whole);
    config.frame.saturating_add(bytes)
}

/// What it costs to look at this.
pub(super) fn cost<C>(received: &Received<C>, config: &WorkConfig) -> u32 {
    match received {
        // One handshake comes, a second one is a fault. What blocks are worth shows later.
        Received::Handshake(_) | Received::Message(Message::Piece { .. }) => 0,
        Received::Message(Message::Extended { .. }) => config.dictionary,
        Received::Message(_) => config.message,
    }
}
