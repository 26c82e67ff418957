//! Links that neighbours bring about: to whom, through whom, and what came of it.
//!
//! Two who are linked with a third agree on a link of their own through it. Each knows the other
//! by its certificate: a description that is not of it is not taken, and DTLS shows that the
//! other end has it. So whoever carries descriptions can keep them from arriving, and nothing else;
//! see `docs/protocol.md`, "Introductions", for what that is worth.

mod hear;

use super::direct::may_link;
use super::introductions::Attempt;
use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::engine::{DirectId, DirectNews, DirectWork, Output};
use crate::id::Fingerprint;
use crate::net::Contact;
use crate::peer::{PeerPath, Session, SessionId};
use crate::sorted::SortedSet;
use crate::wire::fingerprint;
use crate::wire::introduce::{Introduction, MAX_CARRIED, Step, Unlinked};
use crate::wire::peer::Message;

/// The id under which we take `ts_introduce` messages.
pub(super) const TS_INTRODUCE: u8 = 5;

impl<C: Chunk> Torrent<C> {
    /// Introductions are taken, now or as soon as a person wants direct links again: never in a
    /// private torrent (BEP 27), nor while nobody knows whether it is one.
    pub(super) fn takes_introductions(&self, cx: &Cx<'_, C>) -> bool {
        let paths = &cx.config.paths;
        let on = paths.several() && paths.direct.at_once > 0 && paths.introduce.keep > 0;
        on && self.exchanges_peers()
    }

    /// They are taken now.
    pub(super) fn introduces(&self, cx: &Cx<'_, C>) -> bool {
        self.takes_introductions(cx) && cx.channels.allows(PeerPath::Direct)
    }

    /// Tells neighbours of each other, and has links made where there are too few.
    pub(super) fn introduction_upkeep(&mut self, cx: &mut Cx<'_, C>) {
        let timeout = cx.config.paths.direct.timeout;
        let (now, introductions) = (cx.now, &mut self.introductions);
        introductions.take_carried(|carried| now - carried.since >= timeout);
        // Those through the overlay are made before it is known whether the torrent is private.
        for number in introductions.attempts(|attempt| now - attempt.since >= timeout) {
            self.give_up_introduction(cx, number);
        }
        if !self.introduces(cx) {
            return;
        }
        self.tell_of_links(cx);
        while let Some((via, peer)) = self.next_introduction(cx) {
            self.begin_introduction(cx, Some(via), peer, None, DirectWork::Offer);
        }
    }

    /// With whom to ask for a link next, and through whom, if there are too few.
    fn next_introduction(&mut self, cx: &Cx<'_, C>) -> Option<(SessionId, Fingerprint)> {
        let paths = &cx.config.paths;
        let under_way = self.introductions.under_way();
        let direct = |s: &Session<C>| s.streams().any(|s| s.path == PeerPath::Direct);
        let links = self.sessions.iter().filter(|(id, session)| {
            let soon = may_link(cx, session) && !self.directs.rests(cx.now, *id);
            direct(session) || soon
        });
        if links.count() + under_way >= paths.introduce.keep
            || self.sessions.len() + under_way >= cx.config.max_peers
            || !self.may_make_links(cx)
        {
            return None;
        }
        let linked = self.linked();
        let finished = self.is_finished();
        let mut may = Vec::new();
        for (id, session) in self.sessions.iter() {
            let neighbour = session.linked_as().is_some() && session.talk.ts_introduce.is_some();
            if !neighbour || self.introductions.is_distrusted(id, &paths.introduce) {
                continue;
            }
            let known = self.introductions.known_to(id).filter(|(peer, seed)| {
                !(finished && *seed)
                    && Some(*peer) != self.introductions.ours
                    && !linked.contains(peer)
                    && self.introductions.attempt_with(*peer).is_none()
                    && !self.introductions.rests(cx.now, *peer)
                    && self.is_welcome(cx, *peer)
            });
            may.extend(known.map(|(peer, _)| (id, peer)));
        }
        // By lot, so that the swarm hangs together: all would choose the same few otherwise.
        self.rng.shuffle(&mut may);
        let most = paths.introduce.a_minute;
        let introductions = &mut self.introductions;
        let may = may.into_iter();
        let mut may = may.filter(|(via, _)| introductions.partner(*via).asked.take(cx.now, most));
        may.next()
    }

    /// With whom we are linked.
    pub(super) fn linked(&self) -> SortedSet<Fingerprint> {
        self.sessions
            .values()
            .filter_map(Session::linked_as)
            .collect()
    }

    pub(super) fn is_welcome(&self, cx: &Cx<'_, C>, peer: Fingerprint) -> bool {
        let contact = Contact::Introduced(peer);
        self.outcasts.unwelcome(cx.now, contact).is_none()
    }

    /// One more may be made at once.
    pub(super) fn may_make_links(&self, cx: &Cx<'_, C>) -> bool {
        let under_way = self.directs.under_way() + self.introductions.under_way();
        under_way < cx.config.paths.direct.at_once
    }

    pub(super) fn begin_introduction(
        &mut self,
        cx: &mut Cx<'_, C>,
        via: Option<SessionId>,
        peer: Fingerprint,
        theirs: Option<u32>,
        work: DirectWork,
    ) {
        let number = cx.channels.number_introduction();
        let attempt = Attempt {
            peer,
            via,
            theirs,
            answered: false,
            since: cx.now,
        };
        self.introductions.begin(number, attempt);
        cx.emit(Output::Direct(DirectId::introduced(number), work));
    }

    /// The host says something about a link that it makes.
    pub(in crate::engine) fn introduction_news(
        &mut self,
        cx: &mut Cx<'_, C>,
        number: u32,
        news: DirectNews,
    ) {
        let Some(attempt) = self.introductions.attempt(number) else {
            return;
        };
        match news {
            DirectNews::Described(description) => {
                let ours = fingerprint::of_description(&description);
                if ours.is_none() || description.len() > MAX_CARRIED {
                    return self.give_up_introduction(cx, number);
                }
                self.introductions.ours = ours;
                let step = match attempt.theirs {
                    None => Step::Offer(description),
                    Some(_) => {
                        self.introductions.answered(number);
                        Step::Answer(description)
                    }
                };
                self.say_to_partner(cx, number, attempt, step);
            }
            DirectNews::Failed => self.give_up_introduction(cx, number),
            DirectNews::Linked => {
                self.introductions.end(number);
                let config = &cx.config.paths.direct;
                self.introductions.succeed(cx.now, attempt.peer, config);
            }
        }
    }

    /// A link of this number is being made.
    pub(in crate::engine) fn is_introducing(&self, number: u32) -> bool {
        self.introductions.attempt(number).is_some()
    }

    /// Who is at the other end of a link that is being made, and what stands for our own address
    /// there.
    pub(in crate::engine) fn introduced(&self, number: u32) -> Option<(Contact, [u8; 4])> {
        let attempt = self.introductions.attempt(number)?;
        let ours = self.introductions.ours?;
        Some((Contact::Introduced(attempt.peer), ours.address()))
    }

    /// A link does not come about.
    fn give_up_introduction(&mut self, cx: &mut Cx<'_, C>, number: u32) {
        if let Some(attempt) = self.drop_introduction(cx, number) {
            let config = &cx.config.paths.direct;
            self.introductions.fail(cx.now, attempt.peer, config);
            self.say_to_partner(cx, number, attempt, Step::End(Unlinked::Unwanted));
        }
    }

    /// Says something to whoever is to be linked.
    fn say_to_partner(&mut self, cx: &mut Cx<'_, C>, number: u32, to: Attempt, step: Step) {
        match to.via {
            Some(via) => {
                let about = (false, to.peer, to.theirs.unwrap_or(number));
                self.say_step(cx, via, about, step);
            }
            None => self.say_by_overlay(cx, (to.peer, number, to.theirs), step),
        }
    }

    pub(super) fn drop_introduction(&mut self, cx: &mut Cx<'_, C>, number: u32) -> Option<Attempt> {
        let attempt = self.introductions.end(number)?;
        cx.emit(Output::Direct(
            DirectId::introduced(number),
            DirectWork::Drop,
        ));
        Some(attempt)
    }

    /// No more links are to come about.
    pub(super) fn drop_introductions(&mut self, cx: &mut Cx<'_, C>) {
        for number in self.introductions.attempts(|_| true) {
            self.drop_introduction(cx, number);
        }
    }

    /// A session is over: nothing is carried through it any more.
    pub(super) fn forget_introductions(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let introductions = &mut self.introductions;
        introductions.forget(id);
        for number in introductions.attempts(|it| it.via == Some(id) && !it.answered) {
            self.drop_introduction(cx, number);
        }
        self.uncarry(cx, id);
    }

    /// Says a step; `about` is whether it was carried, who it is from or for, and its number.
    pub(super) fn say_step(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        about: (bool, Fingerprint, u32),
        step: Step,
    ) {
        let (carried, peer, attempt) = about;
        let message = Introduction::Step {
            carried,
            peer,
            attempt,
            step,
        };
        self.say_introduction(cx, id, &message);
    }

    pub(super) fn say_introduction(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        message: &Introduction,
    ) {
        let session = self.sessions.get(id);
        if let Some(id_there) = session.and_then(|session| session.talk.ts_introduce) {
            let message = Message::Extended {
                id: id_there,
                payload: message.encode(),
            };
            self.say(cx, id, &message);
        }
    }
}
