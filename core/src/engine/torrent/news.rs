//! Telling peers what we have, and whether we want what they have.

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::engine::Resume;
use crate::peer::SessionId;
use crate::pieces::PieceIndex;
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// Tells the peers of a new piece.
    pub(super) fn tell_peers(&mut self, cx: &mut Cx<'_, C>, piece: PieceIndex) {
        // Who may request from us, or could at once, hears of it at once; to the others it
        // is news that may wait for company. In a large swarm these messages are most of all.
        let free_slots = self.slots_taken(cx) < self.slots.count(&cx.config.choke);
        let ids = self.sessions.ids();
        for id in ids {
            let Some(session) = self
                .sessions
                .get_mut(id)
                .filter(|session| session.talk.greeted)
            else {
                // What it is told with its greeting says this too.
                continue;
            };
            session.remote.getting.needs_no_more(piece);
            session.remote.allowance.earn(cx.config.work.news);
            let has = session.remote.pieces.known().is_some_and(|p| p.has(piece));
            let urgent = !has && (free_slots || session.remote.giving.is_unchoked());
            if urgent {
                self.say(cx, id, &Message::Have(piece.get()));
            } else {
                session.talk.outbox.push(&Message::Have(piece.get()));
            }
            if has {
                self.update_interest(cx, id);
            }
        }
    }

    /// Tells a peer whether it has something that we lack.
    pub(super) fn update_interest(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(download) = self.phase.download_mut() else {
            return;
        };
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Some(pieces) = session.remote.pieces.known() else {
            return;
        };
        let interesting = download.wants_any_of(id, pieces);
        if interesting {
            self.show_interest(cx, id);
        } else if std::mem::take(&mut session.remote.getting.interested) {
            self.say(cx, id, &Message::NotInterested);
        }
    }

    /// As long as nobody knows what the torrent is, we lack whatever a peer has: a slot for us is
    /// on its way then while the metadata is. Not where some of it may be in the store, nor where
    /// some of it is not wanted: blocks are asked for as soon as the metadata is here, before a
    /// host has heard of it.
    pub(super) fn show_early_interest(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let nothing = matches!(self.wishes.store(), Resume::Nothing);
        let lacks_all = nothing && self.wishes.wants_all() && self.phase.fetch().is_some();
        let session = self.sessions.get(id).filter(|_| lacks_all);
        if session.is_some_and(|session| session.remote.pieces.has_something()) {
            self.show_interest(cx, id);
        }
    }

    pub(super) fn show_interest(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if !std::mem::replace(&mut session.remote.getting.interested, true) {
            self.say(cx, id, &Message::Interested);
        }
    }
}
