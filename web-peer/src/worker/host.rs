//! The node's host: feeds it what happens, and does what it says.
//!
//! Every callback of the browser ends in [`Host::feed`]. Outputs are drained once the
//! callback is over, so that what arrived together is answered together.

mod work;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use swarm_core::engine::config::{DirectConfig, ExchangeConfig, PathsConfig, RtcConfig};
use swarm_core::engine::{Config, Event};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{Origin, TrackerAddress};
use swarm_core::node::{self, LinkInput, LinkOutput, Node, WireInput};
use swarm_core::overlay::OverlayConfig;
use swarm_core::time::Time;
use wasm_bindgen_futures::spawn_local;
use web_sys::DedicatedWorkerGlobalScope;

use super::chunk::TabChunk;
use super::clock::Clock;
use super::direct::Directs;
use super::embed::Listener;
use super::js::Timer;
use super::json;
use super::limits::Limiting;
use super::links::{Links, MAX_LINKS};
use super::parts::CUT;
use super::play::Plays;
use super::record::Recording;
use super::sha1::Hasher;
use super::show::Show;
use super::source::UnderWay;
use super::store::{Record, Store};
use super::torrents::{Torrent, Torrents};
use super::trackers::{Exchange, canonical};
use super::web_seeds::Fetching;

/// The node of a tab.
pub(super) type TabNode = Node<Recording, TabChunk>;
/// What it is told, and what it wants.
pub(super) type Input = node::Input<TabChunk>;
type Output = node::Output<TabChunk>;

/// Everything that the worker has. Lives as long as it does.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) scope: DedicatedWorkerGlobalScope,
    /// Who is told things through it.
    pub(super) listener: Listener,
    pub(super) clock: Clock,
    node: RefCell<TabNode>,
    /// Which node it is: what an earlier one asked for is not told to this one.
    generation: Cell<u32>,
    draining: Cell<bool>,
    timer: RefCell<Option<(Time, Timer)>>,
    pub(super) links: RefCell<Links>,
    pub(super) exchange: RefCell<Exchange>,
    pub(super) directs: RefCell<Directs>,
    pub(super) fetching: RefCell<Fetching>,
    /// A person wants no direct links.
    pub(super) relay_only: Cell<bool>,
    pub(super) store: Store,
    pub(super) hasher: Hasher,
    pub(super) torrents: Torrents,
    pub(super) sources: UnderWay,
    pub(super) show: RefCell<Show>,
    pub(super) plays: RefCell<Plays>,
    pub(super) limits: RefCell<Limiting>,
    /// The WebSocket address of the page's own server, a tracker of all torrents that are made
    /// here.
    pub(super) tracker: String,
    /// Where the page came from.
    pub(super) origin: Origin,
}

impl Host {
    pub(super) fn new(
        scope: DedicatedWorkerGlobalScope,
        listener: Listener,
        store: Store,
        tracker: &str,
    ) -> Rc<Self> {
        let clock = Clock::new();
        let node = node(&clock, None);
        let origin = TrackerAddress::parse(tracker).map(|own| own.origin());
        let origin = origin.unwrap_or(Origin {
            secure: tracker.starts_with("wss:"),
            local: false,
        });
        let tracker = canonical(tracker);
        Rc::new(Host {
            scope,
            listener,
            clock,
            node: RefCell::new(node),
            generation: Cell::default(),
            draining: Cell::default(),
            timer: RefCell::default(),
            links: RefCell::new(Links::new(tracker.clone())),
            exchange: RefCell::default(),
            directs: RefCell::default(),
            fetching: RefCell::default(),
            relay_only: Cell::default(),
            store,
            hasher: Hasher::new(),
            torrents: Torrents::default(),
            sources: UnderWay::default(),
            show: RefCell::default(),
            plays: RefCell::default(),
            limits: RefCell::default(),
            tracker,
            origin,
        })
    }

    pub(super) fn node(&self) -> std::cell::Ref<'_, TabNode> {
        self.node.borrow()
    }

    /// Puts a new node, which is recorded, in the place of this one. It has no torrents.
    pub(super) fn renew(self: &Rc<Self>, recording: Recording) {
        self.generation.set(self.generation.get() + 1);
        self.drop_directs();
        self.drop_fetches(|_| true);
        self.exchange.take();
        self.node.replace(node(&self.clock, Some(recording)));
        self.set_relay_only(self.relay_only.get());
        self.tell_limits();
    }

    /// A person wants no direct links, or allows them again.
    pub(super) fn set_relay_only(self: &Rc<Self>, only: bool) {
        self.relay_only.set(only);
        self.feed(Input::RelayOnly(only));
        self.follow_trackers();
    }

    /// Ends the recording, if there is one.
    pub(super) fn stop_recording(&self) -> Option<Recording> {
        self.node.borrow_mut().stop_recording(self.clock.now())
    }

    /// A recording that ended by itself, once.
    pub(super) fn take_ended_recording(&self) -> Option<Recording> {
        self.node.borrow_mut().take_ended()
    }

    /// It is this node that asked.
    pub(super) fn is_current(&self, generation: u32) -> bool {
        generation == self.generation.get()
    }

    /// Tells the node what happened, and does what follows as soon as the present
    /// callback is over.
    pub(super) fn feed(self: &Rc<Self>, input: Input) {
        self.node.borrow_mut().handle(self.clock.now(), input);
        self.drain_soon();
    }

    /// Does what the node says, and tells it what has left, as soon as the present callback is
    /// over.
    pub(super) fn drain_soon(self: &Rc<Self>) {
        if !self.draining.replace(true) {
            let host = Rc::clone(self);
            spawn_local(async move { host.drain() });
        }
    }

    fn drain(self: &Rc<Self>) {
        self.draining.set(false);
        loop {
            let output = self.node.borrow_mut().poll_output();
            if let Some(output) = output {
                self.carry_out(output);
                continue;
            }
            let by_links = self.take_sent().into_iter();
            let by_links = by_links.map(|(link, sent)| Input::Link(link, LinkInput::Sent(sent)));
            let by_wires = self.take_wires_sent().into_iter();
            let by_wires = by_wires.map(|(wire, sent)| Input::Wire(wire, WireInput::Sent(sent)));
            let sent: Vec<Input> = by_links.chain(by_wires).collect();
            if sent.is_empty() {
                break;
            }
            for input in sent {
                self.node.borrow_mut().handle(self.clock.now(), input);
            }
        }
        self.wake_readers();
        self.look_after_recording();
        self.arm();
        self.changed();
    }

    /// Arms the timer, unless one is armed that fires early enough: a tick that comes too
    /// early changes nothing, and most deadlines only move back.
    fn arm(self: &Rc<Self>) {
        let deadline = self
            .node
            .borrow()
            .poll_timeout()
            .map(|(deadline, _)| deadline);
        let mut timer = self.timer.borrow_mut();
        let Some(deadline) = deadline else {
            *timer = None;
            return;
        };
        if timer.as_ref().is_some_and(|(armed, _)| *armed <= deadline) {
            return;
        }
        let host = Rc::clone(self);
        // A timer may fire a fraction of a millisecond early, which would cost one more.
        let delay =
            deadline.saturating_since(self.clock.now()) + std::time::Duration::from_millis(1);
        *timer = Some((
            deadline,
            Timer::after(delay, move || {
                host.timer.borrow_mut().take();
                host.feed(Input::Tick);
            }),
        ));
    }

    fn carry_out(self: &Rc<Self>, output: Output) {
        match output {
            Output::Link(link, LinkOutput::Reconnect) => self.lost(link),
            Output::Link(link, LinkOutput::Send(message)) => self.send(link, message),
            Output::Link(link, LinkOutput::Data { channel, parts }) => {
                self.send_data(link, channel, &parts);
            }
            Output::WebTorrent(link, message) => self.send_text(link, &json::encode(&message)),
            Output::Wire(output) => self.work_on_wire(output),
            Output::Direct(id, work) => self.make_direct(id, work),
            Output::Web(output) => self.work_on_web_seeds(output),
            Output::Ask(_) | Output::Trouble { .. } | Output::Bridge(_) => {
                unreachable!("a tab has no such trackers, and is no bridge")
            }
            Output::Store(job, work) => self.begin_work(job, work),
            Output::Event(event) => self.handle_event(event),
            // Said at the torrent, for as long as it is so.
            Output::Refused {
                info_hash: Some(_), ..
            } => {}
            Output::Refused { link, reason, .. } => {
                let links = self.links.borrow();
                let url = links.get(link).map_or("", |link| &link.url);
                self.notice(true, format!("The tracker {url} says: {reason}"));
            }
        }
    }

    fn handle_event(self: &Rc<Self>, event: Event) {
        match event {
            Event::Metadata(metainfo) => self.metadata_is_here(&metainfo),
            Event::Checked(..) => {}
            Event::Completed(info_hash) => {
                let view = self.node().view(self.clock.now());
                let mut torrents = view.torrents.iter();
                // Of what was shared here, or was here already, it is no news.
                if torrents.any(|it| it.info_hash == info_hash && it.downloaded > 0) {
                    let name = self.torrents.name(info_hash);
                    self.notice(false, format!("“{name}” is complete."));
                }
            }
            // It is seen in its state, which the page tells of as long as it lasts.
            Event::Failed { .. } => {}
            Event::Lost {
                info_hash, reason, ..
            } => {
                let name = self.torrents.name(info_hash);
                self.notice(
                    true,
                    format!("“{name}”: a part of it can't be shared any more: {reason}"),
                );
            }
            Event::Banned { info_hash, peer } => {
                let name = self.torrents.name(info_hash);
                self.notice(
                    false,
                    format!("“{name}”: a peer sent corrupt data and was dropped ({peer}). Nothing of it was kept."),
                );
            }
            Event::Refused { reason } => self.notice(true, reason.to_string()),
            Event::DhtNode(_) | Event::Asked { .. } => {
                unreachable!("a tab is told of nodes by channels alone, and is no bridge")
            }
        }
    }

    /// Changes what is known of a torrent, and keeps it.
    pub(super) fn update(self: &Rc<Self>, info_hash: InfoHash, change: impl FnOnce(&mut Torrent)) {
        // It may have been removed in the meantime.
        if let Some(record) = self.torrents.change(info_hash, change) {
            self.keep(record);
        }
    }

    /// Keeps a torrent's record.
    pub(super) fn keep(self: &Rc<Self>, record: Record) {
        let host = Rc::clone(self);
        spawn_local(async move {
            if let Err(error) = host.store.put_record(&record).await {
                let name = host.torrents.name(record.info_hash);
                host.notice(
                    true,
                    format!("“{name}” will be forgotten when this tab is reloaded: {error}"),
                );
            }
        });
    }
}

fn node(clock: &Clock, recording: Option<Recording>) -> TabNode {
    let seed = getrandom::u64().expect("every browser has crypto.getRandomValues");
    Node::new(config(), seed, clock.now(), recording)
}

/// A call of its own, or every one of its fields would be moved by itself.
#[inline(never)]
fn config() -> Config {
    Config {
        whole_piece: CUT.whole,
        part: CUT.part,
        exchange: ExchangeConfig {
            known: 2 * MAX_LINKS,
            ..ExchangeConfig::default()
        },
        // Through the server, and directly.
        paths: PathsConfig {
            channels: 2,
            direct: DirectConfig {
                at_once: 4,
                ..DirectConfig::default()
            },
            rtc: RtcConfig {
                at_once: 8,
                ..RtcConfig::default()
            },
            ..PathsConfig::default()
        },
        overlay: OverlayConfig {
            links: 32,
            bridges: 4,
            ..OverlayConfig::default()
        },
        ..Config::default()
    }
}
