//! What peers tell each other of peers (BEP 11), and what they make of it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use swarm_core::engine::Ending;
use swarm_core::id::{LinkId, PeerId};
use swarm_core::node::{Input, WireInput};
use swarm_core::wire::extension::ExtensionHandshake;
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{Handshake, Message, Reserved};
use swarm_core::wire::pex::{Added, PexMessage};

use crate::call;
use crate::net::Net;

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
