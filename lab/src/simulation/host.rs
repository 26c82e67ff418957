//! What the hosts do: they carry out what engines want, and tell them what happened.

use swarm_core::chunk::Chunk as _;
use swarm_core::engine::{Command, Done, Event as EngineEvent, Job, StoreError, Work as StoreWork};
use swarm_core::hub::ConnId;
use swarm_core::node::{LinkInput, LinkOutput};
use swarm_core::pieces::PieceIndex;
use swarm_core::wire::relay::ClientMessage;

use super::chunk::{LabChunk, LabFrame};
use super::queue::{Arrival, Delivery, Downward, Event, Upward, Work};
use super::{Input, Nanos, Output, SERVER, Simulation, nanos, size, time};
use crate::snapshot::Role;

impl Simulation {
    /// The host's loop: handle, drain, arm one timer.
    pub(super) fn feed(&mut self, index: usize, input: Input) {
        let Some(mut mind) = self.peers[index].mind.take() else {
            return;
        };
        mind.handle(time(self.now), input);
        while let Some(output) = mind.poll_output() {
            self.carry_out(index, output);
        }
        if self.watches {
            self.measure.stalls += u64::from(mind.wake(time(self.now)));
            while let Some(output) = mind.poll_output() {
                self.carry_out(index, output);
            }
        }
        let peer = &mut self.peers[index];
        if let Some(due) = mind.poll_timeout() {
            let due = (due.since_epoch().as_nanos() as Nanos).max(self.now);
            if peer.tick.is_none_or(|tick| due < tick) {
                peer.tick = Some(due);
                self.queue.push(due, Event::Tick(index));
            }
        }
        peer.mind = Some(mind);
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        match output {
            // The engine is at work: it hears of it next.
            Output::Link(_, LinkOutput::Reconnect) => {
                if let Some(conn) = self.peers[index].conn {
                    self.queue.push(self.now, Event::GiveUp(index, conn));
                }
            }
            Output::Refused { .. } => {}
            Output::WebTorrent(..)
            | Output::Web(_)
            | Output::Bridge(_)
            | Output::Ask(_)
            | Output::Trouble { .. } => {
                unreachable!("nobody here knows an address")
            }
            Output::Direct(id, work) => self.make_direct(index, id, work),
            Output::Wire(output) => self.work_on_wire(index, output),
            Output::Link(_, LinkOutput::Send(message)) => {
                self.send(index, Upward::Control(message));
            }
            Output::Link(_, LinkOutput::Data { channel, parts }) => {
                self.send(index, Upward::Frame(LabFrame::new(channel, &parts)));
            }
            Output::Store(job, work) => self.work(index, job, work),
            Output::Event(event) => self.engine_event(index, &event),
        }
    }

    fn work(&mut self, index: usize, job: Job, work: StoreWork<LabChunk>) {
        let piece = job.piece;
        assert!(
            job.part.is_none(),
            "a simulated peer holds pieces whole: see its configuration"
        );
        match work {
            StoreWork::Read { .. } => {
                let at = self.store(index);
                self.queue.push(at, Event::Done(index, Work::Read(piece)));
            }
            StoreWork::Write { .. } => {
                self.log
                    .note(self.now, "write", index, &[piece.get().into()]);
                let at = self.store(index);
                self.queue.push(at, Event::Done(index, Work::Write(piece)));
            }
            StoreWork::Hash { data } => {
                let digest = self.content.digest(piece, &data);
                let peer = &mut self.peers[index];
                let right = digest == self.content.metainfo.piece_hash(piece);
                if right {
                    peer.verified.insert(piece);
                }
                self.log
                    .note(self.now, "hash", index, &[piece.get().into(), right.into()]);
                self.queue
                    .push(self.now, Event::Done(index, Work::Hash(piece, digest)));
            }
            StoreWork::Verify => unreachable!("only pieces in parts are hashed where they lie"),
        }
    }

    /// When a store that does one thing after the other has read or written a piece; what it
    /// says of it may overtake what it says of others.
    fn store(&mut self, index: usize) -> Nanos {
        let store = &self.scenario.store;
        let length = self.content.piece_length() as f64;
        let takes = store.rate.map_or(0, |rate| nanos(length / rate));
        let latency = nanos(store.latency);
        let jitter = store.jitter;
        let peer = &mut self.peers[index];
        peer.store_free = peer.store_free.max(self.now) + takes;
        let more = if jitter > 0.0 {
            nanos(jitter * peer.rng.unit())
        } else {
            0
        };
        peer.store_free + latency + more
    }

    fn send(&mut self, index: usize, message: Upward) {
        let peer = &mut self.peers[index];
        let Some(conn) = peer.conn.filter(|_| peer.online) else {
            return;
        };
        let bytes = size::upward(&message);
        let left = peer.up.send(self.now, bytes);
        let event = Event::Sent {
            peer: index,
            conn,
            message,
            bytes,
        };
        self.queue.push(left, event);
    }

    /// A message has left the uplink.
    pub(super) fn sent(&mut self, index: usize, conn: ConnId, message: Upward, bytes: usize) {
        let peer = &mut self.peers[index];
        if peer.conn != Some(conn) {
            return;
        }
        match &message {
            Upward::Control(ClientMessage::Have(have)) => {
                self.check_claims(index, &have.pieces);
            }
            Upward::Frame(frame) => self.log.note(
                self.now,
                "send",
                index,
                &[frame.channel.0.into(), bytes as u64],
            ),
            Upward::Control(_) => self.log.note(self.now, "tell", index, &[bytes as u64]),
        }
        let peer = &mut self.peers[index];
        let at = peer.up.arrival(self.now, &mut peer.rng);
        self.queue
            .push(at, Event::AtHub(conn, Arrival::Message(message)));
        self.feed(index, Input::Link(SERVER, LinkInput::Sent(bytes)));
    }

    /// Counts pieces that a peer tells others of and does not have.
    pub(super) fn check_claims(&mut self, index: usize, claims: &[u32]) {
        let peer = &self.peers[index];
        if matches!(peer.part.role, Role::Liar | Role::Attacker) {
            return;
        }
        let layout = self.content.metainfo.layout();
        let holds = |piece: PieceIndex| peer.have.has(piece) && peer.verified.has(piece);
        let lies = claims
            .iter()
            .filter(|&&claim| !layout.piece(claim).is_some_and(holds));
        self.measure.false_claims += lies.count() as u64;
    }

    /// Something came down the link.
    pub(super) fn deliver(&mut self, index: usize, delivery: Delivery) {
        match delivery {
            Delivery::Connected => {
                let peer = &mut self.peers[index];
                peer.online = true;
                peer.online_since = Some(self.now);
                peer.clock(self.now, &self.measure.available);
                self.log.note(self.now, "connected", index, &[]);
                self.feed(index, Input::Link(SERVER, LinkInput::Up));
            }
            Delivery::Closed => self.closed(index),
            Delivery::Message(message, payload) => {
                if let Some(payload) = payload {
                    self.count(index, payload.from, payload.bytes, false);
                }
                let input = match message {
                    Downward::Control(message) => LinkInput::Message(message),
                    Downward::Frame(LabFrame { channel, payload }) => {
                        let bytes = payload.len() as u64;
                        self.log
                            .note(self.now, "receive", index, &[channel.0.into(), bytes]);
                        LinkInput::Data { channel, payload }
                    }
                };
                self.feed(index, Input::Link(SERVER, input));
            }
        }
    }

    pub(super) fn count(&mut self, index: usize, from: usize, bytes: u64, direct: bool) {
        let peer = &mut self.peers[index];
        peer.received += bytes;
        peer.quiet.restart(self.now);
        peer.starved.restart(self.now);
        self.measure.flow(from, index, bytes, direct);
        if peer.is_leecher() {
            self.measure.received += bytes;
            self.measure.last_progress = self.now;
        }
    }

    /// A store or the processor has done something.
    pub(super) fn work_done(&mut self, index: usize, work: Work) {
        let info_hash = self.content.info_hash();
        if self.peers[index].mind.is_none() {
            return;
        }
        self.measure.last_progress = self.now;
        let (piece, done) = match work {
            Work::Read(piece) => {
                let peer = &self.peers[index];
                let lies = peer.part.role == Role::Liar;
                let result = if peer.have.has(piece) {
                    Ok(self.content.piece(piece, lies))
                } else {
                    Err(StoreError::Missing)
                };
                (piece, Done::Read(result))
            }
            Work::Hash(piece, digest) => (piece, Done::Hashed(digest)),
            Work::Write(piece) => (piece, Done::Written(self.write(index, piece))),
        };
        let job = Job {
            info_hash,
            piece,
            part: None,
            // A simulated peer has one torrent.
            added: 0,
        };
        self.feed(index, Input::Store(job, done));
    }

    fn write(&mut self, index: usize, piece: PieceIndex) -> Result<(), StoreError> {
        let store = &self.scenario.store;
        let peer = &mut self.peers[index];
        let room = (store.full_at * f64::from(self.scenario.pieces)) as u32;
        if peer.fills_up && peer.have.count() >= room {
            return Err(StoreError::Full("the disk".to_owned()));
        }
        if store.failures > 0.0 && peer.rng.unit() < store.failures {
            return Err(StoreError::Failed("the disk".to_owned()));
        }
        if peer.have.insert(piece) {
            let serves = peer.serves();
            peer.clock(self.now, &self.measure.available);
            if serves && self.measure.gained(piece) {
                self.clocks();
            }
        }
        Ok(())
    }

    fn engine_event(&mut self, index: usize, event: &EngineEvent) {
        match event {
            EngineEvent::Completed(_) => self.complete(index),
            EngineEvent::Failed { .. } => self.stop(index),
            EngineEvent::Banned { .. } => {
                self.log.note(self.now, "ban", index, &[]);
                self.peers[index].banned += 1;
            }
            EngineEvent::Metadata(_)
            | EngineEvent::Checked(..)
            | EngineEvent::Lost { .. }
            | EngineEvent::Refused { .. }
            | EngineEvent::DhtNode(_)
            | EngineEvent::Asked { .. } => {}
        }
    }

    /// The torrent stopped with an error: a person mends it, after a while.
    fn stop(&mut self, index: usize) {
        self.log.note(self.now, "stop", index, &[]);
        if self.peers[index].stopped {
            return;
        }
        if self.peers[index].serves() {
            self.offer(index, false);
        }
        let peer = &mut self.peers[index];
        peer.stopped = true;
        peer.clock(self.now, &self.measure.available);
        if let Some(after) = self.scenario.store.room_after {
            self.queue
                .push(self.now + nanos(after), Event::Resume(index));
        }
    }

    pub(super) fn resume(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        if !peer.is_present() {
            return;
        }
        peer.fills_up = false;
        peer.stopped = false;
        peer.clock(self.now, &self.measure.available);
        self.log.note(self.now, "resume", index, &[]);
        if self.peers[index].serves() {
            self.offer(index, true);
        }
        let info_hash = self.content.info_hash();
        self.feed(index, Input::Command(Command::Resume(info_hash)));
    }
}
