//! Who has a place with us, and who gets one.
//!
//! Places are few, and go to who is of use. A newcomer is tried; whoever then neither brings
//! nor takes anything has its place only for as long as nobody else wants it. The same goes
//! for an upload slot: who has one and asks for nothing holds up those who wait.

use std::cmp::Reverse;

use super::{Cx, Ending, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Config, Output, Urgency};
use crate::net::Contact;
use crate::peer::{Session, SessionId};
use crate::time::Time;

/// What a session is good for, from what is given up first to what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Neither has what the other lacks.
    Nothing,
    /// It leaves what we asked of it unanswered.
    Owes,
    /// It says that it wants something, may have it, and asks for nothing.
    Sits,
    /// It has something that we lack, and does not give it.
    Withholds,
    /// It waits for its first upload slot; all that is known of it is that it says so.
    Waits,
    /// One waits for the other, and may soon get something.
    Hopes,
    /// It has just come.
    New,
    /// Something went from one to the other lately.
    Exchanges,
}

impl<C: Chunk> Torrent<C> {
    pub(super) fn use_of(&self, now: Time, config: &Config, session: &Session<C>) -> Use {
        let config = &config.places;
        if self.is_complete() && session.remote.is_seed() {
            return Use::Nothing;
        }
        let lately = |time: Time| now - time < config.exchange;
        if session.remote.exchanged.is_some_and(lately) {
            return Use::Exchanges;
        }
        if session.is_web_seed() {
            // It keeps no peer from a place.
            return Use::Nothing;
        }
        if session.remote.getting.strikes > 0 {
            return Use::Owes;
        }
        if session.remote.getting.interested && session.remote.getting.unchoked_us {
            return Use::Hopes;
        }
        if session.remote.giving.sat.is_some() {
            return Use::Sits;
        }
        if now - session.remote.since < config.patience {
            return Use::New;
        }
        let knows_it = self.phase.fetch().is_some() && session.remote.metadata_size.is_some();
        // Whoever asked for something and never takes it is of no use.
        let waits = session.remote.giving.unchoked.is_none()
            || session.remote.giving.asked.is_some_and(lately);
        let fetches = session
            .remote
            .giving
            .asked
            .is_some_and(|at| now - at < config.patience);
        if knows_it || fetches {
            Use::Hopes
        } else if self.wants(session) && waits {
            if session.remote.is_stranger() && !session.remote.getting.interested {
                Use::Waits
            } else {
                Use::Hopes
            }
        } else if session.remote.getting.interested {
            Use::Withholds
        } else if self.wants(session) {
            Use::Sits
        } else {
            Use::Nothing
        }
    }

    /// It says that it wants something, and there is something to be had. While we have
    /// nothing nobody has a reason to say so, and whoever does it all the same would have all
    /// slots by the time at which they are of use.
    pub(super) fn wants(&self, session: &Session<C>) -> bool {
        session.remote.giving.interested && self.phase.has_something() && !session.remote.is_seed()
    }

    /// We lack something, and got nothing for a while.
    fn starves(&self, cx: &Cx<'_, C>) -> bool {
        !self.is_finished() && self.traffic.in_vain(cx.now) >= cx.config.places.starving
    }

    /// Gives up the session that is of least use, if one is of none. Where we get nothing at
    /// all, also one that has what we lack and keeps it to itself.
    pub(super) fn make_room(&mut self, cx: &mut Cx<'_, C>, hungry: bool) -> bool {
        let withholds = hungry && self.starves(cx);
        let mut uses: Vec<(Use, SessionId)> = self
            .sessions
            .iter()
            .map(|(id, session)| (self.use_of(cx.now, cx.config, session), id))
            .filter(|(u, _)| *u < Use::Withholds || withholds && *u == Use::Withholds)
            .collect();
        // Of equals anyone: the one that is busy with others is not known from the rest.
        self.rng.shuffle(&mut uses);
        let Some((_, id)) = uses.into_iter().min_by_key(|(u, _)| *u) else {
            return false;
        };
        self.close_session(cx, id, &Ending::PlaceTaken);
        true
    }

    /// Fewer places are to be had than are taken.
    pub(in crate::engine) fn let_go_of_surplus(&mut self, cx: &mut Cx<'_, C>) {
        let surplus = self.sessions.len().saturating_sub(cx.config.max_peers);
        for _ in 0..surplus {
            // One by one: a sort of its own would weigh more in a page than everything else here.
            let uses = self.sessions.iter();
            let uses = uses.map(|(id, session)| (self.use_of(cx.now, cx.config, session), id));
            if let Some((_, id)) = uses.min() {
                self.close_session(cx, id, &Ending::EnoughPeers);
            }
        }
    }

    /// Slots of those who ask for nothing go to those who wait.
    pub(super) fn pass_on_slots(&mut self, cx: &mut Cx<'_, C>) {
        let config = &cx.config.places;
        for (_, session) in self.sessions.iter_mut() {
            session.watch_slot(cx.now, config);
        }
        // Who gives us something has earned it.
        let now = cx.now;
        let sits =
            |s: &Session<C>| s.remote.giving.sat.is_some() && s.remote.down.long_rate(now) == 0;
        let idle = self
            .sessions
            .iter()
            .filter(|(_, s)| s.remote.giving.is_unchoked() && self.wants(s) && sits(s));
        let idle: Vec<SessionId> = idle.map(|(id, _)| id).collect();
        for (turn, id) in idle.into_iter().enumerate() {
            // By turns to somebody who took or gave something before, and to one who never
            // had a chance to: many may say that they want something.
            let Some(next) = self.next_in_line(turn % 2 == 1) else {
                break;
            };
            self.set_unchoked(cx, id, false);
            self.set_unchoked(cx, next, true);
        }
        self.try_several(cx);
    }

    /// Who gets a slot that is left over: of two kinds, where there are both.
    fn next_in_line(&self, stranger: bool) -> Option<SessionId> {
        let waiting = self.sessions.iter().filter(|(_, s)| {
            s.remote.giving.unchoked.is_none() && self.wants(s) && s.remote.giving.sat.is_none()
        });
        // Who owes us least, and of those who waits longest; of those who were never tried
        // the last, or a crowd that waits would be first for long.
        let next = waiting.min_by_key(|(_, s)| {
            let other = s.remote.is_stranger() != stranger;
            (
                other,
                s.remote.debt(),
                s.remote.giving.choked,
                Reverse(s.remote.since),
            )
        });
        next.map(|(id, _)| id)
    }

    /// While nobody uses a slot, it costs nothing to try several more at once.
    fn try_several(&mut self, cx: &mut Cx<'_, C>) {
        let untried = |s: &Session<C>| {
            self.wants(s) && s.remote.giving.unchoked.is_none() && s.remote.giving.choked.is_none()
        };
        let untried = self.sessions.iter().filter(|(_, s)| untried(s));
        let mut untried: Vec<_> = untried
            .map(|(id, s)| (Reverse(s.remote.since), id))
            .collect();
        untried.sort_unstable();
        if untried.is_empty() || !self.slots_are_idle(cx) {
            return;
        }
        let slots = &cx.config.choke.slots;
        let most = slots
            .1
            .saturating_sub(self.sessions.unchoked())
            .min(slots.0);
        for (_, id) in untried.into_iter().take(most) {
            self.set_unchoked(cx, id, true);
        }
    }

    /// It has just got its first slot, and had no time to ask for anything.
    pub(super) fn is_on_trial(&self, cx: &Cx<'_, C>, id: SessionId) -> bool {
        let time = cx.config.places.sitting;
        self.sessions.get(id).is_some_and(|session| {
            let new = session
                .remote
                .giving
                .unchoked
                .is_some_and(|since| cx.now - since < time);
            new && self.wants(session)
                && session.remote.giving.choked.is_none()
                && session.remote.giving.asked.is_none()
        })
    }

    /// Everybody who has an upload slot had the time to ask for something, and nobody does.
    pub(super) fn slots_are_idle(&self, cx: &Cx<'_, C>) -> bool {
        let mut held = self
            .sessions
            .values()
            .filter(|s| s.remote.giving.is_unchoked());
        cx.channels.is_idle() && !held.any(|session| session.uses_slot(cx.now, &cx.config.places))
    }

    /// Asks others for channels, as long as there is room for them.
    pub(super) fn meet(&mut self, cx: &mut Cx<'_, C>) {
        if !cx.channels.any_up() || !self.is_running() {
            return;
        }
        let target = cx.config.target_peers;
        let starves = self.starves(cx);
        // Whoever is of use, and whoever is only there.
        let needed = if starves { Use::Hopes } else { Use::Withholds };
        let useful = self.count_useful(cx.now, cx.config, needed);
        let (all, mut awaited) = self.opening(cx);
        let mut free = (2 * target).saturating_sub(all);
        while free > 0 && cx.channels.may_dial_any() {
            let any = self.sessions.len() + awaited < target;
            if !any && useful + awaited >= target {
                break;
            }
            let Some(contact) = self.next_prospect(cx, any, starves) else {
                break;
            };
            self.swarm
                .prospects_mut()
                .asked(cx.now, contact, &cx.config.places);
            let info_hash = self.info_hash;
            cx.channels.dial(info_hash, contact);
            cx.emit(Output::Dial { info_hash, contact });
            free -= 1;
            awaited += 1;
        }
        // There are many, and few of them are of use.
        let (complete, incomplete) = self.swarm.counts();
        let members = complete.saturating_add(incomplete) as usize;
        let few = useful < target / 3 && members > useful + 1 && !self.is_finished();
        if !starves && !few {
            return;
        }
        // Who came to us by itself was never asked, and is nobody left to ask.
        let here = self.sessions.contacts();
        let finished = self.is_finished();
        let untried = self
            .swarm
            .prospects()
            .any_untried(|contact, known| known.promises(finished) && !here.contains(&contact));
        if !untried {
            self.look(cx, Urgency::Lonely);
        }
    }

    /// How many sessions are of so much use to us. While we lack something, those that only
    /// wait for what we have are not.
    pub(super) fn count_useful(&self, now: Time, config: &Config, least: Use) -> usize {
        let finished = self.is_finished();
        let sessions = self.sessions.values();
        let uses = sessions.map(|session| self.use_of(now, config, session));
        uses.filter(|u| *u >= least && (finished || *u != Use::Waits))
            .count()
    }

    /// Who has not been asked yet, or not lately. `any`, or only one that may have what we
    /// lack, for which somebody else may have to go.
    fn next_prospect(&mut self, cx: &Cx<'_, C>, any: bool, starves: bool) -> Option<Contact> {
        let finished = self.is_finished();
        let mut rng = self.rng.clone();
        let hasty = starves.then_some(cx.config.places.haste);
        let prospects = self.swarm.prospects();
        let next = prospects.next(cx.now, hasty, &mut rng, |contact, known| {
            let useless = finished && known.is_seed();
            !useless
                && (any || known.promises(finished))
                && cx.channels.may_dial(contact.link())
                && self.sessions.of(contact).is_none()
                && !cx.channels.is_dialled(self.info_hash, contact)
                && self.outcasts.unwelcome(cx.now, contact).is_none()
        });
        self.rng = rng;
        next
    }

    /// Channels that are asked for, and how many of them may soon be answered.
    pub(super) fn opening(&self, cx: &Cx<'_, C>) -> (usize, usize) {
        let patience = cx.config.places.patience;
        let ours = cx.channels.dialled_for(self.info_hash);
        let prospects = self.swarm.prospects();
        ours.fold((0, 0), |(all, soon), contact| {
            let may = prospects.may_answer(cx.now, contact, patience);
            (all + 1, soon + usize::from(may))
        })
    }

    /// Somebody does not want a channel.
    pub(in crate::engine) fn declined(&mut self, cx: &Cx<'_, C>, contact: Contact) {
        self.swarm
            .prospects_mut()
            .refused(contact, &cx.config.places);
    }
}
