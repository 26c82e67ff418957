//! What a datagram costs a node of the DHT whose table is full.
//!
//! `cargo bench -p swarm-benches --bench dht`: every figure is the mean time from a query that
//! comes to the answer that goes, reading and writing included.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use swarm_core::dht::krpc::{Ask, Body, Message, Query, Transaction, Want};
use swarm_core::dht::{Config, Contact, Dht, Input, NodeAddress, NodeId, Saved};
use swarm_core::rng::Rng;
use swarm_core::time::Time;

/// Each in a network of its own.
fn address(number: u32) -> NodeAddress {
    NodeAddress::V4((0x1400_0001 + (number << 8)).into(), 6881)
}

/// A node that knows as many of ten thousand as it may.
fn node() -> (Dht, Vec<Contact>) {
    let config = Config {
        bytes_per_second: 1 << 30,
        flood_queries: u32::MAX,
        ..Config::default()
    };
    let mut rng = Rng::new(1);
    let contacts = (0..10_000).map(|number| Contact {
        id: NodeId::random(&mut rng),
        address: address(number),
    });
    let contacts: Vec<_> = contacts.collect();
    let mut node = Dht::new(config, Saved::default(), 1, Time::ZERO);
    node.handle(Time::ZERO, Input::Assume(contacts.clone()));
    (node, contacts)
}

fn query(id: NodeId, ask: Ask) -> Vec<u8> {
    let message = Message {
        transaction: Transaction(b"aa".to_vec()),
        version: Some(*b"LT\x02\x00"),
        read_only: false,
        ip: None,
        body: Body::Query(Query {
            id,
            want: Want::default(),
            ask,
        }),
    };
    message.encode()
}

fn queries(c: &mut Criterion) {
    let (mut node, contacts) = node();
    let mut group = c.benchmark_group("dht query");
    let mut rng = Rng::new(2);
    for (name, kind) in [("ping", 0), ("find_node", 1), ("get_peers", 2)] {
        let asked: Vec<_> = contacts
            .iter()
            .map(|contact| {
                let target = NodeId::random(&mut rng);
                let ask = match kind {
                    0 => Ask::Ping,
                    1 => Ask::FindNode { target },
                    _ => Ask::GetPeers { info_hash: target },
                };
                (contact.address, query(contact.id, ask))
            })
            .collect();
        let (mut at, mut now) = (0, Time::ZERO);
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                let (from, bytes) = asked[at].clone();
                at = (at + 1) % asked.len();
                now += Duration::from_millis(1);
                node.handle(now, Input::Datagram { from, bytes });
                while let Some(output) = node.poll_output() {
                    black_box(output);
                }
                black_box(node.poll_timeout())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, queries);
criterion_main!(benches);
