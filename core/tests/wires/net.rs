//! Nodes and the wires between them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use swarm_core::engine::{Command, Config, Ending, Event, PeerPath, Resume};
use swarm_core::find::announcer::{Ask, Reply};
use swarm_core::id::{InfoHash, LinkId};
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{Input, Node, Output, WireInput, WireOutput, WireUp};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::tracker::http::Announced;

use crate::content;

pub(crate) const PIECE: usize = 64 << 10;
pub(crate) const PIECES: usize = 20;

pub(crate) struct Host {
    pub(crate) node: Node,
    pub(crate) store: BTreeMap<u32, Bytes>,
    pub(crate) completed: bool,
    /// What its trackers were asked; they answer at once.
    pub(crate) asked: Vec<Ask>,
    /// Why wires were closed by it.
    pub(crate) endings: Vec<Ending>,
}

/// Two ends of a wire: whose, and its number there.
pub(crate) type End = (usize, LinkId);

pub(crate) struct Net {
    pub(crate) now: Time,
    rng: Rng,
    pub(crate) metainfo: Metainfo,
    pub(crate) hosts: Vec<Host>,
    pub(crate) queue: VecDeque<(usize, Input)>,
    pub(crate) wires: BTreeMap<End, End>,
    next_wire: u32,
    /// Where nobody is, though somebody called.
    pub(crate) in_vain: Vec<SocketAddr>,
    /// What went through wires that the test holds the other ends of.
    pub(crate) said: BTreeMap<LinkId, Vec<u8>>,
}

pub(crate) fn address(host: usize) -> SocketAddr {
    let host = u8::try_from(host).unwrap();
    SocketAddr::from(([10, 0, 0, host], 6881))
}

impl Net {
    /// The first of them has everything, the others nothing.
    pub(crate) fn new(count: usize, seed: u64) -> Self {
        Net::of(count, seed, false)
    }

    /// One host, with a private torrent (BEP 27).
    pub(crate) fn private(seed: u64) -> Self {
        Net::of(1, seed, true)
    }

    fn of(count: usize, seed: u64, private: bool) -> Self {
        let piece = u32::try_from(PIECE).unwrap();
        let (mut metainfo, bytes) = content::of_one("file", (PIECES * PIECE) as u64, piece, seed);
        if private {
            metainfo = content::made_private(&metainfo);
        }
        let mut net = Net {
            now: Time::from_millis(1000),
            rng: Rng::new(seed),
            metainfo: metainfo.clone(),
            hosts: Vec::new(),
            queue: VecDeque::new(),
            wires: BTreeMap::new(),
            next_wire: 0,
            in_vain: Vec::new(),
            said: BTreeMap::new(),
        };
        for index in 0..count {
            let mut host = Host {
                node: Node::new(Config::default(), seed + index as u64, net.now, None),
                store: BTreeMap::new(),
                completed: false,
                asked: Vec::new(),
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
    pub(crate) fn meet(&mut self, index: usize, others: &[usize]) {
        let met = Input::Met {
            info_hash: self.metainfo.info_hash(),
            complete: 1,
            incomplete: 1,
            addresses: others.iter().map(|other| address(*other)).collect(),
        };
        self.feed(index, met);
    }

    pub(crate) fn feed(&mut self, index: usize, input: Input) {
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
                    self.said.entry(wire).or_default().extend_from_slice(&bytes);
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
                let done = content::kept(&mut host.store, job, work);
                self.queue.push_back((index, Input::Store(job, done)));
            }
            Output::Event(Event::Completed(_)) => host.completed = true,
            Output::Event(event) => panic!("{event:?}"),
            Output::Ask(ask) => {
                let answered = Input::Answered {
                    number: ask.number,
                    answer: Ok(Reply {
                        from: address(9).ip(),
                        announced: Announced {
                            interval: 1800,
                            ..Announced::default()
                        },
                    }),
                };
                host.asked.push(ask);
                self.queue.push_back((index, answered));
            }
            Output::Link(..)
            | Output::WebTorrent(..)
            | Output::Direct(..)
            | Output::Refused { .. }
            | Output::Trouble { .. }
            | Output::Web(_)
            | Output::Bridge(_) => {
                unreachable!("there is no server")
            }
        }
    }

    fn dial(&mut self, index: usize, info_hash: InfoHash, to: SocketAddr) {
        let other = (0..self.hosts.len()).find(|host| address(*host) == to);
        let Some(other) = other else {
            self.in_vain.push(to);
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

    pub(crate) fn up(
        &mut self,
        end: End,
        local: SocketAddr,
        remote: SocketAddr,
        dialled: Option<InfoHash>,
    ) {
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
    pub(crate) fn step(&mut self) {
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

    pub(crate) fn run(&mut self, what: &str, until: impl Fn(&Net) -> bool) {
        for _ in 0..200_000 {
            if until(self) {
                return;
            }
            self.step();
        }
        panic!("{what}");
    }
}
