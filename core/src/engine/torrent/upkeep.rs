//! What happens because time passes.

use std::time::Duration;

use super::messages::find;
use super::{Cx, Ending, Fault, Phase, Torrent};
use crate::chunk::Chunk;
use crate::peer::SessionId;
use crate::pieces::BLOCK;
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// Sessions need looking after.
    pub(in crate::engine) fn needs_upkeep(&self) -> bool {
        // Somebody refused, and is asked again.
        let waits = self.swarm.prospects.any(|known| self.promises(known));
        !self.sessions.is_empty() || waits
    }

    /// Releases old requests, closes dead sessions, gives slots out. Comparing times, so
    /// that it may be called at any moment.
    pub(in crate::engine) fn upkeep(&mut self, cx: &mut Cx<'_, C>) {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.session_upkeep(cx, id);
        }
        self.metadata_upkeep(cx);
        self.meet(cx);
        self.pass_on_slots(cx);
        if self.next_choke <= cx.now || self.wastes_a_slot(cx) {
            self.next_choke = cx.now + cx.config.choke.interval;
            self.choke_round(cx);
        } else {
            self.use_idle_link(cx);
        }
    }

    fn session_upkeep(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if cx.now - session.last_heard >= cx.config.idle_timeout {
            return self.close_session(cx, id, &Ending::Silent);
        }
        let rate = session.down.rate(cx.now);
        session.pipeline.measure(rate, &cx.config.requests);
        if session.outbox.ready_len() > cx.config.max_waiting.1 {
            return self.close_session(cx, id, &Ending::TakesNothing);
        }
        if session.outbox.ready_len() > 0 {
            // News that waited for company.
            cx.waiting.add((self.info_hash, id));
        }
        if let Err(fault) = self.watch_debts(cx, id) {
            return self.shun(cx, id, fault);
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if cx.now - session.last_spoke >= cx.config.keep_alive {
            session.last_spoke = cx.now;
            self.say(cx, id, &Message::KeepAlive);
        }
    }

    /// What a peer owes us for too long is asked of others, and less of it.
    fn watch_debts(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> Result<(), Fault> {
        let session = find(&mut self.sessions, id)?;
        let limits = &cx.config.requests;
        let asked = !session.requests.is_empty();
        let owes = asked || (session.timed_out.is_some() && session.unchoked_us);
        let waited = cx.now - session.last_block;
        if !owes {
            return Ok(());
        }
        session.snubbed |= waited >= limits.snub;
        let trust = &cx.config.trust;
        if session.breaks_promises(trust.max_broken_promises) || waited >= trust.max_debt {
            return Err(Fault::BrokenPromises);
        }
        // Who is slow is not silent: four times as long as its blocks take.
        let rate = session.down.long_rate(cx.now);
        let pace = 4 * u64::from(BLOCK) / rate.max(1);
        let pace = match rate {
            0 => Duration::ZERO,
            _ => Duration::from_secs(pace).min(limits.snub),
        };
        let timeout = if session.delivered {
            limits.timeout.max(pace)
        } else {
            limits.doubt.saturating_mul(1 << session.strikes.min(8))
        };
        let since = session.timed_out.unwrap_or(session.last_block);
        let doubtful = asked && waited >= limits.doubt.max(pace);
        let late = asked && cx.now - since >= timeout;
        if late {
            session.strike(cx.now);
            self.release_requests(id);
        }
        if let Phase::Active(download) = &mut self.phase
            && doubtful
            && download.doubt(id)
        {
            self.refill_all = true;
        }
        Ok(())
    }
}
