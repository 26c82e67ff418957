//! Direct links: who is offered one, when, and what came of it.
//!
//! A session begins through the relay, at once, and two that both can are linked directly
//! beside it. Whoever opened the relay's channel offers, and nobody else, so that offers never
//! cross. Descriptions travel through the session; the host makes the link, and its channel
//! then proves itself as any other does ([`super::proofs`]): which of the two carries the talk
//! is the session's business.

use super::{Cx, Ending, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::{DirectId, DirectNews, DirectWork, Output};
use crate::id::ChannelKey;
use crate::net::{Contact, RelayPolicy};
use crate::peer::{PeerPath, Session, SessionId};
use crate::wire::direct::Signal;
use crate::wire::fingerprint;
use crate::wire::peer::Message;

/// The id under which we take `ts_direct` messages.
pub(super) const TS_DIRECT: u8 = 2;

impl<C: Chunk> Torrent<C> {
    /// See [`crate::engine::Engine::who`].
    pub(in crate::engine) fn who(
        &self,
        id: SessionId,
        channel: ChannelKey,
    ) -> Option<(Contact, [u8; 4])> {
        self.sessions.who(id, channel)
    }

    /// Offers links to those who may have one, and gives up those that don't come about.
    pub(super) fn direct_upkeep(&mut self, cx: &mut Cx<'_, C>) {
        let config = &cx.config.paths.direct;
        if config.at_once == 0 {
            return;
        }
        for session in self.directs.late(cx.now, config) {
            self.give_up_direct(cx, session);
        }
        for id in self.sessions.ids() {
            self.offer_direct(cx, id);
        }
    }

    /// Offers a link, if this is the moment.
    fn offer_direct(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let config = &cx.config.paths.direct;
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        if !may_link(cx, session) || !session.talk.ours {
            return;
        }
        let remote = &session.remote;
        let (age, bytes) = config.after;
        let moved = remote.up.total() + remote.down.total();
        let spare = cx.channels.relay_policy(session.talk.channel.link) == RelayPolicy::Spare;
        if !spare && cx.now - remote.since < age && moved < bytes {
            return;
        }
        let rests = self.directs.attempt(id).is_some() || self.directs.rests(cx.now, id);
        if rests || !self.may_make_links(cx) {
            return;
        }
        let attempt = self.directs.number(session.talk.channel);
        self.directs.begin(cx.now, id, attempt, true);
        cx.emit(Output::Direct(attempt, DirectWork::Offer));
    }

    /// The peer says something about a link.
    pub(super) fn handle_signal(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        payload: &[u8],
    ) -> Result<(), Fault> {
        if cx.config.paths.direct.at_once == 0 {
            return Ok(());
        }
        // A description is long, and costs the browser more than us.
        self.charge(cx, id, cx.config.work.dictionary.saturating_mul(8))?;
        let Some(signal) = Signal::decode(payload)? else {
            return Ok(());
        };
        let known = self.directs.attempt(id);
        let known = known.filter(|attempt| attempt.id.attempt == signal.attempt());
        match signal {
            Signal::Offer {
                attempt,
                description,
            } => self.hear_offer(cx, id, DirectId { channel, attempt }, description),
            Signal::Answer { description, .. } => {
                if let Some(attempt) = known.filter(|attempt| attempt.ours) {
                    let theirs = fingerprint::of_description(&description);
                    self.directs.names(id, theirs);
                    self.directs.answered(id);
                    cx.emit(Output::Direct(attempt.id, DirectWork::Accept(description)));
                }
            }
            Signal::End { .. } => {
                if let Some(attempt) = known {
                    cx.emit(Output::Direct(attempt.id, DirectWork::Drop));
                    let config = &cx.config.paths.direct;
                    self.directs.ended(cx.now, id, config);
                }
            }
        }
        Ok(())
    }

    fn hear_offer(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        offer: DirectId,
        description: String,
    ) {
        let config = &cx.config.paths.direct;
        let may = self.sessions.get(id).is_some_and(|session| {
            may_link(cx, session) && !session.talk.ours && session.talk.channel == offer.channel
        });
        // A new offer is in the place of the one before.
        let earlier = self.directs.attempt(id);
        let others = self.directs.under_way() + self.introductions.under_way();
        let others = others - usize::from(earlier.is_some());
        let rests = self.directs.rests(cx.now, id);
        if !may || rests || others >= config.at_once {
            let attempt = offer.attempt;
            return self.signal(cx, id, &Signal::End { attempt });
        }
        if let Some(earlier) = earlier {
            cx.emit(Output::Direct(earlier.id, DirectWork::Drop));
        }
        let theirs = fingerprint::of_description(&description);
        self.directs.begin(cx.now, id, offer, false);
        self.directs.names(id, theirs);
        cx.emit(Output::Direct(offer, DirectWork::Answer(description)));
    }

    /// The host says something about a link that it makes.
    pub(in crate::engine) fn direct_news(
        &mut self,
        cx: &mut Cx<'_, C>,
        session: SessionId,
        id: DirectId,
        news: DirectNews,
    ) {
        let attempt = self.directs.attempt(session);
        let Some(attempt) = attempt.filter(|attempt| attempt.id == id) else {
            return;
        };
        let number = id.attempt;
        match news {
            DirectNews::Described(description) => {
                let ours = fingerprint::of_description(&description);
                self.introductions.ours = ours.or(self.introductions.ours);
                let signal = match attempt.ours {
                    true => Signal::Offer {
                        attempt: number,
                        description,
                    },
                    false => Signal::Answer {
                        attempt: number,
                        description,
                    },
                };
                self.signal(cx, session, &signal);
            }
            DirectNews::Failed => {
                self.directs.fail(cx.now, session, &cx.config.paths.direct);
                self.signal(cx, session, &Signal::End { attempt: number });
            }
            DirectNews::Linked => {
                // Its channel has yet to show that it is the peer's.
                if let Some(session) = self.sessions.get_mut(session) {
                    session.remote.fingerprint = attempt.theirs;
                }
                let config = &cx.config.paths.direct;
                self.directs.succeed(cx.now, session, config);
            }
        }
    }

    /// A link does not come about, or is not wanted any more.
    fn give_up_direct(&mut self, cx: &mut Cx<'_, C>, session: SessionId) {
        if let Some(attempt) = self.directs.attempt(session) {
            cx.emit(Output::Direct(attempt.id, DirectWork::Drop));
            self.directs.fail(cx.now, session, &cx.config.paths.direct);
            let attempt = attempt.id.attempt;
            self.signal(cx, session, &Signal::End { attempt });
        }
    }

    /// Nobody is to be linked but through relays from now on.
    pub(in crate::engine) fn only_relays(&mut self, cx: &mut Cx<'_, C>) {
        self.drop_introductions(cx);
        self.leaves_ordinary_swarm(cx);
        for id in self.sessions.ids() {
            self.give_up_direct(cx, id);
            let streams = self.sessions.get(id).into_iter();
            let streams = streams.flat_map(Session::streams);
            let others = streams.filter(|stream| !cx.channels.allows(stream.path));
            let others: Vec<ChannelKey> = others.map(|stream| stream.channel).collect();
            for channel in others {
                cx.close(channel, Ending::RelayOnly);
                self.end_channel(cx, id, channel);
            }
        }
    }

    /// A channel is gone, and with it the link that was agreed on through it, even where the
    /// session goes on: the other end sees the same.
    pub(super) fn end_direct(
        &mut self,
        cx: &mut Cx<'_, C>,
        session: SessionId,
        channel: ChannelKey,
    ) {
        let attempt = self.directs.attempt(session);
        if let Some(attempt) = attempt.filter(|attempt| attempt.id.channel == channel) {
            cx.emit(Output::Direct(attempt.id, DirectWork::Drop));
            self.directs.fail(cx.now, session, &cx.config.paths.direct);
        }
    }

    /// A session is over.
    pub(super) fn forget_direct(&mut self, cx: &mut Cx<'_, C>, session: SessionId) {
        if let Some(attempt) = self.directs.forget(session) {
            cx.emit(Output::Direct(attempt.id, DirectWork::Drop));
        }
    }

    fn signal(&mut self, cx: &mut Cx<'_, C>, id: SessionId, signal: &Signal) {
        let session = self.sessions.get(id);
        if let Some(taken_as) = session.and_then(|session| session.talk.ts_direct) {
            let payload = signal.encode();
            self.say(
                cx,
                id,
                &Message::Extended {
                    id: taken_as,
                    payload,
                },
            );
        }
    }
}

/// Both know how, and there is no link yet.
pub(super) fn may_link<C: Chunk>(cx: &Cx<'_, C>, session: &Session<C>) -> bool {
    let talk = &session.talk;
    cx.config.paths.several()
        && talk.path == PeerPath::Relay
        && talk.ts_direct.is_some()
        && talk.secret().is_some()
        && session.spare.is_none()
        && !session.guest
        && cx.channels.relay_policy(talk.channel.link) != RelayPolicy::Only
}
