//! Peers by WebRTC: tabs, and WebTorrent's clients. What the node wants of direct links is done by
//! connections of `rtc-link`; each that comes about is a wire.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use rtc_link::description::MAX_PAYLOAD;
use rtc_link::{Config, ConnectionId, Endpoint, Event};
use swarm_core::engine::{DirectId, DirectWork};
use swarm_core::id::LinkId;
use swarm_core::net::Parts;
use swarm_core::node::{DirectInput, Input, WireInput};

/// The first wire's number; those of TCP are below, and never come as far.
const FIRST: u32 = 1 << 30;

/// See the module. Must be made and used within a Tokio runtime. Dropping it closes everything.
#[derive(Debug)]
pub struct WebRtc {
    endpoint: Endpoint,
    /// What there is of each that is being made, or is there.
    by_id: BTreeMap<DirectId, ConnectionId>,
    connections: BTreeMap<ConnectionId, Connection>,
    made: ConnectionId,
    next_wire: u32,
    wires: BTreeMap<LinkId, ConnectionId>,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    id: DirectId,
    /// Once it is open.
    wire: Option<LinkId>,
}

impl WebRtc {
    /// Nothing leaves this machine, and nothing is listened to, before somebody is to be linked.
    pub fn open() -> io::Result<Self> {
        Ok(WebRtc {
            endpoint: Endpoint::open(Config::default())?,
            by_id: BTreeMap::new(),
            connections: BTreeMap::new(),
            made: 0,
            next_wire: FIRST,
            wires: BTreeMap::new(),
        })
    }

    /// Does what the node says about a direct link. `stun` are servers, as `host:port`, that may
    /// be asked how they see us.
    pub(crate) fn make(&mut self, id: DirectId, work: DirectWork, stun: Vec<String>) {
        match work {
            DirectWork::Offer => {
                let connection = self.begin(id);
                self.endpoint.offer(connection, stun);
            }
            DirectWork::Answer(theirs) => {
                let connection = self.begin(id);
                self.endpoint.answer(connection, theirs, stun);
            }
            DirectWork::Accept(theirs) => {
                if let Some(connection) = self.by_id.get(&id) {
                    self.endpoint.accept(*connection, theirs);
                }
            }
            DirectWork::Drop => {
                if let Some(connection) = self.by_id.get(&id).copied() {
                    self.forget(connection);
                    self.endpoint.close(connection);
                }
            }
        }
    }

    fn begin(&mut self, id: DirectId) -> ConnectionId {
        self.made += 1;
        self.by_id.insert(id, self.made);
        let connection = Connection { id, wire: None };
        self.connections.insert(self.made, connection);
        self.made
    }

    fn forget(&mut self, number: ConnectionId) -> Option<Connection> {
        let connection = self.connections.remove(&number)?;
        if self.by_id.get(&connection.id) == Some(&number) {
            self.by_id.remove(&connection.id);
        }
        if let Some(wire) = connection.wire {
            self.wires.remove(&wire);
        }
        Some(connection)
    }

    /// It is one of ours.
    pub(crate) fn has(&self, wire: LinkId) -> bool {
        self.wires.contains_key(&wire)
    }

    /// Sends something, if the wire is open.
    pub(crate) fn send(&self, wire: LinkId, parts: Parts) {
        if let Some(connection) = self.wires.get(&wire) {
            self.endpoint.send(*connection, parts);
        }
    }

    /// Closes a wire, once it has sent what it was given.
    pub(crate) fn close(&mut self, wire: LinkId) {
        if let Some(connection) = self.wires.get(&wire).copied() {
            self.forget(connection);
            self.endpoint.close(connection);
        }
    }

    /// The next thing that happened. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Input {
        loop {
            let Some((number, event)) = self.endpoint.next().await else {
                // Only a fault of ours ends it: those who are linked are lost one by one.
                match self.connections.keys().next().copied() {
                    Some(number) => match self.lose(number) {
                        Some(input) => return input,
                        None => continue,
                    },
                    None => return std::future::pending().await,
                }
            };
            if let Some(input) = self.hear(number, event) {
                return input;
            }
        }
    }

    fn hear(&mut self, number: ConnectionId, event: Event) -> Option<Input> {
        let connection = self.connections.get_mut(&number)?;
        let id = connection.id;
        Some(match (event, connection.wire) {
            (Event::Described(ours), _) => Input::Direct(id, DirectInput::Described(ours)),
            (Event::Open, None) => {
                let wire = LinkId(self.next_wire);
                self.next_wire += 1;
                connection.wire = Some(wire);
                self.wires.insert(wire, number);
                let max_payload = MAX_PAYLOAD;
                Input::Direct(id, DirectInput::Linked { wire, max_payload })
            }
            (Event::Received(bytes), Some(wire)) => Input::Wire(wire, WireInput::Received(bytes)),
            (Event::Sent(bytes), Some(wire)) => Input::Wire(wire, WireInput::Sent(bytes)),
            // Not for a person: there are other ways to whoever that was.
            (Event::Ended(_), _) => return self.lose(number),
            (Event::Open, Some(_)) | (Event::Received(_) | Event::Sent(_), None) => return None,
        })
    }

    fn lose(&mut self, number: ConnectionId) -> Option<Input> {
        let Connection { id, wire } = self.forget(number)?;
        Some(match wire {
            Some(wire) => Input::Wire(wire, WireInput::Down),
            None => Input::Direct(id, DirectInput::Failed),
        })
    }

    /// Closes all, for at most `patience`.
    pub(crate) async fn finish(self, patience: Duration) {
        self.endpoint.finish(patience).await;
    }
}
