//! A swarm whose members all meet at two hubs, that restart in turn while pieces are on their
//! way: everybody completes, nobody is blamed, and in the end each has every other once.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod content;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use swarm_core::engine::{Command, Config, Event, Resume, Work};
use swarm_core::hub::{ConnId, Hub, HubConfig, HubInput, HubOutput, Source};
use swarm_core::id::LinkId;
use swarm_core::node::{Input, LinkInput, LinkOutput, Node, Output};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::relay::{ClientMessage, ServerMessage};

const PIECE: usize = 64 << 10;
const PIECES: usize = 40;
const HOSTS: usize = 5;

struct Host {
    node: Node,
    /// Its connection to each hub.
    conns: [ConnId; 2],
    store: BTreeMap<u32, Bytes>,
    completed: bool,
}

struct Net {
    now: Time,
    hubs: [Hub; 2],
    hosts: Vec<Host>,
    queue: VecDeque<(usize, Input)>,
    conns: u64,
    steps: usize,
}

impl Net {
    /// One has everything, the others nothing.
    fn new(seed: u64) -> Self {
        let (metainfo, bytes) = content::of_one(
            "file",
            (PIECES * PIECE) as u64,
            u32::try_from(PIECE).unwrap(),
            7,
        );
        let now = Time::from_millis(1000);
        let mut config = Config::default();
        config.paths.channels = 2;
        let mut net = Net {
            now,
            hubs: [0, 1].map(|n| Hub::new(HubConfig::default(), seed + n)),
            hosts: Vec::new(),
            queue: VecDeque::new(),
            conns: 0,
            steps: 0,
        };
        for index in 0..HOSTS {
            let node = Node::new(config.clone(), seed * 10 + index as u64, now, None);
            let conns = [ConnId(0); 2];
            let mut host = Host {
                node,
                conns,
                store: BTreeMap::new(),
                completed: false,
            };
            let mut have = Bitfield::empty(u32::try_from(PIECES).unwrap());
            if index == 0 {
                for piece in metainfo.layout().pieces() {
                    let begin = piece.get() as usize * PIECE;
                    host.store
                        .insert(piece.get(), bytes.slice(begin..begin + PIECE));
                    have.insert(piece);
                }
            }
            net.hosts.push(host);
            let command = Command::AddTorrent {
                metainfo: metainfo.clone(),
                resume: Resume::Pieces(have),
                paused: false,
            };
            net.feed(index, Input::Command(command));
            net.connect(index, 0);
            net.connect(index, 1);
        }
        net
    }

    fn connect(&mut self, host: usize, hub: usize) {
        self.conns += 1;
        let conn = ConnId(self.conns);
        self.hosts[host].conns[hub] = conn;
        self.queue
            .push_back((host, Input::Link(link(hub), LinkInput::Up)));
        let source = Source::V6(conn.0.to_be_bytes());
        self.hubs[hub].handle(self.now, HubInput::Connected(conn, source));
        self.drain(hub);
    }

    /// A hub forgets everything, and what was on its way is lost; all connect again.
    fn restart(&mut self, hub: usize, seed: u64) {
        self.queue
            .retain(|(_, input)| !matches!(input, Input::Link(of, _) if *of == link(hub)));
        self.hubs[hub] = Hub::new(HubConfig::default(), seed);
        for host in 0..HOSTS {
            self.feed(host, Input::Link(link(hub), LinkInput::Down));
        }
        for host in 0..HOSTS {
            self.connect(host, hub);
        }
    }

    fn feed(&mut self, index: usize, input: Input) {
        self.hosts[index].node.handle(self.now, input);
        while let Some(output) = self.hosts[index].node.poll_output() {
            self.carry_out(index, output);
        }
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        let host = &mut self.hosts[index];
        match output {
            Output::Link(of, output) => {
                let hub = of.0 as usize;
                assert!(!matches!(output, LinkOutput::Reconnect));
                let message = output.into_message().unwrap();
                let sent = match &message {
                    ClientMessage::Data(frame) => frame.payload_len(),
                    _ => 0,
                };
                let message = HubInput::Message(host.conns[hub], message);
                self.hubs[hub].handle(self.now, message);
                let sent = Input::Link(of, LinkInput::Sent(sent));
                self.queue.push_back((index, sent));
                self.drain(hub);
            }
            Output::Store(job, work) => {
                let verified = matches!(work, Work::Write { .. });
                let twice = verified && host.store.contains_key(&job.piece.get());
                assert!(!twice, "what is verified is fetched once");
                let done = content::kept(&mut host.store, job, work);
                self.queue.push_back((index, Input::Store(job, done)));
            }
            Output::WebTorrent(..)
            | Output::Web(_)
            | Output::Bridge(_)
            | Output::Wire(_)
            | Output::Direct(..)
            | Output::Ask(_)
            | Output::Trouble { .. } => {
                unreachable!("nobody here knows an address")
            }
            Output::Event(Event::Completed(_)) => host.completed = true,
            Output::Event(event) => panic!("{event:?}"),
            Output::Refused { reason, .. } => panic!("{reason}"),
        }
    }

    fn drain(&mut self, hub: usize) {
        while let Some((conn, output)) = self.hubs[hub].poll_output() {
            let mut hosts = self.hosts.iter();
            let Some(host) = hosts.position(|host| host.conns[hub] == conn) else {
                continue;
            };
            let message = match output {
                HubOutput::Send(message) => message,
                HubOutput::Forward(frame) => {
                    let bytes = frame.clone().into_message().len() as u64;
                    self.hubs[hub].handle(self.now, HubInput::Written(conn, bytes));
                    ServerMessage::Data(frame)
                }
                HubOutput::Close { reason } => panic!("{reason}"),
                HubOutput::WebTorrent(_) | HubOutput::Reply(_) => {
                    panic!("everybody here speaks our own protocol")
                }
            };
            self.queue
                .push_back((host, Input::Link(link(hub), message.into())));
        }
    }

    /// Handles an input, or lets time pass until the next timer.
    fn step(&mut self) {
        self.steps += 1;
        if let Some((host, input)) = self.queue.pop_front() {
            return self.feed(host, input);
        }
        let hosts = self.hosts.iter().filter_map(|h| h.node.poll_timeout());
        let hubs = self.hubs.iter().filter_map(Hub::poll_timeout);
        let next = hosts.map(|(due, _)| due).chain(hubs).min().unwrap();
        self.now = self.now.max(next);
        for hub in 0..2 {
            self.hubs[hub].handle(self.now, HubInput::Tick);
            self.drain(hub);
        }
        for host in 0..HOSTS {
            self.queue.push_back((host, Input::Tick));
        }
    }
}

fn link(hub: usize) -> LinkId {
    LinkId(u32::try_from(hub).unwrap())
}

#[test]
fn hubs_that_restart_in_turn_take_nothing_from_those_who_meet_at_both() {
    for seed in 0..8 {
        let mut net = Net::new(seed);
        let mut rng = Rng::new(seed);
        let mut restarts = 0;
        let mut pause = 200 + rng.below(400);
        while !net.hosts.iter().skip(1).all(|host| host.completed) {
            net.step();
            pause -= 1;
            if pause == 0 && restarts < 12 {
                restarts += 1;
                net.restart(restarts % 2, 100 + restarts as u64);
            }
            if pause == 0 {
                pause = 200 + rng.below(400);
            }
            assert!(net.steps < 1_000_000, "seed {seed}: nobody gets there");
        }
        assert!(restarts >= 2, "seed {seed}: {restarts} restarts");
        // Those who lack something are together for a while, and each is there once.
        let until = net.now + Duration::from_secs(10);
        while net.now < until {
            net.step();
        }
        for host in &net.hosts {
            let torrent = host.node.view(net.now).torrents.remove(0);
            assert!(
                torrent.peers.len() < HOSTS,
                "seed {seed}: {}",
                torrent.peers.len()
            );
        }
    }
}
