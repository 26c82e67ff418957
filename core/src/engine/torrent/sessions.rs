//! Sessions coming, going, and reading what arrives.

use bytes::Bytes;

use super::work::frame_cost;
use super::{Cx, Ending, Fault, Phase, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, Output, Urgency};
use crate::id::{ChannelKey, LinkId, PeerId};
use crate::net::Contact;
use crate::peer::{PeerPath, Remote, RemotePieces, Session, SessionId, Stream};
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
        self.sessions
            .iter()
            .find(|(_, session)| session.remote.contact == contact)
            .map(|(id, _)| *id)
    }

    /// A channel that we asked for is open.
    pub(in crate::engine) fn opened(
        &mut self,
        cx: &mut Cx<'_, C>,
        channel: ChannelKey,
        contact: Contact,
        room: u32,
    ) {
        if !self.is_running() || self.session_of(contact).is_some() {
            return cx.close(channel, Ending::NotWanted);
        }
        if self.sessions.len() >= cx.config.max_peers && !self.make_room(cx, true) {
            return cx.close(channel, Ending::EnoughPeers);
        }
        self.open_session(cx, channel, contact, None, room);
    }

    pub(super) fn open_session(
        &mut self,
        cx: &mut Cx<'_, C>,
        channel: ChannelKey,
        contact: Contact,
        peer_id: Option<PeerId>,
        room: u32,
    ) {
        let id = self.next_session;
        self.next_session += 1;
        let requests = &cx.config.requests;
        let longest = self.longest_message();
        let path = PeerPath::Relay;
        let mut session = Session {
            remote: Remote::new(contact, peer_id, requests, cx.now),
            talk: Stream::new(channel, path, room, longest, requests, cx.now),
        };
        let handshake = Handshake {
            reserved: Reserved::EXTENSION.with(Reserved::FAST),
            info_hash: self.info_hash,
            peer_id: cx.peer_id,
        };
        session.talk.outbox.push_bytes(&handshake.encode());
        if let Phase::Active(download) = &mut self.phase {
            let pieces = Bitfield::empty(download.have().piece_count());
            download.peer_joined(id, &pieces);
            session.remote.pieces = RemotePieces::Known(pieces);
        }
        self.sessions.insert(id, session);
        cx.channels.open(channel, (self.info_hash, id));
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
            session.talk.decoder.set_max_message(longest);
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
        let handshake = ExtensionHandshake {
            ut_metadata: Some(UT_METADATA),
            metadata_size,
            client: Some(cx.config.client.clone()),
            request_queue: u32::try_from(cx.config.max_incoming_requests).ok(),
        };
        session.talk.outbox.push(&Message::Extended {
            id: 0,
            payload: handshake.encode(),
        });
        cx.waiting.add((self.info_hash, id));
    }

    /// Bytes came through a session's channel.
    pub(in crate::engine) fn receive(&mut self, cx: &mut Cx<'_, C>, id: SessionId, bytes: C) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.talk.last_heard = cx.now;
        let channel = session.talk.channel;
        let length = bytes.len();
        session.talk.decoder.push(bytes);
        if let Err(fault) = self.charge(cx, id, frame_cost(length, &cx.config.work)) {
            return self.shun(cx, id, fault);
        }
        while let Some(session) = self.sessions.get_mut(&id) {
            let handled = match session.talk.decoder.poll() {
                Ok(None) => break,
                Ok(Some(received)) => self.handle_received(cx, id, received),
                Err(error) => Err(Fault::from(error)),
            };
            if let Err(fault) = handled {
                self.shun(cx, id, fault);
            }
        }
        if self.sessions.contains_key(&id) {
            cx.emit(Output::Consumed {
                channel,
                bytes: length,
            });
        }
    }

    /// We may send more.
    pub(in crate::engine) fn room(&mut self, cx: &mut Cx<'_, C>, id: SessionId, bytes: u32) {
        if bytes < cx.config.work.small_grant
            && let Err(fault) = self.charge(cx, id, cx.config.work.frame)
        {
            return self.shun(cx, id, fault);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.talk.grant(bytes);
            cx.waiting.add((self.info_hash, id));
        }
    }

    /// Ends a session, and tells the other end why.
    pub(super) fn close_session(&mut self, cx: &mut Cx<'_, C>, id: SessionId, reason: &Ending) {
        if let Some(channel) = self.sessions.get(&id).map(|session| session.talk.channel) {
            cx.close(channel, reason.clone());
            self.drop_session(cx, id);
        }
    }

    /// A session's channel is gone.
    pub(in crate::engine) fn drop_session(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        if session.remote.down.total() > 0 {
            self.outcasts.departed(
                id,
                session.remote.contact,
                session.remote.name(),
                &cx.config.trust,
            );
        }
        // It has had its chance, and others have not.
        if session.remote.exchanged.is_some() {
            self.swarm.prospects.of_use(session.remote.contact);
        }
        self.swarm
            .prospects
            .rest(cx.now, session.remote.contact, &cx.config.places);
        cx.channels.close(session.talk.channel);
        cx.waiting.remove((self.info_hash, id));
        self.refill.remove(&id);
        self.deal.take_back(&session.remote.giving.dealt);
        if let (Phase::Active(download), Some(pieces)) =
            (&mut self.phase, session.remote.pieces.known())
        {
            download.peer_left(id, pieces);
            self.refill_all = true;
        }
        if session.remote.giving.is_unchoked() {
            // Its slot is somebody else's.
            self.next_choke = cx.now;
        }
        self.metadata_source_lost(cx, id);
        let lost_all = self.sessions.is_empty() && self.is_running() && !self.is_finished();
        if lost_all {
            self.look(cx, Urgency::Soon);
        }
    }

    /// Ends every session whose channel goes through a link.
    pub(super) fn close_link(&mut self, cx: &mut Cx<'_, C>, link: LinkId, reason: &Ending) {
        let through = self.sessions.iter();
        let through = through.filter(|(_, session)| session.talk.channel.link == link);
        let ids: Vec<SessionId> = through.map(|(id, _)| *id).collect();
        for id in ids {
            self.close_session(cx, id, reason);
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
        if let Some(contact) = self.sessions.get(&id).map(|session| session.remote.contact) {
            self.outcasts.shun(cx.now, contact, &cx.config.trust);
            self.close_session(cx, id, &fault.into());
        }
    }

    /// Never talks to this peer again; its session may be over already.
    pub(super) fn ban(&mut self, cx: &mut Cx<'_, C>, id: SessionId, reason: &Ending) {
        let connected = self.sessions.get(&id);
        let connected = connected.map(|session| (session.remote.contact, session.remote.name()));
        let Some((contact, peer)) = connected.or_else(|| self.outcasts.who_was(id)) else {
            return;
        };
        let known = !self.outcasts.ban(contact, &cx.config.trust);
        self.close_session(cx, id, reason);
        if !known {
            cx.event(Event::Banned {
                info_hash: self.info_hash,
                peer,
            });
        }
    }
}
