//! The loop that owns the engine: inputs from the tracker link, from the disk and from
//! the clock; outputs carried out. One task, no locks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use swarm_core::engine::{Command, Config, Contents, Event, Input, Output, View};
use swarm_core::id::InfoHash;
use swarm_core::pieces::PieceIndex;
use swarm_core::record::RecordedEngine;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use tokio::time::{Instant, sleep_until};

use crate::address::Trackers;
use crate::disk::{Disk, Job, Work};
use crate::error::Error;
use crate::link::{Link, LinkEvent, LinkStatus};
use crate::recording::Recording;
use crate::store::Store;

/// See the module. Must be made and used within a Tokio runtime.
#[derive(Debug)]
pub struct Host {
    engine: RecordedEngine<Recording>,
    /// The engine's time zero.
    epoch: Instant,
    link: Link,
    disk: Disk,
    stores: BTreeMap<InfoHash, Arc<dyn Store>>,
    /// What the engine wants of stores that are not attached yet.
    unattached: Vec<Output>,
    events: VecDeque<Event>,
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
            engine: RecordedEngine::new(config, seed, Time::ZERO, recording),
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
        for output in std::mem::take(&mut self.unattached) {
            self.carry_out(output);
        }
    }

    /// Works until there is something to tell. The host works only while this is
    /// awaited; dropping the future loses nothing.
    pub async fn next_event(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let timeout = self
                .engine
                .poll_timeout()
                .map(|(at, _)| self.epoch + at.since_epoch());
            let input = tokio::select! {
                event = self.link.next() => match event {
                    LinkEvent::Up => Input::TrackerUp,
                    LinkEvent::Down => Input::TrackerDown,
                    LinkEvent::Message(message) => Input::Tracker(message),
                    LinkEvent::Sent(bytes) => Input::TrackerSent(bytes),
                },
                input = self.disk.next() => input,
                () = sleep_until(timeout.unwrap_or(self.epoch)), if timeout.is_some() => Input::Tick,
            };
            self.handle(input);
        }
    }

    /// What a person sees: what changes often, of every torrent.
    pub fn view(&self) -> View {
        self.engine.view(self.now())
    }

    /// What a torrent is and has, if there is one of this hash.
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.engine.contents(info_hash)
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
        self.engine.stop(now)
    }

    /// Why the recording ended by itself, if it did; told once.
    pub fn recording_failure(&mut self) -> Option<Error> {
        self.engine.take_ended()?.finish().err()
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
        self.engine.handle(self.now(), input);
        while let Some(output) = self.engine.poll_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Tracker(message) => self.link.send(message.encode()),
            Output::Reconnect => self.link.reconnect(),
            Output::Event(event) => self.events.push_back(event),
            Output::Hash {
                info_hash,
                piece,
                data,
            } => {
                self.disk.start(Job {
                    info_hash,
                    piece,
                    work: Work::Hash(data),
                });
            }
            Output::Read { info_hash, .. }
            | Output::Write { info_hash, .. }
            | Output::ReadPart { info_hash, .. }
            | Output::WritePart { info_hash, .. }
            | Output::Verify { info_hash, .. } => match self.stores.get(&info_hash).cloned() {
                Some(store) => self.disk.start(job(store, output)),
                None => self.unattached.push(output),
            },
        }
    }
}

/// What an output wants of a store.
fn job(store: Arc<dyn Store>, output: Output) -> Job {
    let (info_hash, piece, work) = match output {
        Output::Read { info_hash, piece } => (info_hash, piece, Work::Read(store)),
        Output::Write {
            info_hash,
            piece,
            data,
        } => (info_hash, piece, Work::Write(store, data)),
        Output::ReadPart {
            info_hash,
            piece,
            begin,
            length,
        } => (info_hash, piece, Work::ReadPart(store, begin, length)),
        Output::WritePart {
            info_hash,
            piece,
            begin,
            data,
        } => (info_hash, piece, Work::WritePart(store, begin, data)),
        Output::Verify { info_hash, piece } => (info_hash, piece, Work::Verify(store)),
        Output::Tracker(_) | Output::Reconnect | Output::Event(_) | Output::Hash { .. } => {
            unreachable!("the store has nothing to do with it")
        }
    };
    Job {
        info_hash,
        piece,
        work,
    }
}
