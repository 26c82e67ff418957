//! The hub, its connections, and the way through it.

use std::time::Duration;

use swarm_core::hub::{ConnId, Hub, HubConfig, HubInput, HubOutput, Source};
use swarm_core::node::LinkInput;
use swarm_core::wire::relay;

use super::channels::{Channels, Claims};
use super::chunk::LabFrame;
use super::line::Line;
use super::queue::{Arrival, Delivery, Downward, Event, Payload, Upward};
use super::{Input, Nanos, SERVER, Simulation, size, time};
use crate::Scenario;
use crate::scenario::RelayUse;

/// What it takes to ask for a WebSocket.
const UPGRADE: usize = 500;

/// See the module.
#[derive(Debug)]
pub(super) struct Relay {
    /// None while it is away.
    hub: Option<Hub<LabFrame>>,
    /// Whose connection it is, by its number.
    owners: Vec<usize>,
    channels: Channels,
    capacity: Option<Line>,
    tick: Option<Nanos>,
    /// How often it came back.
    lives: u64,
    /// Scratch.
    claims: Claims,
}

impl Relay {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let capacity = scenario.relay_capacity;
        Relay {
            hub: Some(hub(scenario, 0)),
            owners: Vec::new(),
            channels: Channels::default(),
            capacity: capacity.map(|rate| Line::new(rate, 0.0, 0.0)),
            tick: None,
            lives: 0,
            claims: Vec::new(),
        }
    }
}

/// The default, except that it has room for everybody: how much it can pass on is
/// [`Scenario::relay_capacity`]'s business, and a hub that runs out of memory looks at all
/// channels that wait for credit again and again, which a large swarm can't afford.
fn hub(scenario: &Scenario, life: u64) -> Hub<LabFrame> {
    let default = HubConfig::default();
    let config = HubConfig {
        max_connections: usize::MAX,
        max_inflight: 1 << 40,
        max_inflight_per_connection: 1 << 30,
        relay: match scenario.relay {
            RelayUse::Spare => relay::RelayUse::Spare,
            RelayUse::Free | RelayUse::Fixed | RelayUse::Only => relay::RelayUse::Free,
        },
        relay_only: scenario.relay == RelayUse::Only,
        ..default
    };
    Hub::new(config, scenario.seed.wrapping_add(life))
}

impl Simulation {
    /// A host opens its connection; it takes a round trip.
    pub(super) fn connect(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        if !peer.is_present() || peer.conn.is_some() {
            return;
        }
        if self.relay.hub.is_none() {
            return self.reconnect_later(index);
        }
        let conn = ConnId(self.relay.owners.len() as u64);
        self.relay.owners.push(index);
        peer.conn = Some(conn);
        if peer.wires.is_empty() {
            peer.up.reset(self.now);
        }
        let left = peer.up.send(self.now, UPGRADE);
        let at = peer.up.arrival(left, &mut peer.rng);
        self.queue
            .push(at, Event::AtHub(conn, Arrival::Connection(index)));
    }

    fn reconnect_later(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        let pause = peer.backoff.next_delay(peer.rng.unit()).as_nanos() as Nanos;
        self.queue.push(self.now + pause, Event::Reconnect(index));
    }

    /// A host gives its connection up, because its engine wants another.
    pub(super) fn give_up(&mut self, index: usize, conn: ConnId) {
        if self.peers[index].conn == Some(conn) {
            self.disconnect(index);
            self.closed(index);
        }
    }

    /// A host is gone: what has left its uplink arrives, then the end of the connection.
    pub(super) fn disconnect(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        if let Some(conn) = peer.conn.take() {
            let at = peer.up.arrival(self.now, &mut peer.rng);
            self.queue.push(at, Event::AtHub(conn, Arrival::Close));
        }
    }

    pub(super) fn at_hub(&mut self, conn: ConnId, arrival: Arrival) {
        let now = time(self.now);
        let Some(hub) = &mut self.relay.hub else {
            return;
        };
        let index = self.relay.owners[conn.0 as usize];
        let mut payload = None;
        match arrival {
            Arrival::Connection(peer) => {
                // Everybody has an address of their own.
                let source = Source::V6((peer as u64).to_be_bytes());
                hub.handle(now, HubInput::Connected(conn, source));
                self.pass_on(conn, peer, UPGRADE, Delivery::Connected);
            }
            Arrival::Close => hub.handle(now, HubInput::Disconnected(conn)),
            Arrival::Message(message) => {
                let input = match message {
                    Upward::Control(message) => HubInput::Message(conn, message),
                    Upward::Frame(frame) => {
                        payload = self.look_into(index, &frame);
                        HubInput::Frame(conn, frame)
                    }
                };
                let hub = self.relay.hub.as_mut().expect("it was there above");
                hub.handle(now, input);
            }
        }
        self.drain_hub(payload);
    }

    /// How much of a frame is blocks; and whether its announcements are true.
    fn look_into(&mut self, index: usize, frame: &LabFrame) -> Option<Payload> {
        let mut claims = std::mem::take(&mut self.relay.claims);
        claims.clear();
        let bytes = self.relay.channels.read(index, frame, &mut claims);
        self.check_claims(index, &claims);
        self.relay.claims = claims;
        self.peers[index].sent += bytes;
        self.measure.sent(bytes);
        self.measure.relayed += bytes;
        (bytes > 0).then_some(Payload { from: index, bytes })
    }

    /// Passes on what the hub says; `payload` is in the frame that it was handed, if any.
    fn drain_hub(&mut self, payload: Option<Payload>) {
        let now = time(self.now);
        while let Some((conn, output)) = self.relay.hub.as_mut().and_then(Hub::poll_output) {
            let index = self.relay.owners[conn.0 as usize];
            match output {
                HubOutput::Send(message) => {
                    let bytes = size::server(&message);
                    let message = Downward::Control(message);
                    self.pass_on(conn, index, bytes, Delivery::Message(message, None));
                }
                HubOutput::Forward(frame) => {
                    let bytes = size::frame(&frame);
                    let message = Downward::Frame(frame);
                    self.pass_on(conn, index, bytes, Delivery::Message(message, payload));
                }
                HubOutput::Close { .. } => {
                    self.pass_on(conn, index, 0, Delivery::Closed);
                }
                HubOutput::WebTorrent(_) | HubOutput::Reply(_) => {
                    unreachable!("everybody here speaks our own protocol")
                }
            }
        }
        let due = self.relay.hub.as_ref().and_then(Hub::poll_timeout);
        if let Some(due) = due {
            let at = (due.saturating_since(now).as_nanos() as Nanos).saturating_add(self.now);
            if self.relay.tick.is_none_or(|tick| at < tick) {
                self.relay.tick = Some(at);
                self.queue.push(at, Event::HubTick);
            }
        }
    }

    /// The relay passes something on, as soon as it has the capacity.
    fn pass_on(&mut self, conn: ConnId, index: usize, bytes: usize, delivery: Delivery) {
        let Some(capacity) = &mut self.relay.capacity else {
            return self.passed(conn, index, bytes, delivery);
        };
        let passed = capacity.send(self.now, bytes);
        let event = Event::Passed {
            peer: index,
            conn,
            delivery,
            bytes,
        };
        self.queue.push(passed, event);
    }

    /// It goes down a peer's link.
    pub(super) fn passed(&mut self, conn: ConnId, index: usize, bytes: usize, delivery: Delivery) {
        let peer = &mut self.peers[index];
        let left = peer.down.send(self.now, bytes);
        let at = peer.down.arrival(left, &mut peer.rng);
        let is_frame = matches!(delivery, Delivery::Message(Downward::Frame(_), _));
        let event = Event::AtPeer {
            peer: index,
            conn,
            delivery,
        };
        self.queue.push(at, event);
        if is_frame {
            self.queue.push(left, Event::Flushed(conn, bytes));
        }
    }

    pub(super) fn flushed(&mut self, conn: ConnId, bytes: usize) {
        if let Some(hub) = &mut self.relay.hub {
            hub.handle(time(self.now), HubInput::Written(conn, bytes as u64));
            self.drain_hub(None);
        }
    }

    pub(super) fn hub_tick(&mut self) {
        if self.relay.tick == Some(self.now) {
            self.relay.tick = None;
            if let Some(hub) = &mut self.relay.hub {
                hub.handle(time(self.now), HubInput::Tick);
                self.drain_hub(None);
            }
        }
    }

    /// It is gone, and with it all that was on its way; everybody notices.
    pub(super) fn hub_down(&mut self) {
        self.log.note(self.now, "hub-down", 0, &[]);
        self.relay.hub = None;
        self.relay.tick = None;
        self.relay.channels = Channels::default();
        for index in 0..self.peers.len() {
            if self.peers[index].conn.is_some() {
                self.closed(index);
            }
        }
    }

    pub(super) fn hub_up(&mut self) {
        self.log.note(self.now, "hub-up", 0, &[]);
        self.relay.lives += 1;
        self.relay.hub = Some(hub(&self.scenario, self.relay.lives));
    }

    /// A host's connection has ended; it will try again.
    pub(super) fn closed(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        peer.conn = None;
        peer.online = false;
        if let Some(since) = peer.online_since.take() {
            let worked_for = Duration::from_nanos(self.now - since);
            peer.backoff.worked_for(worked_for);
        }
        if peer.wires.is_empty() {
            peer.down.reset(self.now);
        }
        peer.clock(self.now, &self.measure.available);
        self.log.note(self.now, "closed", index, &[]);
        self.feed(index, Input::Link(SERVER, LinkInput::Down));
        self.reconnect_later(index);
    }
}

#[cfg(test)]
mod tests {
    use swarm_core::wire::relay::ServerMessage;

    use super::*;

    /// The hub goes on about nothing, until the engine wants another connection.
    #[test]
    fn whoever_gives_its_connection_up_gets_another() {
        let scenario = Scenario {
            leechers: 2,
            pieces: 16,
            ..Scenario::default()
        };
        let mut simulation = Simulation::new(scenario).unwrap();
        let is_online = |peer: &super::super::peer::Peer| peer.online;
        while !simulation.peers.first().is_some_and(is_online) {
            assert_eq!(simulation.play(Duration::MAX, 1), 1);
        }
        let first = simulation.peers[0].conn;
        for number in 0..100 {
            let complaint = ServerMessage::Error {
                info_hash: None,
                reason: format!("complaint {number}"),
            };
            let message = Delivery::Message(Downward::Control(complaint), None);
            simulation.deliver(0, message);
        }
        while simulation.peers[0].conn == first || !simulation.peers[0].online {
            assert_eq!(simulation.play(Duration::MAX, 1), 1);
        }
        simulation.run();
        assert_eq!(simulation.completed_leechers(), 2);
    }
}
