//! A node with web seeds, made up, and perhaps a peer by wire.

#[path = "../content/mod.rs"]
mod content;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{Command, Config, Ending, Event, PeerPath, Resume};
use swarm_core::id::LinkId;
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{
    Answer, Fetch, Input, Node, Output, SeedTrouble, WebInput, WebOutput, WireInput, WireOutput,
    WireUp,
};
use swarm_core::pieces::Bitfield;
use swarm_core::record::{Reader, Replay};
use swarm_core::rng::Rng;
use swarm_core::time::Time;

/// A web seed.
pub(crate) const SEED: &str = "http://seed.example/files/";
const PIECE: usize = 64 << 10;

/// What a server does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    Honest,
    /// Sends wrong bytes.
    Lies,
    /// Breaks off after so many bytes in all, and is gone then.
    Stops(usize),
    /// Sends whole files.
    IgnoresRange,
    Status(u16),
    Silent,
    /// Sends a byte whenever time passes.
    Trickles,
    /// Says that it sends something longer.
    OtherLength,
    /// Sends less than it was asked for, and says that it is at the end.
    EndsEarly,
    /// Sends more than it was asked for, without saying so.
    SendsMore,
}

pub(crate) struct Host {
    pub(crate) node: Node,
    store: BTreeMap<u32, Bytes>,
    pub(crate) completed: bool,
}

pub(crate) struct World {
    pub(crate) now: Time,
    rng: Rng,
    pub(crate) metainfo: Metainfo,
    bytes: Bytes,
    /// The first of them is the one that knows web seeds.
    hosts: Vec<Host>,
    queue: VecDeque<(usize, Input)>,
    /// By the beginning of their addresses.
    pub(crate) servers: BTreeMap<String, Manner>,
    pub(crate) asked: Vec<Fetch>,
    /// What is being fetched.
    open: Vec<u32>,
    trickling: Vec<u32>,
    pub(crate) troubles: Vec<(String, SeedTrouble)>,
    pub(crate) endings: Vec<Ending>,
    pub(crate) peer_stays_away: bool,
}

/// The files: how long they are, and what their addresses are below the seed's.
const FILES: [(usize, &str, &str); 4] = [
    (1_500_000, "a b&c.txt", "f%20%C3%BC/a%20b%26c.txt"),
    (0, "empty", "f%20%C3%BC/empty"),
    (70_000, "100%", "f%20%C3%BC/100%25"),
    (2_000_003, "con.bin?", "f%20%C3%BC/con.bin%3F"),
];

fn torrent(seed: u64) -> (Metainfo, Bytes) {
    let (mut bytes, mut listed) = (Vec::new(), String::new());
    let mut rng = Rng::new(seed);
    for (length, name, _) in FILES {
        let mut file = vec![0; length];
        rng.fill(&mut file);
        bytes.extend(file);
        let padding = bytes.len().next_multiple_of(PIECE) - bytes.len();
        bytes.extend(vec![0; padding]);
        let path = format!("{}:{name}", name.len());
        write!(listed, "d6:lengthi{length}e4:pathl{path}ee").unwrap();
        write!(listed, "d4:attr1:p6:lengthi{padding}e4:pathl3:padee").unwrap();
    }
    let hashes = bytes
        .chunks(PIECE)
        .flat_map(|piece| Sha1::digest(piece).to_vec());
    let hashes: Vec<u8> = hashes.collect();
    let info = format!(
        "d5:filesl{listed}e4:name4:f ü12:piece lengthi{PIECE}e6:pieces{}:",
        hashes.len()
    );
    let torrent = [b"d4:info", info.as_bytes(), &hashes, b"ee"].concat();
    (Metainfo::from_torrent(&torrent).unwrap(), bytes.into())
}

fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, u8::try_from(host).unwrap()], 6881))
}

impl World {
    /// Nobody but servers.
    pub(crate) fn new(seed: u64) -> Self {
        let (metainfo, bytes) = torrent(seed);
        let mut world = World {
            now: Time::from_millis(1000),
            rng: Rng::new(seed),
            metainfo,
            bytes,
            hosts: Vec::new(),
            queue: VecDeque::new(),
            servers: BTreeMap::from([(SEED.to_owned(), Manner::Honest)]),
            asked: Vec::new(),
            open: Vec::new(),
            trickling: Vec::new(),
            troubles: Vec::new(),
            endings: Vec::new(),
            peer_stays_away: false,
        };
        world.join(0..0, 8);
        world
    }

    /// There is a peer that has everything, too, and the leecher has a single place.
    pub(crate) fn with_peer_and_one_place(seed: u64) -> Self {
        let mut world = Self::with_peer(seed);
        world.hosts.swap(0, 1);
        world.hosts.truncate(1);
        let all = world.hosts.remove(0);
        world.queue.clear();
        world.join(0..0, 1);
        world.hosts.push(all);
        world
    }

    /// There is a peer that has everything, too.
    pub(crate) fn with_peer(seed: u64) -> Self {
        Self::with_peer_that_lacks(seed, 0..0)
    }

    pub(crate) fn with_peer_that_lacks(seed: u64, lacks: Range<u32>) -> Self {
        let mut world = Self::new(seed);
        let count = world.metainfo.layout().piece_count();
        let first = world.join(0..count, 8);
        for piece in lacks {
            let piece = world.metainfo.layout().piece(piece).unwrap();
            let info_hash = world.metainfo.info_hash();
            let pieces = vec![piece];
            world.feed(first, Input::Lost { info_hash, pieces });
        }
        world
    }

    /// One more host, which has these pieces, and so many places for others.
    fn join(&mut self, has: Range<u32>, places: usize) -> usize {
        let index = self.hosts.len();
        let config = Config {
            max_peers: places,
            ..Config::default()
        };
        let mut have = Bitfield::empty(self.metainfo.layout().piece_count());
        let mut store = BTreeMap::new();
        for piece in has {
            let piece = self.metainfo.layout().piece(piece).unwrap();
            have.insert(piece);
            let begin = piece.get() as usize * PIECE;
            let length = self.metainfo.layout().length(piece) as usize;
            store.insert(piece.get(), self.bytes.slice(begin..begin + length));
        }
        let node = Node::new(config, 7 + index as u64, self.now, Some(Vec::new()));
        self.hosts.push(Host {
            node,
            store,
            completed: false,
        });
        self.feed(index, Input::Network { dials: 8 });
        let add = Command::AddTorrent {
            metainfo: self.metainfo.clone(),
            resume: Resume::Pieces(have),
            paused: false,
        };
        self.feed(index, Input::Command(add));
        index
    }

    pub(crate) fn leecher(&self) -> &Host {
        &self.hosts[0]
    }

    /// The leecher hears of web seeds, and of the peer.
    pub(crate) fn know(&mut self, urls: &[&str]) {
        let info_hash = self.metainfo.info_hash();
        let urls = urls.iter().map(|url| (*url).to_owned()).collect();
        self.feed(0, Input::WebSeeds { info_hash, urls });
        if !self.peer_stays_away {
            self.meet();
        }
    }

    /// The leecher meets the peer, if there is one.
    pub(crate) fn meet(&mut self) {
        let met = Input::Met {
            info_hash: self.metainfo.info_hash(),
            complete: 1,
            incomplete: 1,
            addresses: (1..self.hosts.len()).map(address).collect(),
        };
        self.feed(0, met);
    }

    /// How much is being fetched.
    pub(crate) fn under_way(&self) -> usize {
        self.open.len()
    }

    /// All of the bytes that there should be.
    pub(crate) fn is_right(&self) -> bool {
        let layout = self.metainfo.layout();
        layout.pieces().all(|piece| {
            let begin = piece.get() as usize * PIECE;
            let length = self.metainfo.kept_length(piece) as usize;
            let kept = self.hosts[0].store.get(&piece.get());
            kept.is_some_and(|kept| kept[..length] == self.bytes[begin..begin + length])
        })
    }

    pub(crate) fn feed(&mut self, index: usize, input: Input) {
        self.hosts[index].node.handle(self.now, input);
        self.drain(index);
        let woken = self.hosts[index].node.wake(self.now);
        self.drain(index);
        assert!(!woken, "nobody waits for nothing");
    }

    fn drain(&mut self, index: usize) {
        while let Some(output) = self.hosts[index].node.poll_output() {
            self.carry_out(index, output);
        }
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        let host = &mut self.hosts[index];
        match output {
            Output::Web(WebOutput::Fetch(fetch)) => self.fetch(&fetch),
            Output::Web(WebOutput::Drop(number)) => self.open.retain(|open| *open != number),
            Output::Web(WebOutput::Trouble { url, trouble, .. }) => {
                self.troubles.push((url, trouble));
            }
            Output::Wire(WireOutput::Dial { info_hash, .. }) => {
                for (at, to, dialled) in [
                    (index, 1 - index, Some(info_hash)),
                    (1 - index, index, None),
                ] {
                    let up = WireUp {
                        path: PeerPath::Tcp,
                        remote: address(to),
                        local: address(at),
                        dialled,
                        max_payload: 64 << 10,
                    };
                    let up = Input::Wire(LinkId(1), WireInput::Up(up));
                    self.queue.push_back((at, up));
                }
            }
            Output::Wire(WireOutput::Send { wire, parts }) => {
                let mut bytes = Vec::new();
                for part in parts.iter() {
                    part.append_to(&mut bytes);
                }
                let sent = WireInput::Sent(bytes.len());
                self.queue.push_back((index, Input::Wire(wire, sent)));
                let received = WireInput::Received(bytes.into());
                self.queue
                    .push_back((1 - index, Input::Wire(wire, received)));
            }
            Output::Wire(WireOutput::Close { wire, reason }) => {
                self.endings.push(reason);
                let down = Input::Wire(wire, WireInput::Down);
                self.queue.push_back((1 - index, down));
            }
            Output::Store(job, work) => {
                let done = content::kept(&mut host.store, job, work);
                self.queue.push_back((index, Input::Store(job, done)));
            }
            Output::Event(Event::Completed(_)) => host.completed = true,
            Output::Event(event) => panic!("{event:?}"),
            output => panic!("{output:?}"),
        }
    }

    /// Answers as the server at this address does.
    fn fetch(&mut self, fetch: &Fetch) {
        let number = fetch.number;
        assert!(!self.open.contains(&number), "numbers are not used again");
        self.asked.push(fetch.clone());
        self.open.push(number);
        let server = self
            .servers
            .iter()
            .find(|(url, _)| fetch.url.starts_with(*url));
        let (base, manner) = server.map(|(url, manner)| (url.clone(), *manner)).unwrap();
        let path = fetch.url.strip_prefix(&base).unwrap();
        let file = FILES.iter().position(|(_, _, below)| *below == path);
        let file = file.unwrap_or_else(|| panic!("there is no {path}"));
        let before = FILES[..file].iter();
        let begin: usize = before
            .map(|(length, ..)| length.next_multiple_of(PIECE))
            .sum();
        let whole = self.bytes.slice(begin..begin + FILES[file].0);
        let first = usize::try_from(fetch.first).unwrap();
        let length = usize::try_from(fetch.length).unwrap();
        let mut body = whole.slice(first..first + length);
        let mut answer = Answer {
            status: 206,
            length: Some(fetch.length),
            first: Some(fetch.first),
        };
        let mut end = WebInput::End;
        match manner {
            Manner::Honest => {}
            Manner::Lies => body = body.iter().map(|byte| byte ^ 1).collect(),
            Manner::Stops(left) => {
                let sent = body.len().min(left);
                let rest = Manner::Stops(left - sent);
                self.servers.insert(base, rest);
                body = body.slice(..sent);
                if sent < length {
                    end = WebInput::Failed("the line is cut".to_owned());
                }
            }
            Manner::IgnoresRange => {
                answer.status = 200;
                answer.length = Some(whole.len() as u64);
                body = whole;
            }
            Manner::Status(status) => {
                answer = Answer {
                    status,
                    ..Answer::default()
                };
                body = Bytes::from_static(b"no");
            }
            Manner::Silent => return,
            Manner::Trickles => {
                self.trickling.push(number);
                return self.say(number, WebInput::Answered(answer));
            }
            Manner::OtherLength => answer.length = Some(fetch.length + 1),
            Manner::EndsEarly => body = body.slice(..length - 1),
            Manner::SendsMore => {
                answer.length = None;
                body = [&body[..], b"more"].concat().into();
            }
        }
        self.say(number, WebInput::Answered(answer));
        while !body.is_empty() {
            let stretch = 1 + self.rng.below(body.len().min(300_000));
            self.say(number, WebInput::Received(body.split_to(stretch)));
        }
        self.say(number, end);
    }

    fn say(&mut self, number: u32, input: WebInput) {
        self.queue.push_back((0, Input::Web(number, input)));
    }

    /// Handles what is on its way, or lets time pass until the next timer.
    fn step(&mut self) {
        if let Some((host, input)) = self.queue.pop_front() {
            if let Input::Web(number, web) = &input {
                if !self.open.contains(number) {
                    return;
                }
                if matches!(web, WebInput::End | WebInput::Failed(_)) {
                    self.open.retain(|open| open != number);
                }
            }
            return self.feed(host, input);
        }
        let timers = self
            .hosts
            .iter()
            .filter_map(|host| host.node.poll_timeout());
        let next = timers.map(|(due, _)| due).min();
        self.now = self
            .now
            .max(next.unwrap_or(self.now + Duration::from_secs(1)));
        for host in 0..self.hosts.len() {
            self.queue.push_back((host, Input::Tick));
        }
        self.trickling.retain(|number| self.open.contains(number));
        for number in self.trickling.clone() {
            self.say(number, WebInput::Received(Bytes::from_static(b"a")));
        }
    }

    pub(crate) fn run(&mut self, what: &str, until: impl Fn(&World) -> bool) {
        for _ in 0..100_000 {
            if until(self) {
                return;
            }
            self.step();
        }
        panic!("{what}");
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.run("time passes", |world| world.now >= end);
    }

    /// What the engine was told, told to another one: it says the same.
    pub(crate) fn replay(&mut self) {
        let mut reader = Reader::default();
        reader.push(&self.hosts[0].node.stop_recording(self.now).unwrap());
        let mut replay = Replay::new(reader.header().unwrap().unwrap());
        while let Some(entry) = reader.next_entry().unwrap() {
            replay.step(entry).unwrap();
        }
        assert!(reader.is_complete());
    }
}
