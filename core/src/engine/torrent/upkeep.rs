//! What happens because time passes.

use std::time::Duration;

use super::{Cx, Torrent};
use crate::peer::SessionId;
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
        if self.next_choke <= cx.now {
            self.next_choke = cx.now + cx.config.choke_interval;
            self.choke_round(cx);
        }
    }

    fn session_upkeep(&mut self, cx: &mut Cx<'_>, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if cx.now - session.last_heard >= cx.config.idle_timeout {
            return self.close_session(cx, id, "silent for too long");
        }
        let owing = !session.requests.is_empty()
            && cx.now - session.last_block >= cx.config.request_timeout;
        if owing {
            session.snubbed = true;
            session.last_block = cx.now;
            self.release_requests(id);
        } else if session.snubbed && session.requests.is_empty() {
            self.refill.insert(id);
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if cx.now - session.last_spoke >= KEEP_ALIVE {
            session.last_spoke = cx.now;
            self.say(cx, id, &Message::KeepAlive);
        }
    }
}
