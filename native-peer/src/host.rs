//! The loop that owns the node: inputs from the links to servers, from wires, from the disk and
//! from the clock; outputs carried out. One task, no locks.

mod meeting;
mod stores;
mod ways;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use dht_node::DhtNode;
use swarm_core::engine::{Command, Config, Contents, Event, Job, TrackerView, View, Work};
use swarm_core::id::InfoHash;
use swarm_core::net::Rates;
use swarm_core::node::{Input, LinkInput, Node, Output, WebOutput};
use swarm_core::pieces::PieceIndex;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use tokio::time::{Instant, sleep_until};

use crate::address::Trackers;
use crate::announce::Announces;
use crate::carrying::Carrying;
use crate::dht::DhtPeers;
use crate::disk::Disk;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::link::{LinkEvent, LinkStatus};
use crate::links::Links;
use crate::lsd::Lsd;
use crate::named::NamedPeers;
use crate::recording::Recording;
use crate::store::Store;
use crate::web_seeds::WebSeeds;
use crate::webrtc::WebRtc;
use crate::wires::Wires;
use meeting::{next_of_dht, next_of_lsd};
use stores::next_of_carrying;
use ways::{next_of_webrtc, next_of_wires};

/// Something that whoever runs the host should know.
#[derive(Debug)]
pub enum HostEvent {
    /// The engine says so.
    Engine(Event),
    /// The tracker refused something, in these words.
    Refused(String),
    /// Something else is wrong that a person may mend.
    Trouble(String),
}

/// See the module. Must be made and used within a Tokio runtime.
#[derive(Debug)]
pub struct Host {
    node: Node<Recording>,
    /// The node's time zero.
    epoch: Instant,
    links: Links,
    exchange: Exchange,
    /// Peers by TCP, if it is to be had.
    wires: Option<Wires>,
    /// Peers by WebRTC, if it is to be had.
    webrtc: Option<WebRtc>,
    named: NamedPeers,
    announces: Announces,
    web_seeds: WebSeeds,
    lsd: Option<Lsd>,
    /// Torrents that the local network was told of.
    told: BTreeSet<InfoHash>,
    dht: Option<DhtPeers>,
    carrying: Option<Carrying>,
    disk: Disk,
    stores: BTreeMap<InfoHash, Arc<dyn Store>>,
    /// What the node wants of stores that are not attached yet.
    unattached: Vec<(Job, Work)>,
    events: VecDeque<HostEvent>,
}

impl Host {
    /// A peer without torrents that begins to connect to its tracker. `seed` comes from
    /// the system's randomness.
    pub fn new(config: Config, trackers: impl Into<Trackers>, seed: u64) -> Self {
        Self::recorded(config, Some(trackers.into()), seed, None)
    }

    /// As [`Host::new`], recorded from the beginning if there is a recording, and with no
    /// such tracker if there is none.
    pub fn recorded(
        config: Config,
        trackers: Option<Trackers>,
        seed: u64,
        recording: Option<Recording>,
    ) -> Self {
        let rng = Rng::new(seed);
        let seed = rng.fork("engine").next_u64();
        Host {
            node: Node::new(config, seed, Time::ZERO, recording),
            epoch: Instant::now(),
            links: Links::new(trackers, rng.fork("link")),
            exchange: Exchange::default(),
            wires: None,
            webrtc: None,
            named: NamedPeers::new(Vec::new()),
            announces: Announces::default(),
            web_seeds: WebSeeds::new(),
            lsd: None,
            told: BTreeSet::new(),
            dht: None,
            carrying: None,
            disk: Disk::new(),
            stores: BTreeMap::new(),
            unattached: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes part in the network by TCP from now on. The configuration's `listen_port` is to
    /// be the one at which `wires` listen.
    pub fn join_network(&mut self, wires: Wires) {
        let dials = wires.dials();
        self.wires = Some(wires);
        self.handle(Input::Network { dials });
    }

    /// Is linked with tabs and WebTorrent's clients directly (WebRTC) from now on, and takes
    /// trackers of WebTorrent's kind for what they are. To be said before anything else, and
    /// where the configuration's `paths.direct` and `paths.rtc` make links.
    pub fn link_directly(&mut self, webrtc: WebRtc) {
        self.webrtc = Some(webrtc);
        self.links.speak_webtorrent();
    }

    /// Calls peers for all torrents, each named as `HOST:PORT`; again and again, since they
    /// may come later.
    pub fn call(&mut self, names: Vec<String>) {
        self.named = NamedPeers::new(names);
    }

    /// Looks for peers in the local network, and tells it that we take connections at `port`,
    /// where there is such a network. `seed` comes from the system's randomness.
    pub fn discover(&mut self, port: u16, seed: u64) {
        let cookie = Rng::new(seed).fork("lsd").next_u64();
        self.lsd = Lsd::join(port, cookie).ok();
    }

    /// Looks for peers in the DHT, and tells it that we take connections at `port`.
    pub fn join_dht(&mut self, node: DhtNode, port: u16) {
        self.dht = Some(DhtPeers::new(node, port));
        self.follow_in_dht();
    }

    /// Carries torrents for tabs from now on. To be said where the configuration's
    /// `overlay.bridge` says how many, and with [`Host::join_dht`].
    pub fn carry(&mut self, carrying: Carrying) {
        self.carrying = Some(carrying);
    }

    /// Of the trackers by HTTP, a person named these: they may be called anything, in one's own network
    /// too.
    pub fn trust_trackers(&mut self, urls: Vec<String>) {
        self.announces.are_typed(urls);
    }

    /// Has a torrent announced to trackers by HTTP and UDP, tier by tier (BEP 12).
    pub fn announce(&mut self, info_hash: InfoHash, tiers: Vec<Vec<String>>) {
        self.handle(Input::Trackers { info_hash, tiers });
    }

    /// Has a torrent fetched from these web seeds, too (BEP 19), `http` and `https`: where
    /// peers give nothing.
    pub fn ask_web_seeds(&mut self, info_hash: InfoHash, urls: Vec<String>) {
        self.handle(Input::WebSeeds { info_hash, urls });
    }

    /// So many bytes a second may be given and taken from now on, by all torrents together.
    pub fn set_rates(&mut self, rates: Rates) {
        self.handle(Input::SetRates(rates));
    }

    /// Tells the engine what a person wants.
    pub fn command(&mut self, command: Command) {
        if let Command::Remove(info_hash) = &command {
            self.stores.remove(info_hash);
        }
        self.handle(Input::Command(command));
        self.follow_in_dht();
    }

    /// Works until there is something to tell. The host works only while this is
    /// awaited; dropping the future loses nothing.
    pub async fn next_event(&mut self) -> HostEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let timeout = self
                .node
                .poll_timeout()
                .map(|(at, _)| self.epoch + at.since_epoch());
            let input = tokio::select! {
                (link, event) = self.links.next() => Input::Link(link, match event {
                    LinkEvent::Up => LinkInput::Up,
                    LinkEvent::Down => LinkInput::Down,
                    LinkEvent::Message(message) => message.into(),
                    LinkEvent::Sent(bytes) => LinkInput::Sent(bytes),
                    LinkEvent::WebTorrent(input) => {
                        self.handle(Input::WebTorrent(link, input));
                        continue;
                    }
                }),
                input = next_of_webrtc(&mut self.webrtc) => input,
                input = next_of_wires(&mut self.wires) => input,
                found = self.named.next() => {
                    match found {
                        Ok(addresses) => self.meet(&addresses),
                        Err(trouble) => self.events.push_back(HostEvent::Trouble(trouble)),
                    }
                    continue;
                }
                input = self.announces.next() => input,
                input = self.web_seeds.next() => input,
                event = next_of_lsd(&mut self.lsd) => {
                    self.hear_locally(event);
                    continue;
                }
                (info_hash, store) = next_of_carrying(&mut self.carrying) => {
                    self.store_carried(info_hash, store);
                    continue;
                }
                news = next_of_dht(&mut self.dht) => {
                    self.hear_of_dht(news);
                    continue;
                }
                input = self.disk.next() => input,
                () = sleep_until(timeout.unwrap_or(self.epoch)), if timeout.is_some() => Input::Tick,
            };
            self.handle(input);
        }
    }

    /// What a person sees: what changes often, of every torrent that is not carried for others.
    pub fn view(&self) -> View {
        let mut view = self.node.view(self.now());
        view.torrents
            .retain(|torrent| !self.node.is_carried(torrent.info_hash));
        // The node tells of servers that are relays.
        if self.links.has_webtorrent() {
            view.tracker = TrackerView::Up;
        }
        view
    }

    /// What a torrent is and has, if there is one of this hash.
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.node.contents(info_hash)
    }

    /// Tells the engine that a torrent's store has lost pieces.
    pub fn lost(&mut self, info_hash: InfoHash, pieces: Vec<PieceIndex>) {
        self.handle(Input::Lost { info_hash, pieces });
    }

    /// All that was sent has left for the network.
    pub fn is_quiet(&self) -> bool {
        self.node.is_quiet()
    }

    /// How the best of the links to servers is, if there are any.
    pub fn link(&self) -> Option<&LinkStatus> {
        self.links.status()
    }

    /// Ends the recording, if there is one; the host goes on.
    pub fn end_recording(&mut self) -> Option<Recording> {
        let now = self.now();
        self.node.stop_recording(now)
    }

    /// Why the recording ended by itself, if it did; told once.
    pub fn recording_failure(&mut self) -> Option<Error> {
        self.node.take_ended()?.finish().err()
    }

    /// Leaves every swarm and says goodbye to trackers, for at most `patience`; then
    /// lets writes that were begun come to their end.
    pub async fn shut_down(mut self, patience: Duration) {
        let torrents: Vec<InfoHash> = self.node.torrents().collect();
        for info_hash in torrents {
            self.command(Command::Remove(info_hash));
        }
        // Buffered to the end; whoever wants to know that it arrived has ended it before.
        drop(self.end_recording());
        if let Some(dht) = self.dht {
            dht.close();
        }
        let webrtc = self.webrtc;
        let links = async {
            if let Some(webrtc) = webrtc {
                webrtc.finish(patience).await;
            }
        };
        tokio::join!(
            self.links.close(patience),
            self.announces.finish(patience),
            links
        );
        self.disk.finish().await;
    }

    fn now(&self) -> Time {
        Time::from_epoch(self.epoch.elapsed())
    }

    fn handle(&mut self, input: Input) {
        // What is in the payload's frames says nothing of servers.
        let told = matches!(
            input,
            Input::Link(_, LinkInput::Up | LinkInput::Down | LinkInput::Message(_)) | Input::Tick
        );
        self.feed(input);
        if told {
            self.exchange_trackers();
        }
    }

    fn feed(&mut self, input: Input) {
        self.node.handle(self.now(), input);
        while let Some(output) = self.node.poll_output() {
            self.carry_out(output);
        }
    }

    /// Follows what peers say of servers, and says what they may be told.
    fn exchange_trackers(&mut self) {
        let torrents = self.node.torrents();
        let own = torrents.filter(|torrent| !self.node.is_carried(*torrent));
        let torrents: Vec<InfoHash> = own.collect();
        let news = self.exchange.follow(&torrents, &self.node, &mut self.links);
        for input in news {
            self.feed(input);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Wire(output) => self.wire(output),
            Output::Event(Event::DhtNode(address)) => {
                if let Some(dht) = &mut self.dht {
                    dht.hear_of(address);
                }
            }
            Output::Link(link, output) => self.links.tell(link, output),
            Output::Direct(id, work) => self.make_direct(id, work),
            Output::WebTorrent(link, message) => self.links.tell_webtorrent(link, &message),
            Output::Event(event) => {
                let is_known = matches!(event, Event::Metadata(_));
                self.events.push_back(HostEvent::Engine(event));
                if is_known {
                    self.tell_locally();
                    self.follow_in_dht();
                }
            }
            Output::Refused { reason, .. } => self.events.push_back(HostEvent::Refused(reason)),
            Output::Ask(ask) => self.announces.ask(ask),
            Output::Trouble { url, trouble, .. } => {
                let words = format!("tracker {url}: {trouble}");
                self.events.push_back(HostEvent::Trouble(words));
            }
            Output::Web(WebOutput::Fetch(fetch)) => self.web_seeds.fetch(fetch),
            Output::Web(WebOutput::Drop(number)) => self.web_seeds.drop(number),
            Output::Web(WebOutput::Trouble { url, trouble, .. }) => {
                let words = format!("web seed {url}: {trouble}");
                self.events.push_back(HostEvent::Trouble(words));
            }
            Output::Bridge(output) => self.carry_for_others(output),
            Output::Store(job, work) => self.work(job, work),
        }
    }
}
