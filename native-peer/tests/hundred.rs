//! A hundred peers on real sockets, some behind the relay alone, some reached by TCP alone, most
//! of them by both, while connections of either kind are cut in the middle of whatever passes.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use native_peer::TrackerAddress;
use native_peer::host::{Host, HostEvent};
use native_peer::share::{Made, Options, Progress, make};
use native_peer::store::{MemoryStore, Store};
use native_peer::wires::{Wires, WiresConfig};
use support::bytes;
use swarm_core::engine::{Command, Config, Event, Resume};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::wire::relay::RelayUse;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

const PEERS: usize = 100;
/// A hundred times a MiB, each through two sockets at least: half a minute of work, as it is
/// compiled for tests.
const PIECES: u32 = 32;
const PIECE: u32 = 32 << 10;
/// Whom each opens channels to while enough of them are of use, whom the relay names to it, and
/// whom it is told to call: nobody is turned away often, and all have some thousand sockets.
const OPENED: usize = 6;
const NAMED: usize = 8;
const CALLED: usize = 4;
/// Of each peer's connections by TCP, so many are cut, and so many of those to the relay: then
/// there is an end to it, whatever happens.
const CUTS: (usize, usize) = (12, 2);
/// Nothing takes so long, not even where twenty others want the processor.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where a peer stands.
#[derive(Clone, Copy, PartialEq)]
enum Stands {
    /// Behind the relay, as tabs do that can't be linked.
    Relay,
    /// In the ordinary network.
    Tcp,
    Both,
}

fn stands(peer: usize) -> Stands {
    match peer % 10 {
        // The seeder is among those who have both.
        1 => Stands::Relay,
        2 | 3 => Stands::Tcp,
        _ => Stands::Both,
    }
}

/// What passed through lines of one kind, and how many of them were cut.
#[derive(Debug, Default)]
struct Passed {
    bytes: AtomicU64,
    cuts: AtomicU64,
}

/// Lines to somebody, which break once so many bytes have passed as were drawn, until enough did.
struct Lines {
    to: SocketAddr,
    cuts: usize,
    /// Bytes that pass through one before it is cut.
    least: usize,
    most: usize,
    rng: Rng,
    passed: Arc<Passed>,
}

impl Lines {
    /// Where they can be called.
    async fn open(mut self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let cuts = Arc::new(AtomicUsize::new(self.cuts));
            loop {
                let Ok((near, _)) = listener.accept().await else {
                    return;
                };
                let lasts = match cuts.load(Ordering::Relaxed) > 0 {
                    true => self.least + self.rng.below(self.most - self.least),
                    false => usize::MAX,
                };
                let (to, passed, cuts) = (self.to, self.passed.clone(), cuts.clone());
                tokio::spawn(async move {
                    if line(near, to, lasts, &passed).await {
                        passed.cuts.fetch_add(1, Ordering::Relaxed);
                        let left = |left: usize| left.checked_sub(1);
                        let _ = cuts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
                    }
                });
            }
        });
        address
    }
}

/// Passes on what comes from either end, until one of them closes or enough has passed: then
/// nothing does any more, in the middle of a message as a rule. True if it was that.
async fn line(near: TcpStream, to: SocketAddr, lasts: usize, passed: &Passed) -> bool {
    let Ok(far) = TcpStream::connect(to).await else {
        return false;
    };
    let (near, far) = (near.into_split(), far.into_split());
    let left = AtomicUsize::new(lasts);
    tokio::select! {
        cut = pass(near.0, far.1, &left, passed) => cut,
        cut = pass(far.0, near.1, &left, passed) => cut,
    }
}

/// True if the line is cut.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    left: &AtomicUsize,
    passed: &Passed,
) -> bool {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(read) => read,
        };
        // One task for both ways, so nobody comes between.
        let before = left.load(Ordering::Relaxed);
        let may = before.min(read);
        left.store(before - may, Ordering::Relaxed);
        passed.bytes.fetch_add(may as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..may]).await.is_err() {
            return false;
        }
        if may == before {
            return true;
        }
    }
}

struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
}

fn content(folder: &std::path::Path) -> (Made, Vec<u8>) {
    let content = bytes(4, (PIECES * PIECE) as usize);
    let file = folder.join("content");
    std::fs::write(&file, &content).unwrap();
    let options = Options {
        piece_length: Some(PIECE),
        ..Options::default()
    };
    (make(&[file], options, &Quiet).unwrap(), content)
}

/// Works for a peer until the test is over, and says when it has everything.
async fn run(mut host: Host, number: usize, complete: mpsc::UnboundedSender<usize>) {
    loop {
        match host.next_event().await {
            HostEvent::Engine(Event::Completed(_)) => complete.send(number).unwrap(),
            HostEvent::Engine(Event::Banned { peer, .. }) => panic!("{peer} is blamed"),
            HostEvent::Engine(Event::Failed { reason, .. }) => panic!("{reason}"),
            // Of links that are cut.
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_peers_complete_while_links_are_cut() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (made, content) = content(folder.path());
    let info_hash = made.metainfo.info_hash();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = tracker_relay::Config::default();
    // Whoever can is to talk by TCP, and to fall back to the relay where that is cut.
    config.hub.relay = RelayUse::Spare;
    config.hub.max_numwant = NAMED;
    let server = tracker_relay::serve(config, listener).unwrap();
    let mut rng = Rng::new(9);
    let (by_tcp, by_relay) = (Arc::<Passed>::default(), Arc::<Passed>::default());

    let mut wires = Vec::new();
    let mut addresses = Vec::new();
    for peer in 0..PEERS {
        let listens = WiresConfig::default();
        let listens = (stands(peer) != Stands::Relay).then(|| Wires::listen(listens).unwrap());
        if let Some(listens) = &listens {
            let lines = Lines {
                to: SocketAddr::from(([127, 0, 0, 1], listens.address().port())),
                cuts: CUTS.0,
                least: 1 << 10,
                most: 128 << 10,
                rng: rng.fork(&format!("tcp {peer}")),
                passed: by_tcp.clone(),
            };
            addresses.push(lines.open().await);
        }
        wires.push(listens);
    }

    let (sender, mut complete) = mpsc::unbounded_channel();
    let mut own = addresses.clone().into_iter();
    let mut stores = Vec::new();
    let mut tasks = JoinSet::new();
    let mut seed = Some(made.files);
    for (peer, wires) in wires.into_iter().enumerate() {
        let relay = if stands(peer) == Stands::Tcp {
            None
        } else {
            let lines = Lines {
                to: server.address(),
                cuts: CUTS.1,
                least: 16 << 10,
                most: 512 << 10,
                rng: rng.fork(&format!("relay {peer}")),
                passed: by_relay.clone(),
            };
            let address = lines.open().await;
            let address: TrackerAddress = format!("ws://{address}").parse().unwrap();
            Some(address.into())
        };
        let mut config = Config {
            target_peers: OPENED,
            ..Config::terminal()
        };
        if wires.is_some() {
            config.listen_port = own.next().map(|address| address.port());
            config.paths.channels = 2;
        }
        let mut host = Host::recorded(config, relay, peer as u64, None);
        if let Some(wires) = wires {
            host.join_network(wires);
            // Some others, drawn; more are heard of from those.
            let others = addresses.len();
            let called = (0..CALLED).map(|_| rng.below(others));
            host.call(called.map(|it| addresses[it].to_string()).collect());
        }
        let resume = match seed.take() {
            Some(files) => {
                host.attach(info_hash, Arc::new(files));
                Resume::Pieces(Bitfield::full(PIECES))
            }
            None => {
                let store = Arc::new(MemoryStore::new(&made.metainfo));
                host.attach(info_hash, store.clone());
                stores.push(store);
                Resume::Nothing
            }
        };
        host.command(Command::AddTorrent {
            metainfo: made.metainfo.clone(),
            resume,
            paused: false,
        });
        tasks.spawn(run(host, peer, sender.clone()));
    }

    let mut missing: Vec<usize> = (1..PEERS).collect();
    let all = async {
        while !missing.is_empty() {
            tokio::select! {
                done = complete.recv() => missing.retain(|peer| Some(*peer) != done),
                ended = tasks.join_next() => panic!("{ended:?}"),
            }
        }
    };
    let in_time = timeout(PATIENCE, all).await.is_ok();
    assert!(in_time, "{missing:?} wait, {by_tcp:?}, {by_relay:?}");
    for (store, piece) in stores.iter().flat_map(|store| {
        let pieces = made.metainfo.layout().pieces();
        pieces.map(move |piece| (store, piece))
    }) {
        let begin = (piece.get() * PIECE) as usize;
        let right = &content[begin..begin + PIECE as usize];
        assert!(store.read(piece).unwrap() == right, "{piece:?} differs");
    }
    let [tcp, relay] = [&by_tcp, &by_relay].map(|passed| passed.bytes.load(Ordering::Relaxed));
    let [cuts, relay_cuts] = [&by_tcp, &by_relay].map(|passed| passed.cuts.load(Ordering::Relaxed));
    let length = content.len() as u64;
    assert!(tcp > 20 * length && relay > 5 * length, "{tcp}, {relay}");
    assert!(cuts > 100 && relay_cuts > 20, "{cuts}, {relay_cuts}");
    tasks.shutdown().await;
    server.shutdown().await;
}
