//! Peers tell each other of trackers: never of private torrents (BEP 27), nor before it is known
//! that one is not.

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::peer::SessionId;
use crate::wire::peer::Message;
use crate::wire::trackers::TrackersMessage;

/// The id under which we take `ts_trackers` messages.
pub(super) const TS_TRACKERS: u8 = 4;

impl<C: Chunk> Torrent<C> {
    /// See [`crate::engine::Engine::heard_trackers`].
    pub(in crate::engine) fn heard_trackers(&self) -> &[String] {
        self.exchange.heard()
    }

    /// See [`crate::engine::Input::TellTrackers`].
    pub(in crate::engine) fn tell_trackers(&mut self, addresses: Vec<String>) {
        self.exchange.set_ours(addresses);
    }

    /// It is known that it may be spoken of.
    pub(super) fn exchanges_trackers(&self, cx: &Cx<'_, C>) -> bool {
        let metainfo = self.about.metainfo();
        cx.config.exchange.known > 0 && metainfo.is_some_and(|metainfo| !metainfo.is_private())
    }

    /// Tells those who take it what is new.
    pub(super) fn tracker_upkeep(&mut self, cx: &mut Cx<'_, C>) {
        if !self.exchanges_trackers(cx) {
            return;
        }
        for id in self.sessions.ids() {
            let session = self.sessions.get(id);
            let Some(taken_as) = session.and_then(|session| session.talk.ts_trackers) else {
                continue;
            };
            let Some(news) = self.exchange.news(cx.now, id, &cx.config.exchange) else {
                continue;
            };
            let addresses = news.to_vec();
            let payload = TrackersMessage { addresses }.encode();
            let message = Message::Extended {
                id: taken_as,
                payload,
            };
            self.say(cx, id, &message);
        }
    }

    /// A peer tells us what it uses.
    pub(super) fn handle_trackers(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        payload: &[u8],
    ) -> Result<(), Fault> {
        // Addresses are long, and each is looked at.
        self.charge(cx, id, cx.config.work.dictionary.saturating_mul(8))?;
        let told = TrackersMessage::decode(payload)?;
        if self.exchanges_trackers(cx) {
            let config = &cx.config.exchange;
            self.exchange.hear(cx.now, id, &told.addresses, config);
        }
        Ok(())
    }
}
