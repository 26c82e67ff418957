//! Which of two ways to a peer carries the talk, by measuring: [`PathChoice`] says when to change.
//!
//! [`PathChoice`]: crate::peer::PathChoice

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::id::ChannelKey;
use crate::peer::{Seen, SessionId};
use crate::wire::extension::Begin;

impl<C: Chunk> Torrent<C> {
    /// A block came. What was waited for before a change may have come with it.
    pub(super) fn choose_as_blocks_come(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        length: usize,
    ) {
        let session = self.sessions.get_mut(id);
        let Some(session) = session.filter(|s| s.spare.is_some() && s.talk.channel == channel)
        else {
            return;
        };
        let config = &cx.config.paths.measure;
        session.choice.arrived(cx.now, length, config);
        if session.choice.is_busy() {
            self.choose_path(cx, id);
        }
    }

    /// Looks whether the talk is to go the other way.
    pub(super) fn choose_path(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if session.spare.is_none() {
            return;
        }
        let seen = Seen {
            may: session.chooses(),
            owes: session.talk.owes(),
            silent: cx.now - session.talk.last_heard,
            delay: session.remote.getting.pipeline.delay(),
        };
        let config = &cx.config.paths.measure;
        let phase = session.choice.decide(cx.now, seen, config);
        if let Some(phase) = phase {
            self.change_over(cx, id, Begin::Asks);
            if let Some(session) = self.sessions.get_mut(id) {
                session.choice.begins(phase);
            }
        } else if !session.choice.leaves() {
            self.refill.ask(id);
        }
    }
}
