//! Plays a scenario.
//!
//! A queue of events in virtual time ([`queue`]) drives real engines ([`host`]) and a real
//! hub ([`relay`]). Messages are handed over as values, not as bytes: links only need to
//! know how long they are.

mod attacker;
mod cast;
mod channels;
mod chunk;
mod content;
mod direct;
mod host;
mod line;
mod log;
mod measure;
mod outcome;
mod peer;
mod queue;
mod relay;
mod size;
mod stream;

use std::time::Duration;

use swarm_core::engine::{Command, Resume};
use swarm_core::id::LinkId;
use swarm_core::node;

use crate::schedule::{Nanos, nanos, time};
use crate::{Results, Scenario, ScenarioError, Snapshot};

use cast::Part;
use chunk::LabChunk;
use content::Content;
use direct::Directs;
use log::Log;
use measure::Measure;
use peer::Peer;
use queue::{Event, Queue};
use relay::Relay;

pub use log::LogLine;

/// What nodes are told, and what they want.
type Input = node::Input<LabChunk>;
type Output = node::Output<LabChunk>;

/// The link that every peer has.
const SERVER: LinkId = LinkId(0);
/// How often to see whether anybody can still get anywhere, in seconds, and how long nobody
/// must have got anywhere before that is given up: what is on its way arrives meanwhile.
const CHECK: f64 = 30.0;

/// See the module.
#[derive(Debug)]
pub struct Simulation {
    scenario: Scenario,
    now: Nanos,
    over: bool,
    queue: Queue,
    content: Content,
    /// Who is still to come, the next one last.
    cast: Vec<Part>,
    /// Who came, in order.
    peers: Vec<Peer>,
    /// Leechers that are still to come.
    expected: usize,
    /// Leechers that are here and not complete.
    waiting: usize,
    relay: Relay,
    directs: Directs,
    measure: Measure,
    /// Peers are woken after everything that happens.
    watches: bool,
    log: Log,
}

impl Simulation {
    /// At time zero, with nobody there yet.
    pub fn new(scenario: Scenario) -> Result<Self, ScenarioError> {
        scenario.validate()?;
        let content = Content::new(&scenario);
        let mut cast = cast::cast(&scenario, &content.metainfo);
        cast.reverse();
        let mut queue = Queue::default();
        for part in cast.iter().rev() {
            queue.push(part.arrives, Event::Arrive);
        }
        for outage in &scenario.outages {
            queue.push(nanos(outage.at), Event::HubDown);
            queue.push(nanos(outage.at + outage.lasts), Event::HubUp);
        }
        queue.push(nanos(CHECK), Event::Check);
        let is_leecher = |part: &&Part| part.role.is_leecher();
        Ok(Simulation {
            now: 0,
            over: false,
            queue,
            expected: cast.iter().filter(is_leecher).count(),
            waiting: 0,
            cast,
            peers: Vec::new(),
            relay: Relay::new(&scenario),
            directs: Directs::new(&scenario),
            measure: Measure::new(scenario.pieces),
            watches: false,
            log: Log::default(),
            content,
            scenario,
        })
    }

    /// What is played.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Virtual time since the start.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    /// Nothing will happen any more: all who wait are complete or gone, or can never
    /// complete, or the time limit is reached.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Plays on until this time, or for so many events, whichever comes first; returns how
    /// many events it played. Zero when the time is reached or it is over.
    pub fn play(&mut self, until: Duration, events: usize) -> usize {
        let limit = nanos(self.scenario.time_limit);
        let until = u64::try_from(until.as_nanos()).unwrap_or(Nanos::MAX);
        let mut played = 0;
        while played < events && !self.over {
            match self.queue.next_time() {
                Some(at) if at <= until && at <= limit => {}
                _ => {
                    self.now = self.now.max(until.min(limit));
                    self.over = until >= limit;
                    break;
                }
            }
            let Some((at, event)) = self.queue.pop() else {
                break;
            };
            self.now = at;
            played += 1;
            self.handle(event);
        }
        self.measure.events += played as u64;
        played
    }

    /// Plays to the end.
    pub fn run(&mut self) {
        while !self.over {
            self.play(Duration::MAX, usize::MAX);
        }
    }

    /// How many leechers are complete so far.
    pub fn completed_leechers(&self) -> usize {
        let complete = |peer: &&Peer| peer.completed.is_some();
        self.peers.iter().filter(complete).count()
    }

    /// What there is to see now.
    pub fn snapshot(&mut self) -> Snapshot {
        outcome::snapshot(self)
    }

    /// What was measured so far.
    pub fn results(&self) -> Results {
        outcome::results(self)
    }

    /// A number that two runs have in common only when everything that happened in them was
    /// the same.
    pub fn fingerprint(&self) -> u64 {
        self.log.fingerprint()
    }

    /// From now on, every line of the log goes there.
    pub fn log_to(&mut self, sink: impl FnMut(&LogLine) + Send + 'static) {
        self.log.set_sink(Box::new(sink));
    }

    /// Pieces that honest peers told others of without having verified and written them:
    /// always zero, or the engine is wrong.
    pub fn false_claims(&self) -> u64 {
        self.measure.false_claims
    }

    /// From now on, every peer is looked at after everything that happens to it, and
    /// [`Simulation::stalls`] counts. It takes time, and draws other random numbers.
    pub fn watch_for_stalls(&mut self) {
        self.watches = true;
    }

    /// How often a peer could have gone on, and nothing would have told it: always zero, or
    /// the engine is wrong (see [`swarm_core::node::Node::wake`]).
    pub fn stalls(&self) -> u64 {
        self.measure.stalls
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrive => self.arrive(),
            Event::Leave(peer) => self.leave(peer),
            Event::Tick(peer) => {
                let due = &mut self.peers[peer].tick;
                if *due == Some(self.now) {
                    *due = None;
                    self.feed(peer, Input::Tick);
                }
            }
            Event::GiveUp(peer, conn) => self.give_up(peer, conn),
            Event::Reconnect(peer) => self.connect(peer),
            Event::Resume(peer) => self.resume(peer),
            Event::Sent {
                peer,
                conn,
                message,
                bytes,
            } => self.sent(peer, conn, message, bytes),
            Event::AtHub(conn, arrival) => self.at_hub(conn, arrival),
            Event::Passed {
                peer,
                conn,
                delivery,
                bytes,
            } => self.passed(conn, peer, bytes, delivery),
            Event::Flushed(conn, bytes) => self.flushed(conn, bytes),
            Event::AtPeer {
                peer,
                conn,
                delivery,
            } => {
                if self.peers[peer].conn == Some(conn) {
                    self.deliver(peer, delivery);
                }
            }
            Event::Done(peer, work) => self.work_done(peer, work),
            Event::HubTick => self.hub_tick(),
            Event::Described(peer, id, description) => self.described(peer, id, description),
            Event::Unlinked(peer, id) => self.unlinked(peer, id),
            Event::Linked(agreement) => self.linked(agreement),
            Event::WireSent(end, stretch) => self.wire_sent(end, stretch),
            Event::AtWire(end, stretch, blocks) => self.at_wire(end, stretch, blocks),
            Event::Breaks(link) => self.breaks(link),
            Event::Broken(link) => self.broken(link),
            Event::HubDown => self.hub_down(),
            Event::HubUp => self.hub_up(),
            Event::Check => self.check(),
        }
    }

    fn arrive(&mut self) {
        let part = self.cast.pop().expect("an arrival for each of the cast");
        let index = self.peers.len();
        let info_hash = self.content.info_hash();
        let peer = Peer::new(&self.scenario, info_hash, index, part, self.now);
        self.log
            .note(self.now, "arrive", index, &[peer.part.role as u64]);
        self.measure.capacity(self.now, peer.part.link.up);
        if let Some(at) = peer.part.leaves {
            self.queue.push(at.max(self.now), Event::Leave(index));
        }
        if peer.is_leecher() {
            self.expected -= 1;
            self.waiting += 1;
        }
        let have = peer.have.clone();
        self.peers.push(peer);
        if self.peers[index].serves() {
            self.offer(index, true);
        }
        let command = Command::AddTorrent {
            metainfo: self.content.metainfo.clone(),
            resume: Resume::Pieces(have.clone()),
            paused: false,
        };
        self.feed(index, Input::Command(command));
        self.connect(index);
        if have.is_full() && self.peers[index].is_leecher() {
            self.complete(index);
        }
    }

    /// The tab is closed, without a word.
    fn leave(&mut self, index: usize) {
        let now = self.now;
        if !self.peers[index].is_present() {
            return;
        }
        if self.peers[index].serves() {
            self.offer(index, false);
        }
        self.log.note(now, "leave", index, &[]);
        self.hang_up_all(index);
        let peer = &mut self.peers[index];
        self.measure.capacity(now, -peer.part.link.up);
        peer.waste = peer.waste(time(now));
        peer.mind = None;
        peer.left = Some(now);
        peer.online = false;
        peer.clock(now, &self.measure.available);
        if peer.is_leecher() && peer.completed.is_none() {
            self.waiting -= 1;
        }
        self.disconnect(index);
        self.see_whether_it_is_over();
    }

    /// A leecher has everything.
    fn complete(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        if !peer.is_leecher() || peer.completed.is_some() {
            return;
        }
        peer.completed = Some(self.now);
        self.waiting -= 1;
        self.measure.completed(self.now);
        self.log.note(self.now, "complete", index, &[]);
        use crate::scenario::Stay;
        match self.scenario.stay {
            Stay::UntilComplete => self.queue.push(self.now, Event::Leave(index)),
            Stay::SeedFor(time) => {
                self.queue.push(self.now + nanos(time), Event::Leave(index));
            }
            Stay::Forever | Stay::Exponential(_) | Stay::Trace(_) => {}
        }
        self.see_whether_it_is_over();
    }

    /// Others can get what this peer has, from now on, or no longer.
    fn offer(&mut self, index: usize, begins: bool) {
        let mut changed = false;
        for piece in self.peers[index].have.iter() {
            changed |= if begins {
                self.measure.gained(piece)
            } else {
                self.measure.lost(piece)
            };
        }
        if changed {
            self.clocks();
        }
    }

    /// What can be got has changed: looks who waits for it.
    fn clocks(&mut self) {
        for peer in &mut self.peers {
            peer.clock(self.now, &self.measure.available);
        }
    }

    fn see_whether_it_is_over(&mut self) {
        if self.expected == 0 && self.waiting == 0 {
            self.over = true;
        }
    }

    /// Ends a run in which nobody who is here can ever complete, and nobody comes.
    fn check(&mut self) {
        let hopeless = |peer: &Peer| {
            let stopped = peer.stopped && self.scenario.store.room_after.is_none();
            stopped || (!peer.stopped && !peer.have.lacks_any_of(&self.measure.available))
        };
        let idle = self.now - self.measure.last_progress >= nanos(CHECK);
        let nobody = self
            .peers
            .iter()
            .filter(|peer| peer.is_leecher() && peer.is_present() && peer.completed.is_none())
            .all(hopeless);
        // Whoever is stopped may have what others lack.
        let nobody_returns = self.scenario.store.room_after.is_none()
            || self.peers.iter().all(|p| !p.stopped || !p.is_present());
        if self.expected == 0 && idle && nobody && nobody_returns {
            self.over = true;
        }
        self.queue.push(self.now + nanos(CHECK), Event::Check);
    }
}
