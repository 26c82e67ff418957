//! Direct links: who is offered one, when, and what came of it.
//!
//! A session begins through the relay, at once, and two that both can are linked directly
//! beside it. Whoever opened the relay's channel offers, and nobody else, so that offers never
//! cross. Descriptions travel through the session; the host makes the link, and its channel
//! then proves itself as any other does ([`super::paths`]): which of the two carries the talk
//! is the session's business.

use std::collections::BTreeMap;

use super::{Cx, Ending, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::{DirectId, DirectNews, DirectWork, Output};
use crate::id::ChannelKey;
use crate::net::RelayPolicy;
use crate::peer::{DirectConfig, PeerPath, Session, SessionId};
use crate::time::Time;
use crate::wire::direct::Signal;
use crate::wire::peer::Message;

/// The id under which we take `ts_direct` messages.
pub(super) const TS_DIRECT: u8 = 2;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Directs {
    of: BTreeMap<SessionId, Direct>,
    /// Offers made so far.
    made: u32,
}

/// What there is between us and one peer.
#[derive(Debug, Default)]
struct Direct {
    attempt: Option<Attempt>,
    /// Tries in vain since the last that was not.
    in_vain: usize,
    /// None is made before then.
    rests_until: Time,
}

/// A link in the making.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    id: DirectId,
    /// We offered it.
    ours: bool,
    since: Time,
}

impl Directs {
    fn under_way(&self) -> usize {
        let attempts = self.of.values().filter(|direct| direct.attempt.is_some());
        attempts.count()
    }

    fn attempt(&self, session: SessionId) -> Option<Attempt> {
        self.of.get(&session)?.attempt
    }

    fn begin(&mut self, now: Time, session: SessionId, id: DirectId, ours: bool) {
        let attempt = Attempt {
            id,
            ours,
            since: now,
        };
        self.of.entry(session).or_default().attempt = Some(attempt);
    }

    /// An attempt is over, and came to nothing: the next one is made later each time.
    fn fail(&mut self, now: Time, session: SessionId, config: &DirectConfig) {
        if let Some(direct) = self.of.get_mut(&session) {
            let pause = config.retry.get(direct.in_vain).or(config.retry.last());
            direct.rests_until = now + pause.copied().unwrap_or_default();
            direct.in_vain += 1;
            direct.attempt = None;
        }
    }

    /// There is a link. Should it break, it is not made anew at once.
    fn succeed(&mut self, now: Time, session: SessionId, config: &DirectConfig) {
        if let Some(direct) = self.of.get_mut(&session) {
            let pause = config.retry.first().copied().unwrap_or_default();
            *direct = Direct {
                rests_until: now + pause,
                ..Direct::default()
            };
        }
    }
}

impl<C: Chunk> Torrent<C> {
    /// Offers links to those who may have one, and gives up those that don't come about.
    pub(super) fn direct_upkeep(&mut self, cx: &mut Cx<'_, C>) {
        let config = &cx.config.paths.direct;
        if config.at_once == 0 {
            return;
        }
        let late = self.directs.of.iter().filter_map(|(session, direct)| {
            let attempt = direct.attempt?;
            (cx.now - attempt.since >= config.timeout).then_some(*session)
        });
        for session in late.collect::<Vec<_>>() {
            self.give_up_direct(cx, session);
        }
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.offer_direct(cx, id);
        }
    }

    /// Offers a link, if this is the moment.
    fn offer_direct(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let config = &cx.config.paths.direct;
        let Some(session) = self.sessions.get(&id) else {
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
        let rests = self.directs.of.get(&id);
        let rests = rests.is_some_and(|d| d.attempt.is_some() || cx.now < d.rests_until);
        if rests || self.directs.under_way() >= config.at_once {
            return;
        }
        self.directs.made = self.directs.made.wrapping_add(1);
        let attempt = DirectId {
            channel: session.talk.channel,
            attempt: self.directs.made,
        };
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
                    cx.emit(Output::Direct(attempt.id, DirectWork::Accept(description)));
                }
            }
            Signal::End { .. } => {
                if let Some(attempt) = known {
                    cx.emit(Output::Direct(attempt.id, DirectWork::Drop));
                    let config = &cx.config.paths.direct;
                    self.directs.fail(cx.now, id, config);
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
        let may = self.sessions.get(&id).is_some_and(|session| {
            may_link(cx, session) && !session.talk.ours && session.talk.channel == offer.channel
        });
        // A new offer is in the place of the one before.
        let earlier = self.directs.attempt(id);
        let others = self.directs.under_way() - usize::from(earlier.is_some());
        let direct = self.directs.of.get(&id);
        let rests = direct.is_some_and(|direct| cx.now < direct.rests_until);
        if !may || rests || others >= config.at_once {
            let attempt = offer.attempt;
            return self.signal(cx, id, &Signal::End { attempt });
        }
        if let Some(earlier) = earlier {
            cx.emit(Output::Direct(earlier.id, DirectWork::Drop));
        }
        self.directs.begin(cx.now, id, offer, false);
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
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in sessions {
            self.give_up_direct(cx, id);
            let streams = self.sessions.get(&id).into_iter();
            let streams = streams.flat_map(Session::streams);
            let others = streams.filter(|stream| !cx.channels.allows(stream.path));
            let others: Vec<ChannelKey> = others.map(|stream| stream.channel).collect();
            for channel in others {
                cx.close(channel, Ending::RelayOnly);
                self.end_channel(cx, id, channel);
            }
        }
    }

    /// A session is over.
    pub(super) fn forget_direct(&mut self, cx: &mut Cx<'_, C>, session: SessionId) {
        let direct = self.directs.of.remove(&session);
        if let Some(attempt) = direct.and_then(|direct| direct.attempt) {
            cx.emit(Output::Direct(attempt.id, DirectWork::Drop));
        }
    }

    fn signal(&mut self, cx: &mut Cx<'_, C>, id: SessionId, signal: &Signal) {
        let session = self.sessions.get(&id);
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
fn may_link<C: Chunk>(cx: &Cx<'_, C>, session: &Session<C>) -> bool {
    let talk = &session.talk;
    cx.config.paths.several()
        && talk.path == PeerPath::Relay
        && talk.ts_direct.is_some()
        && talk.secret().is_some()
        && session.spare.is_none()
        && !session.guest
        && cx.channels.relay_policy(talk.channel.link) != RelayPolicy::Only
}
