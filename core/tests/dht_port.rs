//! Peers that have nodes of the DHT tell each other where (BEP 5).

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod content;

use bytes::Bytes;
use swarm_core::engine::{Command, Config, Event, PeerPath, Resume};
use swarm_core::id::{LinkId, PeerId};
use swarm_core::node::{Input, Node, Output, WireInput, WireOutput, WireUp};
use swarm_core::pieces::Bitfield;
use swarm_core::time::Time;
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{Handshake, Message, Reserved};

const WIRE: LinkId = LinkId(1 << 16);

/// What came of a call.
#[derive(Default)]
struct Heard {
    /// Our handshake has the bit.
    bit: bool,
    ports: Vec<u16>,
    /// Nodes that the host is told of.
    nodes: Vec<String>,
}

/// Somebody from 10.0.0.9 calls a host whose node is at this port, and says that it has one too,
/// at 7001, if `theirs`.
fn call(private: bool, ours: Option<u16>, theirs: bool) -> Heard {
    let (mut metainfo, _) = content::of_one("file", 64 << 10, 16 << 10, 3);
    if private {
        metainfo = content::made_private(&metainfo);
    }
    let info_hash = metainfo.info_hash();
    let config = Config {
        dht_port: ours,
        ..Config::default()
    };
    let mut node: Node = Node::new(config, 1, Time::ZERO, None);
    let pieces = metainfo.layout().piece_count();
    let mut says = Handshake {
        reserved: match theirs {
            true => Reserved::EXTENSION.with(Reserved::DHT),
            false => Reserved::EXTENSION,
        },
        info_hash,
        peer_id: PeerId([7; 20]),
    }
    .encode()
    .to_vec();
    Message::Port(7001).encode(&mut says);
    let inputs = [
        Input::Network { dials: 8 },
        Input::Command(Command::AddTorrent {
            metainfo,
            resume: Resume::Pieces(Bitfield::full(pieces)),
            paused: false,
        }),
        Input::Wire(
            WIRE,
            WireInput::Up(WireUp {
                path: PeerPath::Tcp,
                remote: "10.0.0.9:50123".parse().unwrap(),
                local: "10.0.0.1:6881".parse().unwrap(),
                dialled: None,
                max_payload: 64 << 10,
            }),
        ),
        Input::Wire(WIRE, WireInput::Received(Bytes::from(says))),
    ];
    let mut heard = Heard::default();
    let mut said = Vec::new();
    for input in inputs {
        node.handle(Time::ZERO, input);
        while let Some(output) = node.poll_output() {
            match output {
                Output::Wire(WireOutput::Send { parts, .. }) => {
                    parts.iter().for_each(|part| part.append_to(&mut said));
                }
                Output::Event(Event::DhtNode(address)) => heard.nodes.push(address.to_string()),
                _ => {}
            }
        }
    }
    let mut decoder: Decoder = Decoder::new(1 << 20);
    decoder.push(Bytes::from(said));
    while let Some(received) = decoder.poll().unwrap() {
        match received {
            Received::Handshake(handshake) => heard.bit = handshake.reserved.has(Reserved::DHT),
            Received::Message(Message::Port(port)) => heard.ports.push(port),
            Received::Message(_) => {}
        }
    }
    heard
}

#[test]
fn who_has_a_node_is_told_of_ours_and_tells_of_its_own() {
    let heard = call(false, Some(6999), true);
    assert!(heard.bit);
    assert_eq!(heard.ports, [6999]);
    assert_eq!(heard.nodes, ["10.0.0.9:7001"]);
}

#[test]
fn who_has_none_is_not_told() {
    let heard = call(false, Some(6999), false);
    assert!(heard.bit && heard.ports.is_empty());
}

#[test]
fn without_a_node_of_ours_nothing_is_said_or_heard() {
    let heard = call(false, None, true);
    assert!(!heard.bit && heard.ports.is_empty() && heard.nodes.is_empty());
}

#[test]
fn nothing_is_said_in_a_private_torrent() {
    let heard = call(true, Some(6999), true);
    assert!(!heard.bit && heard.ports.is_empty() && heard.nodes.is_empty());
}
