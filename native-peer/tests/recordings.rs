//! What terminals record of themselves.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::fs;
use std::path::Path;

use support::{Peer, Tracker, get, shared};
use swarm_core::record::{Reader, Replay};

/// Feeds an engine with a recording. Panics at the first output that differs.
fn replay(path: &Path) -> (Replay, Reader) {
    let mut reader = Reader::default();
    reader.push(&fs::read(path).unwrap());
    let mut replay = Replay::new(reader.header().unwrap().unwrap());
    while let Some(entry) = reader.next_entry().unwrap() {
        replay.step(entry).unwrap_or_else(|error| panic!("{error}"));
    }
    (replay, reader)
}

#[test]
fn what_both_ends_recorded_replays_to_the_same_outputs() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let url = tracker.url();
    let what = ["Много файлов", "--tracker", &url, "--piece-length", "64K"];
    let (seed, link) = Peer::seed(at, &[&what[..], &["--record", "seed.swarmrec"]].concat());
    get(at, &[&link, "-o", "out", "--record", "get.swarmrec"]);
    seed.signal("INT");
    let output = seed.end();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("is in seed.swarmrec"), "{text}");

    for name in ["seed.swarmrec", "get.swarmrec"] {
        let (replay, reader) = replay(&at.join(name));
        assert!(reader.is_complete(), "{name}");
        assert!(replay.inputs() > 20 && replay.outputs() > 20, "{name}");
        let torrent = replay.view().torrents.remove(0);
        assert_eq!(torrent.progress, 1.0, "{name}");
        let moved = torrent.downloaded + torrent.uploaded;
        let contents = replay.contents(torrent.info_hash).unwrap();
        let length = contents.metainfo.unwrap().length();
        assert!(moved >= length, "{name}: {moved} bytes moved");
    }
    // A recording is not overwritten.
    let again = Peer::start(at, &["get", &link, "-o", "out", "--record", "get.swarmrec"]).end();
    let text = String::from_utf8(again.stderr).unwrap();
    assert_eq!(again.status.code(), Some(1), "{text}");
    assert!(text.contains("is there already"), "{text}");
}
