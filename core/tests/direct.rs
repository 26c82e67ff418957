//! Direct links beside the relay, from the swarm's side: what they carry when, and what happens
//! when they, or the server, break.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use support::{Content, Net};
use swarm_core::engine::{Config, Event, PeerPath};
use swarm_core::hub::HubConfig;
use swarm_core::node::Input;
use swarm_core::rng::Rng;
use swarm_core::wire::relay::RelayUse;

fn config() -> Config {
    let mut config = Config::default();
    config.paths.channels = 2;
    config.paths.direct.at_once = 4;
    config
}

fn hub(relay: RelayUse) -> HubConfig {
    HubConfig {
        relay,
        ..HubConfig::default()
    }
}

/// One has everything, so many others nothing.
fn swarm(hub: HubConfig, content: &Content, leechers: usize, seed: u64) -> Net {
    let mut net = Net::around(hub, seed);
    let seeder = net.seeder_with(config(), content);
    // Long enough for links to come before the end.
    net.hosts[seeder].reads_in = Duration::from_millis(400);
    for _ in 0..leechers {
        net.leecher_with(config(), content);
    }
    net
}

fn paths(net: &Net, host: usize) -> Vec<PeerPath> {
    let torrent = net.torrent(host);
    torrent.peers.iter().map(|peer| peer.path).collect()
}

/// All of them have the right bytes, and nobody was blamed.
fn assert_complete(net: &Net, content: &Content) {
    for host in &net.hosts {
        assert!(host.store == content.all_pieces());
        let blamed = |event: &Event| matches!(event, Event::Banned { .. });
        assert!(!host.events.iter().any(blamed));
    }
}

fn all_seed(net: &Net) -> bool {
    (0..net.hosts.len()).all(|host| net.is_seeding(host))
}

#[test]
fn a_relay_that_is_to_be_spared_is_left_and_may_go() {
    let content = Content::random(6 << 20, 1);
    let mut net = swarm(hub(RelayUse::Spare), &content, 3, 1);
    net.run_until(|net| {
        let direct = |host| {
            paths(net, host)
                .iter()
                .all(|path| *path == PeerPath::Direct)
        };
        (0..4).all(|host| paths(net, host).len() == 3 && direct(host))
    });
    // In mid-transfer, and for good.
    assert!((1..4).all(|host| net.hosts[host].written.len() < 90));
    net.kill_server();
    net.run_until(all_seed);
    assert_complete(&net, &content);
}

#[test]
fn a_relay_that_is_free_goes_on_and_links_stand_by() {
    let content = Content::random(24 << 20, 2);
    let mut net = swarm(hub(RelayUse::Free), &content, 1, 2);
    net.run_until(|net| !net.directs.ends().is_empty() && net.torrent(1).progress > 0.3);
    net.settle();
    let progress = net.torrent(1).progress;
    assert!(progress < 1.0, "{progress}");
    assert_eq!(paths(&net, 1), [PeerPath::Relay]);
    net.kill_server();
    net.settle();
    assert_eq!(paths(&net, 1), [PeerPath::Direct]);
    net.run_until(all_seed);
    assert_complete(&net, &content);
}

#[test]
fn what_is_blocked_costs_a_few_tries_and_nothing_else() {
    let content = Content::random(2 << 20, 3);
    let mut net = swarm(hub(RelayUse::Spare), &content, 2, 3);
    net.directs.blocked = true;
    let began = net.now;
    net.run_until(all_seed);
    assert!(
        net.now - began < Duration::from_secs(10),
        "as without links"
    );
    assert_complete(&net, &content);
    // Seeders part; somebody who lacks something stays.
    let later = net.now + Duration::from_secs(3000);
    net.leecher_with(config(), &Content::random(1 << 20, 4));
    net.run_until(|net| net.now > later);
    let offers = net.directs.offers();
    assert!((1..=3 * 4).contains(&offers), "{offers}");
}

#[test]
fn nobody_who_wants_none_is_linked() {
    let content = Content::random(4 << 20, 5);
    // The operator says so.
    let only = HubConfig {
        relay_only: true,
        ..hub(RelayUse::Spare)
    };
    let mut net = swarm(only, &content, 2, 5);
    net.run_until(all_seed);
    assert_eq!(net.directs.offers(), 0);
    // A person does: the links there are end, and there are no more.
    let mut net = swarm(hub(RelayUse::Spare), &content, 2, 6);
    net.run_until(|net| net.directs.ends().len() == 6);
    net.input(1, Input::RelayOnly(true));
    net.settle();
    assert_eq!(net.directs.ends().len(), 2, "the others keep theirs");
    assert!(paths(&net, 1).iter().all(|path| *path == PeerPath::Relay));
    net.run_until(all_seed);
    assert_complete(&net, &content);
    assert_eq!(net.directs.ends().len(), 2);
}

#[test]
fn whoever_has_its_hands_full_is_asked_again_soon() {
    let content = Content::random(1 << 20, 7);
    let mut net = Net::around(hub(RelayUse::Spare), 7);
    let mut config = config();
    config.paths.direct.at_once = 1;
    // They wait together for somebody who has something.
    for _ in 0..6 {
        net.leecher_with(config.clone(), &content);
    }
    let late = net.now + config.paths.direct.retry[0];
    net.run_until(|net| net.directs.ends().len() == 6 * 5 || net.now > late);
    assert_eq!(net.directs.ends().len(), 6 * 5, "everybody to everybody");
}

#[test]
fn links_that_break_all_the_time_lose_nothing() {
    for seed in 0..3 {
        let content = Content::random(8 << 20, seed);
        let mut net = swarm(hub(RelayUse::Spare), &content, 5, seed);
        let mut rng = Rng::new(seed);
        while !all_seed(&net) {
            let ends = net.directs.ends();
            let cut = ends.get(rng.below(ends.len().max(1))).copied();
            let next = net.now + Duration::from_millis(1 + rng.below(300) as u64);
            net.run_until(|net| net.now >= next || all_seed(net));
            if let Some(end) = cut {
                net.cut(end);
            }
        }
        assert_complete(&net, &content);
    }
}
