//! A remote peer and the channel through which we talk with it.

use bytes::Bytes;

use super::{PlacesConfig, Remote, Stream};
use crate::chunk::Chunk;
use crate::time::Time;

pub use crate::pieces::download::SessionId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Session<C: Chunk = Bytes> {
    /// Who it is, and what is between us.
    pub(crate) remote: Remote,
    /// The channel.
    pub(crate) talk: Stream<C>,
}

impl<C: Chunk> Session<C> {
    /// What we asked of it will not come: whoever is asked next is timed anew.
    pub(crate) fn give_up_requests(&mut self) {
        self.talk.give_up_requests();
        self.remote.getting.pipeline.interrupted();
    }

    /// It has an upload slot, and asked for something a moment ago, or had no time to.
    pub(crate) fn uses_slot(&self, now: Time, config: &PlacesConfig) -> bool {
        let time = config.hesitation();
        let lately = |at: Option<Time>| at.is_some_and(|at| now - at < time);
        let giving = &self.remote.giving;
        self.talk.outbox.upload_count() > 0 || lately(giving.asked) || lately(giving.unchoked)
    }

    /// It has an upload slot, and does not use it: others may be tried beside it.
    pub(crate) fn hesitates(&self, now: Time, config: &PlacesConfig) -> bool {
        self.remote.giving.sat.is_some()
            || !self.uses_slot(now, config) && !self.trades(now, config)
    }

    /// Who traded with us lately may just have enough for the moment.
    fn trades(&self, now: Time, config: &PlacesConfig) -> bool {
        let exchanged = self.remote.exchanged;
        exchanged.is_some_and(|at| now - at < config.exchange)
    }

    /// Looks whether it uses its upload slot. Whoever does not comes last for a while.
    pub(crate) fn watch_slot(&mut self, now: Time, config: &PlacesConfig) {
        let giving = &mut self.remote.giving;
        let Some(since) = giving.unchoked.filter(|_| giving.interested) else {
            if giving.sat.is_some_and(|sat| now - sat >= config.sat) {
                giving.sat = None;
            }
            return;
        };
        let since = giving.asked.map_or(since, |asked| asked.max(since));
        let sits = self.talk.outbox.upload_count() == 0 && now - since >= config.sitting;
        if sits && !self.trades(now, config) {
            self.remote.giving.sat = Some(now);
        }
    }
}
