//! Many nodes in one network, over real sockets of this machine.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::net::SocketAddr;
use std::path::Path;

use dht_node::{DhtNode, Event, Listen, Options, TableFile};
use swarm_core::dht::{
    AnnouncedPort, Config, Item, NodeAddress, NodeId, Output, Request, RequestId, View,
};
use swarm_core::id::InfoHash;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, timeout};

/// Bounds a hang, not a speed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nodes of the large network.
const MANY: u16 = 100;

/// A node in a task of its own.
struct Running {
    address: SocketAddr,
    commands: mpsc::UnboundedSender<Command>,
    said: mpsc::UnboundedReceiver<Output>,
    next: u64,
}

enum Command {
    Start(RequestId, Request),
    View(oneshot::Sender<View>),
    /// Ends it in an orderly manner, and says when it has.
    Close(oneshot::Sender<()>),
}

/// What came of a request.
#[derive(Default)]
struct Came {
    peers: Vec<NodeAddress>,
    item: Option<Item>,
    stored: usize,
}

impl Running {
    /// At a free port of `ip`, which is joined through these.
    fn start(ip: &str, bootstrap: &[SocketAddr], file: Option<&Path>) -> Self {
        let node = DhtNode::open(Options {
            config: Config {
                // A rate for lines to the Internet is none for a hundred that join at once.
                bytes_per_second: 1_000_000,
                ..Config::default()
            },
            listen: Listen::At(SocketAddr::new(ip.parse().unwrap(), 0)),
            bootstrap: bootstrap.iter().map(ToString::to_string).collect(),
            file: file.map(|path| TableFile::open(path.to_owned()).unwrap()),
        });
        let mut node = node.unwrap();
        let address = node.address();
        let (commands, mut incoming) = mpsc::unbounded_channel();
        let (saying, said) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    event = node.next() => match event {
                        Event::Said(output) => drop(saying.send(output)),
                        Event::Found => {}
                        Event::Trouble(trouble) => panic!("{trouble}"),
                    },
                    command = incoming.recv() => match command {
                        Some(Command::Start(id, request)) => node.start(id, request),
                        Some(Command::View(asked)) => drop(asked.send(node.view())),
                        Some(Command::Close(done)) => {
                            node.close();
                            let _ = done.send(());
                            return;
                        }
                        None => return,
                    },
                }
            }
        });
        Running {
            address,
            commands,
            said,
            next: 0,
        }
    }

    async fn says(&mut self) -> Output {
        let said = timeout(PATIENCE, self.said.recv()).await;
        said.expect("something happens").expect("it runs")
    }

    async fn joined(&mut self) -> usize {
        loop {
            if let Output::Joined { contacts, .. } = self.says().await {
                return contacts;
            }
        }
    }

    async fn ask(&mut self, request: Request) -> Came {
        let id = RequestId(self.next);
        self.next += 1;
        self.commands.send(Command::Start(id, request)).unwrap();
        let mut came = Came::default();
        loop {
            match self.says().await {
                Output::Peers { request, addresses } if request == id => {
                    came.peers.extend(addresses);
                }
                Output::Value { request, item } if request == id => came.item = Some(item),
                Output::Done { request, stats, .. } if request == id => {
                    came.stored = stats.stored;
                    return came;
                }
                Output::Failed {
                    request, reason, ..
                } if request == id => panic!("{}: {reason}", self.address),
                _ => {}
            }
        }
    }

    async fn announce(&mut self, info_hash: InfoHash, port: u16) -> usize {
        let port = AnnouncedPort::Port(port);
        self.ask(Request::Announce { info_hash, port }).await.stored
    }

    async fn view(&self) -> View {
        let (sender, view) = oneshot::channel();
        self.commands.send(Command::View(sender)).unwrap();
        view.await.unwrap()
    }

    async fn close(self) {
        let (sender, done) = oneshot::channel();
        self.commands.send(Command::Close(sender)).unwrap();
        done.await.unwrap();
    }
}

/// A network of so many, all of which know the first one to begin with.
async fn network(ip: &str, count: u16) -> Vec<Running> {
    let first = Running::start(ip, &[], None);
    let mut nodes = vec![first];
    for _ in 1..count {
        let mut node = Running::start(ip, &[nodes[0].address], None);
        assert!(node.joined().await > 0);
        nodes.push(node);
    }
    nodes
}

fn hash(number: u16) -> InfoHash {
    let mut id = [0; 20];
    // Spread over all identifiers.
    swarm_core::rng::Rng::new(number.into()).fill(&mut id);
    InfoHash(id)
}

#[tokio::test]
async fn a_hundred_nodes_find_what_each_announces() {
    let mut nodes = network("127.0.0.1", MANY).await;
    // Those who were there first know few of those who came later. In a network of more than half a
    // second, traffic sees to that.
    for (number, node) in (0..).zip(&mut nodes) {
        node.ask(Request::Search(hash(1000 + number))).await;
    }
    for (number, node) in (0..).zip(&mut nodes) {
        let stored = node.announce(hash(number), 10_000 + number).await;
        assert!(stored > 0, "node {number} announces to somebody");
    }
    // Whoever asks knew nothing of who announced.
    for (number, node) in (0..).zip(&mut nodes) {
        for distance in [1, 7, 50] {
            let other = (number + distance) % MANY;
            let found = node.ask(Request::Search(hash(other))).await.peers;
            let address = SocketAddr::from(([127, 0, 0, 1], 10_000 + other));
            assert_eq!(found, [address.into()], "{number} looks for {other}");
        }
    }
    // One torrent of twenty peers.
    for (number, node) in (0..20).zip(&mut nodes) {
        node.announce(hash(MANY), 20_000 + number).await;
    }
    let mut found = nodes[77].ask(Request::Search(hash(MANY))).await.peers;
    found.sort();
    let expected = (0..20).map(|number| {
        let address = SocketAddr::from(([127, 0, 0, 1], 20_000 + number));
        NodeAddress::from(address)
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn it_works_over_ipv6_too() {
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    let mut nodes = network("::1", 10).await;
    nodes[3].announce(hash(1), 6881).await;
    let found = nodes[8].ask(Request::Search(hash(1))).await.peers;
    let address: SocketAddr = "[::1]:6881".parse().unwrap();
    assert_eq!(found, [address.into()]);
}

#[tokio::test]
async fn values_are_found_by_those_who_know_their_keys() {
    let mut nodes = network("127.0.0.1", 12).await;
    let item = Item::immutable(b"5:hello".to_vec()).unwrap();
    let target = item.target();
    let put = Request::Put {
        item: item.clone(),
        cas: None,
        keep: false,
    };
    assert!(nodes[4].ask(put).await.stored > 0);
    let salt = Vec::new();
    let found = nodes[9].ask(Request::Get { target, salt }).await.item;
    assert_eq!(found, Some(item));
}

/// Whoever comes back needs nobody to join by, and is who it was.
#[tokio::test]
async fn a_node_that_comes_back_knows_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dht.table");
    let mut nodes = network("127.0.0.1", 8).await;
    let mut ninth = Running::start("127.0.0.1", &[nodes[0].address], Some(&file));
    ninth.joined().await;
    let id = |view: &View| -> NodeId { view.families[0].id };
    let was = id(&ninth.view().await);
    ninth.close().await;

    // The one that all had joined by is gone for good.
    nodes.remove(0).close().await;
    let mut back = Running::start("127.0.0.1", &[], Some(&file));
    assert!(back.joined().await > 0);
    assert_eq!(id(&back.view().await), was);
    nodes[2].announce(hash(5), 6881).await;
    assert_eq!(back.ask(Request::Search(hash(5))).await.peers.len(), 1);
}
