//! Sessions coming, going, and reading what arrives.

use bytes::Bytes;

use super::work::frame_cost;
use super::{Cx, Ending, Fault, Phase, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, Output, Urgency};
use crate::id::{ChannelKey, LinkId, PeerId};
use crate::net::Contact;
use crate::peer::{Opening, PeerPath, Remote, RemotePieces, Session, SessionId, Stream};
use crate::pieces::{BLOCK, Bitfield, Layout};
use crate::wire::extension::ExtensionHandshake;
use crate::wire::peer::{Handshake, Message, Reserved};

/// The id under which we take `ut_metadata` messages.
pub(super) const UT_METADATA: u8 = 1;

/// The longest message taken: a bitfield of the most pieces is the longest of all.
const MAX_MESSAGE: u32 = (Layout::MAX_PIECES / 8) as u32 + 64;
/// What else there is reason to send: blocks, pieces of the metadata and the dictionaries of
/// extensions are at most 16 KiB long, with a head of less than 2 KiB.
const OTHER_MESSAGES: u32 = BLOCK + (2 << 10);

impl<C: Chunk> Torrent<C> {
    pub(super) fn session_of(&self, contact: Contact) -> Option<SessionId> {
        let leads = |session: &Session<C>| session.streams().any(|s| s.leads_to(contact));
        let mut sessions = self.sessions.iter();
        let found = sessions.find(|(_, session)| leads(session));
        found.map(|(id, _)| *id)
    }

    /// There is such a channel to this contact already. One of another kind may lead to the
    /// same.
    pub(super) fn has_channel(&self, cx: &Cx<'_, C>, opening: &Opening) -> bool {
        let several = cx.config.paths.several();
        let mut streams = self.sessions.values().flat_map(Session::streams);
        streams.any(|stream| {
            stream.leads_to(opening.contact) && !(several && stream.path != opening.path)
        })
    }

    /// A channel that we asked for is open.
    pub(in crate::engine) fn opened(&mut self, cx: &mut Cx<'_, C>, opening: &Opening) {
        let channel = opening.channel;
        if !self.is_running() || self.has_channel(cx, opening) {
            return cx.close(channel, Ending::NotWanted);
        }
        let full = self.sessions.len() >= cx.config.max_peers && !self.make_room(cx, true);
        if full && !self.has_room_for_guests(cx) {
            return cx.close(channel, Ending::EnoughPeers);
        }
        self.open_session(cx, opening, None, full);
    }

    /// All places are taken, and one more channel may show that it leads to somebody who has
    /// one.
    pub(super) fn has_room_for_guests(&self, cx: &Cx<'_, C>) -> bool {
        let guests = self.sessions.values().filter(|session| session.guest);
        cx.config.paths.several() && guests.count() < cx.config.paths.guests
    }

    pub(super) fn open_session(
        &mut self,
        cx: &mut Cx<'_, C>,
        opening: &Opening,
        peer_id: Option<PeerId>,
        guest: bool,
    ) {
        let id = self.next_session;
        self.next_session += 1;
        let requests = &cx.config.requests;
        let longest = self.longest_message();
        let mut session = Session {
            remote: Remote::new(opening.contact, peer_id, requests, cx.now),
            talk: Stream::new(opening, longest, requests, cx.now),
            spare: None,
            guest,
        };
        let handshake = Handshake {
            reserved: Reserved::EXTENSION.with(Reserved::FAST),
            info_hash: self.info_hash,
            peer_id: cx.peer_id,
        };
        session.talk.outbox.push_bytes(&handshake.encode());
        self.admit(id, session);
        cx.channels.open(opening.channel, (self.info_hash, id));
        cx.waiting.add((self.info_hash, id));
    }

    /// The longest message that a peer has reason to send: each may keep us waiting for the
    /// rest of one.
    fn longest_message(&self) -> u32 {
        self.metainfo.as_ref().map_or(MAX_MESSAGE, |metainfo| {
            let bitfield = metainfo.layout().piece_count().div_ceil(8) + 1;
            bitfield.max(OTHER_MESSAGES)
        })
    }

    /// The metadata is here: what sessions said before is checked and counted.
    pub(super) fn meet_early_sessions(&mut self, cx: &mut Cx<'_, C>) {
        let layout = *self
            .metainfo
            .as_ref()
            .expect("sessions are met with metadata")
            .layout();
        let longest = self.longest_message();
        let mut faults = Vec::new();
        for (&id, session) in &mut self.sessions {
            for stream in session.streams_mut() {
                stream.decoder.set_max_message(longest);
            }
            let Phase::Active(download) = &mut self.phase else {
                return;
            };
            match session.remote.pieces.resolve(&layout) {
                Ok(pieces) => {
                    download.peer_joined(id, &pieces);
                    session.remote.pieces = RemotePieces::Known(pieces);
                }
                Err(error) => {
                    let pieces = Bitfield::empty(layout.piece_count());
                    download.peer_joined(id, &pieces);
                    session.remote.pieces = RemotePieces::Known(pieces);
                    faults.push((id, error));
                }
            }
            if session.talk.greeted {
                for piece in download.have().iter() {
                    session.talk.outbox.push(&Message::Have(piece.get()));
                }
            }
        }
        for (id, error) in faults {
            self.shun(cx, id, error.into());
        }
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            self.greet(cx, id);
            self.update_interest(cx, id);
        }
        self.refill_all = true;
    }

    /// Says what we have, once the handshake told in which words (BEP 6: exactly one of
    /// bitfield, have all and have none comes first; without it a bitfield, if any).
    pub(super) fn introduce(&mut self, id: SessionId) -> Result<(), Fault> {
        let have = self.download().map(|download| download.have().clone());
        let session = self.session(id)?;
        let message = match have {
            Some(have) if have.is_full() && session.talk.fast => Message::HaveAll,
            Some(have) if !have.is_empty() => {
                Message::Bitfield(Bytes::copy_from_slice(have.as_bytes()))
            }
            _ if session.talk.fast => Message::HaveNone,
            _ => return Ok(()),
        };
        session.talk.outbox.push(&message);
        Ok(())
    }

    /// Sends our extension handshake, again when there is more to say (BEP 10).
    pub(super) fn greet(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let metadata_size = self
            .metainfo
            .as_ref()
            .and_then(|m| u32::try_from(m.info().len()).ok());
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !session.talk.extended {
            return;
        }
        let paths = &mut self.paths;
        let token = || paths.token(self.info_hash);
        let several = cx.config.paths.several();
        let by_tcp = session.talk.path == PeerPath::Tcp;
        let handshake = ExtensionHandshake {
            ut_metadata: Some(UT_METADATA),
            metadata_size,
            client: Some(cx.config.client.clone()),
            request_queue: u32::try_from(cx.config.max_incoming_requests).ok(),
            port: cx.config.listen_port.filter(|_| by_tcp),
            token: several.then(|| session.talk.token(token)),
            ..ExtensionHandshake::default()
        };
        session.talk.outbox.push(&Message::Extended {
            id: 0,
            payload: handshake.encode(),
        });
        cx.waiting.add((self.info_hash, id));
    }

    /// Bytes came through a session's channel.
    pub(in crate::engine) fn receive(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        bytes: C,
    ) {
        let session = self.sessions.get_mut(&id);
        let Some(stream) = session.and_then(|session| session.stream_mut(channel)) else {
            return;
        };
        stream.last_heard = cx.now;
        let length = bytes.len();
        stream.decoder.push(bytes);
        if let Err(fault) = self.charge(cx, id, frame_cost(length, &cx.config.work)) {
            return self.shun(cx, id, fault);
        }
        // What it carries may turn out to be another session's.
        while let Some((_, id)) = cx.channels.session(channel)
            && let Some(session) = self.sessions.get_mut(&id)
            && let Some(stream) = session.stream_mut(channel)
        {
            let handled = match stream.decoder.poll() {
                Ok(None) => break,
                Ok(Some(received)) => self.handle_received(cx, id, channel, received),
                Err(error) => Err(Fault::from(error)),
            };
            if let Err(fault) = handled {
                self.shun(cx, id, fault);
            }
        }
        if cx.channels.session(channel).is_some() {
            cx.emit(Output::Consumed {
                channel,
                bytes: length,
            });
        }
    }

    /// We may send more.
    pub(in crate::engine) fn room(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        bytes: u32,
    ) {
        if bytes < cx.config.work.small_grant
            && let Err(fault) = self.charge(cx, id, cx.config.work.frame)
        {
            return self.shun(cx, id, fault);
        }
        let session = self.sessions.get_mut(&id);
        if let Some(stream) = session.and_then(|session| session.stream_mut(channel)) {
            stream.grant(bytes);
            cx.waiting.add((self.info_hash, id));
        }
    }

    /// Ends a session, and tells the other end why.
    pub(super) fn close_session(&mut self, cx: &mut Cx<'_, C>, id: SessionId, reason: &Ending) {
        if let Some(session) = self.sessions.get(&id) {
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
                self.swarm.prospects.of_use(contact);
            }
            let places = &cx.config.places;
            self.swarm.prospects.rest(cx.now, contact, places);
        }
        for stream in session.streams() {
            cx.channels.close(stream.channel);
        }
        self.metadata_source_lost(cx, id);
        let lost_all = self.sessions.is_empty() && self.is_running() && !self.is_finished();
        if lost_all {
            self.look(cx, Urgency::Soon);
        }
        Some(session)
    }

    /// Takes a session out; what becomes of its channels is another matter.
    pub(super) fn forget(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Option<Session<C>> {
        let session = self.sessions.remove(&id)?;
        let remote = &session.remote;
        if remote.down.total() > 0 {
            let contact = session.talk.contact;
            self.outcasts
                .departed(id, contact, remote.name(), &cx.config.trust);
        }
        cx.waiting.remove((self.info_hash, id));
        self.refill.remove(&id);
        self.deal.take_back(&remote.giving.dealt);
        if let (Phase::Active(download), Some(pieces)) = (&mut self.phase, remote.pieces.known()) {
            download.peer_left(id, pieces);
            self.refill_all = true;
        }
        if remote.giving.is_unchoked() {
            // Its slot is somebody else's.
            self.next_choke = cx.now;
        }
        Some(session)
    }

    /// Ends every channel that goes through a link.
    pub(super) fn close_link(&mut self, cx: &mut Cx<'_, C>, link: LinkId, reason: &Ending) {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            let through = self.sessions.get(&id).into_iter();
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
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            self.close_session(cx, id, reason);
        }
    }

    /// Ends the session of a peer that misbehaves, and does not talk to it for a while.
    pub(super) fn shun(&mut self, cx: &mut Cx<'_, C>, id: SessionId, fault: Fault) {
        if let Some(session) = self.sessions.get(&id) {
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
        // What it sent may have come through a channel that turned out to be another's.
        let mut sessions = self.sessions.iter();
        let is = |other: SessionId, session: &Session<C>| other == id || session.remote.was(id);
        let connected = sessions.find(|(other, session)| is(**other, session));
        let connected = connected.map(|(id, s)| (*id, s.vouched(), s.remote.name()));
        let departed = || {
            let (contact, peer) = self.outcasts.who_was(id)?;
            Some((id, vec![contact], peer))
        };
        let Some((session, contacts, peer)) = connected.or_else(departed) else {
            return;
        };
        self.paths.find(id);
        let mut known = true;
        for contact in contacts {
            known &= !self.outcasts.ban(contact, &cx.config.trust);
        }
        self.close_session(cx, session, reason);
        if !known {
            cx.event(Event::Banned {
                info_hash: self.info_hash,
                peer,
            });
        }
    }
}
