//! Terminals that have more than one server.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::thread;
use std::time::Duration;

use support::{Peer, Tracker, assert_all_there, get, shared};

/// What leaves nothing but the servers to meet at.
const ALONE: [&str; 2] = ["--no-tcp", "--no-lsd"];

#[test]
fn a_seed_is_found_at_each_of_its_servers_and_by_its_link_when_one_is_gone() {
    let trackers = [Tracker::start(), Tracker::start()];
    let folder = shared();
    let at = folder.path();
    let urls = trackers.each_ref().map(Tracker::url);
    let named = ["--tracker", &urls[0], "--tracker", &urls[1]];
    let what = [&["Много файлов"], &named[..], &ALONE[..]].concat();
    let (_seed, link) = Peer::seed(at, &what);
    let hash = link.split("btih:").nth(1).unwrap().get(..40).unwrap();
    for (url, out) in urls.iter().zip(["at the first", "at the second"]) {
        let arguments = [&[hash, "-o", out, "--tracker", url], &ALONE[..]].concat();
        get(at, &arguments);
        assert_all_there(&at.join(out));
    }

    let [first, _second] = trackers;
    drop(first);
    get(at, &[&[&link, "-o", "by link"], &ALONE[..]].concat());
    assert_all_there(&at.join("by link"));
}

#[test]
fn a_peer_goes_to_servers_that_its_peers_use() {
    let [both, later] = [Tracker::start(), Tracker::start()];
    let folder = shared();
    let at = folder.path();
    let (first, second) = (both.url(), later.url());
    let named = ["--tracker", &first, "--tracker", &second];
    let what = [&["Много файлов"], &named[..], &ALONE[..]].concat();
    let (seed, link) = Peer::seed(at, &what);
    let hash = link.split("btih:").nth(1).unwrap().get(..40).unwrap();
    let only = ["--tracker", &first, "--seed"];
    let arguments = [&["get", hash, "-o", "out"], &only[..], &ALONE[..]].concat();
    let mut fetched = Peer::start(at, &arguments);
    fetched.wait_for("is in out");
    // It was told of one server, and comes to the other.
    while later.connections() < 2 {
        thread::sleep(Duration::from_millis(20));
    }
    drop((seed, both));
    let arguments = ["-o", "again", "--tracker", &second];
    get(at, &[&[hash], &arguments[..], &ALONE[..]].concat());
    assert_all_there(&at.join("again"));
}
