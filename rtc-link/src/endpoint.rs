//! The handle for a host, and the task that has the sockets: what comes goes to the connection
//! that takes it, and what that says goes to the host.

mod command;
mod task;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use swarm_core::net::Parts;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::crypto::Identity;
use crate::error::LinkError;
use command::{Command, Way};
use task::Task;

/// Events that came and were not handled yet, over all connections; while there are so many, no
/// datagram is read. A message has 64 KiB, as a rule, and 256 KiB at the most.
const INCOMING: usize = 64;

/// How much we take on.
#[derive(Clone, Debug)]
pub struct Config {
    /// Connections at once, those in the making too: 100, twice the peers of a torrent. One that
    /// lets everything wait takes 6 MiB: what comes and what goes by SCTP, 1 MiB each, and 4 MiB
    /// of what is to follow.
    pub connections: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { connections: 100 }
    }
}

/// What a host calls a connection: a number that it never gives again.
pub type ConnectionId = u64;

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Our end, as SDP with all of its candidates.
    Described(String),
    /// It is there: bytes may be sent, and come.
    Open,
    /// It brought bytes.
    Received(Bytes),
    /// So many bytes of what it was given are on their way since it was last said.
    Sent(usize),
    /// It ended, or did not come about. Nothing more is told of it.
    Ended(LinkError),
}

/// See the module. Dropping it closes everything.
#[derive(Debug)]
pub struct Endpoint {
    commands: mpsc::UnboundedSender<Command>,
    events: mpsc::Receiver<(ConnectionId, Event)>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Without a connection. Must be called within a Tokio runtime.
    ///
    /// Fails where the system has no randomness.
    pub fn open(config: Config) -> io::Result<Self> {
        let identity = Identity::new();
        let identity = identity.ok_or_else(|| io::Error::other("no certificate can be made"))?;
        // Unbounded, since the engine bounds what it sends.
        let (commands, receiver) = mpsc::unbounded_channel();
        let (sender, events) = mpsc::channel(INCOMING);
        let again = commands.downgrade();
        let task = Task::new(config, identity, sender, again).run(receiver);
        Ok(Endpoint {
            commands,
            events,
            task: tokio::spawn(task),
        })
    }

    /// Begins a connection. `stun` are servers, as `host:port`, that say how they see us.
    pub fn offer(&self, id: ConnectionId, stun: Vec<String>) {
        self.say(Command::Begin(id, Way::Offer, stun));
    }

    /// Answers somebody's offer.
    pub fn answer(&self, id: ConnectionId, theirs: String, stun: Vec<String>) {
        self.say(Command::Begin(id, Way::Answer(theirs), stun));
    }

    /// Takes the answer to an offer of ours.
    pub fn accept(&self, id: ConnectionId, theirs: String) {
        self.say(Command::Accept(id, theirs));
    }

    /// Sends something, if the connection is there.
    pub fn send(&self, id: ConnectionId, parts: Parts) {
        self.say(Command::Send(id, parts));
    }

    /// Closes a connection, once it has sent what it was given. What was told of it and not
    /// heard yet may still come.
    pub fn close(&self, id: ConnectionId) {
        self.say(Command::Close(id));
    }

    fn say(&self, command: Command) {
        // It lives as long as we do.
        let _ = self.commands.send(command);
    }

    /// The next thing that happened; none if there is nothing to come any more. Dropping the
    /// future loses nothing.
    pub async fn next(&mut self) -> Option<(ConnectionId, Event)> {
        self.events.recv().await
    }

    /// Closes all connections, as [`Endpoint::close`] does, for at most `patience`.
    pub async fn finish(self, patience: Duration) {
        let Endpoint {
            commands,
            events,
            mut task,
        } = self;
        drop((commands, events));
        if timeout(patience, &mut task).await.is_err() {
            task.abort();
        }
    }
}
