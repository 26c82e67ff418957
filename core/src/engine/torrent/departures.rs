//! Sessions that end, and who is not talked to again.

use super::{Cx, Ending, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, Urgency};
use crate::id::LinkId;
use crate::net::Contact;
use crate::peer::{Session, SessionId};

impl<C: Chunk> Torrent<C> {
    /// Ends a session, and tells the other end why.
    pub(super) fn close_session(&mut self, cx: &mut Cx<'_, C>, id: SessionId, reason: &Ending) {
        if let Some(session) = self.sessions.get(id) {
            for stream in session.streams() {
                cx.close(stream.channel, reason.clone());
            }
            self.drop_session(cx, id);
        }
    }

    /// A session's channels are gone.
    pub(super) fn drop_session(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Option<Session<C>> {
        let session = self.forget(cx, id)?;
        for contact in session.contacts() {
            // It has had its chance, and others have not.
            if session.remote.exchanged.is_some() {
                self.swarm.prospects_mut().of_use(contact);
            }
            let places = &cx.config.places;
            self.swarm.prospects_mut().rest(cx.now, contact, places);
        }
        for stream in session.streams() {
            cx.channels.close(stream.channel);
        }
        self.metadata_source_lost(cx, id);
        let lost_all = self.is_alone() && self.is_running() && !self.is_finished();
        if lost_all {
            self.look(cx, Urgency::Soon);
        }
        Some(session)
    }

    /// Takes a session out; what becomes of its channels is another matter.
    pub(super) fn forget(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Option<Session<C>> {
        let session = self.sessions.remove(id)?;
        let remote = &session.remote;
        if remote.down.total() > 0 {
            let contact = session.talk.contact;
            self.outcasts
                .departed(id, contact, remote.name(), &cx.config.trust);
        }
        cx.waiting.remove((self.info_hash, id));
        self.refill.forget(id);
        self.forget_direct(cx, id);
        self.forget_introductions(cx, id);
        self.exchange.forget(id);
        self.deal.take_back(&remote.giving.dealt);
        if let (Some(download), Some(pieces)) = (self.phase.download_mut(), remote.pieces.known()) {
            download.peer_left(id, pieces);
            self.refill.ask_everybody();
        }
        if remote.giving.is_unchoked() {
            // Its slot is somebody else's.
            self.slots.give_out_soon(cx.now);
        }
        Some(session)
    }

    /// Ends every channel that goes through a link.
    pub(super) fn close_link(&mut self, cx: &mut Cx<'_, C>, link: LinkId, reason: &Ending) {
        let ids = self.sessions.ids();
        for id in ids {
            let through = self.sessions.get(id).into_iter();
            let through = through.flat_map(Session::streams);
            let through = through.map(|stream| stream.channel);
            let through: Vec<_> = through.filter(|channel| channel.link == link).collect();
            for channel in through {
                cx.close(channel, reason.clone());
                self.end_channel(cx, id, channel);
            }
        }
    }

    pub(super) fn close_all(&mut self, cx: &mut Cx<'_, C>, reason: &Ending) {
        let ids = self.sessions.ids();
        for id in ids {
            self.close_session(cx, id, reason);
        }
    }

    /// Ends one of two sessions with an ordinary client that we called as it called us. A borrowed
    /// name keeps out nobody but those behind the same router. Of two that call each other the
    /// call of the lower peer id stays, of two calls from one side the first.
    pub(super) fn end_double(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Result<(), Fault> {
        let called_us = |session: &Session<C>| matches!(session.talk.contact, Contact::Caller(_));
        let (Some(session), Some((other, double))) =
            (self.sessions.get(id), self.sessions.double_of(id))
        else {
            return Ok(());
        };
        let crossing = called_us(session) != called_us(double);
        let stays = crossing && called_us(session) == (session.remote.peer_id < Some(cx.peer_id));
        let ends = if stays { other } else { id };
        self.close_session(cx, ends, &Ending::ConnectedAlready);
        if stays { Ok(()) } else { Err(Fault::Gone) }
    }

    /// Ends the session of a peer that misbehaves, and does not talk to it for a while.
    pub(super) fn shun(&mut self, cx: &mut Cx<'_, C>, id: SessionId, fault: Fault) {
        if let Some(session) = self.sessions.get(id) {
            // Who calls us from where we are ourselves may be somebody else.
            let ourselves = fault == Fault::Ourselves;
            let others = |contact: &Contact| !(ourselves && matches!(contact, Contact::Caller(_)));
            for contact in session.vouched().into_iter().filter(others) {
                self.outcasts.shun(cx.now, contact, &cx.config.trust);
            }
            self.close_session(cx, id, &fault.into());
        }
    }

    /// Never talks to this peer again; its session may be over already.
    pub(super) fn ban(&mut self, cx: &mut Cx<'_, C>, id: SessionId, reason: &Ending) {
        let departed = || {
            let (contact, peer) = self.outcasts.who_was(id)?;
            Some((id, vec![contact], peer))
        };
        let Some((session, contacts, peer)) = self.sessions.whose(id).or_else(departed) else {
            return;
        };
        self.paths.find(id);
        let mut known = true;
        for contact in contacts {
            known &= !self.outcasts.ban(contact, &cx.config.trust);
        }
        // Of a web seed its node tells.
        let is_peer = !self.sessions.get(session).is_some_and(Session::is_web_seed);
        self.close_session(cx, session, reason);
        if !known && is_peer {
            cx.event(Event::Banned {
                info_hash: self.info_hash,
                peer,
            });
        }
    }
}
