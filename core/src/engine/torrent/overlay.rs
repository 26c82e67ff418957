//! Members of the swarm whom the overlay of tabs finds: links to them, and to us from those that
//! it found us for. Never in a private torrent (BEP 27).

use bytes::Bytes;

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::tabs::TS_OVERLAY;
use crate::engine::{DirectId, DirectWork, Output};
use crate::id::Fingerprint;
use crate::overlay::{Want, topic_of};
use crate::peer::{PeerPath, Session, SessionId};
use crate::wire::fingerprint;
use crate::wire::introduce::{Step, Unlinked};
use crate::wire::overlay::OverlayMessage;
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// Its sessions may carry what the overlay says.
    pub(super) fn takes_overlay(&self, cx: &Cx<'_, C>) -> bool {
        cx.config.overlay.links > 0 && self.takes_introductions(cx)
    }

    /// Who of its peers is a neighbour in the overlay, and by which session.
    pub(in crate::engine) fn overlay_neighbours(
        &self,
        cx: &Cx<'_, C>,
    ) -> impl Iterator<Item = (Fingerprint, SessionId)> {
        let on = self.takes_overlay(cx) && cx.channels.allows(PeerPath::Direct);
        let sessions = self.sessions.iter().filter(move |_| on);
        sessions.filter_map(|(id, session)| Some((tab(session)?, id)))
    }

    /// A neighbour says something.
    pub(super) fn handle_overlay(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        payload: &[u8],
    ) -> Result<(), Fault> {
        let message = OverlayMessage::decode(payload)?;
        let on = self.takes_overlay(cx) && cx.channels.allows(PeerPath::Direct);
        let from = self.sessions.get(id).and_then(tab).filter(|_| on);
        if let (Some(from), Some(message)) = (from, message) {
            let by = (self.info_hash, id);
            cx.tabs.hear(cx.now, from, by, message);
        }
        Ok(())
    }

    /// Says something for the overlay.
    pub(in crate::engine) fn say_for_overlay(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        payload: Bytes,
    ) {
        let session = self.sessions.get(id);
        if let Some(id_there) = session.and_then(|session| session.talk.ts_overlay) {
            let message = Message::Extended {
                id: id_there,
                payload,
            };
            self.say(cx, id, &message);
        }
    }

    /// What it wants of the overlay. What is known by its info-hash alone is looked for, and not
    /// told: it may be private.
    pub(in crate::engine) fn overlay_want(&self, cx: &Cx<'_, C>) -> Option<Want> {
        let known = self.about.metainfo().is_some();
        let public = self.takes_overlay(cx);
        let may = self.is_running() && cx.channels.allows(PeerPath::Direct);
        let direct = |s: &&Session<C>| s.streams().any(|s| s.path == PeerPath::Direct);
        let links = self.sessions.values().filter(direct).count();
        let few = links + self.introductions.under_way() < cx.config.paths.introduce.keep;
        (may && (public || !known)).then(|| {
            let look = few && !self.is_finished();
            let whole = self
                .sessions
                .values()
                .any(|session| session.remote.is_seed());
            Want {
                announce: public,
                look,
                carry: (look && !whole).then_some(self.info_hash),
            }
        })
    }

    /// Some are said to be in the swarm: those with whom there is no link may have one.
    pub(in crate::engine) fn found_by_overlay(
        &mut self,
        cx: &mut Cx<'_, C>,
        peers: &[Fingerprint],
    ) {
        for peer in peers {
            let links = self.sessions.len() + self.introductions.under_way();
            if !self.may_make_links(cx) || links >= cx.config.max_peers {
                return;
            }
            let known = self.linked().contains(peer)
                || self.introductions.ours == Some(*peer)
                || self.introductions.attempt_with(*peer).is_some()
                || self.introductions.rests(cx.now, *peer);
            if !known && self.is_welcome(cx, *peer) {
                self.begin_introduction(cx, None, *peer, None, DirectWork::Offer);
            }
        }
    }

    /// Somebody found us, and offers a link.
    pub(in crate::engine) fn offered_by_overlay(
        &mut self,
        cx: &mut Cx<'_, C>,
        number: u32,
        peer: Fingerprint,
        description: String,
    ) -> Result<(), Unlinked> {
        self.may_be_introduced(cx, peer)?;
        let work = DirectWork::Answer(description);
        self.begin_introduction(cx, None, peer, Some(number), work);
        Ok(())
    }

    /// Somebody whom the overlay found answers our offer.
    pub(in crate::engine) fn answered_by_overlay(
        &mut self,
        cx: &mut Cx<'_, C>,
        number: u32,
        answer: Result<String, Unlinked>,
    ) {
        let attempt = self.introductions.attempt(number);
        let ours = |it: &super::introductions::Attempt| it.via.is_none() && !it.answered;
        let Some(attempt) = attempt.filter(ours) else {
            return;
        };
        let taken = answer.and_then(|text| {
            let right = fingerprint::of_description(&text) == Some(attempt.peer);
            right.then_some(text).ok_or(Unlinked::Unwanted)
        });
        match taken {
            Ok(text) => {
                self.introductions.answered(number);
                let work = DirectWork::Accept(text);
                cx.emit(Output::Direct(DirectId::introduced(number), work));
            }
            Err(why) => {
                self.drop_introduction(cx, number);
                let config = &cx.config.paths;
                match why {
                    Unlinked::Unwanted => {
                        self.introductions
                            .fail(cx.now, attempt.peer, &config.direct);
                    }
                    // It may have been somebody on the way: another way may be better.
                    _ => {
                        let pause = config.introduce.pause;
                        self.introductions.rest(cx.now, attempt.peer, pause);
                    }
                }
            }
        }
    }

    /// Passes a step on to whom the overlay leads.
    pub(super) fn say_by_overlay(
        &mut self,
        cx: &mut Cx<'_, C>,
        (peer, number, theirs): (Fingerprint, u32, Option<u32>),
        step: Step,
    ) {
        let topic = topic_of(self.info_hash);
        let overlay = cx.tabs.overlay();
        match (step, theirs) {
            (Step::Offer(text), _) => overlay.offer(cx.now, number, peer, topic, text),
            (Step::Answer(text), Some(theirs)) => overlay.answer(theirs, Ok(text)),
            (Step::End(why), Some(theirs)) => overlay.answer(theirs, Err(why)),
            // Whoever answers hears of it when its own time is up.
            (Step::Answer(_) | Step::End(_), None) => {}
        }
    }

    /// The id under which we take messages, if we do.
    pub(super) fn overlay_id(&self, cx: &Cx<'_, C>) -> Option<u8> {
        self.takes_overlay(cx).then_some(TS_OVERLAY)
    }
}

/// Who it is, if it takes what the overlay says.
fn tab<C: Chunk>(session: &Session<C>) -> Option<Fingerprint> {
    let takes = session.talk.ts_overlay.is_some();
    session.linked_as().filter(|_| takes)
}
