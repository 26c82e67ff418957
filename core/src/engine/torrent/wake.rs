//! Whether anybody waits for what nothing will bring: see [`crate::engine::Engine::wake`].

use super::phase::Phase;
use super::{Cx, Torrent};
use crate::chunk::Chunk;

impl<C: Chunk> Torrent<C> {
    /// Everybody of whom nothing is asked may be asked, and whoever waits for blocks may find
    /// some.
    pub(in crate::engine) fn wake(&mut self, cx: &mut Cx<'_, C>) {
        let idle = self.sessions.iter().filter(|(_, s)| !s.talk.owes());
        for (id, _) in idle {
            self.refill.ask(id);
        }
        self.wake_uploads(cx);
        self.fetch_metadata(cx);
        self.check_more(cx);
    }

    /// How many blocks are asked for, how many wait to be sent, how much of the metadata is
    /// asked for, how much of the store was looked at.
    pub(in crate::engine) fn under_way(&self) -> [usize; 4] {
        let sessions = self.sessions.values();
        let asked = sessions.clone().map(|s| s.talk.request_count()).sum();
        let waiting = sessions.map(|s| s.talk.outbox.upload_count()).sum();
        let (metadata, checked) = match &self.phase {
            Phase::Metadata(fetch) => (fetch.asked(), 0),
            Phase::Checking(check) => (0, check.begun()),
            Phase::Active(_) => (0, 0),
        };
        [asked, waiting, metadata, checked]
    }
}
