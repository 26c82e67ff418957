//! What happens because time passes.

use std::time::Duration;

use super::{Cx, Ending, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Config, TimerKind};
use crate::peer::{Session, SessionId};
use crate::pieces::BLOCK;
use crate::time::Time;
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// Why it is to be looked after at this time, if it is: of several reasons the rarest. It
    /// is asked after every input, and looks at no session.
    pub(in crate::engine) fn needs_upkeep(&self, at: Time) -> Option<TimerKind> {
        if self.sessions.is_empty() {
            let finished = self.is_finished();
            let waits = self.swarm.prospects().any(|known| known.promises(finished));
            let links = self.introductions.under_way() > 0;
            return (waits || links || self.paths.waits()).then_some(TimerKind::Contacts);
        }
        let slots = (self.slots.is_due(at)).then_some(TimerKind::Slots);
        slots.into_iter().chain([self.watches]).min()
    }

    /// Why sessions are to be looked after at this time.
    fn watch_for(&self, at: Time, config: &Config) -> TimerKind {
        let silent = |s: &Session<C>| {
            s.streams().any(|s| {
                at - s.last_heard >= config.idle_timeout || at - s.last_spoke >= config.keep_alive
            })
        };
        if self.sessions.values().any(silent) {
            TimerKind::Silence
        } else if self.sessions.values().any(|s| s.talk.owes()) {
            TimerKind::Debts
        } else if self.phase.fetch().is_some() {
            TimerKind::Metadata
        } else {
            TimerKind::Rates
        }
    }

    /// Releases old requests, closes dead sessions, gives slots out. Comparing times, so
    /// that it may be called at any moment.
    pub(in crate::engine) fn upkeep(&mut self, cx: &mut Cx<'_, C>) {
        self.look_for_gaps(cx);
        let ids = self.sessions.ids();
        for id in ids {
            self.spare_upkeep(cx, id);
            self.session_upkeep(cx, id);
            self.choose_path(cx, id);
        }
        self.paths.forget_late(cx.now);
        self.direct_upkeep(cx);
        self.introduction_upkeep(cx);
        self.tracker_upkeep(cx);
        self.metadata_upkeep(cx);
        self.tell_of_peers(cx);
        self.meet(cx);
        self.pass_on_slots(cx);
        if self.slots.is_due(cx.now) || self.wastes_a_slot(cx) {
            self.slots.begin_round(cx.now, &cx.config.choke);
            self.choke_round(cx);
        } else {
            self.use_idle_link(cx);
        }
        self.keep_the_impatient(cx);
        self.watches = self.watch_for(cx.now + cx.config.upkeep, cx.config);
    }

    fn session_upkeep(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let crowded = self.sessions.len() > cx.config.max_peers;
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if cx.now - session.talk.last_heard >= cx.config.idle_timeout {
            if session.spare.is_none() {
                return self.close_session(cx, id, &Ending::Silent);
            }
            let channel = session.talk.channel;
            cx.close(channel, Ending::Silent);
            return self.end_channel(cx, id, channel);
        }
        let tried = cx.now - session.remote.since >= cx.config.places.patience;
        if session.guest && tried {
            session.guest = crowded;
            if crowded {
                return self.close_session(cx, id, &Ending::EnoughPeers);
            }
        }
        let rate = session.remote.down.rate(cx.now);
        session
            .remote
            .getting
            .pipeline
            .measure(rate, &cx.config.requests);
        if session.talk.outbox.ready_len() > cx.config.max_waiting.1 {
            return self.close_session(cx, id, &Ending::TakesNothing);
        }
        if session.talk.outbox.ready_len() > 0 {
            // News that waited for company.
            cx.waiting.add((self.info_hash, id));
        }
        if let Err(fault) = self.watch_debts(cx, id) {
            return self.shun(cx, id, fault);
        }
        if cx.config.paths.several() && self.prove_again(cx, id).is_err() {
            return;
        }
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if cx.now - session.talk.last_spoke >= cx.config.keep_alive {
            session.talk.last_spoke = cx.now;
            self.say(cx, id, &Message::KeepAlive);
        }
    }

    /// What a peer owes us for too long is asked of others, and less of it.
    fn watch_debts(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        let limits = &cx.config.requests;
        let asked = session.talk.owes();
        let owes = asked
            || (session.remote.getting.timed_out.is_some() && session.remote.getting.unchoked_us);
        let waited = cx.now - session.remote.getting.last_block;
        if !owes {
            return Ok(());
        }
        session.remote.getting.snubbed |= waited >= limits.snub;
        let trust = &cx.config.trust;
        let getting = &session.remote.getting;
        if getting.breaks_promises(trust.max_broken_promises) || waited >= trust.max_debt {
            return Err(Fault::BrokenPromises);
        }
        // Who is slow is not silent: four times as long as its blocks take.
        let rate = session.remote.down.long_rate(cx.now);
        let pace = 4 * u64::from(BLOCK) / rate.max(1);
        let pace = match rate {
            0 => Duration::ZERO,
            _ => Duration::from_secs(pace).min(limits.snub),
        };
        let timeout = if session.remote.getting.delivered {
            limits.timeout.max(pace)
        } else {
            limits
                .doubt
                .saturating_mul(1 << session.remote.getting.strikes.min(8))
        };
        let since = session
            .remote
            .getting
            .timed_out
            .unwrap_or(session.remote.getting.last_block);
        let doubtful = asked && waited >= limits.doubt.max(pace);
        let late = asked && cx.now - since >= timeout;
        if late {
            let requests = session.talk.request_count();
            session.remote.getting.strike(cx.now, requests);
            self.release_requests(cx, id);
        }
        if let Some(download) = self.phase.download_mut()
            && doubtful
            && download.doubt(id)
        {
            self.refill.ask_everybody();
        }
        Ok(())
    }
}
