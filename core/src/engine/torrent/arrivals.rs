//! Sessions that begin, and what is said first.

use bytes::Bytes;

use super::direct::TS_DIRECT;
use super::gateway::is_told;
use super::introduce::TS_INTRODUCE;
use super::pex::UT_PEX;
use super::trackers::TS_TRACKERS;
use super::{Cx, Ending, Fault, Torrent};
use crate::chunk::Chunk;
use crate::id::PeerId;
use crate::peer::{Opened, PathChoice, PeerPath, Remote, RemotePieces, Session, SessionId, Stream};
use crate::pieces::Bitfield;
use crate::wire::extension::ExtensionHandshake;
use crate::wire::peer::{Handshake, Message, Reserved};

/// The id under which we take `ut_metadata` messages.
pub(super) const UT_METADATA: u8 = 1;

impl<C: Chunk> Torrent<C> {
    /// A channel that we asked for is open.
    pub(in crate::engine) fn opened(&mut self, cx: &mut Cx<'_, C>, opened: &Opened) {
        let opening = &opened.opening;
        let channel = opening.channel;
        if !cx.channels.allows(opening.path) {
            return cx.close(channel, Ending::RelayOnly);
        }
        if !self.is_running()
            || self
                .sessions
                .has_channel(opening, cx.config.paths.several())
        {
            return cx.close(channel, Ending::NotWanted);
        }
        let full = self.sessions.len() >= cx.config.max_peers && !self.make_room(cx, true);
        if full && !self.has_room_for_guests(cx) {
            return cx.close(channel, Ending::EnoughPeers);
        }
        self.open_session(cx, opened, None, full);
    }

    /// All places are taken, and one more channel may show that it leads to somebody who has
    /// one.
    pub(super) fn has_room_for_guests(&self, cx: &Cx<'_, C>) -> bool {
        cx.config.paths.several() && self.sessions.guests() < cx.config.paths.guests
    }

    pub(super) fn open_session(
        &mut self,
        cx: &mut Cx<'_, C>,
        opened: &Opened,
        peer_id: Option<PeerId>,
        guest: bool,
    ) {
        let opening = &opened.opening;
        let id = self.sessions.number();
        let requests = &cx.config.requests;
        let longest = self.about.longest_message();
        let mut session = Session {
            remote: Remote::new(opening.contact, peer_id, requests, cx.now),
            talk: Stream::new(opened, longest, requests, cx.now),
            spare: None,
            choice: PathChoice::default(),
            guest,
        };
        let mut reserved = Reserved::EXTENSION.with(Reserved::FAST);
        if self.dht_port(cx, opening.path).is_some() {
            reserved = reserved.with(Reserved::DHT);
        }
        let handshake = Handshake {
            reserved,
            info_hash: self.info_hash,
            peer_id: cx.peer_id,
        };
        session.talk.outbox.push_bytes(&handshake.encode());
        self.admit(id, session);
        cx.channels.open(opening.channel, (self.info_hash, id));
        cx.waiting.add((self.info_hash, id));
    }

    /// The metadata is here: what sessions said before is checked and counted.
    pub(super) fn meet_early_sessions(&mut self, cx: &mut Cx<'_, C>) {
        let layout = *self
            .about
            .metainfo()
            .expect("sessions are met with metadata")
            .layout();
        let longest = self.about.longest_message();
        let mut faults = Vec::new();
        for (id, session) in self.sessions.iter_mut() {
            for stream in session.streams_mut() {
                stream.decoder.set_max_message(longest);
            }
            let Some(download) = self.phase.download_mut() else {
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
        let ids = self.sessions.ids();
        for id in ids {
            if let Err(fault) = self.heed_early_advice(cx, id) {
                self.shun(cx, id, fault);
                continue;
            }
            self.greet(cx, id);
            self.update_interest(cx, id);
        }
        self.refill.ask_everybody();
    }

    /// Says what we have, once the handshake told in which words (BEP 6: exactly one of
    /// bitfield, have all and have none comes first; without it a bitfield, if any).
    pub(super) fn introduce(&mut self, id: SessionId) -> Result<(), Fault> {
        let have = self
            .phase
            .download()
            .map(|download| download.have().clone());
        let session = self.sessions.find(id)?;
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
            .about
            .metainfo()
            .and_then(|m| u32::try_from(m.info().len()).ok());
        let exchanges = self.exchanges_trackers(cx);
        let exchanges_peers = self.exchanges_peers();
        let introduces = self.takes_introductions(cx);
        let gateway = self.gateway;
        let overlay = self.overlay_id(cx);
        let Some(session) = self.sessions.get_mut(id) else {
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
            ut_pex: (by_tcp && exchanges_peers).then_some(UT_PEX),
            ts_direct: (several && cx.config.paths.direct.at_once > 0).then_some(TS_DIRECT),
            ts_introduce: introduces.then_some(TS_INTRODUCE),
            ts_overlay: overlay,
            ts_trackers: exchanges.then_some(TS_TRACKERS),
            metadata_size,
            client: Some(cx.config.client.clone()),
            request_queue: u32::try_from(cx.config.max_incoming_requests).ok(),
            port: cx.config.listen_port.filter(|_| by_tcp),
            gateway: (gateway && is_told(session)).then_some(true),
            token: several.then(|| session.talk.token(token)),
            ..ExtensionHandshake::default()
        };
        session.talk.outbox.push(&Message::Extended {
            id: 0,
            payload: handshake.encode(),
        });
        cx.waiting.add((self.info_hash, id));
    }
}
