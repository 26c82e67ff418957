//! One engine between ordinary clients and those who are behind a relay: what the latter hear of
//! the former.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod channels;

use std::time::Duration;

use channels::Table;
use swarm_core::engine::{Config, PeerPath};

fn table() -> Table {
    let mut config = Config::default();
    config.paths.channels = 2;
    Table::new(config, 8, &[0])
}

/// What the engine said of it on a channel, in turns.
fn said(table: &Table, channel: usize) -> Vec<bool> {
    let said = table.handshakes(channel).iter();
    said.filter_map(|said| said.gateway).collect()
}

#[test]
fn whoever_is_behind_a_relay_hears_of_ordinary_clients_once() {
    let mut table = table();
    let earlier = table.open(0, PeerPath::Relay, 1);
    // Of our own kind: both stand in the same swarm.
    let ours = table.open(2, PeerPath::Tcp, 2);
    table.wait(Duration::from_secs(30));
    assert!(said(&table, earlier).is_empty());

    let client = table.open_ordinary(2, PeerPath::Tcp, 3);
    assert_eq!(said(&table, earlier), [true]);
    let later = table.open(1, PeerPath::Direct, 4);
    assert_eq!(said(&table, later), [true]);
    // Those who are in the ordinary swarm themselves are not told.
    assert!(said(&table, client).is_empty() && said(&table, ours).is_empty());

    // One more changes nothing, and neither does it when both are gone: others may come.
    let other = table.open_ordinary(2, PeerPath::Tcp, 5);
    table.break_channel(client);
    table.break_channel(other);
    table.wait(Duration::from_secs(30));
    assert_eq!(said(&table, earlier), [true]);
    let last = table.open(0, PeerPath::Relay, 6);
    assert_eq!(said(&table, last), [true]);

    // A person wants no other ways any more than relays.
    table.relay_only(true);
    assert_eq!(said(&table, earlier), [true, false]);
    assert_eq!(said(&table, last), [true, false]);
    let late = table.open(0, PeerPath::Relay, 7);
    assert!(said(&table, late).is_empty());
}

#[test]
fn what_a_peer_says_of_it_is_shown_and_may_change() {
    let mut table = table();
    let relayed = table.open(0, PeerPath::Relay, 1);
    assert!(!table.peers()[0].gateway);
    for is in [true, false, true] {
        table.says_gateway(relayed, Some(is));
        assert_eq!(table.peers()[0].gateway, is);
        table.says_gateway(relayed, None);
        assert_eq!(
            table.peers()[0].gateway,
            is,
            "it holds until it is taken back"
        );
    }
}
