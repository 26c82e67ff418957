//! Peers that reach each other by wires alone, as ordinary clients do by TCP: no server, no
//! credit, and a stream that arrives in stretches of any length.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../content/mod.rs"]
mod content;
mod exchange;
mod net;

use bytes::Bytes;
use net::{End, Net, PIECE, PIECES, address};
use swarm_core::engine::{Command, Config, Ending, PeerPath};
use swarm_core::id::{InfoHash, LinkId, PeerId};
use swarm_core::node::{Input, Node, Output, TimerKind, WireInput, WireOutput};
use swarm_core::time::Time;
use swarm_core::wire::extension::ExtensionHandshake;
use swarm_core::wire::peer::{Handshake, Message, Reserved};
use swarm_core::wire::tracker::Event as TrackerEvent;

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
