//! Swarms of several torrents without a server: tabs that share nothing but an overlay neighbour find
//! each other.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use support::{Content, Net};
use swarm_core::engine::{Config, Event, PeerPath};
use swarm_core::hub::HubConfig;
use swarm_core::wire::relay::RelayUse;

fn config() -> Config {
    let mut config = Config::default();
    config.paths.channels = 2;
    config.paths.direct.at_once = 4;
    config.overlay.links = 32;
    config
}

fn hub() -> HubConfig {
    HubConfig {
        relay: RelayUse::Spare,
        ..HubConfig::default()
    }
}

/// A peer of a host's torrent is linked with it directly.
fn is_linked(net: &Net, host: usize, content: &Content) -> bool {
    let view = net.hosts[host].engine.view(net.now);
    let mut torrents = view.torrents.iter();
    let torrent = torrents.find(|torrent| torrent.info_hash == content.info_hash());
    torrent.is_some_and(|torrent| torrent.peers.iter().any(|p| p.path == PeerPath::Direct))
}

/// A row of hosts: each shares a torrent with the next, and no two others do; the last one has one
/// more. Their server is gone.
fn row(length: usize, last: &Content, seed: u64) -> Net {
    let mut net = Net::around(hub(), seed);
    let shared = |at: usize| Content::random(300_000, seed * 100 + at as u64);
    net.seeder_with(config(), &shared(0));
    for at in 1..length {
        let host = net.leecher_with(config(), &shared(at - 1));
        if at + 1 < length {
            net.add_torrent(host, &shared(at), true);
        } else {
            net.add_torrent(host, last, true);
        }
        net.run_until(|net| net.is_seeding(host));
        net.run_until(|net| is_linked(net, host, &shared(at - 1)));
    }
    net.kill_server();
    net.settle();
    net
}

fn wait(net: &mut Net, seconds: u64) {
    let end = net.now + Duration::from_secs(seconds);
    net.run_until(|net| net.now >= end);
}

#[test]
fn who_shares_nothing_but_a_neighbour_finds_a_torrent_there_without_a_server() {
    for seed in 0..3 {
        let wanted = Content::random(400_000, 77);
        let mut net = row(3, &wanted, seed);
        net.add_torrent(0, &wanted, false);
        net.run_until(|net| net.has_all(0, &wanted));
        assert!(is_linked(&net, 0, &wanted));
        let blamed = |event: &Event| matches!(event, Event::Banned { .. });
        assert!(!net.hosts.iter().any(|host| host.events.iter().any(blamed)));
    }
}

#[test]
fn a_row_of_tabs_becomes_a_network_in_which_the_first_finds_the_last() {
    let wanted = Content::random(400_000, 78);
    let mut net = row(8, &wanted, 9);
    net.add_torrent(0, &wanted, false);
    net.run_until(|net| net.has_all(0, &wanted));
    net.replay(0);
}

#[test]
fn nobody_is_found_for_a_private_torrent() {
    let wanted = Content::random(400_000, 79).private();
    let mut net = row(3, &wanted, 4);
    net.add_torrent(0, &wanted, false);
    wait(&mut net, 300);
    assert!(!is_linked(&net, 0, &wanted));
    assert!(net.hosts[0].more[&wanted.info_hash()].is_empty());
}

#[test]
fn who_wants_relays_alone_takes_no_part() {
    let wanted = Content::random(400_000, 80);
    let mut net = row(3, &wanted, 5);
    wait(&mut net, 60);
    net.input(1, swarm_core::node::Input::RelayOnly(true));
    net.settle();
    let ends = net.directs.ends();
    assert!(!ends.iter().any(|(host, _)| *host == 1), "{ends:?}");
}

#[test]
fn a_carrier_that_writes_itself_into_descriptions_gets_between_nobody() {
    let wanted = Content::random(400_000, 81);
    let mut net = row(3, &wanted, 6);
    net.directs.alters = Some(1);
    net.add_torrent(0, &wanted, false);
    wait(&mut net, 300);
    assert_eq!(net.directs.intercepted, 0);
    assert!(!is_linked(&net, 0, &wanted) || net.has_all(0, &wanted));
}
