//! What peers of one swarm hear of trackers, and that those of a private one hear of none.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use support::{Content, Net};
use swarm_core::engine::Config;
use swarm_core::node::Input;

const OURS: &str = "wss://ours.example/swarm";

fn config() -> Config {
    let mut config = Config::default();
    config.exchange.known = 8;
    config
}

fn heard(net: &Net, host: usize, content: &Content) -> Vec<String> {
    let heard = net.hosts[host].engine.heard_trackers(content.info_hash());
    heard.to_vec()
}

/// A seeder that uses a tracker, and somebody who gets everything from it.
fn played(content: &Content, of_leecher: Config) -> Net {
    let mut net = Net::new(3);
    let seeder = net.seeder_with(config(), content);
    let leecher = net.leecher_with(of_leecher, content);
    net.input(seeder, use_tracker(content));
    net.run_until(|net| net.is_seeding(leecher));
    // Time enough for everything that may be said.
    let end = net.now + Duration::from_secs(90);
    net.run_until(|net| net.now >= end);
    net
}

#[test]
fn a_peer_hears_of_trackers_unless_the_torrent_is_private() {
    let content = Content::random(1 << 20, 3);
    assert_eq!(heard(&played(&content, config()), 1, &content), [OURS]);
    let hidden = content.private();
    assert!(heard(&played(&hidden, config()), 1, &hidden).is_empty());
    // Whoever makes nothing of it is not told either.
    let net = played(&content, Config::default());
    assert!(heard(&net, 1, &content).is_empty());
    for host in 0..2 {
        let mut net = played(&content, config());
        net.replay(host);
    }
}

fn use_tracker(content: &Content) -> Input {
    Input::TellTrackers {
        info_hash: content.info_hash(),
        addresses: vec![OURS.to_owned()],
    }
}
