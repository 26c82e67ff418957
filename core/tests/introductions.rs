//! A swarm without a server: who is linked introduces others, and whoever carries descriptions
//! for them can't put itself between.

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
    config
}

fn hub() -> HubConfig {
    HubConfig {
        relay: RelayUse::Spare,
        ..HubConfig::default()
    }
}

/// How many a host talks with, all of them directly.
fn links(net: &Net, host: usize) -> usize {
    let torrent = net.torrent(host);
    let direct = torrent
        .peers
        .iter()
        .filter(|peer| peer.path == PeerPath::Direct);
    direct.count()
}

fn all_linked(net: &Net, hosts: &[usize], links_of_each: usize) -> bool {
    hosts.iter().all(|host| links(net, *host) >= links_of_each)
}

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

/// Six that are linked with each other, one of which has everything and is slow; their server is
/// gone.
fn orphans(content: &Content, seed: u64) -> Net {
    let mut net = Net::around(hub(), seed);
    let seeder = net.seeder_with(config(), content);
    net.hosts[seeder].reads_in = Duration::from_millis(900);
    for _ in 0..5 {
        net.leecher_with(config(), content);
    }
    net.run_until(|net| all_linked(net, &[0, 1, 2, 3, 4, 5], 5));
    net.kill_server();
    net.settle();
    net
}

/// One more, that has met one of them alone, at a server that is gone, too.
fn newcomer(net: &mut Net, content: &Content, neighbour: usize) -> usize {
    net.start_server(hub(), &[neighbour]);
    let newcomer = net.leecher_with(config(), content);
    net.run_until(|net| links(net, newcomer) == 1);
    net.kill_server();
    net.settle();
    newcomer
}

#[test]
fn who_knows_one_neighbour_is_linked_to_the_others_when_there_is_no_server() {
    for seed in 0..2 {
        let content = Content::random(5 << 20, seed);
        let mut net = orphans(&content, seed);
        let seventh = newcomer(&mut net, &content, 3);
        net.run_until(|net| links(net, seventh) == 6);
        assert!(!net.is_seeding(seventh), "in mid-transfer");
        net.run_until(all_seed);
        assert_complete(&net, &content);
        assert_eq!(net.directs.intercepted, 0);
    }
}

#[test]
fn nobody_is_introduced_in_a_private_torrent() {
    let content = Content::random(2 << 20, 3).private();
    let mut net = orphans(&content, 3);
    let seventh = newcomer(&mut net, &content, 3);
    net.run_until(all_seed);
    let end = net.now + Duration::from_secs(60);
    net.run_until(|net| net.now >= end);
    assert_eq!(links(&net, seventh), 1);
    assert_complete(&net, &content);
}

#[test]
fn a_carrier_that_writes_itself_into_descriptions_is_noticed_and_gets_around_nobody() {
    let content = Content::random(5 << 20, 4);
    let mut net = orphans(&content, 4);
    net.directs.alters = Some(2);
    let seventh = newcomer(&mut net, &content, 2);
    let before = net.directs.offers();
    net.run_until(all_seed);
    // It serves as well as any, and nobody else was met through it; what it carried reached no
    // browser.
    assert_eq!(links(&net, seventh), 1);
    assert_eq!(net.directs.intercepted, 0);
    // It is given up soon.
    let tried = net.directs.offers() - before;
    assert!((1..=8).contains(&tried), "{tried}");
    assert_complete(&net, &content);

    // An honest neighbour is enough.
    let content = Content::random(8 << 20, 5);
    let mut net = orphans(&content, 5);
    net.directs.alters = Some(2);
    net.start_server(hub(), &[2, 4]);
    let seventh = net.leecher_with(config(), &content);
    net.run_until(|net| links(net, seventh) == 2);
    net.kill_server();
    net.run_until(|net| links(net, seventh) == 6);
    net.run_until(all_seed);
    assert_complete(&net, &content);
    assert_eq!(net.directs.intercepted, 0);
}
