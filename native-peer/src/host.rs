//! The loop that owns the node: inputs from the tracker link, from the disk and from
//! the clock; outputs carried out. One task, no locks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use swarm_core::engine::{Command, Config, Contents, Event, Job, View, Work};
use swarm_core::id::{InfoHash, LinkId};
use swarm_core::node::{Input, LinkInput, LinkOutput, Node, Output};
use swarm_core::pieces::PieceIndex;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use tokio::time::{Instant, sleep_until};

use crate::address::Trackers;
use crate::disk::Disk;
use crate::error::Error;
use crate::link::{Link, LinkEvent, LinkStatus};
use crate::recording::Recording;
use crate::store::Store;

/// The link to the tracker.
const TRACKER: LinkId = LinkId(0);

/// Something that whoever runs the host should know.
#[derive(Debug)]
pub enum HostEvent {
    /// The engine says so.
    Engine(Event),
    /// The tracker refused something, in these words.
    Refused(String),
}

/// See the module. Must be made and used within a Tokio runtime.
#[derive(Debug)]
pub struct Host {
    node: Node<Recording>,
    /// The node's time zero.
    epoch: Instant,
    link: Link,
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
        Self::recorded(config, trackers, seed, None)
    }

    /// As [`Host::new`], recorded from the beginning if there is a recording.
    pub fn recorded(
        config: Config,
        trackers: impl Into<Trackers>,
        seed: u64,
        recording: Option<Recording>,
    ) -> Self {
        let rng = Rng::new(seed);
        let seed = rng.fork("engine").next_u64();
        Host {
            node: Node::new(config, seed, Time::ZERO, recording),
            epoch: Instant::now(),
            link: Link::new(trackers, rng.fork("link")),
            disk: Disk::new(),
            stores: BTreeMap::new(),
            unattached: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Tells the engine what a person wants.
    pub fn command(&mut self, command: Command) {
        if let Command::Remove(info_hash) = &command {
            self.stores.remove(info_hash);
        }
        self.handle(Input::Command(command));
    }

    /// Says where a torrent's pieces are. Until then, what the engine wants of its store
    /// waits: a link's torrent gets its store after [`Event::Metadata`].
    pub fn attach(&mut self, info_hash: InfoHash, store: Arc<dyn Store>) {
        self.stores.insert(info_hash, store);
        for (job, work) in std::mem::take(&mut self.unattached) {
            self.work(job, work);
        }
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
                event = self.link.next() => match event {
                    LinkEvent::Up => Input::Link(TRACKER, LinkInput::Up),
                    LinkEvent::Down => Input::Link(TRACKER, LinkInput::Down),
                    LinkEvent::Message(message) => Input::Link(TRACKER, message.into()),
                    LinkEvent::Sent(bytes) => Input::Link(TRACKER, LinkInput::Sent(bytes)),
                },
                input = self.disk.next() => input,
                () = sleep_until(timeout.unwrap_or(self.epoch)), if timeout.is_some() => Input::Tick,
            };
            self.handle(input);
        }
    }

    /// What a person sees: what changes often, of every torrent.
    pub fn view(&self) -> View {
        self.node.view(self.now())
    }

    /// What a torrent is and has, if there is one of this hash.
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.node.contents(info_hash)
    }

    /// Tells the engine that a torrent's store has lost pieces.
    pub fn lost(&mut self, info_hash: InfoHash, pieces: Vec<PieceIndex>) {
        self.handle(Input::Lost { info_hash, pieces });
    }

    /// How the link to the tracker is.
    pub fn link(&self) -> &LinkStatus {
        self.link.status()
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

    /// Leaves every swarm and says goodbye to the tracker, for at most `patience`; then
    /// lets writes that were begun come to their end.
    pub async fn shut_down(mut self, patience: Duration) {
        for torrent in self.view().torrents {
            self.command(Command::Remove(torrent.info_hash));
        }
        // Buffered to the end; whoever wants to know that it arrived has ended it before.
        drop(self.end_recording());
        self.link.close(patience).await;
        self.disk.finish().await;
    }

    fn now(&self) -> Time {
        Time::from_epoch(self.epoch.elapsed())
    }

    fn handle(&mut self, input: Input) {
        self.node.handle(self.now(), input);
        while let Some(output) = self.node.poll_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Wire(_) | Output::Direct(..) => {
                unreachable!("nobody told the node of the network")
            }
            Output::Link(_, LinkOutput::Reconnect) => self.link.reconnect(),
            Output::Link(_, output) => {
                if let Some(message) = output.into_message() {
                    self.link.send(message.encode());
                }
            }
            Output::Event(event) => self.events.push_back(HostEvent::Engine(event)),
            Output::Refused { reason, .. } => self.events.push_back(HostEvent::Refused(reason)),
            Output::Store(job, work) => self.work(job, work),
        }
    }

    fn work(&mut self, job: Job, work: Work) {
        if let Work::Hash { .. } = work {
            return self.disk.hash(job, work);
        }
        match self.stores.get(&job.info_hash) {
            Some(store) => self.disk.store(job, work, Arc::clone(store)),
            None => self.unattached.push((job, work)),
        }
    }
}
