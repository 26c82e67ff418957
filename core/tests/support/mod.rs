//! A whole swarm in memory: real engines, the real hub, no sockets, virtual time.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

#[path = "../content/mod.rs"]
mod content;
pub(crate) mod direct;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{
    Command, Config, Done, Event, Job, Resume, StoreError, TorrentState, TorrentView, Work,
};
use swarm_core::hub::{ConnId, Hub, HubConfig, HubInput, HubOutput, Source};
use swarm_core::id::{InfoHash, LinkId};
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{BridgeOutput, Input, LinkInput, LinkOutput, Node, Output};
use swarm_core::pieces::Bitfield;
use swarm_core::record::{Reader, Replay};
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::relay::{ClientMessage, DataFrame, ServerMessage};

/// The only server.
const LINK: LinkId = LinkId(0);

/// A torrent with the bytes that belong to it.
pub(crate) struct Content {
    pub(crate) metainfo: Metainfo,
    pub(crate) bytes: Bytes,
}

impl Content {
    /// Random bytes in pieces of 64 KiB.
    pub(crate) fn random(length: usize, seed: u64) -> Self {
        let (metainfo, bytes) = content::of_one("data.bin", length as u64, 64 << 10, seed);
        Content { metainfo, bytes }
    }

    /// Random files in pieces of 64 KiB, each but the last with padding behind (BEP 47), as
    /// long as is said.
    pub(crate) fn padded(files: &[(usize, usize)], seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut bytes = Vec::new();
        let mut listed = String::new();
        for (number, &(length, padding)) in files.iter().enumerate() {
            let name = format!("file {number}");
            let mut file = vec![0; length];
            rng.fill(&mut file);
            bytes.extend(file);
            bytes.extend(vec![0; padding]);
            write!(
                listed,
                "d6:lengthi{length}e4:pathl{}:{name}eed4:attr1:p6:lengthi{padding}ee",
                name.len()
            )
            .unwrap();
        }
        let hashes = bytes
            .chunks(64 << 10)
            .flat_map(|piece| <[u8; 20]>::from(Sha1::digest(piece)));
        let hashes: Vec<u8> = hashes.collect();
        let info = format!(
            "d5:filesl{listed}e4:name1:f12:piece lengthi65536e6:pieces{}:",
            hashes.len()
        );
        let torrent = [b"d4:info", info.as_bytes(), &hashes, b"ee"].concat();
        Content {
            metainfo: Metainfo::from_torrent(&torrent).unwrap(),
            bytes: bytes.into(),
        }
    }

    /// The same content as a private torrent (BEP 27).
    pub(crate) fn private(&self) -> Self {
        Content {
            metainfo: content::made_private(&self.metainfo),
            bytes: self.bytes.clone(),
        }
    }

    pub(crate) fn info_hash(&self) -> InfoHash {
        self.metainfo.info_hash()
    }

    fn piece(&self, index: u32) -> Bytes {
        let piece = self.metainfo.layout().piece(index).unwrap();
        let begin = usize::try_from(self.metainfo.layout().offset(piece)).unwrap();
        self.bytes
            .slice(begin..begin + self.metainfo.layout().length(piece) as usize)
    }

    pub(crate) fn all_pieces(&self) -> BTreeMap<u32, Bytes> {
        (0..self.metainfo.layout().piece_count())
            .map(|i| (i, self.piece(i)))
            .collect()
    }
}

/// One host: an engine, a store in memory, maybe a connection.
pub(crate) struct Host {
    /// Recorded, so that every scenario can be run once more.
    pub(crate) engine: Node<Vec<u8>>,
    conn: Option<ConnId>,
    pub(crate) store: BTreeMap<u32, Bytes>,
    /// Where it has several torrents: the pieces of all but the first.
    pub(crate) more: BTreeMap<InfoHash, BTreeMap<u32, Bytes>>,
    pub(crate) events: Vec<Event>,
    /// Sends every block with a flipped bit.
    pub(crate) lies: bool,
    /// Pieces that the store takes before it is full.
    pub(crate) room: usize,
    /// Pieces written, in order.
    pub(crate) written: Vec<u32>,
    /// How long its store takes to read a piece.
    pub(crate) reads_in: Duration,
    /// What it looked for, kept and dropped for others.
    pub(crate) carried: Vec<BridgeOutput>,
}

impl Host {
    /// Does what a store does.
    fn work(&mut self, job: Job, work: Work) -> Done {
        let piece = job.piece.get();
        let store = self.more.get_mut(&job.info_hash);
        let store = store.unwrap_or(&mut self.store);
        match work {
            Work::Read { .. } => {
                let data = store.get(&piece).cloned();
                Done::Read(data.ok_or(StoreError::Missing))
            }
            Work::Write { data } => Done::Written(if store.len() < self.room {
                store.insert(piece, data);
                self.written.push(piece);
                Ok(())
            } else {
                Err(StoreError::Full("the test says so".to_owned()))
            }),
            Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
            Work::Verify => unreachable!("these pieces are held whole"),
        }
    }
}

pub(crate) struct Net {
    pub(crate) now: Time,
    hub: Option<Hub>,
    next_conn: u64,
    seed: u64,
    pub(crate) hosts: Vec<Host>,
    queue: VecDeque<(usize, Input)>,
    /// What stores will have done by then.
    later: BTreeMap<Time, Vec<(usize, Input)>>,
    pub(crate) directs: direct::Directs,
    /// Who is to be found for what in the DHT, where only bridges look.
    pub(crate) mainline: BTreeMap<InfoHash, Vec<usize>>,
    /// Everything that was said, for comparing runs.
    pub(crate) log: Vec<String>,
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        Self::around(HubConfig::default(), seed)
    }

    pub(crate) fn around(hub: HubConfig, seed: u64) -> Self {
        Net {
            now: Time::from_millis(1000),
            hub: Some(Hub::new(hub, seed)),
            next_conn: 0,
            seed,
            hosts: Vec::new(),
            queue: VecDeque::new(),
            later: BTreeMap::new(),
            directs: direct::Directs::default(),
            mainline: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn host(&mut self, config: Config) -> usize {
        let host = self.host_alone(config);
        self.connect(host);
        host
    }

    /// One that knows no server.
    fn host_alone(&mut self, config: Config) -> usize {
        let index = self.hosts.len();
        let seed = self.seed * 1000 + index as u64;
        let engine = Node::new(config, seed, self.now, Some(Vec::new()));
        self.hosts.push(Host {
            engine,
            conn: None,
            store: BTreeMap::new(),
            more: BTreeMap::new(),
            events: Vec::new(),
            lies: false,
            room: usize::MAX,
            written: Vec::new(),
            reads_in: Duration::ZERO,
            carried: Vec::new(),
        });
        index
    }

    pub(crate) fn seeder(&mut self, content: &Content) -> usize {
        self.seeder_with(Config::default(), content)
    }

    pub(crate) fn seeder_with(&mut self, config: Config, content: &Content) -> usize {
        let host = self.host(config);
        self.seeds(host, content);
        host
    }

    /// One that has everything, and is to be reached by TCP alone.
    pub(crate) fn ordinary_seeder(&mut self, content: &Content) -> usize {
        let host = self.host_alone(Config::default());
        self.feed(host, Input::Network { dials: 8 });
        self.seeds(host, content);
        host
    }

    fn seeds(&mut self, host: usize, content: &Content) {
        self.hosts[host].store = content.all_pieces();
        let pieces = content.metainfo.layout().piece_count();
        self.add(host, content, Bitfield::full(pieces));
    }

    /// A host has one torrent more, complete or to be fetched.
    pub(crate) fn add_torrent(&mut self, host: usize, content: &Content, complete: bool) {
        let pieces = content.metainfo.layout().piece_count();
        let (store, have) = match complete {
            true => (content.all_pieces(), Bitfield::full(pieces)),
            false => (BTreeMap::new(), Bitfield::empty(pieces)),
        };
        self.hosts[host].more.insert(content.info_hash(), store);
        match complete {
            true => self.add(host, content, have),
            false => self.add_link(host, content),
        }
    }

    /// A host has all of a torrent that is not its first.
    pub(crate) fn has_all(&self, host: usize, content: &Content) -> bool {
        let store = self.hosts[host].more.get(&content.info_hash());
        store.is_some_and(|store| *store == content.all_pieces())
    }

    /// Gives a host a torrent of which it has these pieces.
    fn add(&mut self, host: usize, content: &Content, have: Bitfield) {
        let metainfo = content.metainfo.clone();
        let resume = Resume::Pieces(have);
        let paused = false;
        self.command(
            host,
            Command::AddTorrent {
                metainfo,
                resume,
                paused,
            },
        );
    }

    /// A peer that knows only the info-hash.
    pub(crate) fn leecher(&mut self, content: &Content) -> usize {
        self.leecher_with(Config::default(), content)
    }

    pub(crate) fn leecher_with(&mut self, config: Config, content: &Content) -> usize {
        let host = self.host(config);
        self.add_link(host, content);
        host
    }

    /// A host wants what it knows only the info-hash of.
    pub(crate) fn add_link(&mut self, host: usize, content: &Content) {
        let info_hash = content.info_hash();
        self.command(
            host,
            Command::AddLink {
                info_hash,
                name: None,
                check: false,
                paused: false,
            },
        );
    }

    pub(crate) fn input(&mut self, host: usize, input: Input) {
        self.feed(host, input);
    }

    pub(crate) fn command(&mut self, host: usize, command: Command) {
        self.feed(host, Input::Command(command));
    }

    pub(crate) fn connect(&mut self, host: usize) {
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        self.hosts[host].conn = Some(conn);
        self.queue
            .push_back((host, Input::Link(LINK, LinkInput::Up)));
        let source = Source::V6(conn.0.to_be_bytes());
        let hub = self.hub.as_mut().expect("a hub to connect to");
        hub.handle(self.now, HubInput::Connected(conn, source));
        self.drain_hub();
    }

    /// Pulls a host's plug.
    pub(crate) fn disconnect(&mut self, host: usize) {
        if let Some(conn) = self.hosts[host].conn.take() {
            if let Some(hub) = &mut self.hub {
                hub.handle(self.now, HubInput::Disconnected(conn));
            }
            self.queue
                .push_back((host, Input::Link(LINK, LinkInput::Down)));
            self.drain_hub();
        }
    }

    /// The server is gone, for good.
    pub(crate) fn kill_server(&mut self) {
        self.hub = None;
        for host in 0..self.hosts.len() {
            self.disconnect(host);
        }
    }

    /// A server comes up, at which only these meet.
    pub(crate) fn start_server(&mut self, hub: HubConfig, hosts: &[usize]) {
        self.seed += 1;
        self.hub = Some(Hub::new(hub, self.seed));
        for host in hosts {
            self.connect(*host);
        }
    }

    /// The tracker forgets everything; all connect again.
    pub(crate) fn restart_tracker(&mut self) {
        self.hub = None;
        for host in 0..self.hosts.len() {
            self.disconnect(host);
        }
        self.settle();
        self.hub = Some(Hub::new(HubConfig::default(), self.seed + 1));
        for host in 0..self.hosts.len() {
            self.connect(host);
        }
    }

    /// A reload: a new engine over the same store.
    pub(crate) fn reload(&mut self, host: usize, content: &Content) {
        self.disconnect(host);
        self.settle();
        self.seed += 1;
        self.hosts[host].engine =
            Node::new(Config::default(), self.seed, self.now, Some(Vec::new()));
        self.hosts[host].written.clear();
        let layout = content.metainfo.layout();
        let mut have = Bitfield::empty(layout.piece_count());
        for &index in self.hosts[host].store.keys() {
            have.insert(layout.piece(index).unwrap());
        }
        self.connect(host);
        self.add(host, content, have);
    }

    /// Ends a host's recording, and feeds another engine with it.
    pub(crate) fn replay(&mut self, host: usize) -> Replay {
        let mut reader = Reader::default();
        reader.push(&self.hosts[host].engine.stop_recording(self.now).unwrap());
        let mut replay = Replay::new(reader.header().unwrap().unwrap());
        while let Some(entry) = reader.next_entry().unwrap() {
            replay.step(entry).unwrap();
        }
        assert!(reader.is_complete());
        replay
    }

    pub(crate) fn torrent(&self, host: usize) -> TorrentView {
        self.hosts[host].engine.view(self.now).torrents.remove(0)
    }

    pub(crate) fn is_seeding(&self, host: usize) -> bool {
        self.torrent(host).state == TorrentState::Seeding
    }

    /// Runs until `done`, one input at a time; panics when nothing leads there within an
    /// hour of virtual time.
    pub(crate) fn run_until(&mut self, done: impl Fn(&Net) -> bool) {
        let end = self.now + Duration::from_secs(3600);
        while !done(self) {
            if self.step() {
                continue;
            }
            let next = self
                .hosts
                .iter()
                .filter_map(|host| host.engine.poll_timeout())
                .map(|(time, _)| time)
                .min();
            let hub = self.hub.as_ref().and_then(Hub::poll_timeout);
            let later = self.later.keys().next().copied();
            let next = next
                .into_iter()
                .chain(hub)
                .chain(later)
                .min()
                .expect("somebody waits for something");
            assert!(next <= end, "nobody gets there within an hour");
            self.now = self.now.max(next);
            let due = self.later.remove(&next).unwrap_or_default();
            self.queue.extend(due);
            if let Some(hub) = &mut self.hub {
                hub.handle(self.now, HubInput::Tick);
            }
            self.drain_hub();
            for host in 0..self.hosts.len() {
                self.queue.push_back((host, Input::Tick));
            }
        }
    }

    /// Handles all that waits, without letting time pass.
    pub(crate) fn settle(&mut self) {
        while self.step() {}
    }

    fn step(&mut self) -> bool {
        let Some((host, input)) = self.queue.pop_front() else {
            return false;
        };
        self.feed(host, input);
        true
    }

    fn feed(&mut self, host: usize, input: Input) {
        self.hosts[host].engine.handle(self.now, input);
        while let Some(output) = self.hosts[host].engine.poll_output() {
            self.carry_out(host, output);
        }
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        self.log.push(format!("{index} {}", summary(&output)));
        let host = &mut self.hosts[index];
        match output {
            Output::Link(_, LinkOutput::Reconnect) => {
                self.disconnect(index);
                self.connect(index);
            }
            Output::Link(_, output) => {
                let (Some(conn), Some(hub)) = (host.conn, &mut self.hub) else {
                    return;
                };
                let message = output.into_message().expect("anything else is a message");
                let message = if host.lies { corrupt(message) } else { message };
                let sent = if let ClientMessage::Data(frame) = &message {
                    frame.payload_len()
                } else {
                    0
                };
                hub.handle(self.now, HubInput::Message(conn, message));
                let sent = Input::Link(LINK, LinkInput::Sent(sent));
                self.queue.push_back((index, sent));
                self.drain_hub();
            }
            Output::Store(job, work) => {
                let done = Input::Store(job, host.work(job, work));
                match (&done, host.reads_in) {
                    (Input::Store(_, Done::Read(_)), delay) if delay > Duration::ZERO => {
                        let due = self.later.entry(self.now + delay).or_default();
                        due.push((index, done));
                    }
                    _ => self.queue.push_back((index, done)),
                }
            }
            Output::Direct(id, work) => self.link(index, id, work),
            Output::Wire(output) => self.work_on_wire(index, output),
            Output::Ask(_) | Output::Trouble { .. } | Output::WebTorrent(..) | Output::Web(_) => {
                unreachable!("nobody here has trackers")
            }
            Output::Bridge(output) => self.carry_for_others(index, output),
            Output::Event(event) => host.events.push(event),
            Output::Refused { .. } => {}
        }
    }

    /// Does what the host of a bridge does.
    fn carry_for_others(&mut self, index: usize, output: BridgeOutput) {
        let host = &mut self.hosts[index];
        match &output {
            BridgeOutput::Find(info_hash) => {
                let found = self.mainline.get(info_hash).into_iter().flatten();
                let met = Input::Met {
                    info_hash: *info_hash,
                    complete: 0,
                    incomplete: 0,
                    addresses: found.map(|other| direct::address(*other)).collect(),
                };
                self.queue.push_back((index, met));
            }
            BridgeOutput::Keep(metainfo) => {
                host.more.insert(metainfo.info_hash(), BTreeMap::new());
            }
            BridgeOutput::Drop(info_hash) => {
                host.more.remove(info_hash);
            }
        }
        host.carried.push(output);
    }

    fn drain_hub(&mut self) {
        let Some(hub) = &mut self.hub else { return };
        let mut closed = Vec::new();
        while let Some((conn, output)) = hub.poll_output() {
            let Some(host) = self.hosts.iter().position(|host| host.conn == Some(conn)) else {
                continue;
            };
            match output {
                HubOutput::Send(message) => self
                    .queue
                    .push_back((host, Input::Link(LINK, message.into()))),
                HubOutput::Forward(frame) => {
                    let bytes = frame.clone().into_message().len() as u64;
                    hub.handle(self.now, HubInput::Written(conn, bytes));
                    self.queue
                        .push_back((host, Input::Link(LINK, ServerMessage::Data(frame).into())));
                }
                HubOutput::Close { reason } => closed.push((host, reason)),
                HubOutput::WebTorrent(_) | HubOutput::Reply(_) => {
                    panic!("everybody here speaks our own protocol")
                }
            }
        }
        if let Some((host, reason)) = closed.first() {
            panic!("the hub closed host {host}: {reason}");
        }
    }
}

/// Flips a bit in every block-sized frame, not in handshakes and small messages.
fn corrupt(message: ClientMessage) -> ClientMessage {
    match message {
        ClientMessage::Data(frame) if frame.payload_len() > 16 << 10 => {
            let mut payload = frame.payload().to_vec();
            *payload.last_mut().unwrap() ^= 1;
            ClientMessage::Data(DataFrame::new(frame.channel(), &payload))
        }
        message => message,
    }
}

/// Enough of an output to tell two runs apart.
fn summary(output: &Output) -> String {
    match output {
        Output::Link(_, LinkOutput::Data { channel, parts }) => {
            let payload = parts.frame(*channel).payload();
            format!("data {channel:?} {:x?}", Sha1::digest(payload))
        }
        Output::Store(job, Work::Hash { .. }) => format!("hash {:?}", job.piece),
        Output::Store(job, Work::Write { .. }) => format!("write {:?}", job.piece),
        other => format!("{other:?}"),
    }
}
