//! Peers by TCP, as ordinary BitTorrent clients reach each other: those that we call, and
//! those that call us. A task for each connection moves bytes; what they mean is the node's
//! business.

mod connection;
mod listener;
mod places;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use swarm_core::engine::PeerPath;
use swarm_core::id::{InfoHash, LinkId};
use swarm_core::net::Parts;
use swarm_core::node::{Input, WireInput, WireUp};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use connection::Outgoing;
use listener::Listener;
use places::{Place, Places};

/// Stretches that came and were not handled yet, over all connections, beyond one in the hands
/// of each; while there are so many, nothing more is read. Of [`connection::READ`] bytes each:
/// 4 MiB.
const INCOMING: usize = 64;
/// The first wire's number; those below are links to servers.
const FIRST: u32 = 1 << 16;
/// Bytes that leave a connection at once, at most: a quarter of what a socket's buffer holds.
const MAX_PAYLOAD: usize = 256 << 10;

/// How much we take on.
#[derive(Clone, Debug)]
pub struct WiresConfig {
    /// The port to listen at; any that is free, if it is 0.
    pub port: u16,
    /// Connections that were accepted, at once: 200, four times the peers of one torrent, each
    /// a file descriptor and 100 KiB at most. One address has at most as many as it leaves to
    /// others, so half.
    pub accepted: usize,
    /// Connections on their way to somebody, at once: 16, so that many addresses where nobody
    /// answers don't hold up the others for long, and home routers are not alarmed.
    pub dials: usize,
    /// Who does not answer for this long is not there: ten seconds, three of TCP's attempts.
    pub patience: Duration,
}

impl Default for WiresConfig {
    fn default() -> Self {
        WiresConfig {
            port: 0,
            accepted: 200,
            dials: 16,
            patience: Duration::from_secs(10),
        }
    }
}

/// What a connection's task says.
enum Report {
    /// It is open; its bytes go there.
    Up(LinkId, WireUp, Outgoing),
    Received(LinkId, Bytes),
    Sent(LinkId, usize),
    Down(LinkId),
    Undialled(InfoHash, SocketAddr),
}

/// What a connection's task needs to say it.
#[derive(Clone, Debug)]
struct Reporter {
    reports: mpsc::Sender<Report>,
    next: Arc<AtomicU32>,
}

impl Reporter {
    /// A wire's number, which is never given again.
    fn number(&self) -> LinkId {
        LinkId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// See the module. Must be made and used within a Tokio runtime. Dropping it closes everything.
#[derive(Debug)]
pub struct Wires {
    config: WiresConfig,
    address: SocketAddr,
    reporter: Reporter,
    reports: mpsc::Receiver<Report>,
    open: BTreeMap<LinkId, Outgoing>,
}

impl Wires {
    /// Listens.
    pub fn listen(config: WiresConfig) -> io::Result<Self> {
        let listener = Listener::bind(config.port)?;
        let address = listener.address()?;
        let (sender, reports) = mpsc::channel(INCOMING);
        let reporter = Reporter {
            reports: sender,
            next: Arc::new(AtomicU32::new(FIRST)),
        };
        let places = Places::new(config.accepted);
        tokio::spawn(listener.accept_all(reporter.clone(), places));
        Ok(Wires {
            config,
            address,
            reporter,
            reports,
            open: BTreeMap::new(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that may be on their way at once.
    pub fn dials(&self) -> usize {
        self.config.dials
    }

    /// Calls somebody.
    pub(crate) fn dial(&self, info_hash: InfoHash, address: SocketAddr) {
        let (reporter, patience) = (self.reporter.clone(), self.config.patience);
        tokio::spawn(async move {
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => talk(stream, Some((info_hash, address)), reporter, None).await,
                Ok(Err(_)) | Err(_) => {
                    let undialled = Report::Undialled(info_hash, address);
                    let _ = reporter.reports.send(undialled).await;
                }
            }
        });
    }

    /// Sends something, if the wire is open.
    pub(crate) fn send(&self, wire: LinkId, parts: Parts) {
        if let Some(outgoing) = self.open.get(&wire) {
            outgoing.send(parts);
        }
    }

    /// Closes a wire, once it has sent what it was given.
    pub(crate) fn close(&mut self, wire: LinkId) {
        self.open.remove(&wire);
    }

    /// The next thing that happened. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Input {
        loop {
            let report = self.reports.recv().await;
            match report.expect("we have a sender ourselves") {
                Report::Up(wire, up, outgoing) => {
                    self.open.insert(wire, outgoing);
                    return Input::Wire(wire, WireInput::Up(up));
                }
                Report::Received(wire, bytes) if self.open.contains_key(&wire) => {
                    return Input::Wire(wire, WireInput::Received(bytes));
                }
                Report::Sent(wire, bytes) if self.open.contains_key(&wire) => {
                    return Input::Wire(wire, WireInput::Sent(bytes));
                }
                Report::Down(wire) if self.open.remove(&wire).is_some() => {
                    return Input::Wire(wire, WireInput::Down);
                }
                Report::Undialled(info_hash, address) => {
                    return Input::Undialled { info_hash, address };
                }
                // It was closed meanwhile.
                Report::Received(..) | Report::Sent(..) | Report::Down(..) => {}
            }
        }
    }
}

/// A connection from its beginning to its end. `dialled` is for what we called whom.
async fn talk(
    stream: TcpStream,
    dialled: Option<(InfoHash, SocketAddr)>,
    reporter: Reporter,
    place: Option<Place>,
) {
    let wire = reporter.number();
    let Ok((local, remote)) = stream.local_addr().and_then(|local| {
        stream.set_nodelay(true)?;
        Ok((local, stream.peer_addr()?))
    }) else {
        if let Some((info_hash, address)) = dialled {
            let undialled = Report::Undialled(info_hash, address);
            let _ = reporter.reports.send(undialled).await;
        }
        return;
    };
    let up = WireUp {
        path: PeerPath::Tcp,
        // What was asked for is what is answered, however the system writes it.
        remote: dialled.map_or_else(|| plain(remote), |(_, address)| address),
        local: plain(local),
        dialled: dialled.map(|(info_hash, _)| info_hash),
        max_payload: MAX_PAYLOAD,
    };
    connection::run(wire, up, stream, &reporter.reports).await;
    drop(place);
}

/// IPv4 addresses look like themselves, though a socket for both kinds heard of them.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
