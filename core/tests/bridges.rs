//! A way into ordinary swarms: a tab that knows an info-hash, and whose neighbour stands in the DHT as
//! well, gets a torrent that only other clients have.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use support::{Content, Net};
use swarm_core::engine::{Config, Event, PeerPath};
use swarm_core::hub::HubConfig;
use swarm_core::id::InfoHash;
use swarm_core::node::{BridgeOutput, Input};
use swarm_core::overlay::BridgeConfig;
use swarm_core::wire::relay::RelayUse;

fn tab() -> Config {
    let mut config = Config::default();
    config.paths.channels = 2;
    config.paths.direct.at_once = 4;
    config.overlay.links = 32;
    config.overlay.bridges = 4;
    config
}

fn bridge(of: BridgeConfig) -> Config {
    let mut config = tab();
    config.overlay.bridges = 0;
    config.overlay.bridge = of;
    config
}

/// A bridge and a tab that have a torrent in common, and others by TCP alone, each with a torrent that is
/// to be found in the DHT. The server is gone.
fn scene(of: BridgeConfig, others: &[&Content], seed: u64) -> Net {
    let hub = HubConfig {
        relay: RelayUse::Spare,
        ..HubConfig::default()
    };
    let mut net = Net::around(hub, seed);
    let shared = Content::random(200_000, seed);
    net.seeder_with(bridge(of), &shared);
    net.leecher_with(tab(), &shared);
    net.run_until(|net| net.is_seeding(1));
    net.run_until(|net| {
        net.torrent(1)
            .peers
            .iter()
            .any(|p| p.path == PeerPath::Direct)
    });
    net.kill_server();
    net.settle();
    net.input(0, Input::Network { dials: 8 });
    for content in others {
        let other = net.ordinary_seeder(content);
        net.mainline.insert(content.info_hash(), vec![other]);
    }
    net
}

fn wait(net: &mut Net, seconds: u64) {
    let end = net.now + Duration::from_secs(seconds);
    net.run_until(|net| net.now >= end);
}

fn looked_for(net: &Net) -> Vec<InfoHash> {
    let carried = net.hosts[0].carried.iter();
    let found = carried.filter_map(|output| match output {
        BridgeOutput::Find(info_hash) => Some(*info_hash),
        _ => None,
    });
    found.collect()
}

fn kept(net: &Net) -> usize {
    let kept = |output: &&BridgeOutput| matches!(output, BridgeOutput::Keep(_));
    net.hosts[0].carried.iter().filter(kept).count()
}

fn dropped(net: &Net, content: &Content) -> bool {
    let drop = BridgeOutput::Drop(content.info_hash());
    net.hosts[0].carried.contains(&drop)
}

/// A person hears nothing of what is carried for others.
fn assert_quiet(net: &Net) {
    for host in &net.hosts {
        let odd = |event: &&Event| !matches!(event, Event::Metadata(_) | Event::Completed(_));
        assert!(!host.events.iter().any(|event| odd(&event)));
    }
    // It had its own from the beginning.
    let events = &net.hosts[0].events;
    assert!(matches!(events[..], [Event::Completed(_)]), "{events:?}");
}

#[test]
fn a_tab_gets_what_only_the_dht_knows_through_its_neighbour() {
    for seed in 0..3 {
        let wanted = Content::random(400_000, 90 + seed);
        let mut net = scene(BridgeConfig::on(), &[&wanted], seed);
        net.add_torrent(1, &wanted, false);
        net.run_until(|net| net.has_all(1, &wanted));
        assert_eq!(looked_for(&net), [wanted.info_hash()]);
        assert!(net.hosts[0].engine.is_carried(wanted.info_hash()));
        assert_quiet(&net);
        net.replay(0);
        net.replay(1);
        // While the tab is there the bridge goes on; without it no longer than is said.
        wait(&mut net, 1200);
        assert!(!dropped(&net, &wanted));
        net.command(1, swarm_core::engine::Command::Remove(wanted.info_hash()));
        wait(&mut net, 1200);
        assert!(dropped(&net, &wanted));
    }
}

#[test]
fn a_tab_finds_a_bridge_that_is_no_neighbour_of_its() {
    let wanted = Content::random(400_000, 95);
    let mut net = scene(BridgeConfig::on(), &[&wanted], 5);
    // A third, which shares something with the tab and nothing with the bridge.
    let hub = HubConfig {
        relay: RelayUse::Spare,
        ..HubConfig::default()
    };
    let other = Content::random(200_000, 96);
    net.add_torrent(1, &other, true);
    net.start_server(hub, &[1]);
    let third = net.leecher_with(tab(), &other);
    net.run_until(|net| net.is_seeding(third));
    net.run_until(|net| {
        let mut peers = net.torrent(third).peers.into_iter();
        peers.any(|p| p.path == PeerPath::Direct)
    });
    net.kill_server();
    net.settle();
    net.add_torrent(third, &wanted, false);
    net.run_until(|net| net.has_all(third, &wanted));
    assert_quiet(&net);
}

#[test]
fn who_is_no_bridge_looks_for_nothing() {
    let wanted = Content::random(400_000, 91);
    let mut net = scene(BridgeConfig::default(), &[&wanted], 1);
    net.add_torrent(1, &wanted, false);
    wait(&mut net, 600);
    assert_eq!(net.hosts[0].carried, []);
}

#[test]
fn nothing_private_is_carried_nor_told() {
    let wanted = Content::random(400_000, 92).private();
    // It turns out to be private when its info dictionary is here, and is let go of.
    let mut net = scene(BridgeConfig::on(), &[&wanted], 2);
    net.add_torrent(1, &wanted, false);
    wait(&mut net, 1200);
    assert_eq!(looked_for(&net), [wanted.info_hash()]);
    assert_eq!(kept(&net), 0);
    assert!(dropped(&net, &wanted));
    assert!(net.hosts[1].more[&wanted.info_hash()].is_empty());

    // A bridge's own is not talked of.
    let own = Content::random(400_000, 93).private();
    let mut net = scene(BridgeConfig::on(), &[], 3);
    net.add_torrent(0, &own, true);
    net.add_torrent(1, &own, false);
    wait(&mut net, 600);
    assert_eq!(net.hosts[0].carried, []);
    assert!(net.hosts[1].more[&own.info_hash()].is_empty());
}

#[test]
fn what_nobody_has_is_let_go_of_and_not_looked_for_at_once_again() {
    let wanted = Content::random(400_000, 94);
    let mut net = scene(BridgeConfig::on(), &[], 4);
    net.add_torrent(1, &wanted, false);
    let start = net.now;
    wait(&mut net, 100);
    assert_eq!(looked_for(&net), [wanted.info_hash()]);
    assert!(dropped(&net, &wanted));
    wait(&mut net, 1800);
    let config = BridgeConfig::on();
    let most = (net.now - start).as_secs() / config.again.0.as_secs() + 1;
    assert!(looked_for(&net).len() as u64 <= most);
}

#[test]
fn what_is_too_long_is_not_kept() {
    let wanted = Content::random(400_000, 97);
    let config = BridgeConfig {
        bytes: 399_999,
        ..BridgeConfig::on()
    };
    let mut net = scene(config, &[&wanted], 6);
    net.add_torrent(1, &wanted, false);
    wait(&mut net, 1200);
    assert_eq!(looked_for(&net).len(), 1);
    assert_eq!(kept(&net), 0);
    assert!(dropped(&net, &wanted));
}

#[test]
fn one_neighbour_has_a_part_of_what_a_bridge_carries() {
    let contents: Vec<Content> = (0..6)
        .map(|at| Content::random(100_000, 200 + at))
        .collect();
    let all: Vec<&Content> = contents.iter().collect();
    let mut net = scene(BridgeConfig::on(), &all, 7);
    for content in &contents {
        net.add_torrent(1, content, false);
    }
    wait(&mut net, 300);
    let most = BridgeConfig::on().torrents_each;
    let carried = contents.iter().map(Content::info_hash);
    let carried = carried.filter(|it| net.hosts[0].engine.is_carried(*it));
    assert_eq!(carried.count(), most);
    // The others have their turn when it is done with those.
    for content in &contents {
        if net.has_all(1, content) {
            net.command(1, swarm_core::engine::Command::Remove(content.info_hash()));
        }
    }
    wait(&mut net, 1500);
    assert!(kept(&net) > most, "{}", kept(&net));
    assert_quiet(&net);
}
