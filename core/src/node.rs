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

mod asked;
mod bridge;
mod flow;
mod hear;
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
use crate::engine::{self, Command, Config, Ending};
use crate::find::Announcer;
use crate::find::announcer::{Said, found};
use crate::id::LinkId;
use crate::net::{Contact, LaneLimits, RelayPolicy};
use crate::record::{RecordedEngine, Sink};
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use bridge::Bridge;
use offers::Offers;
use relay::RelayLink;
pub use trackers::TrackerStanding;
use trackers::Trackers;
use web_seeds::WebSeeds;
pub use web_seeds::{Answer, Fetch, SeedTrouble, WebInput, WebOutput, WebSeedView};
use webtorrent::WebTorrentLink;
use wire::Wires;

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
