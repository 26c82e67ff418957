//! Several channels to one peer: which of them carries the talk.
//!
//! A relay that is to be spared does last; of those that cost nobody anything the one that did so
//! far, until a trial shows that the other is better ([`super::choosing`]). The other stands by, and
//! carries the talk when that one ends. Whoever changes over
//! says everything again through the other channel, so that it does not matter what of the
//! first arrived, and in which order.

use super::{Cx, Ending, Torrent};
use crate::chunk::Chunk;
use crate::id::ChannelKey;
use crate::peer::{PathChoice, RemotePieces, Session, SessionId};
use crate::pieces::Bitfield;
use crate::wire::extension::{Begin, ExtensionHandshake};
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// A session's channel turned out to lead to somebody whom we know: it is theirs now.
    pub(super) fn join(&mut self, cx: &mut Cx<'_, C>, id: SessionId, known: SessionId) {
        self.ask_again_for_metadata(id);
        if let Some(remote) = self.paths.find(known) {
            let Some(Session {
                remote: other,
                talk,
                ..
            }) = self.forget(cx, id)
            else {
                return;
            };
            let mut remote = remote;
            remote.joins(&other, id);
            remote.peer_id = other.peer_id;
            cx.channels.hand_over(talk.channel, (self.info_hash, known));
            let session = Session {
                remote,
                talk,
                spare: None,
                choice: PathChoice::default(),
                guest: false,
            };
            self.admit(known, session);
            return self.begin_anew(cx, known, Begin::Asks);
        }
        let (Some(joining), Some(session)) = (self.sessions.get(id), self.sessions.get(known))
        else {
            return;
        };
        let channel = joining.talk.channel;
        if let Some(spare) = &session.spare {
            if joining.talk.rank() <= spare.rank() {
                return self.close_session(cx, id, &Ending::EnoughChannels);
            }
            let worse = spare.channel;
            cx.close(worse, Ending::EnoughChannels);
            self.end_channel(cx, known, worse);
        }
        let Some(Session {
            remote: other,
            talk,
            ..
        }) = self.forget(cx, id)
        else {
            return;
        };
        cx.channels.hand_over(channel, (self.info_hash, known));
        let Some(session) = self.sessions.get_mut(known) else {
            return cx.close(channel, Ending::NotWanted);
        };
        session.remote.joins(&other, id);
        // If each end meant to join the one channel to the other, both have to choose the same.
        let crossing = std::mem::take(&mut session.talk.proofs) > 0;
        let lots = [&talk, &session.talk].map(|s| s.secret().map(|s| s.lot()));
        session.spare = Some(talk);
        if let Some(spare) = &mut session.spare {
            spare.stands_by();
            spare.proofs = 0;
        }
        let equal = session.spare.as_ref().map(|s| s.path) == Some(session.talk.path);
        // Of two that cost nobody anything, trials say which is the better.
        let better = session.has_better() && (crossing || !session.has_choice());
        if better || crossing && equal && lots[0] < lots[1] {
            self.change_over(cx, known, Begin::Asks);
        } else if crossing {
            self.begin_anew(cx, known, Begin::Asks);
        }
        cx.waiting.add((self.info_hash, known));
    }

    /// Takes a session in, of which nothing is known to be said.
    pub(super) fn admit(&mut self, id: SessionId, mut session: Session<C>) {
        if let Some(download) = self.phase.download_mut() {
            let pieces = Bitfield::empty(download.have().piece_count());
            download.peer_joined(id, &pieces);
            session.remote.pieces = RemotePieces::Known(pieces);
        }
        self.sessions.insert(id, session);
    }

    /// Talks through the channel that stood by.
    pub(super) fn change_over(&mut self, cx: &mut Cx<'_, C>, id: SessionId, begin: Begin) {
        self.release_requests(cx, id);
        if let Some(session) = self.sessions.get_mut(id) {
            session.changes_over();
            self.begin_anew(cx, id, begin);
        }
    }

    /// Says everything again, and forgets what was said to us.
    pub(super) fn begin_anew(&mut self, cx: &mut Cx<'_, C>, id: SessionId, begin: Begin) {
        self.hear_anew(cx, id, begin == Begin::Answers);
        self.introductions.tell_anew(id);
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.remote.getting.interested = false;
        let (fast, giving) = (session.talk.fast, &session.remote.giving);
        let mut again = Vec::new();
        if giving.is_unchoked() {
            again.push(Message::Unchoke);
        }
        if fast {
            let allowed = giving.allowed_fast.iter();
            again.extend(allowed.map(|piece| Message::AllowedFast(piece.get())));
            let dealt = giving.dealt.iter();
            again.extend(dealt.map(|piece| Message::SuggestPiece(piece.get())));
        }
        let handshake = ExtensionHandshake {
            begin: Some(begin),
            ..ExtensionHandshake::default()
        };
        self.say_extension(cx, id, &handshake);
        // Gone, if it did not take what was said before.
        if self.introduce(id).is_ok() {
            for message in again {
                self.say(cx, id, &message);
            }
        }
        self.refill.ask_everybody();
        cx.waiting.add((self.info_hash, id));
        self.fetch_metadata(cx);
    }

    /// Forgets what was said to us: it is said again, or void.
    pub(super) fn hear_anew(&mut self, cx: &mut Cx<'_, C>, id: SessionId, heeded: bool) {
        self.release_requests(cx, id);
        self.ask_again_for_metadata(id);
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.remote.begins();
        session.talk.begins(heeded);
        match (self.phase.download_mut(), session.remote.pieces.known()) {
            (Some(download), Some(pieces)) => {
                let nothing = Bitfield::empty(pieces.piece_count());
                download.peer_left(id, pieces);
                download.peer_joined(id, &nothing);
                session.remote.pieces = RemotePieces::Known(nothing);
            }
            _ => session.remote.pieces = RemotePieces::early(),
        }
    }

    /// A channel is gone, and not because we wanted it. The talk goes on through another one,
    /// or later, if there is none.
    pub(in crate::engine) fn end_channel(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
    ) {
        self.end_direct(cx, id, channel);
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if session.spare.as_ref().is_some_and(|s| s.channel == channel) {
            session.loses_spare();
            return cx.channels.close(channel);
        }
        if session.talk.channel != channel {
            return;
        }
        if session.spare.is_none() {
            return self.lose_session(cx, id);
        }
        self.release_requests(cx, id);
        cx.channels.close(channel);
        if let Some(session) = self.sessions.get_mut(id)
            && session.falls_back()
        {
            self.begin_anew(cx, id, Begin::Asks);
        }
    }

    /// The last channel of a session is gone. Whoever can show who it is may come back for a
    /// while.
    fn lose_session(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(mut session) = self.drop_session(cx, id) else {
            return;
        };
        if let Some(secret) = session.talk.secret() {
            session.remote.learn(secret);
        }
        let known = session.remote.secrets().next().is_some();
        if known && cx.config.paths.several() && self.is_running() {
            self.paths
                .lose(cx.now, id, session.remote, &cx.config.paths);
        }
    }

    /// Channels that are silent for too long end; the others are kept alive.
    pub(super) fn spare_upkeep(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Some(spare) = &mut session.spare else {
            return;
        };
        let channel = spare.channel;
        if cx.now - spare.last_heard >= cx.config.idle_timeout {
            cx.close(channel, Ending::Silent);
            self.end_channel(cx, id, channel);
        } else if cx.now - spare.last_spoke >= cx.config.keep_alive {
            spare.last_spoke = cx.now;
            spare.outbox.push(&Message::KeepAlive);
            cx.waiting.add((self.info_hash, id));
        }
    }
}
