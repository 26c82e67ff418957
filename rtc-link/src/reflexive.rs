//! How a server sees our addresses from beyond a NAT (STUN, RFC 8489): others may reach us where
//! it does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use swarm_core::wire::stun::{Request, Response, Transaction};

use crate::sockets::Sockets;

/// A request is repeated so long after the first, and then each time after twice as long: as
/// half of what RFC 8489 §6.2.1 has, so that three fit into the time that there is.
const REPEAT: Duration = Duration::from_millis(250);
/// What is not known by then is done without. A connection waits so long for its addresses.
const PATIENCE: Duration = Duration::from_secs(1);
/// A NAT forgets what nobody uses, most of them after half a minute and more (RFC 4787 §4.3).
const FRESH: Duration = Duration::from_secs(20);

/// See the module: by our own addresses.
#[derive(Debug, Default)]
pub(crate) struct Reflexive {
    of: BTreeMap<SocketAddr, State>,
}

#[derive(Debug)]
enum State {
    Asked {
        transaction: Transaction,
        server: SocketAddr,
        since: Instant,
        repeat: (Instant, Duration),
    },
    /// Seen there, or not known.
    Answered(Option<SocketAddr>, Instant),
}

impl Reflexive {
    /// Asks how those of a bank are seen, where that is not known, or was known too long ago. Of
    /// the servers the first one that an address can reach is asked.
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        servers: &[SocketAddr],
        sockets: &Sockets,
        bank: usize,
    ) {
        // IPv6 has no such thing, and a server on this machine sees what we do.
        let beyond = |server: &&SocketAddr| server.is_ipv4() && !server.ip().is_loopback();
        let Some(server) = servers.iter().find(beyond) else {
            return;
        };
        self.of.retain(|address, _| sockets.has(*address));
        for address in sockets.addresses(bank).filter(SocketAddr::is_ipv4) {
            let is_fresh = match self.of.get(&address) {
                Some(State::Asked { .. }) => true,
                Some(State::Answered(_, at)) => now - *at < FRESH,
                None => false,
            };
            let mut id = [0; 12];
            if is_fresh || address.ip().is_loopback() || getrandom::fill(&mut id).is_err() {
                continue;
            }
            let transaction = Transaction(id);
            sockets.send(address, *server, &request(transaction));
            let asked = State::Asked {
                transaction,
                server: *server,
                since: now,
                repeat: (now + REPEAT, REPEAT),
            };
            self.of.insert(address, asked);
        }
    }

    /// A datagram came from elsewhere; whether it was an answer.
    pub(crate) fn hear(
        &mut self,
        now: Instant,
        from: SocketAddr,
        at: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let Some(State::Asked {
            transaction,
            server,
            ..
        }) = self.of.get(&at)
        else {
            return false;
        };
        let response = Response::decode(datagram).ok();
        let Some(response) = response.filter(|it| it.transaction() == *transaction) else {
            return false;
        };
        if *server != from {
            return false;
        }
        let seen = match response {
            Response::Mapped { address, .. } if address.is_ipv4() => Some(address),
            _ => None,
        };
        self.of.insert(at, State::Answered(seen, now));
        true
    }

    /// Repeats what is due, and gives up what takes too long.
    pub(crate) fn tend(&mut self, now: Instant, sockets: &Sockets) {
        for (address, state) in &mut self.of {
            let State::Asked {
                transaction,
                server,
                since,
                repeat: (at, pause),
            } = state
            else {
                continue;
            };
            if now - *since >= PATIENCE {
                *state = State::Answered(None, now);
            } else if *at <= now {
                *pause *= 2;
                *at = now + *pause;
                sockets.send(*address, *server, &request(*transaction));
            }
        }
    }

    /// When the next thing is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        let due = self.of.values().filter_map(|state| match state {
            State::Asked { since, repeat, .. } => Some((*since + PATIENCE).min(repeat.0)),
            State::Answered(..) => None,
        });
        due.min()
    }

    /// Nothing is under way.
    pub(crate) fn is_done(&self) -> bool {
        self.due().is_none()
    }

    /// Where one of our addresses is seen, if that is elsewhere.
    pub(crate) fn of(&self, address: SocketAddr) -> Option<SocketAddr> {
        match self.of.get(&address)? {
            State::Answered(seen, _) => seen.filter(|seen| *seen != address),
            State::Asked { .. } => None,
        }
    }
}

fn request(transaction: Transaction) -> Vec<u8> {
    let request = Request {
        transaction,
        fingerprint: true,
        unknown: Vec::new(),
    };
    request.encode()
}
