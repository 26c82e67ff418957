//! A link that others bring about, from our first step to what came of it.

use super::introductions::Attempt;
use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::engine::{DirectId, DirectNews, DirectWork, Output};
use crate::id::Fingerprint;
use crate::net::Contact;
use crate::peer::SessionId;
use crate::wire::fingerprint;
use crate::wire::introduce::{MAX_CARRIED, Step, Unlinked};

impl<C: Chunk> Torrent<C> {
    /// Has one made; `via` none is through the overlay, `theirs` the number of an offer that it
    /// answers.
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
            // The host has nothing left to be dropped.
            DirectNews::Failed => {
                self.introductions.end(number);
                self.introduction_failed(cx, number, attempt);
            }
            DirectNews::Linked => {
                self.introductions.end(number);
                let config = &cx.config.paths.direct;
                self.introductions.succeed(cx.now, attempt.peer, config);
            }
        }
    }

    /// A link is not waited for any more, or can't be.
    pub(super) fn give_up_introduction(&mut self, cx: &mut Cx<'_, C>, number: u32) {
        if let Some(attempt) = self.drop_introduction(cx, number) {
            self.introduction_failed(cx, number, attempt);
        }
    }

    fn introduction_failed(&mut self, cx: &mut Cx<'_, C>, number: u32, attempt: Attempt) {
        let config = &cx.config.paths.direct;
        self.introductions.fail(cx.now, attempt.peer, config);
        self.say_to_partner(cx, number, attempt, Step::End(Unlinked::Unwanted));
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
}
