//! Bytes a second that a person sets are kept.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use support::{Content, Net};
use swarm_core::engine::{Config, Held, TorrentState, TorrentView};
use swarm_core::net::Rates;
use swarm_core::node::Input;

/// Bytes a second.
const RATE: u64 = 250_000;
/// More than passes meanwhile.
const LENGTH: usize = 16 << 20;

fn only(up: u64, down: u64) -> Input {
    Input::SetRates(Rates {
        up: NonZeroU64::new(up),
        down: NonZeroU64::new(down),
    })
}

/// Bytes a second over half a minute, once everything has begun.
fn measured(net: &mut Net, host: usize, bytes: impl Fn(&TorrentView) -> u64) -> u64 {
    let wait = |net: &mut Net, seconds| {
        let until = net.now + Duration::from_secs(seconds);
        net.run_until(|net| net.now >= until);
    };
    wait(net, 5);
    let before = bytes(&net.torrent(host));
    wait(net, 30);
    (bytes(&net.torrent(host)) - before) / 30
}

fn assert_near(rate: u64, what: &str) {
    let off = rate.abs_diff(RATE) as f64 / RATE as f64;
    assert!(off < 0.03, "{what}: {rate} bytes a second");
}

#[test]
fn what_is_given_is_as_much_as_was_set_whoever_takes_it() {
    for leechers in [1, 4] {
        let content = Content::random(LENGTH, 1);
        let mut net = Net::new(leechers);
        let seeder = net.seeder(&content);
        net.input(seeder, only(RATE, 0));
        let leechers: Vec<usize> = (0..leechers).map(|_| net.leecher(&content)).collect();
        let rate = measured(&mut net, seeder, |torrent| torrent.uploaded);
        assert_near(rate, "given");
        // Nobody was taken for one who owes.
        for leecher in leechers {
            assert_eq!(net.torrent(leecher).state, TorrentState::Downloading);
        }
        net.input(seeder, only(0, 0));
        net.run_until(|net| net.is_seeding(1));
    }
}

#[test]
fn what_is_taken_is_as_much_as_was_set_whoever_gives_it() {
    for seeders in [1, 4] {
        let content = Content::random(LENGTH, 2);
        let mut net = Net::new(seeders);
        for _ in 0..seeders {
            net.seeder(&content);
        }
        let leecher = net.leecher(&content);
        net.input(leecher, only(0, RATE));
        let rate = measured(&mut net, leecher, |torrent| torrent.downloaded);
        assert_near(rate, "taken");
        net.input(leecher, only(0, 0));
        let began = net.now;
        net.run_until(|net| net.is_seeding(leecher));
        assert!(
            net.now - began < Duration::from_secs(5),
            "it goes on slowly"
        );
    }
}

#[test]
fn both_hold_at_once_for_torrents_together() {
    let contents = [3, 4].map(|seed| Content::random(LENGTH, seed));
    let mut net = Net::new(9);
    for content in &contents {
        net.seeder(content);
    }
    let middle = net.leecher(&contents[0]);
    net.add_link(middle, &contents[1]);
    net.input(middle, only(RATE / 2, RATE));
    for content in &contents {
        net.leecher_with(Config::default(), content);
    }
    let all = |net: &Net| net.hosts[middle].engine.view(net.now).torrents;
    let until = net.now + Duration::from_secs(5);
    net.run_until(|net| net.now >= until);
    let before = all(&net);
    let until = net.now + Duration::from_secs(30);
    net.run_until(|net| net.now >= until);
    let sum =
        |of: fn(&TorrentView) -> u64, views: &[TorrentView]| views.iter().map(of).sum::<u64>();
    let [down, up] = [|t: &TorrentView| t.downloaded, |t: &TorrentView| t.uploaded]
        .map(|of| (sum(of, &all(&net)) - sum(of, &before)) / 30);
    assert_near(down, "taken");
    // Seeders give the same, so less may be wanted of it.
    assert!(up <= RATE / 2 + RATE / 60, "given: {up} bytes a second");
}

/// A line of so many bytes a second is what holds things back, not a rate.
#[test]
fn a_view_says_what_a_rate_holds_back_and_nothing_else() {
    let content = Content::random(LENGTH, 5);
    let mut net = Net::new(5);
    let seeder = net.seeder(&content);
    let leecher = net.leecher(&content);
    let held = |net: &Net, host: usize| net.hosts[host].engine.view(net.now).held;
    net.run_until(|net| net.torrent(leecher).downloaded > 0);
    assert_eq!(held(&net, seeder), Held::default());
    net.input(seeder, only(RATE, 0));
    net.run_until(|net| held(net, seeder).up);
    assert_eq!(held(&net, leecher), Held::default());
    net.input(seeder, only(0, 0));
    net.input(leecher, only(0, RATE));
    net.run_until(|net| held(net, leecher).down);
    let until = net.now + Duration::from_secs(3);
    net.run_until(|net| net.now >= until);
    assert_eq!(held(&net, seeder), Held::default());
    net.input(leecher, only(0, 0));
    net.run_until(|net| net.is_seeding(leecher));
    assert_eq!(held(&net, leecher), Held::default());
}

#[test]
fn a_torrent_has_as_many_peers_as_a_person_allows() {
    let content = Content::random(LENGTH, 6);
    let mut net = Net::new(6);
    let seeder = net.seeder(&content);
    // Slow enough that nobody is done.
    net.input(seeder, only(RATE, 0));
    let leechers: Vec<usize> = (0..6).map(|_| net.leecher(&content)).collect();
    net.run_until(|net| net.torrent(seeder).peers.len() == 6);
    net.input(seeder, Input::SetMaxPeers(NonZeroU32::new(2)));
    net.run_until(|net| net.torrent(seeder).peers.len() == 2);
    let until = net.now + Duration::from_secs(30);
    while net.now < until {
        let next = net.now + Duration::from_secs(1);
        net.run_until(|net| net.now >= next);
        assert!(net.torrent(seeder).peers.len() <= 2, "guests apart");
    }
    net.input(seeder, Input::SetMaxPeers(None));
    net.input(seeder, only(0, 0));
    for leecher in leechers {
        net.run_until(|net| net.is_seeding(leecher));
    }
}
