//! Peers that reach each other by wires alone, as ordinary clients do by TCP: no server, no
//! credit, and a stream that arrives in stretches of any length.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod content;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use sha1::{Digest, Sha1};
use swarm_core::engine::{Command, Config, Done, Ending, Event, PeerPath, Resume, Work};
use swarm_core::id::{InfoHash, LinkId, PeerId};
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{Input, Node, Output, TimerKind, WireInput, WireOutput, WireUp};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::peer::{Handshake, Reserved};

const PIECE: usize = 64 << 10;
const PIECES: usize = 20;

struct Host {
    node: Node,
    store: BTreeMap<u32, Bytes>,
    completed: bool,
    /// Why wires were closed by it.
    endings: Vec<Ending>,
}

/// Two ends of a wire: whose, and its number there.
type End = (usize, LinkId);

struct Net {
    now: Time,
    rng: Rng,
    metainfo: Metainfo,
    hosts: Vec<Host>,
    queue: VecDeque<(usize, Input)>,
    wires: BTreeMap<End, End>,
    next_wire: u32,
}

fn address(host: usize) -> SocketAddr {
    let host = u8::try_from(host).unwrap();
    SocketAddr::from(([10, 0, 0, host], 6881))
}

impl Net {
    /// The first of them has everything, the others nothing.
    fn new(count: usize, seed: u64) -> Self {
        let piece = u32::try_from(PIECE).unwrap();
        let (metainfo, bytes) = content::of_one("file", (PIECES * PIECE) as u64, piece, seed);
        let mut net = Net {
            now: Time::from_millis(1000),
            rng: Rng::new(seed),
            metainfo: metainfo.clone(),
            hosts: Vec::new(),
            queue: VecDeque::new(),
            wires: BTreeMap::new(),
            next_wire: 0,
        };
        for index in 0..count {
            let mut host = Host {
                node: Node::new(Config::default(), seed + index as u64, net.now, None),
                store: BTreeMap::new(),
                completed: false,
                endings: Vec::new(),
            };
            let mut have = Bitfield::empty(u32::try_from(PIECES).unwrap());
            for piece in metainfo.layout().pieces().filter(|_| index == 0) {
                let begin = piece.get() as usize * PIECE;
                let bytes = bytes.slice(begin..begin + PIECE);
                host.store.insert(piece.get(), bytes);
                have.insert(piece);
            }
            net.hosts.push(host);
            net.feed(index, Input::Network { dials: 8 });
            let add = Command::AddTorrent {
                metainfo: metainfo.clone(),
                resume: Resume::Pieces(have),
                paused: false,
            };
            net.feed(index, Input::Command(add));
        }
        net
    }

    /// Somebody hears of others.
    fn meet(&mut self, index: usize, others: &[usize]) {
        let met = Input::Met {
            info_hash: self.metainfo.info_hash(),
            complete: 1,
            incomplete: 1,
            addresses: others.iter().map(|other| address(*other)).collect(),
        };
        self.feed(index, met);
    }

    fn feed(&mut self, index: usize, input: Input) {
        self.hosts[index].node.handle(self.now, input);
        while let Some(output) = self.hosts[index].node.poll_output() {
            self.carry_out(index, output);
        }
        assert!(
            !self.hosts[index].node.wake(self.now),
            "nobody waits for nothing"
        );
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        let host = &mut self.hosts[index];
        match output {
            Output::Wire(WireOutput::Dial { info_hash, address }) => {
                self.dial(index, info_hash, address);
            }
            Output::Wire(WireOutput::Send { wire, parts }) => {
                let mut bytes = BytesMut::new();
                for part in parts.iter() {
                    let mut part_bytes = Vec::new();
                    part.append_to(&mut part_bytes);
                    bytes.extend_from_slice(&part_bytes);
                }
                let sent = Input::Wire(wire, WireInput::Sent(bytes.len()));
                self.queue.push_back((index, sent));
                let Some(&(other, far)) = self.wires.get(&(index, wire)) else {
                    return;
                };
                let mut bytes = bytes.freeze();
                while !bytes.is_empty() {
                    let length = 1 + self.rng.below(bytes.len().min(40_000));
                    let stretch = WireInput::Received(bytes.split_to(length));
                    self.queue.push_back((other, Input::Wire(far, stretch)));
                }
            }
            Output::Wire(WireOutput::Close { wire, reason }) => {
                host.endings.push(reason);
                self.cut(index, wire);
            }
            Output::Store(job, work) => {
                let piece = job.piece.get();
                let done = match work {
                    Work::Read { .. } => Done::Read(Ok(host.store[&piece].clone())),
                    Work::Write { data } => {
                        host.store.insert(piece, data);
                        Done::Written(Ok(()))
                    }
                    Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
                    Work::Verify => unreachable!("pieces are short"),
                };
                self.queue.push_back((index, Input::Store(job, done)));
            }
            Output::Event(Event::Completed(_)) => host.completed = true,
            Output::Event(event) => panic!("{event:?}"),
            Output::Link(..) | Output::Direct(..) | Output::Refused { .. } => {
                unreachable!("there is no server")
            }
        }
    }

    fn dial(&mut self, index: usize, info_hash: InfoHash, to: SocketAddr) {
        let other = (0..self.hosts.len()).find(|host| address(*host) == to);
        let Some(other) = other else {
            let failed = Input::Undialled {
                info_hash,
                address: to,
            };
            return self.queue.push_back((index, failed));
        };
        let [near, far] = [index, other].map(|host| {
            self.next_wire += 1;
            (host, LinkId(self.next_wire))
        });
        self.wires.insert(near, far);
        self.wires.insert(far, near);
        let [from, dialled] = [address(index), to];
        self.up(near, from, dialled, Some(info_hash));
        self.up(far, dialled, from, None);
    }

    fn up(&mut self, end: End, local: SocketAddr, remote: SocketAddr, dialled: Option<InfoHash>) {
        let up = WireUp {
            path: PeerPath::Tcp,
            remote,
            local,
            dialled,
            max_payload: 64 << 10,
        };
        self.queue
            .push_back((end.0, Input::Wire(end.1, WireInput::Up(up))));
    }

    /// One end is closed; the other hears of it.
    fn cut(&mut self, index: usize, wire: LinkId) {
        if let Some((other, far)) = self.wires.remove(&(index, wire)) {
            self.wires.remove(&(other, far));
            let down = Input::Wire(far, WireInput::Down);
            self.queue.push_back((other, down));
        }
    }

    /// Handles what is on its way, or lets time pass until the next timer.
    fn step(&mut self) {
        if let Some((host, input)) = self.queue.pop_front() {
            return self.feed(host, input);
        }
        let due = self
            .hosts
            .iter()
            .filter_map(|host| host.node.poll_timeout());
        let next = due.map(|(due, _)| due).min().unwrap();
        self.now = self.now.max(next);
        for host in 0..self.hosts.len() {
            self.queue.push_back((host, Input::Tick));
        }
    }

    fn run(&mut self, what: &str, until: impl Fn(&Net) -> bool) {
        for _ in 0..200_000 {
            if until(self) {
                return;
            }
            self.step();
        }
        panic!("{what}");
    }
}

#[test]
fn peers_complete_by_wires_alone() {
    for seed in 0..4 {
        let mut net = Net::new(4, seed);
        net.meet(1, &[0]);
        net.meet(2, &[0, 1, 9]);
        net.meet(3, &[1]);
        net.run("everybody completes", |net| {
            net.hosts[1..].iter().all(|host| host.completed)
        });
        let all = net.hosts[0].store.clone();
        for host in &net.hosts {
            assert!(host.store == all, "the right bytes");
            let view = host.node.view(net.now);
            let mut peers = view.torrents.iter().flat_map(|torrent| &torrent.peers);
            assert!(peers.all(|peer| peer.path == PeerPath::Tcp));
        }
    }
}

#[test]
fn a_wire_that_breaks_is_dialled_again() {
    let mut net = Net::new(2, 5);
    net.meet(1, &[0]);
    net.run("half is here", |net| net.hosts[1].store.len() > PIECES / 2);
    let ends: Vec<End> = net.wires.keys().copied().collect();
    for (host, wire) in ends {
        net.queue
            .push_back((host, Input::Wire(wire, WireInput::Down)));
    }
    net.wires.clear();
    net.run("the rest came", |net| net.hosts[1].completed);
}

/// Somebody who calls and says this; why it was thrown out, and when.
fn stranger(says: &[u8]) -> (Ending, Time) {
    let mut net = Net::new(1, 6);
    let (wire, began) = (LinkId(77), net.now);
    net.up((0, wire), address(0), address(8), None);
    for byte in says {
        let byte = Bytes::copy_from_slice(&[*byte]);
        net.queue
            .push_back((0, Input::Wire(wire, WireInput::Received(byte))));
    }
    net.run("it is thrown out", |net| !net.hosts[0].endings.is_empty());
    let after = Time::from_epoch(net.now - began);
    (net.hosts[0].endings[0].clone(), after)
}

#[test]
fn strangers_say_what_they_want_or_go() {
    let handshake = |info_hash| {
        let handshake = Handshake {
            reserved: Reserved::default(),
            info_hash,
            peer_id: PeerId([7; 20]),
        };
        handshake.encode()
    };
    let (silent, after) = stranger(&[]);
    assert_eq!((silent, after), (Ending::Silent, Time::from_millis(10_000)));
    let (slow, _) = stranger(&handshake(InfoHash([1; 20]))[..67]);
    assert_eq!(slow, Ending::Silent);
    let (unknown, _) = stranger(&handshake(InfoHash([1; 20])));
    assert_eq!(unknown, Ending::UnknownTorrent);
    let (noise, _) = stranger(&[b'G'; 80]);
    assert!(matches!(noise, Ending::Fault(_)), "{noise:?}");
}

#[test]
fn a_crowd_of_strangers_keeps_nobody_out() {
    let mut net = Net::new(2, 8);
    for number in 0..1000 {
        net.up((0, LinkId(1000 + number)), address(0), address(8), None);
    }
    net.meet(1, &[0]);
    net.run("an honest peer completes", |net| net.hosts[1].completed);
    let timer = net.hosts[0].node.poll_timeout().map(|(_, kind)| kind);
    assert!(timer.is_some_and(|kind| kind != TimerKind::Announce));
    let crowded = net.hosts[0].endings.iter();
    let crowded = crowded.filter(|ending| **ending == Ending::EnoughChannels);
    assert!(crowded.count() >= 1000 - 64);
}
