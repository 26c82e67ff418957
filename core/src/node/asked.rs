//! What a host asks of a node: what is due, and how everything is.

use super::relay::RelayLink;
use super::{Node, Output, TimerKind, WebSeedView};
use crate::chunk::Chunk;
use crate::engine::{Contents, PeerContents, View};
use crate::find::announcer::SourceView;
use crate::id::{InfoHash, PeerId};
use crate::net::HAS_SOCKETS;
use crate::record::Sink;
use crate::time::Time;

impl<S: Sink, C: Chunk> Node<S, C> {
    /// The next thing for the host to do.
    pub fn poll_output(&mut self) -> Option<Output<C>> {
        self.out.pop_front()
    }

    /// When to send [`Input::Tick`](super::Input::Tick), and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerKind)> {
        let engine = self.engine.engine().poll_timeout();
        let engine = engine.map(|(due, kind)| (due, TimerKind::Engine(kind)));
        let links = self.links.values();
        let links = links.flat_map(|link| link.timeouts(self.engine.engine()));
        let foreign = self.foreign.values();
        let foreign = foreign.flat_map(|link| link.timeouts(self.engine.engine()));
        let offers = [(self.offers.due(), TimerKind::Offer)];
        let links = links.chain(foreign).chain(offers);
        let links = links.filter_map(|(time, kind)| Some((time?, kind)));
        let announce = self.announcer.due(self.engine.engine());
        let announce = announce.map(|due| (due, TimerKind::Announce));
        let strangers = self.wires.due(&self.engine.engine().config().paths);
        let strangers = strangers.map(|due| (due, TimerKind::Handshake));
        let web_seeds = self.web_seeds.due(self.engine.engine());
        let web_seeds = web_seeds.map(|due| (due, TimerKind::WebSeed));
        let bridge = self.bridge.due().filter(|_| HAS_SOCKETS);
        let bridge = bridge.map(|due| (due, TimerKind::Bridge));
        engine
            .into_iter()
            .chain(bridge)
            .chain(links)
            .chain(announce)
            .chain(strangers)
            .chain(web_seeds)
            .min()
    }

    /// All that was sent has left the host.
    pub fn is_quiet(&self) -> bool {
        self.engine.engine().is_quiet()
    }

    /// The torrents, in the order in which they came.
    pub fn torrents(&self) -> impl Iterator<Item = InfoHash> {
        self.engine.engine().torrents()
    }

    /// What a person sees.
    pub fn view(&self, now: Time) -> View {
        let mut view = self.engine.engine().view(now);
        let states = self.links.values().map(RelayLink::state);
        view.tracker = states.max().unwrap_or_default();
        for torrent in &mut view.torrents {
            if self.engine.engine().is_running(torrent.info_hash) {
                torrent.standing = self.standing(torrent.info_hash);
            }
        }
        view
    }

    /// A torrent's trackers by HTTP and UDP.
    pub fn trackers(&self, info_hash: InfoHash) -> Vec<SourceView> {
        self.announcer.view(info_hash)
    }

    /// A torrent's web seeds.
    pub fn web_seeds(&self, now: Time, info_hash: InfoHash) -> Vec<WebSeedView> {
        self.web_seeds.view(now, info_hash)
    }

    /// What a torrent is and has, see [`Engine::contents`](crate::engine::Engine::contents).
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.engine.engine().contents(info_hash)
    }

    /// Who a torrent is exchanged with, see [`Engine::peers`](crate::engine::Engine::peers).
    pub fn peers(&self, now: Time, info_hash: InfoHash) -> Vec<PeerContents<'_>> {
        self.engine.engine().peers(now, info_hash)
    }

    /// What we call ourselves to other peers.
    pub fn peer_id(&self) -> PeerId {
        self.engine.engine().peer_id()
    }

    /// Looks at everybody once more, see [`Engine::wake`](crate::engine::Engine::wake).
    pub fn wake(&mut self, now: Time) -> bool {
        let found = self.engine.wake(now);
        self.route(now);
        self.work_web_seeds(now);
        found
    }

    /// What the recording goes to, while it goes on.
    pub fn recording(&self) -> Option<&S> {
        self.engine.recording()
    }

    /// Ends the recording; the node goes on. Returns its sink, also of one that ended by
    /// itself, once.
    pub fn stop_recording(&mut self, now: Time) -> Option<S> {
        self.engine.stop(now)
    }

    /// The sink of a recording that ended by itself, because the sink had no more room; once.
    pub fn take_ended(&mut self) -> Option<S> {
        self.engine.take_ended()
    }
}
