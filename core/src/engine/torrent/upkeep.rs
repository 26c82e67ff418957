//! What happens because time passes.

use std::time::Duration;

use super::messages::{fault, find};
use super::{Cx, Fault, Torrent};
use crate::peer::SessionId;
use crate::pieces::BLOCK;
use crate::wire::peer::Message;

/// Silence after which we say that we are alive (BEP 3: "generally two minutes").
const KEEP_ALIVE: Duration = Duration::from_secs(100);

impl Torrent {
    /// Sessions need looking after.
    pub(in crate::engine) fn needs_upkeep(&self) -> bool {
        !self.sessions.is_empty()
    }

    /// Releases old requests, closes dead sessions, gives slots out. Comparing times, so
    /// that it may be called at any moment.
    pub(in crate::engine) fn upkeep(&mut self, cx: &mut Cx<'_>) {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.session_upkeep(cx, id);
        }
        self.metadata_upkeep(cx);
        if self.next_choke <= cx.now || self.wastes_a_slot(cx) {
            self.next_choke = cx.now + cx.config.choke.interval;
            self.choke_round(cx);
        } else {
            self.use_idle_link(cx);
        }
    }

    fn session_upkeep(&mut self, cx: &mut Cx<'_>, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if cx.now - session.last_heard >= cx.config.idle_timeout {
            return self.close_session(cx, id, "silent for too long");
        }
        let rate = session.down.rate(cx.now);
        session.pipeline.measure(rate, &cx.config.requests);
        if session.outbox.ready_len() > cx.config.max_waiting.1 {
            return self.close_session(cx, id, "takes nothing of what it is sent");
        }
        if session.outbox.ready_len() > 0 {
            // News that waited for company.
            cx.link.ready.insert((self.info_hash, id));
        }
        if let Err(Fault(reason)) = self.watch_debts(cx, id) {
            return self.shun(cx, id, &reason);
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if cx.now - session.last_spoke >= KEEP_ALIVE {
            session.last_spoke = cx.now;
            self.say(cx, id, &Message::KeepAlive);
        }
    }

    /// What a peer owes us for too long is asked of others.
    fn watch_debts(&mut self, cx: &mut Cx<'_>, id: SessionId) -> Result<(), Fault> {
        let session = find(&mut self.sessions, id)?;
        let limits = &cx.config.requests;
        let owes = !session.requests.is_empty();
        if owes && cx.now - session.last_block >= limits.snub {
            session.snubbed = true;
        }
        let since = session.timed_out.unwrap_or(session.last_block);
        // Who is slow is not silent: four times as long as its blocks take.
        let rate = session.down.long_rate(cx.now).max(1);
        let pace = Duration::from_secs(4 * u64::from(BLOCK) / rate).min(limits.snub);
        if owes && cx.now - since >= limits.timeout.max(pace) {
            session.timed_out = Some(cx.now);
            session.pipeline.owes();
            let promises = u32::try_from(session.requests.len()).unwrap_or(u32::MAX);
            session.broken_promises = session.broken_promises.saturating_add(promises);
            let trust = &cx.config.trust;
            if session.broken_promises > trust.max_broken_promises
                || cx.now - session.last_block >= trust.max_debt
            {
                return Err(fault("claims pieces that it does not deliver"));
            }
            self.release_requests(id);
            self.refill.insert(id);
        }
        Ok(())
    }
}
