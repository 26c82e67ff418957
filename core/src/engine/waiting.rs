//! Sessions that may have something to send, each in its turn.

use super::channels::SessionKey;
use crate::sorted::SortedSet;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    ready: SortedSet<SessionKey>,
    /// The session that was last served, so that the next turn begins behind it.
    last_served: Option<SessionKey>,
}

impl Waiting {
    /// A session may have something to send.
    pub(super) fn add(&mut self, session: SessionKey) {
        self.ready.insert(session);
    }

    /// It has not, or can't, until it is added again.
    pub(super) fn remove(&mut self, session: SessionKey) {
        self.ready.remove(&session);
    }

    /// Everybody, the one behind whoever was last served first.
    pub(super) fn in_turn(&self) -> Vec<SessionKey> {
        let mut waiting: Vec<_> = self.ready.iter().copied().collect();
        if let Some(last) = self.last_served {
            let behind = waiting.partition_point(|key| *key <= last);
            waiting.rotate_left(behind);
        }
        waiting
    }

    /// It was its turn.
    pub(super) fn served(&mut self, session: SessionKey) {
        self.last_served = Some(session);
    }
}
