//! Several channels to one peer: who turns out to be the same.
//!
//! Every channel begins as a session of its own. Its ends tell each other a token through it.
//! On another channel, each can show the other that it knows the tokens of the first: then
//! both lead to the same peer, and the second joins the first's session, or takes up that of
//! a peer whose last channel broke. What a peer calls itself only says with whom to try.
//! `docs/protocol.md`, "Several channels to one peer", is the wire's side of it.

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::id::{ChannelKey, PeerId};
use crate::peer::{Remote, Secret, SessionId};
use crate::wire::extension::{Begin, ExtensionHandshake, HANDSHAKE_ID, Proof, Token};
use crate::wire::peer::Message;

/// Proofs that we show on one channel: one is enough, unless the other end did not know yet
/// what it is about, or several channels began at once.
const MAX_PROOFS: u32 = 4;

impl<C: Chunk> Torrent<C> {
    /// What an extension handshake says, which may come again and again (BEP 10).
    pub(super) fn handle_extension(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        payload: &[u8],
    ) -> Result<(), Fault> {
        let said = ExtensionHandshake::decode(payload)?;
        let session = self.sessions.find(id)?;
        let remote = &mut session.remote;
        remote.metadata_size = said.metadata_size.or(remote.metadata_size);
        if let Some(client) = said.client {
            remote.client = client;
        }
        remote.gateway = said.gateway.unwrap_or(remote.gateway);
        if let Some(requests) = said.request_queue {
            remote.getting.pipeline.takes(requests);
        }
        let mut listens = None;
        if let Some(stream) = session.stream_mut(channel) {
            if let Some(port) = said.port {
                stream.listens = stream.contact.listening(port);
                listens = stream.listens;
            }
            let id = said.ut_metadata.filter(|id| *id != 0);
            stream.ut_metadata = id.or(stream.ut_metadata);
            stream.ut_pex = said.ut_pex.or(stream.ut_pex);
            stream.ts_direct = said.ts_direct.or(stream.ts_direct);
            stream.ts_introduce = said.ts_introduce.or(stream.ts_introduce);
            stream.ts_overlay = said.ts_overlay.or(stream.ts_overlay);
            stream.ts_trackers = said.ts_trackers.or(stream.ts_trackers);
        }
        if let Some(contact) = listens {
            self.hear_of(cx, contact);
        }
        if said.token.is_none() {
            self.end_double(cx, id)?;
            self.meets_somebody(cx, id);
        }
        if cx.config.paths.several() {
            if let Some(begin) = said.begin {
                self.hear_begin(cx, id, channel, begin)?;
            }
            if let Some(token) = said.token {
                self.hear_token(cx, id, channel, token)?;
            }
            if let Some(proof) = said.proof {
                self.hear_proof(cx, id, channel, proof)?;
            }
        }
        self.fetch_metadata(cx);
        Ok(())
    }

    /// It can be known again on another channel. If it calls itself as somebody else does, the
    /// two may be one.
    fn hear_token(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        token: Token,
    ) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        let Some(stream) = session.stream_mut(channel) else {
            return Ok(());
        };
        let first = stream.hears_token(token);
        let Some(secret) = stream.secret().filter(|_| first) else {
            return Ok(());
        };
        session.remote.learn(secret);
        let name = session.remote.peer_id;
        if session.spare.is_some() {
            return Ok(());
        }
        if let Some(other) = name.and_then(|name| self.namesake(id, name)) {
            self.prove(cx, id, other)?;
        }
        Ok(())
    }

    /// Shows it to those who may be somebody else that is here, and have not shown it yet.
    pub(super) fn prove_again(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        let name = session.remote.peer_id;
        let may = session.spare.is_none() && session.talk.proofs < MAX_PROOFS;
        match name.and_then(|name| self.namesake(id, name)) {
            Some(other) if may => self.prove(cx, id, other),
            _ => Ok(()),
        }
    }

    /// What both know of the newest channel to somebody else of this name.
    fn namesake(&self, id: SessionId, name: PeerId) -> Option<Secret> {
        let of_name = |(_, remote, _): &(_, &Remote, _)| remote.peer_id == Some(name);
        let mut secrets = self.others(id).filter(of_name).map(|(.., secrets)| secrets);
        secrets.find_map(|secrets| secrets.first().copied())
    }

    /// All but one, those too who are waited for.
    fn others(&self, id: SessionId) -> impl Iterator<Item = (SessionId, &Remote, Vec<Secret>)> {
        let here = self.sessions.iter();
        let here = here.map(|(id, s)| (id, &s.remote, s.secrets().collect()));
        let adrift = self.paths.adrift();
        let adrift = adrift.map(|(id, r)| (id, r, r.secrets().copied().collect()));
        here.chain(adrift).filter(move |(other, ..)| *other != id)
    }

    /// Shows that we are the one at the other end of another channel.
    fn prove(&mut self, cx: &mut Cx<'_, C>, id: SessionId, other: Secret) -> Result<(), Fault> {
        let (info_hash, ours) = (self.info_hash, self.introductions.ours);
        let session = self.sessions.find(id)?;
        let Some(place) = session.talk.place(info_hash, ours) else {
            return Ok(());
        };
        if session.talk.proofs < MAX_PROOFS {
            session.talk.proofs += 1;
            let handshake = ExtensionHandshake {
                proof: Some(other.proof(&place)),
                ..ExtensionHandshake::default()
            };
            self.say_extension(cx, id, &handshake);
        }
        Ok(())
    }

    /// Sends an extension handshake, of which those that came before remain valid.
    pub(super) fn say_extension(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        handshake: &ExtensionHandshake,
    ) {
        let payload = handshake.encode();
        let id_of_handshake = HANDSHAKE_ID;
        self.say(
            cx,
            id,
            &Message::Extended {
                id: id_of_handshake,
                payload,
            },
        );
    }

    /// It shows that it is the one at the other end of another channel, or says so: then it is
    /// somebody of its own.
    fn hear_proof(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        proof: Proof,
    ) -> Result<(), Fault> {
        let (info_hash, ours) = (self.info_hash, self.introductions.ours);
        let session = self.sessions.find(id)?;
        if session.spare.is_some() || session.talk.channel != channel {
            return Ok(());
        }
        let Some(place) = session.talk.place(info_hash, ours) else {
            return Ok(());
        };
        let shown = self.others(id).find_map(|(other, _, secrets)| {
            let mut secrets = secrets.into_iter();
            let secret = secrets.find(|secret| secret.expected(&place) == proof)?;
            Some((other, secret))
        });
        if let Some((other, secret)) = shown {
            // It may not know yet that we know.
            self.prove(cx, id, secret)?;
            self.join(cx, id, other);
        }
        Ok(())
    }

    /// It talks through this channel from now on.
    fn hear_begin(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        begin: Begin,
    ) -> Result<(), Fault> {
        // To begin anew is to say everything again.
        let said = self
            .about
            .metainfo()
            .map_or(0, |metainfo| metainfo.layout().piece_count() / 8 / 1024);
        let work = &cx.config.work;
        let cost = work.dictionary.saturating_mul(8);
        let cost = cost.saturating_add(work.message.saturating_mul(said));
        let session = self.sessions.find(id)?;
        let known = session.stream_mut(channel).and_then(|s| s.secret());
        if known.is_none() {
            return Ok(());
        }
        if session.talk.channel != channel {
            self.charge(cx, id, cost)?;
            self.change_over(cx, id, Begin::Answers);
            if let Some(session) = self.sessions.get_mut(id) {
                session.choice.is_told(cx.now);
            }
        } else if session.talk.heeded && begin == Begin::Asks {
            self.charge(cx, id, cost)?;
            self.begin_anew(cx, id, Begin::Answers);
        } else {
            // We had begun before: what we have said since holds. It costs less than to say it
            // again, and still all that we had asked for.
            self.charge(cx, id, cx.config.work.dictionary)?;
            self.hear_anew(cx, id, true);
        }
        Ok(())
    }
}
