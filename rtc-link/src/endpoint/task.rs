//! The task behind an [`Endpoint`](super::Endpoint).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::lookup_host;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::command::{Command, Way};
use super::{Config, ConnectionId, Event};
use crate::connection::{Address, Connection, Step};
use crate::crypto::Identity;
use crate::error::LinkError;
use crate::reflexive::Reflexive;
use crate::sockets::{Arrival, BANKS, Sockets};

/// The longest datagram that is ours: what is longer is cut, and then refused.
const LONGEST: usize = 2048;
/// Datagrams that are read at once: the host's commands and timers come in between.
const BATCH: usize = 64;
/// Commands that are carried out at once.
const COMMANDS: usize = 64;
/// Looking up the name of a STUN server may take so long; what is not known then is done without.
const LOOK_UP: Duration = Duration::from_secs(1);

/// One that waits for our addresses.
#[derive(Debug)]
struct Beginning {
    way: Way,
    bank: usize,
    /// The names of servers are being looked up.
    looking_up: bool,
}

/// See the module.
pub(super) struct Task {
    config: Config,
    identity: Identity,
    sockets: Sockets,
    reflexive: Reflexive,
    beginning: BTreeMap<ConnectionId, Beginning>,
    connections: BTreeMap<ConnectionId, (Connection, Instant)>,
    /// From where a connection's datagrams came, and at which address of ours.
    of: HashMap<(SocketAddr, SocketAddr), ConnectionId>,
    /// The bank of the next one.
    bank: usize,
    /// What the host has no room for now. While there is any, nothing is read.
    unsaid: VecDeque<(ConnectionId, Event)>,
    /// What a socket has no room for now. While there is any, nothing is sent.
    unsent: Option<(SocketAddr, SocketAddr, Vec<u8>)>,
    events: mpsc::Sender<(ConnectionId, Event)>,
    /// For what takes its time.
    again: mpsc::WeakUnboundedSender<Command>,
}

/// What the task waited for.
enum News {
    Command(Option<Command>),
    Datagram(Arrival),
    /// A socket has room.
    Room,
    /// The host has room for one event.
    Heard(bool),
    Time,
}

impl Task {
    pub(super) fn new(
        config: Config,
        identity: Identity,
        events: mpsc::Sender<(ConnectionId, Event)>,
        again: mpsc::WeakUnboundedSender<Command>,
    ) -> Self {
        Task {
            config,
            identity,
            sockets: Sockets::default(),
            reflexive: Reflexive::default(),
            beginning: BTreeMap::new(),
            connections: BTreeMap::new(),
            of: HashMap::new(),
            bank: 0,
            unsaid: VecDeque::new(),
            unsent: None,
            events,
            again,
        }
    }

    /// Works until the host is gone, and all was closed then.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut buffer = vec![0; LONGEST];
        let mut is_host_there = true;
        while is_host_there || !self.connections.is_empty() {
            let news = self.wait(&mut commands, is_host_there, &mut buffer).await;
            let now = Instant::now();
            match news {
                News::Command(Some(command)) => {
                    self.carry_out(now, command);
                    for _ in 1..COMMANDS {
                        let Ok(command) = commands.try_recv() else {
                            break;
                        };
                        self.carry_out(now, command);
                    }
                }
                News::Command(None) => {
                    is_host_there = false;
                    self.close_all(now);
                }
                News::Datagram(arrival) => self.read(now, arrival, &mut buffer).await,
                News::Room => self.send_unsent(),
                News::Heard(true) => self.say(),
                News::Heard(false) => self.unsaid.clear(),
                News::Time => {}
            }
            self.tend(now);
        }
    }

    async fn wait(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        is_host_there: bool,
        buffer: &mut [u8],
    ) -> News {
        let due = self.due();
        let sending = self.unsent.as_ref().map(|(from, ..)| *from);
        let (reads, says) = (
            self.unsaid.is_empty() && sending.is_none(),
            !self.unsaid.is_empty(),
        );
        let time = due.unwrap_or_else(Instant::now);
        let sockets = &mut self.sockets;
        let from_network = poll_fn(|context| {
            if let Some(from) = sending {
                return sockets.poll_room(context, from).map(|()| News::Room);
            }
            sockets.poll_receive(context, buffer).map(News::Datagram)
        });
        tokio::select! {
            command = commands.recv(), if is_host_there => News::Command(command),
            permit = self.events.reserve(), if says => News::Heard(permit.is_ok()),
            news = from_network, if reads || sending.is_some() => news,
            () = sleep_until(time.into()), if due.is_some() => News::Time,
        }
    }

    fn due(&self) -> Option<Instant> {
        // What can't be sent now is not asked for.
        let connections = self.connections.values().map(|(_, due)| *due);
        let connections = connections.min().filter(|_| self.unsent.is_none());
        connections.into_iter().chain(self.reflexive.due()).min()
    }

    fn carry_out(&mut self, now: Instant, command: Command) {
        match command {
            Command::Begin(id, way, stun) => self.begin(now, id, way, stun),
            Command::Found(id, servers) => {
                if let Some(beginning) = self.beginning.get_mut(&id) {
                    beginning.looking_up = false;
                    let bank = beginning.bank;
                    self.reflexive.ask(now, &servers, &self.sockets, bank);
                }
            }
            Command::Accept(id, theirs) => {
                if let Some((connection, _)) = self.connections.get_mut(&id) {
                    match connection.accept(&theirs) {
                        Ok(()) => self.drive(now, id),
                        Err(error) => {
                            self.connections.remove(&id);
                            self.tell(id, Event::Ended(error));
                        }
                    }
                }
            }
            Command::Send(id, parts) => {
                if let Some((connection, _)) = self.connections.get_mut(&id) {
                    connection.send(parts);
                    self.drive(now, id);
                }
            }
            Command::Close(id) => {
                self.beginning.remove(&id);
                if let Some((connection, _)) = self.connections.get_mut(&id) {
                    connection.close(now);
                    self.drive(now, id);
                }
            }
        }
    }

    fn begin(&mut self, now: Instant, id: ConnectionId, way: Way, stun: Vec<String>) {
        if self.beginning.len() + self.connections.len() >= self.config.connections {
            return self.tell(id, Event::Ended(LinkError::TooMany));
        }
        let bank = self.bank;
        self.bank = (bank + 1) % BANKS;
        self.sockets.refresh(bank);
        let looking_up = !stun.is_empty();
        if looking_up {
            let again = self.again.clone();
            tokio::spawn(async move {
                let found = timeout(LOOK_UP, look_up(stun)).await.unwrap_or_default();
                if let Some(again) = again.upgrade() {
                    let _ = again.send(Command::Found(id, found));
                }
            });
        }
        let beginning = Beginning {
            way,
            bank,
            looking_up,
        };
        self.beginning.insert(id, beginning);
        self.describe(now);
    }

    /// Describes those that know enough of our addresses.
    fn describe(&mut self, now: Instant) {
        if !self.reflexive.is_done() {
            return;
        }
        let ready = self.beginning.extract_if(.., |_, it| !it.looking_up);
        let ready: Vec<(ConnectionId, Beginning)> = ready.collect();
        for (id, Beginning { way, bank, .. }) in ready {
            let addresses = self.sockets.addresses(bank).map(|host| Address {
                host,
                seen: self.reflexive.of(host),
            });
            let addresses: Vec<Address> = addresses.collect();
            let made = match way {
                Way::Offer => Connection::offer(now, &self.identity, &addresses),
                Way::Answer(theirs) => Connection::answer(now, &self.identity, &addresses, &theirs),
            };
            match made {
                Ok((connection, ours)) => {
                    self.connections.insert(id, (connection, now));
                    self.tell(id, Event::Described(ours));
                }
                Err(error) => self.tell(id, Event::Ended(error)),
            }
        }
    }

    /// Reads a datagram, and those that came with it.
    async fn read(&mut self, now: Instant, first: Arrival, buffer: &mut [u8]) {
        let mut arrival = first;
        for _ in 0..BATCH {
            let Arrival { from, at, length } = arrival;
            self.hear(now, from, at, &buffer[..length]);
            if !self.unsaid.is_empty() || self.unsent.is_some() {
                return;
            }
            let sockets = &mut self.sockets;
            let next = poll_fn(|context| {
                let next = sockets.poll_receive(context, buffer);
                std::task::Poll::Ready(match next {
                    std::task::Poll::Ready(next) => Some(next),
                    std::task::Poll::Pending => None,
                })
            });
            match next.await {
                Some(next) => arrival = next,
                None => return,
            }
        }
    }

    fn hear(&mut self, now: Instant, from: SocketAddr, at: SocketAddr, datagram: &[u8]) {
        let known = self.of.get(&(from, at)).copied();
        if let Some(id) = known
            && let Some((connection, _)) = self.connections.get_mut(&id)
            && connection.receive(now, from, at, datagram)
        {
            return self.drive(now, id);
        }
        if self.reflexive.hear(now, from, at, datagram) {
            return;
        }
        let mut connections = self.connections.iter_mut();
        let takes = connections.find_map(|(id, (connection, _))| {
            connection.receive(now, from, at, datagram).then_some(*id)
        });
        if let Some(id) = takes {
            // One from each address of an honest end; of others no more than there may be.
            if self.of.len() >= 8 * self.config.connections {
                self.of.clear();
            }
            self.of.insert((from, at), id);
            self.drive(now, id);
        }
    }

    /// What time brings.
    fn tend(&mut self, now: Instant) {
        self.reflexive.tend(now, &self.sockets);
        self.describe(now);
        if self.unsent.is_some() {
            return;
        }
        let due = self.connections.iter().filter(|(_, (_, due))| *due <= now);
        let due: Vec<ConnectionId> = due.map(|(id, _)| *id).collect();
        for id in due {
            if let Some((connection, _)) = self.connections.get_mut(&id) {
                connection.tick(now);
                self.drive(now, id);
            }
        }
    }

    /// Does what a connection wants, until that is to wait.
    fn drive(&mut self, now: Instant, id: ConnectionId) {
        loop {
            let Some((connection, due)) = self.connections.get_mut(&id) else {
                return;
            };
            if self.unsent.is_some() {
                // As soon as there is room.
                *due = now;
                return;
            }
            match connection.poll(now) {
                Step::Send { from, to, bytes } => {
                    if !self.sockets.send(from, to, &bytes) {
                        self.unsent = Some((from, to, bytes));
                    }
                }
                Step::Open => self.tell(id, Event::Open),
                Step::Received(bytes) => self.tell(id, Event::Received(bytes)),
                Step::Sent(bytes) => self.tell(id, Event::Sent(bytes)),
                Step::Ended(error) => self.tell(id, Event::Ended(error)),
                Step::Wait(until) => {
                    *due = until;
                    return;
                }
                Step::Over => {
                    self.connections.remove(&id);
                    self.of.retain(|_, of| *of != id);
                    return;
                }
            }
        }
    }

    fn send_unsent(&mut self) {
        if let Some((from, to, bytes)) = self.unsent.take()
            && !self.sockets.send(from, to, &bytes)
        {
            self.unsent = Some((from, to, bytes));
        }
    }

    fn close_all(&mut self, now: Instant) {
        self.beginning.clear();
        self.unsaid.clear();
        let ids: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for id in ids {
            self.carry_out(now, Command::Close(id));
        }
    }

    fn tell(&mut self, id: ConnectionId, event: Event) {
        self.unsaid.push_back((id, event));
        self.say();
    }

    /// Says what the host has room for.
    fn say(&mut self) {
        while let Some(event) = self.unsaid.pop_front() {
            match self.events.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.unsaid.push_front(event);
                    return;
                }
                // The host is closing.
                Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
        }
    }
}

/// The addresses of some of these, in their order.
async fn look_up(names: Vec<String>) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for name in names {
        if let Ok(addresses) = lookup_host(name).await {
            found.extend(addresses);
        }
    }
    found
}
