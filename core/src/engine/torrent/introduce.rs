//! Links that neighbours bring about: to whom, and through whom.
//!
//! Two who are linked with a third agree on a link of their own through it. Each knows the other
//! by its certificate: a description that is not of it is not taken, and DTLS shows that the
//! other end has it. So whoever carries descriptions can keep them from arriving, and nothing else;
//! see `docs/protocol.md`, "Introductions", for what that is worth.

use super::direct::may_link;
use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::{DirectId, DirectWork, Output};
use crate::id::Fingerprint;
use crate::net::Contact;
use crate::peer::{PeerPath, Session, SessionId};
use crate::sorted::SortedSet;
use crate::wire::fingerprint;
use crate::wire::introduce::{Introduction, Step, Unlinked};
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

    /// Somebody says something about introductions.
    pub(super) fn handle_introduction(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        payload: &[u8],
    ) -> Result<(), Fault> {
        if !self.takes_introductions(cx) {
            return Ok(());
        }
        // A description is long, and costs the browser more than us.
        self.charge(cx, id, cx.config.work.dictionary.saturating_mul(8))?;
        match Introduction::decode(payload)? {
            None => {}
            Some(Introduction::Peers { added, dropped }) => {
                let config = &cx.config.paths.introduce;
                self.introductions
                    .hear(cx.now, id, &added, &dropped, config);
            }
            Some(Introduction::Step {
                carried,
                peer,
                attempt,
                step,
            }) => match carried {
                true => self.hear_carried(cx, id, peer, attempt, step),
                false => self.carry(cx, id, peer, attempt, step),
            },
        }
        Ok(())
    }

    /// Something was carried to us.
    fn hear_carried(
        &mut self,
        cx: &mut Cx<'_, C>,
        via: SessionId,
        peer: Fingerprint,
        number: u32,
        step: Step,
    ) {
        let known = self.introductions.attempt_with(peer);
        let known = known.filter(|(ours, attempt)| {
            attempt.via == Some(via) && attempt.theirs.unwrap_or(*ours) == number
        });
        match (step, known) {
            (Step::Offer(description), _) => {
                match self.hear_introduced(cx, via, peer, &description) {
                    Ok(()) => {
                        let work = DirectWork::Answer(description);
                        self.begin_introduction(cx, Some(via), peer, Some(number), work);
                    }
                    Err(why) => self.say_step(cx, via, (false, peer, number), Step::End(why)),
                }
            }
            (Step::Answer(description), Some((ours, attempt))) => {
                if attempt.theirs.is_some() || attempt.answered {
                    return;
                }
                if fingerprint::of_description(&description) == Some(peer) {
                    self.introductions.answered(ours);
                    let work = DirectWork::Accept(description);
                    return cx.emit(Output::Direct(DirectId::introduced(ours), work));
                }
                // The answer of somebody else. Others may know the way.
                self.introductions.partner(via).altered += 1;
                self.introductions.unknown_to(via, peer);
                self.drop_introduction(cx, ours);
            }
            (Step::End(why), Some((ours, attempt))) => {
                self.drop_introduction(cx, ours);
                let config = &cx.config.paths;
                match why {
                    _ if attempt.theirs.is_some() => {}
                    Unlinked::NoSuchPeer | Unlinked::NotConnected | Unlinked::NoSupport => {
                        self.introductions.unknown_to(via, peer);
                    }
                    Unlinked::Busy => {
                        let pause = config.introduce.pause;
                        self.introductions.rest(cx.now, peer, pause);
                    }
                    Unlinked::Unwanted => {
                        self.introductions.fail(cx.now, peer, &config.direct);
                    }
                }
            }
            (Step::Answer(_) | Step::End(_), None) => {}
        }
    }

    /// Somebody offers a link through a neighbour: whether it may have one.
    fn hear_introduced(
        &mut self,
        cx: &mut Cx<'_, C>,
        via: SessionId,
        peer: Fingerprint,
        description: &str,
    ) -> Result<(), Unlinked> {
        let config = &cx.config.paths.introduce;
        let neighbour = self.sessions.get(via).and_then(Session::linked_as);
        let partner = self.introductions.partner(via);
        if neighbour.is_none() || !partner.brings.take(cx.now, config.a_minute) {
            return Err(Unlinked::Busy);
        }
        if fingerprint::of_description(description) != Some(peer) {
            partner.altered += 1;
            return Err(Unlinked::Unwanted);
        }
        self.may_be_introduced(cx, peer)
    }

    /// Whether somebody who offers a link may have one.
    pub(super) fn may_be_introduced(
        &mut self,
        cx: &mut Cx<'_, C>,
        peer: Fingerprint,
    ) -> Result<(), Unlinked> {
        let may = self.introduces(cx) && self.is_running() && self.is_welcome(cx, peer);
        let new = self.introductions.ours != Some(peer) && !self.linked().contains(&peer);
        if !may || !new {
            return Err(Unlinked::Unwanted);
        }
        if let Some((number, earlier)) = self.introductions.attempt_with(peer) {
            // Of two that offer to each other, the one with the lower fingerprint goes on; of two
            // offers of one, the later one.
            if earlier.theirs.is_none() && self.introductions.ours < Some(peer) {
                return Err(Unlinked::Unwanted);
            }
            self.drop_introduction(cx, number);
        }
        let full = self.sessions.len() >= cx.config.max_peers;
        match full || !self.may_make_links(cx) {
            true => Err(Unlinked::Busy),
            false => Ok(()),
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
