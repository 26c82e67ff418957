use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use swarm_core::dht::krpc::{Ask, Body, Message, Query, Response, Transaction, Want};
use swarm_core::dht::{
    AnnouncedPort, Config, Contact, Family, NodeAddress, NodeId, Output, Request,
};
use swarm_core::id::InfoHash;
use swarm_core::rng::Rng;

use crate::network::{Network, Script, address, seconds};

const TORRENT: InfoHash = InfoHash([0x5a; 20]);

fn message(body: Body) -> Vec<u8> {
    let message = Message {
        transaction: Transaction(b"xy".to_vec()),
        version: None,
        read_only: false,
        ip: None,
        body,
    };
    message.encode()
}

fn query(id: NodeId, ask: Ask) -> Vec<u8> {
    let want = Want::default();
    message(Body::Query(Query { id, want, ask }))
}

fn get_peers() -> Ask {
    Ask::GetPeers {
        info_hash: TORRENT.into(),
    }
}

fn announce(token: &[u8]) -> Ask {
    Ask::AnnouncePeer {
        info_hash: TORRENT.into(),
        port: 666,
        implied_port: false,
        token: token.to_vec(),
    }
}

/// A node alone, and what it answers to what somebody sends.
struct Asked {
    network: Network,
}

impl Asked {
    fn new() -> Self {
        let mut network = Network::new(1);
        network.add(Config::default());
        Asked { network }
    }

    fn answer(&mut self, from: NodeAddress, bytes: Vec<u8>) -> Option<Message> {
        let input = swarm_core::dht::Input::Datagram { from, bytes };
        let node = &mut self.network.nodes[0].dht;
        node.handle(self.network.now, input);
        let outputs = std::iter::from_fn(|| node.poll_output());
        let mut answers = outputs.filter_map(|output| match output {
            Output::Datagram { to, bytes } if to == from => Message::parse(&bytes).ok(),
            _ => None,
        });
        answers.find(|answer| !matches!(answer.body, Body::Query(_)))
    }

    fn token(&mut self, from: NodeAddress) -> Vec<u8> {
        let answer = self.answer(from, query(NodeId([1; 20]), get_peers()));
        match answer.map(|answer| answer.body) {
            Some(Body::Response(response)) => response.token.expect("there is a token"),
            other => panic!("{other:?}"),
        }
    }

    fn code(&mut self, from: NodeAddress, token: &[u8]) -> Option<i64> {
        let answer = self.answer(from, query(NodeId([1; 20]), announce(token)));
        match answer.expect("it answers").body {
            Body::Error(error) => Some(error.code),
            _ => None,
        }
    }
}

#[test]
fn a_token_is_of_no_use_to_anybody_else_nor_for_long() {
    let mut asked = Asked::new();
    let (honest, thief) = (address(5), address(6));
    let token = asked.token(honest);
    assert_eq!(asked.code(thief, &token), Some(203));
    assert_eq!(asked.code(honest, &token), None);
    asked.network.now += seconds(599);
    assert_eq!(asked.code(honest, &token), None);
    asked.network.now += seconds(2);
    assert_eq!(asked.code(honest, &token), Some(203));
    assert_eq!(asked.network.nodes[0].dht.view(asked.network.now).peers, 1);
    assert_eq!(asked.network.nodes[0].dht.traffic().bad_tokens, 2);
}

#[test]
fn a_flooder_is_answered_fifty_times_and_others_go_on_being_answered() {
    let mut asked = Asked::new();
    let ping = || query(NodeId([1; 20]), Ask::Ping);
    let answered = (0..1000)
        .filter(|_| asked.answer(address(6), ping()).is_some())
        .count();
    assert_eq!(answered, 50);
    assert!(asked.answer(address(7), ping()).is_some());
    assert_eq!(asked.network.nodes[0].dht.traffic().flooded, 950);
}

#[test]
fn a_crowd_of_flooders_costs_no_more_than_the_line_may_carry() {
    let mut asked = Asked::new();
    for second in 0..60_u64 {
        for n in 0..500 {
            let from = address(1000 + n * 60 + second as usize);
            asked.answer(from, query(NodeId([1; 20]), get_peers()));
        }
        asked.network.now += seconds(1);
    }
    let traffic = asked.network.nodes[0].dht.traffic();
    assert!(traffic.sent_bytes <= 24_000 + 60 * 8000, "{traffic:?}");
    assert!(traffic.unaffordable > 0);
}

#[test]
fn nobody_gets_into_a_table_who_does_not_answer() {
    let mut asked = Asked::new();
    for n in 0..500 {
        let id = NodeId([n as u8; 20]);
        asked.answer(address(10 + n), query(id, Ask::Ping));
        asked.network.now += Duration::from_millis(500);
        while asked.network.nodes[0].dht.poll_output().is_some() {}
    }
    assert_eq!(asked.network.contacts(0), 0);
}

#[test]
fn ten_thousand_names_of_one_machine_are_one_contact() {
    let mut network = Network::joined(2, 20, &Config::default());
    let liar = address(5000);
    let mut rng = Rng::new(9);
    let script: Script = Box::new(move |_, from, bytes| {
        // It answers under any name.
        match Message::parse(bytes) {
            Ok(Message {
                transaction,
                body: Body::Query(_),
                ..
            }) => {
                let id = NodeId::random(&mut rng);
                let response = Response {
                    id,
                    ..Response::default()
                };
                let body = Body::Response(response);
                let answer = Message {
                    transaction,
                    version: None,
                    read_only: false,
                    ip: None,
                    body,
                };
                vec![(from, answer.encode())]
            }
            _ => Vec::new(),
        }
    });
    network.script(liar, script);
    let mut rng = Rng::new(10);
    for _ in 0..2000 {
        let to = address(rng.below(20));
        let id = NodeId::random(&mut rng);
        network.send(liar, to, query(id, Ask::Ping));
        network.run(Duration::from_millis(100));
    }
    for number in 0..20 {
        let near = network.nodes[number]
            .dht
            .closest(Family::V4, NodeId([0; 20]), 1000);
        let liars = near.iter().filter(|contact| contact.address == liar);
        assert!(liars.count() <= 1);
    }
}

/// Says that a hundred nodes that are not there are the closest to whatever is looked for.
fn liar(id: NodeId, asked: Rc<Cell<usize>>) -> Script {
    let mut rng = Rng::new(u64::from(id.0[0]) + 1);
    Box::new(move |_, from, bytes| {
        let Ok(Message {
            transaction,
            body: Body::Query(query),
            ..
        }) = Message::parse(bytes)
        else {
            return Vec::new();
        };
        asked.set(asked.get() + 1);
        let (Ask::FindNode { target } | Ask::GetPeers { info_hash: target }) = query.ask else {
            return Vec::new();
        };
        let nodes = (0..30).map(|_| Contact {
            id: target.random_at(30, &mut rng),
            address: address(100_000 + rng.below(1 << 20)),
        });
        let response = Response {
            id,
            nodes: nodes.collect(),
            ..Response::default()
        };
        vec![(from, answer(transaction, response))]
    })
}

#[test]
fn liars_that_tell_of_nobody_delay_lookups_and_do_not_end_them() {
    let mut network = Network::joined(3, 60, &Config::default());
    let asked = Rc::new(Cell::new(0));
    let mut rng = Rng::new(11);
    for n in 0..6 {
        let at = address(9000 + n);
        let id = NodeId::random(&mut rng);
        network.script(at, liar(id, asked.clone()));
        for number in 0..60 {
            network.send(at, address(number), query(id, Ask::Ping));
        }
    }
    network.run(seconds(300));
    let mut found = 0;
    for number in 0..20 {
        let info_hash = InfoHash([number as u8; 20]);
        let announce = Request::Announce {
            info_hash,
            port: AnnouncedPort::Implied,
        };
        network.start(number, 1, announce);
        network.run(seconds(20));
        network.start(number + 30, 2, Request::Search(info_hash));
        network.run(seconds(20));
        found += usize::from(network.peers(number + 30, 2) == [address(number)]);
    }
    assert!(asked.get() > 0, "nobody asked a liar");
    assert!(
        found >= 19,
        "{found} of 20, liars asked {} times",
        asked.get()
    );
}

#[test]
fn what_a_stranger_says_of_our_own_network_is_passed_over() {
    let mut network = Network::joined(4, 10, &Config::default());
    let liar = address(9000);
    let id = NodeId([0x77; 20]);
    let script: Script = Box::new(move |_, from, bytes| {
        let Ok(Message {
            transaction,
            body: Body::Query(_),
            ..
        }) = Message::parse(bytes)
        else {
            return Vec::new();
        };
        let local = NodeAddress::V4([192, 168, 1, 1].into(), 80);
        let response = Response {
            id,
            nodes: vec![Contact {
                id: TORRENT.into(),
                address: local,
            }],
            values: vec![local],
            ..Response::default()
        };
        vec![(from, answer(transaction, response))]
    });
    network.script(liar, script);
    for number in 0..10 {
        network.send(liar, address(number), query(id, Ask::Ping));
    }
    network.run(seconds(60));
    network.start(3, 1, Request::Search(TORRENT));
    network.run(seconds(20));
    assert!(network.peers(3, 1).is_empty());
}

/// A datagram that answers a query.
fn answer(transaction: Transaction, response: Response) -> Vec<u8> {
    let message = Message {
        transaction,
        version: None,
        read_only: false,
        ip: None,
        body: Body::Response(response),
    };
    message.encode()
}
