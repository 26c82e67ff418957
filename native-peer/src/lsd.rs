//! Local service discovery (BEP 14): tells the local network of our torrents, and hears of
//! others there.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use swarm_core::id::InfoHash;
use swarm_core::wire::lsd::{GROUP, LsdMessage, MAX_LENGTH};
use tokio::net::UdpSocket;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// How often we tell (BEP 14: five minutes).
const PAUSE: Duration = Duration::from_mins(5);
/// For so long who was heard of is not heard again, and no more than so many are.
const DEAF: Duration = Duration::from_mins(1);
const MOST: usize = 256;

/// See the module. Must be made and used within a Tokio runtime.
#[derive(Debug)]
pub(crate) struct Lsd {
    socket: UdpSocket,
    /// At which others can call us.
    port: u16,
    cookie: String,
    due: Interval,
    /// What was told since it was last due: of others nothing is heard.
    told: BTreeSet<InfoHash>,
    heard: BTreeSet<(InfoHash, SocketAddr)>,
    heard_since: Instant,
    buffer: Vec<u8>,
}

/// What there is to be done.
#[derive(Debug)]
pub(crate) enum LsdEvent {
    /// It is time to [`Lsd::tell`].
    Due,
    /// Somebody is there, for these torrents.
    Heard(SocketAddr, Vec<InfoHash>),
}

impl Lsd {
    /// Joins those who listen; fails where there is no such network.
    pub(crate) fn join(port: u16, seed: u64) -> io::Result<Self> {
        let mut due = interval(PAUSE);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Lsd {
            socket: UdpSocket::from_std(bind()?.into())?,
            port,
            cookie: format!("{seed:016x}"),
            due,
            told: BTreeSet::new(),
            heard: BTreeSet::new(),
            heard_since: Instant::now(),
            buffer: vec![0; MAX_LENGTH + 1],
        })
    }

    /// Tells of a torrent. That nobody may hear is no error.
    pub(crate) fn tell(&mut self, info_hash: InfoHash) {
        self.told.insert(info_hash);
        let message = LsdMessage {
            port: self.port,
            torrents: vec![info_hash],
            cookie: Some(self.cookie.clone()),
        };
        let _ = self.socket.try_send_to(&message.encode(), GROUP.into());
    }

    /// The next thing. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> LsdEvent {
        loop {
            let received = tokio::select! {
                _ = self.due.tick() => {
                    self.told.clear();
                    return LsdEvent::Due;
                }
                received = self.socket.recv_from(&mut self.buffer) => received,
            };
            // A network that goes away comes back, or stays silent.
            let Ok((length, from)) = received else {
                continue;
            };
            let Ok(message) = LsdMessage::decode(&self.buffer[..length]) else {
                continue;
            };
            if message.cookie.as_ref() == Some(&self.cookie) {
                continue;
            }
            let address = SocketAddr::new(from.ip(), message.port);
            let mut torrents = message.torrents;
            // A network with thousands of other torrents leaves room for news of ours.
            torrents.retain(|it| self.told.contains(it) && self.is_news(*it, address));
            if !torrents.is_empty() {
                return LsdEvent::Heard(address, torrents);
            }
        }
    }

    fn is_news(&mut self, info_hash: InfoHash, address: SocketAddr) -> bool {
        if self.heard_since.elapsed() >= DEAF {
            self.heard.clear();
            self.heard_since = Instant::now();
        }
        self.heard.len() < MOST && self.heard.insert((info_hash, address))
    }
}

/// The port is shared with every other client of this machine.
fn bind() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, GROUP.port())).into())?;
    socket.join_multicast_v4(GROUP.ip(), &Ipv4Addr::UNSPECIFIED)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
