//! The loop that owns the core's state machine: datagrams, names and the clock in, datagrams
//! out. One task, no locks.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use swarm_core::dht::{Config, Dht, Input, NodeAddress, Output, Request, RequestId, View};
use swarm_core::time::Time;
use tokio::time::{Duration, Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::bootstrap::{Found, Names};
use crate::file::TableFile;
use crate::sockets::Sockets;

/// How often the table is written. A program that is killed loses what it met since: 15 min,
/// after which a table has changed little.
const SAVE: Duration = Duration::from_mins(15);

/// Where a node listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At a port of every address, over IPv4 and IPv6 as far as there are both; any that is
    /// free for both if it is 0.
    Port(u16),
    /// At one address; `[::]` stands for both families.
    At(SocketAddr),
}

/// What a node is to be.
#[derive(Debug)]
pub struct Options {
    /// What it does and allows. Which families it takes part in, the sockets decide.
    pub config: Config,
    /// Where it listens.
    pub listen: Listen,
    /// Nodes to join by, each `HOST:PORT`.
    pub bootstrap: Vec<String>,
    /// Where it remembers whom it knows, if it does.
    pub file: Option<TableFile>,
}

/// See the module. Must be made and used within a Tokio runtime.
#[derive(Debug)]
pub struct DhtNode {
    dht: Dht,
    /// The node's time zero.
    epoch: Instant,
    sockets: Sockets,
    address: SocketAddr,
    names: Names,
    file: Option<TableFile>,
    save: Interval,
    events: VecDeque<Event>,
}

/// Something that whoever runs a node should know.
#[derive(Debug)]
pub enum Event {
    /// The node says so; never a datagram.
    Said(Output),
    /// Nodes to join by are known, and asked.
    Found,
    /// Something is wrong that a person may mend.
    Trouble(String),
}

impl DhtNode {
    /// Listens, and begins to join.
    pub fn open(options: Options) -> io::Result<Self> {
        let Options {
            mut config,
            listen,
            bootstrap,
            mut file,
        } = options;
        let sockets = match listen {
            Listen::Port(port) => Sockets::open(port)?,
            Listen::At(address) => Sockets::open_at(address)?,
        };
        config.v4 = sockets.has_v4();
        config.v6 = sockets.has_v6();
        let mut events = VecDeque::new();
        let saved = match file.as_mut().map(TableFile::read) {
            Some(Ok(saved)) => saved,
            Some(Err(trouble)) => {
                events.push_back(Event::Trouble(trouble));
                None
            }
            None => None,
        };
        if saved.is_some() {
            events.push_back(Event::Found);
        }
        let seed = getrandom::u64()?;
        let saved = saved.unwrap_or_default();
        let mut save = interval_at(Instant::now() + SAVE, SAVE);
        save.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut node = DhtNode {
            address: sockets.address()?,
            dht: Dht::new(config, saved, seed, Time::ZERO),
            epoch: Instant::now(),
            sockets,
            names: Names::new(bootstrap),
            file,
            save,
            events,
        };
        node.handle(Input::Tick);
        Ok(node)
    }

    /// Where it listens: over IPv4, if it does.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for something, or for something else under the same number.
    pub fn start(&mut self, id: RequestId, request: Request) {
        self.handle(Input::Start(id, request));
    }

    /// Wants nothing more under this number.
    pub fn stop(&mut self, id: RequestId) {
        self.handle(Input::Stop(id));
    }

    /// A node may be at this address.
    pub fn hear_of(&mut self, address: SocketAddr) {
        self.handle(Input::Bootstrap(vec![address.into()]));
    }

    /// How it stands.
    pub fn view(&self) -> View {
        self.dht.view(self.now())
    }

    /// The state machine, to look at.
    pub fn dht(&self) -> &Dht {
        &self.dht
    }

    /// Works until there is something to tell. The node works only while this is awaited;
    /// dropping the future loses nothing.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let timeout = self.dht.poll_timeout();
            let timeout = timeout.map(|at| self.epoch + at.since_epoch());
            let input = tokio::select! {
                (from, datagram) = self.sockets.receive() => Input::Datagram {
                    from: from.into(),
                    bytes: datagram.to_vec(),
                },
                found = self.names.next() => match found {
                    Found::Addresses(addresses) => {
                        self.events.push_back(Event::Found);
                        Input::Bootstrap(addresses.into_iter().map(NodeAddress::from).collect())
                    }
                    Found::Nothing { name, reason, .. } => {
                        return Event::Trouble(format!("the DHT node {name}: {reason}"));
                    }
                },
                _ = self.save.tick() => {
                    self.save();
                    continue;
                }
                () = sleep_until(timeout.unwrap_or(self.epoch)), if timeout.is_some() => Input::Tick,
            };
            self.handle(input);
        }
    }

    /// Ends it; whom it knows is remembered.
    pub fn close(mut self) {
        self.save();
    }

    /// A few kilobytes, which a disk takes at once.
    fn save(&mut self) {
        if let Some(file) = &mut self.file
            && let Err(trouble) = file.write(&self.dht.save())
        {
            self.events.push_back(Event::Trouble(trouble));
        }
    }

    fn now(&self) -> Time {
        Time::from_epoch(self.epoch.elapsed())
    }

    fn handle(&mut self, input: Input) {
        self.dht.handle(self.now(), input);
        while let Some(output) = self.dht.poll_output() {
            match output {
                Output::Datagram { to, bytes } => {
                    if let Some(to) = to.socket() {
                        self.sockets.send(to, &bytes);
                    }
                }
                output => {
                    // For when it is killed, which loses all that was met since.
                    let joined = matches!(output, Output::Joined { .. });
                    self.events.push_back(Event::Said(output));
                    if joined {
                        self.save();
                    }
                }
            }
        }
    }
}
