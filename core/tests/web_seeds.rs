//! Web seeds (BEP 19): servers of files, of last resort, and what may be wrong with them.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod web;

use std::time::Duration;

use swarm_core::engine::{Command, Ending, PeerPath};
use swarm_core::node::{Input, SeedTrouble};

use web::{Manner, SEED, World};

#[test]
fn a_web_seed_alone_completes_a_torrent_of_files_and_padding() {
    for seed in 0..4 {
        let mut world = World::new(seed);
        world.know(&[SEED]);
        world.run("it completes", |world| world.leecher().completed);
        assert!(world.is_right());
        assert!(world.troubles.is_empty(), "{:?}", world.troubles);
        let padding = world.asked.iter().any(|fetch| fetch.url.contains("pad"));
        assert!(!padding, "nobody asks for padding");
        let bytes: u64 = world.asked.iter().map(|fetch| fetch.length).sum();
        assert_eq!(bytes, world.metainfo.length(), "each byte once");
    }
}

#[test]
fn what_lies_side_by_side_is_one_range() {
    let mut world = World::new(1);
    world.know(&[SEED]);
    world.run("it completes", |world| world.leecher().completed);
    let long = world.asked.iter().map(|fetch| fetch.length).max().unwrap();
    assert!(long >= 1 << 20, "the longest has {long} bytes");
    assert!(world.asked.len() < 20, "{:?}", world.asked);
}

#[test]
fn it_is_seen_as_what_it_is() {
    let mut world = World::new(2);
    world.know(&[SEED]);
    world.run("it is asked", |world| !world.asked.is_empty());
    let view = world.leecher().node.view(world.now);
    let peer = &view.torrents[0].peers[0];
    assert_eq!(peer.path, PeerPath::WebSeed);
    assert_eq!(peer.client, "Web seed seed.example");
    world.run("it completes", |world| world.leecher().completed);
    let view = world.leecher().node.view(world.now);
    assert!(
        view.torrents[0].peers.is_empty(),
        "it is of no use any more"
    );
}

#[test]
fn while_peers_give_enough_it_is_not_asked() {
    let mut world = World::with_peer(3);
    world.know(&[SEED]);
    world.run("it completes", |world| world.leecher().completed);
    assert!(world.is_right());
    assert!(world.asked.is_empty(), "{:?}", world.asked);
}

#[test]
fn what_no_peer_has_is_fetched_from_it_and_nothing_else() {
    let mut world = World::with_peer_that_lacks(4, 5..8);
    world.know(&[SEED]);
    world.run("it completes", |world| world.leecher().completed);
    assert!(world.is_right());
    let bytes: u64 = world.asked.iter().map(|fetch| fetch.length).sum();
    let missing = 3 * u64::from(world.metainfo.layout().piece_length());
    assert!((1..=missing).contains(&bytes), "{bytes} bytes");
}

#[test]
fn one_that_sends_wrong_bytes_is_banned_and_peers_complete_it() {
    let mut world = World::with_peer(5);
    world.peer_stays_away = true;
    world.servers.insert(SEED.to_owned(), Manner::Lies);
    world.know(&[SEED]);
    world.run("it is banned", |world| !world.troubles.is_empty());
    assert_eq!(world.troubles, [(SEED.to_owned(), SeedTrouble::Corrupt)]);
    let asked = world.asked.len();
    world.pass(Duration::from_hours(1));
    assert_eq!(world.asked.len(), asked, "it is not asked again");
    world.meet();
    world.run("it completes", |world| world.leecher().completed);
    assert!(world.is_right());
}

#[test]
fn one_that_stops_in_the_middle_is_asked_again_when_it_is_back() {
    let mut world = World::new(6);
    world
        .servers
        .insert(SEED.to_owned(), Manner::Stops(300_000));
    world.know(&[SEED]);
    world.run("it stops", |world| !world.troubles.is_empty());
    assert!(matches!(world.troubles[0].1, SeedTrouble::Unreachable(_)));
    let asked = world.asked.len();
    world.pass(Duration::from_secs(4));
    assert_eq!(world.asked.len(), asked, "it is left alone for a while");
    world.pass(Duration::from_mins(5));
    assert!(world.asked.len() < asked + 8, "and longer each time");
    world.servers.insert(SEED.to_owned(), Manner::Honest);
    world.run("it completes", |world| world.leecher().completed);
    assert!(world.is_right());
}

#[test]
fn what_is_wrong_with_a_server_is_said_once() {
    for (manner, trouble) in [
        (Manner::IgnoresRange, SeedTrouble::NoRanges),
        (Manner::Status(404), SeedTrouble::Status(404)),
        (Manner::Silent, SeedTrouble::Silent),
        (Manner::Trickles, SeedTrouble::Slow),
        (Manner::OtherLength, SeedTrouble::OtherLength),
        (Manner::EndsEarly, SeedTrouble::BrokenOff),
        (Manner::SendsMore, SeedTrouble::OtherLength),
    ] {
        let mut world = World::new(7);
        world.servers.insert(SEED.to_owned(), manner);
        world.know(&[SEED]);
        world.pass(Duration::from_hours(2));
        // What works in between is worth saying it again.
        world.troubles.dedup();
        assert_eq!(world.troubles, [(SEED.to_owned(), trouble)]);
        assert!(world.asked.len() < 30, "{} times", world.asked.len());
    }
}

#[test]
fn when_one_fails_another_takes_over() {
    let mut world = World::new(8);
    let other = "https://other.example/files/";
    world.servers.insert(SEED.to_owned(), Manner::Status(500));
    world.servers.insert(other.to_owned(), Manner::Honest);
    world.know(&[SEED, "gopher://nobody/", other]);
    world.run("it completes", |world| world.leecher().completed);
    assert!(world.is_right());
    let said: Vec<&str> = world.troubles.iter().map(|(url, _)| &url[..]).collect();
    assert_eq!(said, ["gopher://nobody/", SEED]);
}

#[test]
fn nothing_is_asked_while_only_relays_are_to_be_used() {
    let mut world = World::new(9);
    world.feed(0, Input::RelayOnly(true));
    world.know(&[SEED]);
    world.pass(Duration::from_mins(1));
    assert!(world.asked.is_empty());
    world.feed(0, Input::RelayOnly(false));
    world.run("it is asked", |world| !world.asked.is_empty());
    world.feed(0, Input::RelayOnly(true));
    assert_eq!(world.under_way(), 0, "it is given up");
}

#[test]
fn a_torrent_that_is_paused_or_removed_fetches_nothing() {
    let mut world = World::new(10);
    let info_hash = world.metainfo.info_hash();
    world.servers.insert(SEED.to_owned(), Manner::Silent);
    world.know(&[SEED]);
    world.run("it is asked", |world| world.under_way() == 1);
    world.feed(0, Input::Command(Command::Pause(info_hash)));
    assert_eq!(world.under_way(), 0);
    let asked = world.asked.len();
    world.pass(Duration::from_hours(1));
    assert_eq!(world.asked.len(), asked);
    world.feed(0, Input::Command(Command::Resume(info_hash)));
    world.run("it is asked again", |world| world.under_way() == 1);
    world.feed(0, Input::Command(Command::Remove(info_hash)));
    assert_eq!(world.under_way(), 0);
    world.pass(Duration::from_hours(1));
    assert!(
        world
            .leecher()
            .node
            .web_seeds(world.now, info_hash)
            .is_empty()
    );
}

#[test]
fn it_keeps_no_peer_from_a_place() {
    let mut world = World::with_peer_and_one_place(11);
    world.peer_stays_away = true;
    world.servers.insert(SEED.to_owned(), Manner::Silent);
    world.know(&[SEED]);
    world.run("it has the only place", |world| world.under_way() == 1);
    world.meet();
    world.run("it completes", |world| world.leecher().completed);
    assert!(!world.endings.contains(&Ending::EnoughPeers));
}

#[test]
fn a_recording_of_it_runs_once_more() {
    let mut world = World::new(12);
    world.know(&[SEED]);
    world.run("it completes", |world| world.leecher().completed);
    world.replay();
}
