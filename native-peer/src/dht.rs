//! Peers by the DHT: which torrents are looked for there, and which are announced.
//!
//! A torrent of which nothing is known but its info-hash is looked for and not announced: it
//! may be private (BEP 27), and then nobody is to find it here. One that is not private is
//! announced, which finds peers as well; again and again, as the core's node does.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use dht_node::{DhtNode, Event};
use swarm_core::dht::{AnnouncedPort, NodeAddress, Output, Request, RequestId};
use swarm_core::engine::{TorrentState, TorrentView};
use swarm_core::id::InfoHash;
use swarm_core::node::Node;
use swarm_core::time::Time;
use tokio::time::{Duration, Instant, sleep_until};

use crate::recording::Recording;

/// Who finds nobody looks again after this long, then after twice that, and so on up to
/// [`LONGEST_PAUSE`]: whoever seeds may come a little later. BEP 5's 15 minutes are for those
/// who have peers.
const PAUSE: Duration = Duration::from_secs(5);
/// See [`PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// A torrent that may be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Whether it is private is not known yet.
    Unknown,
    /// It is not.
    Open,
}

/// What there is to be done.
#[derive(Debug)]
pub(crate) enum DhtNews {
    /// Somebody may be at these addresses.
    Found(InfoHash, Vec<SocketAddr>),
    /// It is time to say how torrents stand ([`DhtPeers::follow`]).
    Due,
    /// A person should know.
    Trouble(String),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct DhtPeers {
    node: DhtNode,
    /// At which others can call us.
    port: u16,
    /// Somebody is known who can be asked; nothing is before that.
    joined: bool,
    swarms: BTreeMap<InfoHash, Swarm>,
    next: u64,
}

#[derive(Debug)]
struct Swarm {
    standing: Standing,
    /// What is asked again and again of an open torrent; once of another.
    request: RequestId,
    /// Looks again, while there are no peers.
    again: RequestId,
    /// Nobody took the last announce.
    failed: bool,
    pause: Duration,
    due: Instant,
}

impl DhtPeers {
    /// `port` is where we take peers' connections.
    pub(crate) fn new(node: DhtNode, port: u16) -> Self {
        DhtPeers {
            node,
            port,
            joined: false,
            swarms: BTreeMap::new(),
            next: 0,
        }
    }

    /// Looks for what the engine has, and for nothing else.
    pub(crate) fn follow(&mut self, engine: &Node<Recording>, now: Time) {
        if !self.joined {
            return;
        }
        let mut torrents = BTreeMap::new();
        for torrent in engine.view(now).torrents {
            if let Some(standing) = standing(engine, &torrent) {
                torrents.insert(torrent.info_hash, (standing, is_lonely(&torrent)));
            }
        }
        let gone = |it: &InfoHash| !torrents.contains_key(it);
        let gone: Vec<InfoHash> = self.swarms.keys().copied().filter(gone).collect();
        for info_hash in gone {
            if let Some(swarm) = self.swarms.remove(&info_hash) {
                self.node.stop(swarm.request);
                self.node.stop(swarm.again);
            }
        }
        for (info_hash, (standing, lonely)) in torrents {
            let known = self.swarms.get(&info_hash).map(|swarm| swarm.standing);
            if known != Some(standing) {
                self.begin(info_hash, standing);
            }
            self.look_again(info_hash, lonely);
        }
    }

    fn begin(&mut self, info_hash: InfoHash, standing: Standing) {
        let numbers = [self.next, self.next + 1].map(RequestId);
        let swarm = self.swarms.entry(info_hash).or_insert_with(|| {
            self.next += 2;
            let [request, again] = numbers;
            Swarm {
                standing,
                request,
                again,
                failed: false,
                pause: PAUSE,
                due: Instant::now() + PAUSE,
            }
        });
        swarm.standing = standing;
        let request = match standing {
            Standing::Unknown => Request::Search(info_hash),
            Standing::Open => Request::Announce {
                info_hash,
                port: AnnouncedPort::Port(self.port),
            },
        };
        self.node.start(swarm.request, request);
    }

    fn look_again(&mut self, info_hash: InfoHash, lonely: bool) {
        let Some(swarm) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        let now = Instant::now();
        if now < swarm.due {
            return;
        }
        let failed = std::mem::take(&mut swarm.failed);
        swarm.pause = match lonely || failed {
            true => (swarm.pause * 2).min(LONGEST_PAUSE),
            false => PAUSE,
        };
        swarm.due = now + swarm.pause;
        let standing = swarm.standing;
        if failed {
            self.begin(info_hash, standing);
        } else if lonely {
            self.node.start(swarm.again, Request::Search(info_hash));
        }
    }

    /// We are in the DHT, or in it by one more family of addresses: all is asked there too.
    fn join(&mut self) {
        self.joined = true;
        let swarms = self.swarms.iter();
        let swarms: Vec<_> = swarms.map(|(of, swarm)| (*of, swarm.standing)).collect();
        for (info_hash, standing) in swarms {
            self.begin(info_hash, standing);
        }
    }

    /// The next thing. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> DhtNews {
        loop {
            let due = self.swarms.values().map(|swarm| swarm.due).min();
            let event = tokio::select! {
                event = self.node.next() => event,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    return DhtNews::Due;
                }
            };
            match event {
                Event::Trouble(trouble) => return DhtNews::Trouble(trouble),
                Event::Said(Output::Peers { request, addresses }) => {
                    if let Some(info_hash) = self.of(request) {
                        let addresses = addresses.into_iter().filter_map(NodeAddress::socket);
                        return DhtNews::Found(info_hash, addresses.collect());
                    }
                }
                Event::Said(Output::Joined { .. }) => {
                    self.join();
                    return DhtNews::Due;
                }
                Event::Said(Output::Failed { request, .. }) => {
                    let mut swarms = self.swarms.values_mut();
                    if let Some(swarm) = swarms.find(|swarm| swarm.request == request) {
                        swarm.failed = true;
                    }
                }
                Event::Said(_) | Event::Found => {}
            }
        }
    }

    /// Of which torrent a request is.
    fn of(&self, request: RequestId) -> Option<InfoHash> {
        let mut swarms = self.swarms.iter();
        let found = swarms.find(|(_, swarm)| [swarm.request, swarm.again].contains(&request));
        found.map(|(info_hash, _)| *info_hash)
    }

    /// A peer says that it has a node there.
    pub(crate) fn hear_of(&mut self, address: SocketAddr) {
        self.node.hear_of(address);
    }

    /// Remembers whom the node knows.
    pub(crate) fn close(self) {
        self.node.close();
    }
}

/// How a torrent stands; none if it is not to be looked for.
fn standing(engine: &Node<Recording>, torrent: &TorrentView) -> Option<Standing> {
    if let TorrentState::Paused | TorrentState::Error = torrent.state {
        return None;
    }
    let contents = engine.contents(torrent.info_hash)?;
    match contents.metainfo {
        None => Some(Standing::Unknown),
        Some(metainfo) => (!metainfo.is_private()).then_some(Standing::Open),
    }
}

/// It wants peers, and has none.
fn is_lonely(torrent: &TorrentView) -> bool {
    let lacks = matches!(
        torrent.state,
        TorrentState::Metadata | TorrentState::Downloading
    );
    lacks && torrent.peers.is_empty()
}
