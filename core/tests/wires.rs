//! Peers that reach each other by wires alone, as ordinary clients do by TCP: no server, no
//! credit, and a stream that arrives in stretches of any length.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod content;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sha1::{Digest, Sha1};
use swarm_core::engine::{Command, Config, Done, Ending, Event, PeerPath, Resume, Work};
use swarm_core::find::announcer::{Ask, Reply};
use swarm_core::id::{InfoHash, LinkId, PeerId};
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{Input, Node, Output, TimerKind, WireInput, WireOutput, WireUp};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::extension::ExtensionHandshake;
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{Handshake, Message, Reserved};
use swarm_core::wire::pex::{Added, PexMessage};
use swarm_core::wire::tracker::Event as TrackerEvent;
use swarm_core::wire::tracker::http::Announced;

const PIECE: usize = 64 << 10;
const PIECES: usize = 20;

struct Host {
    node: Node,
    store: BTreeMap<u32, Bytes>,
    completed: bool,
    /// What its trackers were asked; they answer at once.
    asked: Vec<Ask>,
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
    /// Where nobody is, though somebody called.
    in_vain: Vec<SocketAddr>,
    /// What went through wires that the test holds the other ends of.
    said: BTreeMap<LinkId, Vec<u8>>,
}

fn address(host: usize) -> SocketAddr {
    let host = u8::try_from(host).unwrap();
    SocketAddr::from(([10, 0, 0, host], 6881))
}

impl Net {
    /// The first of them has everything, the others nothing.
    fn new(count: usize, seed: u64) -> Self {
        Net::of(count, seed, false)
    }

    /// One host, with a private torrent (BEP 27).
    fn private(seed: u64) -> Self {
        Net::of(1, seed, true)
    }

    fn of(count: usize, seed: u64, private: bool) -> Self {
        let piece = u32::try_from(PIECE).unwrap();
        let (mut metainfo, bytes) = content::of_one("file", (PIECES * PIECE) as u64, piece, seed);
        if private {
            let mut info = metainfo.info().to_vec();
            // Behind the last key of what is written here, which is "pieces".
            info.truncate(info.len() - 1);
            info.extend(b"7:privatei1ee");
            let info_hash = InfoHash::of(&info);
            metainfo = Metainfo::from_info(info.into(), info_hash, Vec::new()).unwrap();
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
fn trackers_hear_once_that_all_is_here() {
    let mut net = Net::new(2, 4);
    let info_hash = net.metainfo.info_hash();
    for host in 0..2 {
        let tiers = vec![vec!["udp://tracker:80".to_owned()]];
        net.feed(host, Input::Trackers { info_hash, tiers });
    }
    net.meet(1, &[0]);
    net.run("it completes", |net| net.hosts[1].completed);
    let lost = net.metainfo.layout().pieces().take(2).collect();
    net.hosts[1].completed = false;
    net.feed(
        1,
        Input::Lost {
            info_hash,
            pieces: lost,
        },
    );
    net.run("it has all again", |net| net.hosts[1].completed);
    for host in 0..2 {
        net.feed(host, Input::Command(Command::Remove(info_hash)));
    }
    let told = |host: usize| {
        let asked = net.hosts[host].asked.iter();
        let told = asked.map(|ask| (ask.query.announce.event, ask.query.announce.left));
        told.collect::<Vec<_>>()
    };
    let all = (PIECES * PIECE) as u64;
    let stopped = (TrackerEvent::Stopped, Some(0));
    assert_eq!(told(0), [(TrackerEvent::Started, Some(0)), stopped]);
    let completed = (TrackerEvent::Completed, Some(0));
    let started = (TrackerEvent::Started, Some(all));
    assert_eq!(told(1), [started, completed, stopped]);
    let last = &net.hosts[1].asked[2].query.announce;
    assert!(last.downloaded > all && last.uploaded == 0);
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

/// What somebody says who calls, in an ordinary client's first messages.
fn greeting(net: &Net, peer_id: u8, port: Option<u16>) -> Bytes {
    let handshake = Handshake {
        reserved: Reserved::EXTENSION,
        info_hash: net.metainfo.info_hash(),
        peer_id: PeerId([peer_id; 20]),
    };
    let payload = ExtensionHandshake {
        port,
        ..ExtensionHandshake::default()
    };
    let mut bytes = handshake.encode().to_vec();
    let extended = Message::Extended {
        id: 0,
        payload: payload.encode(),
    };
    extended.encode(&mut bytes);
    bytes.into()
}

/// Somebody calls the first host from there, and says this.
fn call(net: &mut Net, number: u32, from: &str, says: Bytes) {
    let wire = LinkId(number);
    net.up((0, wire), address(0), from.parse().unwrap(), None);
    net.queue
        .push_back((0, Input::Wire(wire, WireInput::Received(says))));
    while !net.queue.is_empty() {
        net.step();
    }
}

#[test]
fn who_calls_is_called_back_where_it_listens_and_nowhere_else() {
    let mut net = Net::new(1, 9);
    let hello = greeting(&net, 7, Some(6889));
    call(&mut net, 500, "10.0.0.9:50123", hello);
    assert!(net.in_vain.is_empty(), "it is here");
    net.queue
        .push_back((0, Input::Wire(LinkId(500), WireInput::Down)));
    net.run("it is called back", |net| !net.in_vain.is_empty());
    assert_eq!(net.in_vain, ["10.0.0.9:6889".parse().unwrap()]);
}

/// What the first host said through a wire that the test holds.
fn told(net: &Net, wire: u32) -> Vec<PexMessage> {
    let mut decoder: Decoder = Decoder::new(1 << 20);
    if let Some(said) = net.said.get(&LinkId(wire)) {
        decoder.push(Bytes::from(said.clone()));
    }
    let mut told = Vec::new();
    while let Ok(Some(received)) = decoder.poll() {
        if let Received::Message(Message::Extended { id: 9, payload }) = received {
            told.push(PexMessage::decode(&payload).unwrap());
        }
    }
    told
}

/// Somebody calls the first host, and wants to hear of peers.
fn call_for_peers(net: &mut Net, number: u32, from: &str, port: u16) {
    let mut hello = Handshake {
        reserved: Reserved::EXTENSION,
        info_hash: net.metainfo.info_hash(),
        peer_id: PeerId([u8::try_from(number % 250).unwrap(); 20]),
    }
    .encode()
    .to_vec();
    let payload = ExtensionHandshake {
        ut_pex: Some(9),
        port: Some(port),
        ..ExtensionHandshake::default()
    };
    let payload = payload.encode();
    Message::Extended { id: 0, payload }.encode(&mut hello);
    call(net, number, from, hello.into());
}

fn wait(net: &mut Net, seconds: u64) {
    let until = net.now + Duration::from_secs(seconds);
    while net.now < until {
        if net.queue.is_empty() && net.hosts[0].node.poll_timeout().is_none() {
            // Nobody waits for anything.
            net.now = until;
        } else {
            net.step();
        }
    }
}

#[test]
fn peers_are_told_of_where_they_listen_once_and_not_to_strangers_to_a_network() {
    let mut net = Net::new(1, 12);
    call_for_peers(&mut net, 500, "9.9.9.9:50123", 6889);
    call_for_peers(&mut net, 501, "8.8.8.8:50124", 6890);
    // A neighbour, whom nobody outside can call.
    call_for_peers(&mut net, 502, "10.0.0.7:50125", 6891);
    wait(&mut net, 3);
    let addresses = |told: Vec<PexMessage>| {
        let added = told.iter().flat_map(|message| &message.added);
        let mut added: Vec<String> = added.map(|it| it.address.to_string()).collect();
        added.sort();
        added
    };
    assert_eq!(addresses(told(&net, 500)), ["8.8.8.8:6890"]);
    assert_eq!(addresses(told(&net, 501)), ["9.9.9.9:6889"]);
    assert_eq!(addresses(told(&net, 502)), ["8.8.8.8:6890", "9.9.9.9:6889"]);
    net.queue
        .push_back((0, Input::Wire(LinkId(501), WireInput::Down)));
    wait(&mut net, 70);
    let told = told(&net, 500);
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].dropped, ["8.8.8.8:6890".parse().unwrap()]);
}

#[test]
fn who_is_told_of_is_called_and_lies_cost_little() {
    let mut net = Net::new(1, 13);
    let info_hash = net.metainfo.info_hash();
    let mut says = Handshake {
        reserved: Reserved::EXTENSION,
        info_hash,
        peer_id: PeerId([7; 20]),
    }
    .encode()
    .to_vec();
    let added = |number: u32| Added {
        address: SocketAddr::new(std::net::Ipv4Addr::from(0x0808_0000 + number).into(), 6881),
        seed: false,
        reachable: true,
    };
    for round in 0..20 {
        let added = (0..50).map(|index| added(50 * round + index));
        let mut message = PexMessage {
            added: added.collect(),
            dropped: Vec::new(),
        };
        if round == 0 {
            for (index, lie) in ["127.0.0.1:22", "10.0.0.5:80", "8.8.8.8:0"]
                .iter()
                .enumerate()
            {
                message.added[index].address = lie.parse().unwrap();
            }
        }
        let payload = message.encode();
        Message::Extended { id: 3, payload }.encode(&mut says);
    }
    call(&mut net, 500, "9.9.9.9:50123", says.into());
    wait(&mut net, 200);
    net.in_vain.sort();
    net.in_vain.dedup();
    assert_eq!(
        net.in_vain.len(),
        47,
        "the first of the messages, but for its lies"
    );
    assert!(
        net.hosts[0]
            .endings
            .iter()
            .all(|ending| *ending == Ending::Silent)
    );
}

#[test]
fn nothing_is_told_in_a_private_torrent() {
    let mut net = Net::private(14);
    call_for_peers(&mut net, 500, "9.9.9.9:50123", 6889);
    call_for_peers(&mut net, 501, "8.8.8.8:50124", 6890);
    wait(&mut net, 3);
    assert!(told(&net, 500).is_empty() && told(&net, 501).is_empty());
    let mut says = Vec::new();
    let mut message = PexMessage::default();
    message.added.push(Added {
        address: "8.8.4.4:6881".parse().unwrap(),
        seed: true,
        reachable: true,
    });
    let payload = message.encode();
    Message::Extended { id: 3, payload }.encode(&mut says);
    let received = WireInput::Received(Bytes::from(says));
    net.queue.push_back((0, Input::Wire(LinkId(500), received)));
    wait(&mut net, 10);
    assert!(net.in_vain.is_empty());
}

#[test]
fn two_calls_of_one_client_are_one_session_and_a_name_alone_ends_nothing() {
    let mut net = Net::new(1, 10);
    let hello = greeting(&net, 7, Some(6889));
    call(&mut net, 500, "10.0.0.9:50123", hello.clone());
    call(&mut net, 501, "10.0.0.9:50124", hello.clone());
    assert_eq!(net.hosts[0].endings, [Ending::ConnectedAlready]);
    // Somebody else who calls itself so, and a neighbour of another name.
    call(&mut net, 502, "10.0.0.8:50123", hello);
    let other = greeting(&net, 8, None);
    call(&mut net, 503, "10.0.0.9:50125", other);
    let view = net.hosts[0].node.view(net.now);
    assert_eq!(view.torrents[0].peers.len(), 3);
    assert_eq!(net.hosts[0].endings.len(), 1);
}

#[test]
fn a_machine_whose_caller_misbehaved_is_not_listened_to_for_a_while() {
    let mut net = Net::new(2, 11);
    let mut rude = greeting(&net, 7, Some(6889)).to_vec();
    Message::<Bytes>::Have(99).encode(&mut rude);
    let rude = Bytes::from(rude);
    call(&mut net, 500, "10.0.0.9:50123", rude.clone());
    call(&mut net, 501, "10.0.0.9:50124", rude.clone());
    call(&mut net, 502, "10.0.0.8:50124", rude);
    let endings = &net.hosts[0].endings;
    let faults = endings
        .iter()
        .map(|ending| matches!(ending, Ending::Fault(_)));
    assert_eq!(faults.collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(endings[1], Ending::Shunned);
    net.meet(1, &[0]);
    net.run("others are as welcome as ever", |net| {
        net.hosts[1].completed
    });
}

#[test]
fn two_that_call_each_other_have_one_session() {
    for seed in 20..24 {
        let mut net = Net::new(2, seed);
        net.meet(1, &[0]);
        net.meet(0, &[1]);
        net.run("it completes", |net| net.hosts[1].completed);
        for host in &net.hosts {
            let view = host.node.view(net.now);
            assert!(view.torrents[0].peers.len() <= 1, "{view:?}");
        }
    }
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

#[test]
fn how_many_are_dialled_at_once_may_be_said_again() {
    let mut node: Node = Node::new(Config::default(), 1, Time::ZERO, None);
    let info_hash = InfoHash([1; 20]);
    let add = Command::AddLink {
        info_hash,
        name: None,
        check: false,
        paused: false,
    };
    let met = Input::Met {
        info_hash,
        complete: 0,
        incomplete: 0,
        addresses: (1..=5).map(address).collect(),
    };
    let mut dialled = |input| {
        node.handle(Time::ZERO, input);
        let outputs = std::iter::from_fn(|| node.poll_output());
        let dials = |output: &Output| matches!(output, Output::Wire(WireOutput::Dial { .. }));
        outputs.filter(dials).count()
    };
    dialled(Input::Command(add));
    let counts = [(2, 2), (2, 0), (3, 1)];
    for (dials, more) in counts {
        dialled(Input::Network { dials });
        assert_eq!(dialled(met.clone()), more);
    }
}
