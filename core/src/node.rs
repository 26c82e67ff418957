//! A peer as its host drives it: the engine, its links, and what finds others for it.
//!
//! A host owns a [`Node`] and runs this loop: [`Node::handle`] an [`Input`], drain
//! [`Node::poll_output`] until it returns none, arm one timer for [`Node::poll_timeout`] and
//! report it as [`Input::Tick`]. A tick that comes early, or twice, changes nothing.
//! [`Node::view`] is what a person sees.
//!
//! The node routes: what a link's server says becomes the engine's channels and contacts, and
//! what the engine wants becomes messages to servers. Every input and output of the engine
//! passes through here, and into a recording if there is one: recordings know nothing of
//! what carries channels.

mod bridge;
mod flow;
mod io;
mod offers;
mod pulse;
mod relay;
mod trackers;
mod web_seeds;
mod webtorrent;
mod wire;

use std::collections::VecDeque;

pub use bridge::BridgeOutput;
pub use io::{
    DirectInput, Input, LinkInput, LinkOutput, Output, TimerKind, WebTorrentInput, WireInput,
    WireOutput, WireUp,
};

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::engine::{
    self, Command, Config, Contents, DirectId, DirectNews, Ending, PeerContents, PeerPath, View,
};
use crate::find::Announcer;
use crate::find::announcer::{Said, SourceView, found};
use crate::id::{InfoHash, LinkId, PeerId};
use crate::net::{Contact, LaneLimits, RelayPolicy};
use crate::overlay::IS_BRIDGE;
use crate::peer::UNCOUNTED;
use crate::record::{RecordedEngine, Sink};
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::relay::{ServerMessage, StunServer};
use bridge::Bridge;
use offers::Offers;
use relay::RelayLink;
pub use trackers::TrackerStanding;
use trackers::Trackers;
use web_seeds::WebSeeds;
pub use web_seeds::{Answer, Fetch, SeedTrouble, WebInput, WebOutput, WebSeedView};
use webtorrent::WebTorrentLink;
use wire::{News, Wires};

/// See the module. `S` is where recordings go, `C` what payload is.
#[derive(Debug)]
pub struct Node<S = Vec<u8>, C: Chunk = Bytes> {
    engine: RecordedEngine<S, C>,
    links: SortedMap<LinkId, RelayLink>,
    /// Trackers of WebTorrent's kind.
    foreign: SortedMap<LinkId, WebTorrentLink>,
    offers: Offers,
    trackers: Trackers,
    wires: Wires<C>,
    announcer: Announcer,
    web_seeds: WebSeeds<C>,
    bridge: Bridge,
    /// Wires that the engine has no use for any more.
    unwired: Vec<LinkId>,
    out: VecDeque<Output<C>>,
}

impl<S: Sink, C: Chunk> Node<S, C> {
    /// A peer without torrents and without links. `seed` comes from the host's system. Its
    /// engine is recorded from now on if there is a sink.
    pub fn new(config: Config, seed: u64, now: Time, sink: Option<S>) -> Self {
        Node {
            engine: RecordedEngine::new(config, seed, now, sink),
            links: SortedMap::new(),
            foreign: SortedMap::new(),
            offers: Offers::new(Rng::new(seed).fork("offers")),
            trackers: Trackers::default(),
            wires: Wires::default(),
            announcer: Announcer::new(Rng::new(seed).fork("announcer")),
            web_seeds: WebSeeds::default(),
            bridge: Bridge::default(),
            unwired: Vec::new(),
            out: VecDeque::new(),
        }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Time, input: Input<C>) {
        let input = match input {
            Input::Tick => engine::Input::Tick,
            Input::Link(id, input) => self.hear(now, id, input),
            Input::WebTorrent(id, input) => self.hear_webtorrent(now, id, input),
            Input::Wire(id, input) => self.hear_wire(now, id, input),
            Input::Links { info_hash, links } => {
                self.set_trackers(now, info_hash, links);
                engine::Input::Tick
            }
            Input::TellTrackers {
                info_hash,
                addresses,
            } => engine::Input::TellTrackers {
                info_hash,
                addresses,
            },
            Input::RelayOnly(only) => {
                self.web_seeds.set_relay_only(only);
                engine::Input::RelayOnly(only)
            }
            Input::WebSeeds { info_hash, urls } => {
                let config = &self.engine.engine().config().web_seeds;
                self.web_seeds.learn(info_hash, &urls, config);
                engine::Input::Tick
            }
            Input::Web(number, input) => {
                let config = &self.engine.engine().config().web_seeds;
                self.web_seeds.came(now, number, input, config);
                engine::Input::Tick
            }
            Input::SetRates(rates) => engine::Input::SetRates(rates),
            Input::SetMaxPeers(most) => engine::Input::SetMaxPeers(most),
            Input::Direct(id, input) => self.hear_direct(now, id, input),
            Input::Network { dials } => network(dials),
            Input::Met {
                info_hash,
                complete,
                incomplete,
                addresses,
            } => engine::Input::Found {
                info_hash,
                link: LinkId::NETWORK,
                complete,
                incomplete,
                contacts: addresses.into_iter().map(found).collect(),
            },
            Input::Trackers { info_hash, tiers } => {
                let config = &self.engine.engine().config().announce;
                self.announcer.learn(info_hash, tiers, config);
                engine::Input::Tick
            }
            Input::Answered { number, answer } => {
                let config = &self.engine.engine().config().announce;
                let found = self.announcer.answered(now, number, answer, config);
                found.unwrap_or(engine::Input::Tick)
            }
            Input::Undialled { info_hash, address } => engine::Input::Declined {
                info_hash,
                contact: Contact::Address(address),
            },
            Input::Store(job, done) => engine::Input::Store(job, done),
            Input::Command(command) => {
                self.give_up_carrying(now, &command);
                if let Command::Remove(info_hash) = &command {
                    self.web_seeds.forget(*info_hash);
                }
                engine::Input::Command(command)
            }
            Input::Lost { info_hash, pieces } => engine::Input::Lost { info_hash, pieces },
        };
        for link in self.links.values_mut() {
            link.feel_pulse(now, &self.engine.engine().config().tracker, &mut self.out);
        }
        for late in self.wires.late(now, &self.engine.engine().config().paths) {
            self.drop_wire(late, Ending::Silent);
        }
        self.feed(now, input);
        self.take_turns(now);
        self.tend_offers(now);
        while let Some(link) = self.unwired.pop() {
            self.feed(now, engine::Input::LinkDown { link });
        }
        self.work_web_seeds(now);
        self.work_for_bridge(now);
    }

    /// Web seeds and the engine go on until both wait for something else.
    fn work_web_seeds(&mut self, now: Time) {
        loop {
            self.web_seeds.work(now, self.engine.engine());
            let Some(input) = self.web_seeds.poll_input() else {
                break;
            };
            self.feed(now, input);
            while let Some(input) = self.web_seeds.poll_input() {
                self.feed(now, input);
            }
        }
        while let Some(output) = self.web_seeds.poll_output() {
            self.out.push_back(Output::Web(output));
        }
    }

    /// A link has something to say; what that means to the engine.
    fn hear(&mut self, now: Time, id: LinkId, input: LinkInput<C>) -> engine::Input<C> {
        if let LinkInput::Up = input {
            // Whatever there was before is over.
            self.foreign.remove(&id);
            let config = &self.engine.engine().config().tracker;
            let before = self.links.insert(id, RelayLink::new(id, now, config));
            return match before {
                Some(_) => engine::Input::LinkDown { link: id },
                None => engine::Input::Tick,
            };
        }
        let Some(link) = self.links.get_mut(&id) else {
            let down = matches!(input, LinkInput::Down) && self.foreign.remove(&id).is_some();
            return match down {
                true => engine::Input::LinkDown { link: id },
                false => engine::Input::Tick,
            };
        };
        match input {
            LinkInput::Message(message @ (ServerMessage::Offer(_) | ServerMessage::Answer(_))) => {
                link.hears(now);
                self.hear_signal(now, id, &message);
                engine::Input::Tick
            }
            LinkInput::Up => engine::Input::Tick,
            LinkInput::Down => {
                self.links.remove(&id);
                engine::Input::LinkDown { link: id }
            }
            LinkInput::Sent(bytes) => engine::Input::Sent { link: id, bytes },
            LinkInput::Message(message) => {
                if let ServerMessage::Welcome(welcome) = &message
                    && link.member().is_none()
                {
                    self.offers.is_strict(id, welcome.relay_only);
                }
                let invited = match &message {
                    ServerMessage::Peers(peers) => Some((peers.info_hash, peers.rtc)),
                    _ => None,
                };
                let engine = self.engine.engine();
                let input = link.hear(now, message, engine, &self.trackers, &mut self.out);
                if let Some((info_hash, count)) = invited {
                    self.invited(id, info_hash, relay::size(count));
                }
                input
            }
            LinkInput::Data { channel, payload } => link.receive(now, channel, payload),
        }
    }

    /// A direct link that is being made has something to say; the last of what that means to
    /// the engine.
    fn hear_direct(&mut self, now: Time, id: DirectId, input: DirectInput) -> engine::Input<C> {
        if id.channel.link == LinkId::TRACKERS {
            return self.hear_attempt(now, id.attempt, input);
        }
        let (wire, max_payload) = match input {
            DirectInput::Described(text) => {
                return engine::Input::Direct(id, DirectNews::Described(text));
            }
            DirectInput::Failed => return engine::Input::Direct(id, DirectNews::Failed),
            DirectInput::Linked { wire, max_payload } => (wire, max_payload),
        };
        let Some((info_hash, contact, here)) = self.engine.engine().who(id.channel) else {
            // Whoever agreed on it is gone.
            self.drop_wire(wire, Ending::NotWanted);
            return engine::Input::Tick;
        };
        self.feed(now, engine::Input::Direct(id, DirectNews::Linked));
        let up = self.wires.linked(wire, max_payload);
        self.feed(now, up);
        engine::Input::Opened {
            info_hash,
            channel: wire::key(wire),
            contact,
            path: PeerPath::Direct,
            here,
            room: UNCOUNTED,
        }
    }

    /// Where a host may ask for its own addresses (STUN), to make this direct link: the server
    /// behind a link, and what it names. It is the one through which the two know each other, or,
    /// where that is not ours, or none at all, the first that names any.
    pub fn stun(&self, id: DirectId) -> Option<(LinkId, &[StunServer])> {
        let through = self.agreed_through(id);
        let known = |(id, link): (&LinkId, &'_ RelayLink)| (*id, link.stun().is_empty());
        let mut links = self.links.iter();
        let any = through == LinkId::INTRODUCED || self.foreign.contains_key(&through);
        let link = match any {
            true => links.map(known).find(|(_, none)| !none)?.0,
            false => links.find(|(id, _)| **id == through).map(|(id, _)| *id)?,
        };
        Some((link, self.links.get(&link)?.stun()))
    }

    /// A wire has something to say; the last of what that means to the engine.
    fn hear_wire(&mut self, now: Time, id: LinkId, input: WireInput<C>) -> engine::Input<C> {
        let config = &self.engine.engine().config().paths;
        let news = match input {
            WireInput::Up(up) => {
                let (news, crowded_out) = self.wires.up(now, id, up, config);
                if let Some(id) = crowded_out {
                    self.drop_wire(id, Ending::EnoughChannels);
                }
                news
            }
            WireInput::Received(bytes) => self.wires.receive(id, bytes, self.engine.engine()),
            WireInput::Sent(bytes) => self.wires.sent(id, bytes),
            WireInput::Down => {
                self.forget_met(now, id, true);
                News::Inputs(self.wires.down(id).into_iter().collect())
            }
        };
        match news {
            News::Inputs(mut inputs) => {
                let last = inputs.pop();
                for input in inputs {
                    self.feed(now, input);
                }
                last.unwrap_or(engine::Input::Tick)
            }
            News::Drop(reason) => {
                self.drop_wire(id, reason);
                engine::Input::Tick
            }
        }
    }

    /// Has the host close a wire.
    fn drop_wire(&mut self, wire: LinkId, reason: Ending) {
        self.out
            .push_back(Output::Wire(WireOutput::Close { wire, reason }));
    }

    /// Tells the engine, and does what it says. Between its two halves trackers hear what is
    /// due, so that what they find is not late by a turn.
    fn feed(&mut self, now: Time, input: engine::Input<C>) {
        self.engine.absorb(now, input);
        self.route(now);
        for link in self.links.values_mut() {
            link.tell(now, self.engine.engine(), &mut self.out);
        }
        self.tell_webtorrent(now);
        self.announcer.tell(now, self.engine.engine());
        self.say();
        self.engine.flush(now);
        self.route(now);
    }

    /// Passes on what trackers are to be asked, and what is wrong with them.
    fn say(&mut self) {
        while let Some(said) = self.announcer.poll() {
            self.out.push_back(match said {
                Said::Ask(ask) => Output::Ask(ask),
                Said::Trouble {
                    info_hash,
                    url,
                    trouble,
                } => Output::Trouble {
                    info_hash,
                    url,
                    trouble,
                },
            });
        }
    }

    /// Does what the engine says.
    fn route(&mut self, now: Time) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                engine::Output::Direct(id, work) => self.out.push_back(Output::Direct(id, work)),
                engine::Output::Store(job, work) => self.out.push_back(Output::Store(job, work)),
                engine::Output::Event(event) => {
                    let event = self.hear_for_bridge(now, event);
                    self.out.extend(event.map(Output::Event));
                }
                engine::Output::Look { info_hash, .. }
                | engine::Output::Have { info_hash, .. }
                | engine::Output::Leave { info_hash, .. } => {
                    for (id, link) in &mut self.links {
                        if self.trackers.has(info_hash, *id) {
                            link.find(now, &output, &mut self.out);
                        }
                    }
                    let least = self.engine.engine().config().paths.rtc.interval.0;
                    for (id, link) in &mut self.foreign {
                        if self.trackers.has(info_hash, *id) {
                            link.find(now, &output, least);
                        }
                    }
                    self.announce(now, &output);
                }
                engine::Output::Dial {
                    info_hash,
                    contact: Contact::Address(address),
                } => self
                    .out
                    .push_back(Output::Wire(WireOutput::Dial { info_hash, address })),
                engine::Output::Dial { contact, .. } => self.carry(contact.link(), output),
                engine::Output::Send { channel, parts } if self.wires.has(channel.link) => {
                    let wire = channel.link;
                    self.out
                        .push_back(Output::Wire(WireOutput::Send { wire, parts }));
                }
                engine::Output::Close { channel, reason } if self.wires.has(channel.link) => {
                    // The engine hears that its queue is gone, and closes nothing once more.
                    self.wires.down(channel.link);
                    self.forget_met(now, channel.link, false);
                    self.unwired.push(channel.link);
                    self.drop_wire(channel.link, reason);
                }
                engine::Output::Send { channel, parts } if self.web_seeds.has(channel.link) => {
                    self.web_seeds.hear(now, channel.link, &parts);
                }
                engine::Output::Close { channel, reason } if self.web_seeds.has(channel.link) => {
                    let config = &self.engine.engine().config().web_seeds;
                    self.web_seeds.closed(now, channel.link, &reason, config);
                }
                engine::Output::Accept { channel }
                | engine::Output::Close { channel, .. }
                | engine::Output::Send { channel, .. }
                | engine::Output::Consumed { channel, .. }
                | engine::Output::Expect { channel, .. } => self.carry(channel.link, output),
            }
        }
    }

    /// The engine wants something of trackers that are asked.
    fn announce(&mut self, now: Time, output: &engine::Output<C>) {
        let engine = self.engine.engine();
        match *output {
            engine::Output::Look { info_hash, urgency } => {
                let config = &engine.config().announce;
                self.announcer.look(now, info_hash, urgency, config);
            }
            engine::Output::Have {
                info_hash,
                complete: true,
                ..
            } => self.announcer.complete(info_hash),
            engine::Output::Leave { info_hash, totals } => {
                self.announcer.leave(now, info_hash, totals, engine);
                self.say();
            }
            _ => {}
        }
    }

    fn carry(&mut self, link: LinkId, output: engine::Output<C>) {
        if let Some(link) = self.links.get_mut(&link) {
            link.carry(output, self.engine.engine().config(), &mut self.out);
        }
    }

    /// Where a server takes fewer swarms than there are torrents, those whose turn is over make
    /// room.
    fn take_turns(&mut self, now: Time) {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            while let Some(link) = self.links.get_mut(&id)
                && let Some(info_hash) = link.next_over(now, self.engine.engine())
            {
                let link = id;
                self.feed(now, engine::Input::Displaced { info_hash, link });
                if let Some(link) = self.links.get_mut(&id) {
                    link.displace(now, info_hash, &mut self.out);
                    // Whoever has its place now is announced, and nobody else.
                    link.next_over(now, self.engine.engine());
                    link.tell(now, self.engine.engine(), &mut self.out);
                }
            }
        }
    }

    /// The next thing for the host to do.
    pub fn poll_output(&mut self) -> Option<Output<C>> {
        self.out.pop_front()
    }

    /// When to send [`Input::Tick`], and why.
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
        let bridge = self.bridge.due().filter(|_| IS_BRIDGE);
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

    /// What a torrent is and has, see [`engine::Engine::contents`].
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.engine.engine().contents(info_hash)
    }

    /// Who a torrent is exchanged with, see [`engine::Engine::peers`].
    pub fn peers(&self, now: Time, info_hash: InfoHash) -> Vec<PeerContents<'_>> {
        self.engine.engine().peers(now, info_hash)
    }

    /// What we call ourselves to other peers.
    pub fn peer_id(&self) -> PeerId {
        self.engine.engine().peer_id()
    }

    /// Looks at everybody once more, see [`engine::Engine::wake`].
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

/// The network is there, and so many addresses may be dialled at once; or it is not.
fn network<C>(dials: usize) -> engine::Input<C> {
    let link = LinkId::NETWORK;
    match dials {
        0 => engine::Input::LinkDown { link },
        dials => engine::Input::LinkUp {
            link,
            limits: LaneLimits {
                max_channels: dials,
                max_payload: 0,
            },
            policy: RelayPolicy::Free,
        },
    }
}
