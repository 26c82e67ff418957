//! A host that shares more torrents than its server lets a connection be in: they take turns.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::num::NonZeroU64;
use std::time::Duration;

use support::{Content, Net};
use swarm_core::engine::{Config, Standing};
use swarm_core::hub::HubConfig;
use swarm_core::net::Rates;
use swarm_core::node::Input;

/// Takes a place from somebody else within this time, and meets whoever is there.
const PATIENCE: Duration = Duration::from_secs(3);

fn wait(net: &mut Net, millis: u64) {
    let until = net.now + Duration::from_millis(millis);
    net.run_until(|net| net.now >= until);
}

/// Many of them are fetched, each by somebody who comes for it and leaves.
fn fetch_many(net: &mut Net, contents: &[Content], what: &str) {
    for (number, content) in contents.iter().enumerate().step_by(4) {
        let begun = net.now;
        let getter = net.leecher(content);
        net.run_until(|net| !net.hosts[getter].store.is_empty());
        let took = net.now - begun;
        assert!(took < PATIENCE, "{what}: torrent {number} took {took:?}");
        net.disconnect(getter);
        wait(net, 130);
    }
}

#[test]
fn a_few_torrents_too_many_are_found_within_seconds_however_they_came() {
    let contents: Vec<_> = (0..105).map(|seed| Content::random(2000, seed)).collect();
    for pause in [0, 200] {
        let mut net = Net::new(9);
        let sharer = net.host(Config::default());
        for content in &contents {
            net.add_torrent(sharer, content, true);
            wait(&mut net, pause);
        }
        // Newcomers' places are their own for a moment.
        wait(&mut net, 2000);
        fetch_many(&mut net, &contents, "new");
        // After a connection was lost they are all told at once.
        net.disconnect(sharer);
        net.connect(sharer);
        wait(&mut net, 2000);
        fetch_many(&mut net, &contents, "after a new connection");
    }
}

#[test]
fn one_with_peers_keeps_its_place_while_others_are_idle() {
    let hub = HubConfig {
        max_swarms_per_connection: 3,
        ..HubConfig::default()
    };
    let mut net = Net::around(hub, 1);
    let sharer = net.host(Config::default());
    let slow = Some(NonZeroU64::new(200).unwrap());
    let rates = Rates {
        up: slow,
        down: None,
    };
    net.input(sharer, Input::SetRates(rates));
    let contents: Vec<_> = (0..6).map(|seed| Content::random(300_000, seed)).collect();
    for content in &contents {
        net.add_torrent(sharer, content, true);
    }
    let getter = net.leecher(&contents[0]);
    let standing = |net: &Net, content: &Content| {
        let standings = net.hosts[sharer].engine.standings(content.info_hash());
        standings[0].standing.clone()
    };
    wait(&mut net, 60_000);
    let mut turns = 0;
    for _ in 0..900 {
        wait(&mut net, 1000);
        assert_eq!(standing(&net, &contents[0]), Standing::Member);
        turns += usize::from(standing(&net, &contents[1]) == Standing::Member);
    }
    // Two places for five, in turn.
    assert!((300..420).contains(&turns), "{turns}");
    assert!(!net.is_seeding(getter), "it is still at it");
}
