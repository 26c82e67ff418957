//! Terminals in a swarm, at a real tracker.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::Arc;

use native_peer::host::{Host, HostEvent};
use native_peer::share::{Options, Progress, make};
use native_peer::store::{MemoryStore, Store};
use support::{FILES, Peer, Tracker, assert_all_there, bytes, get, shared};
use swarm_core::engine::{Command as EngineCommand, Config, Event, Resume};
use swarm_core::pieces::Bitfield;

#[test]
fn a_folder_is_fetched_by_its_link_and_by_its_torrent_file() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let (_seed, link) = Peer::seed(at, &["Много файлов", "--tracker", &tracker.url()]);
    assert!(
        link.starts_with(&format!("http://{}/#magnet:?xt=urn:btih:", tracker.address)),
        "{link}"
    );
    get(at, &[&link, "-o", "by link"]);
    assert_all_there(&at.join("by link"));

    let create = [
        "create",
        "Много файлов",
        "-o",
        "x.torrent",
        "--tracker",
        &tracker.url(),
    ];
    assert!(Peer::start(at, &create).end().status.success());
    get(at, &["x.torrent", "-o", "by file"]);
    assert_all_there(&at.join("by file"));
}

#[test]
fn a_download_goes_on_from_what_is_on_disk() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let (_seed, link) = Peer::seed(
        at,
        &[
            "Много файлов",
            "--tracker",
            &tracker.url(),
            "--piece-length",
            "32K",
        ],
    );
    get(at, &[&link, "-o", "out"]);

    // Cut one file, spoil another, lose a third. They have their names: they are somebody's.
    let out = at.join("out/Много файлов");
    let cut = fs::OpenOptions::new()
        .write(true)
        .open(out.join(FILES[1].0))
        .unwrap();
    cut.set_len(1_000_000).unwrap();
    let mut spoiled = fs::read(out.join(FILES[2].0)).unwrap();
    spoiled[700_000] ^= 1;
    fs::write(out.join(FILES[2].0), spoiled).unwrap();
    fs::remove_dir_all(out.join("नमस्ते")).unwrap();
    let refused = Peer::start(at, &["get", &link, "-o", "out"]).end();
    let text = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.contains("is there already") && last.contains("--overwrite"),
        "{text}"
    );
    get(at, &[&link, "-o", "out", "--overwrite"]);
    assert_all_there(&at.join("out"));
}

/// Pieces of 32 MiB are held whole by nobody: they are read, written and hashed in parts.
#[test]
fn pieces_that_do_not_fit_into_memory_are_fetched_and_found_again() {
    let tracker = Tracker::start();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let files = [("a.bin", 33 << 20), ("b.bin", (20 << 20) + 7)];
    fs::create_dir(at.join("long")).unwrap();
    for (seed, (name, length)) in (0..).zip(files) {
        fs::write(at.join("long").join(name), bytes(seed, length)).unwrap();
    }
    let arguments = ["long", "--tracker", &tracker.url(), "--piece-length", "32M"];
    let (_seed, link) = Peer::seed(at, &arguments);
    get(at, &[&link, "-o", "out"]);
    // One file is lost, and what shares a piece with it is found where it is.
    fs::remove_file(at.join("out/long/b.bin")).unwrap();
    get(at, &[&link, "-o", "out"]);
    for (seed, (name, length)) in (0..).zip(files) {
        let there = fs::read(at.join("out/long").join(name)).unwrap();
        assert!(there == bytes(seed, length), "{name} differs");
    }
}

#[test]
fn only_the_files_that_somebody_wants_are_fetched() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let url = tracker.url();
    let what = ["Много файлов", "--tracker", &url, "--piece-length", "32K"];
    let (_seed, link) = Peer::seed(at, &what);
    let create = [&["create"], &what[..], &["-o", "x.torrent"]].concat();
    assert!(Peer::start(at, &create).end().status.success());

    for (source, out) in [(&link[..], "by link"), ("x.torrent", "by file")] {
        let choice = ["--only", "日本語", "--only", "*.txt", "--skip", "r*.txt"];
        let arguments = [&["get", source, "-o", out, "--sequential"], &choice[..]].concat();
        let output = Peer::start(at, &arguments).end();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(
            text.contains("1 of 6 files of Много файлов, 1.50 MB"),
            "{text}"
        );
        let came_along = "wanted files: Много файлов/العربية.dat\n";
        assert!(
            text.contains("left out: ") && text.contains(came_along),
            "{text}"
        );

        let root = at.join(out).join("Много файлов");
        let photograph = fs::read(root.join(FILES[2].0)).unwrap();
        assert!(photograph == bytes(2, FILES[2].1));
        let mut there: Vec<_> = fs::read_dir(&root).unwrap().collect();
        // What came along is not in the way of anything.
        there.retain(|entry| {
            let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
            !(name.starts_with('.') && name.ends_with(".part"))
        });
        assert_eq!(there.len(), 1, "{there:?}");

        // Who changes their mind gets the rest.
        get(at, &[source, "-o", out]);
        assert_all_there(&at.join(out));
    }
}

#[test]
fn a_link_chooses_files_by_their_numbers() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let url = tracker.url();
    let (_seed, link) = Peer::seed(at, &["Много файлов", "--tracker", &url]);
    let create = ["create", "Много файлов", "-o", "x.torrent"];
    assert!(Peer::start(at, &create).end().status.success());
    // The order of a torrent is that of its paths.
    let mut names = FILES.map(|(name, _)| name);
    names.sort_unstable();
    let photograph = names.iter().position(|name| *name == FILES[2].0).unwrap();
    let output = Peer::start(
        at,
        &["get", &format!("{link}&so={photograph}"), "-o", "out"],
    )
    .end();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 of 6 files"), "{text}");
    let root = at.join("out/Много файлов");
    assert!(fs::read(root.join(FILES[2].0)).unwrap() == bytes(2, FILES[2].1));
    assert!(!root.join(FILES[1].0).exists());
    // Whoever chooses by name is not asked twice.
    get(
        at,
        &[
            &format!("{link}&so={photograph}"),
            "-o",
            "out",
            "--only",
            "*",
        ],
    );
    assert_all_there(&at.join("out"));
}

#[test]
fn a_torrents_second_tracker_will_do() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let (_seed, _) = Peer::seed(at, &["Много файлов", "--tracker", &tracker.url()]);
    let url = tracker.url();
    let trackers = ["--tracker", "ws://127.0.0.1:1/announce", "--tracker", &url];
    let create = [
        &["create", "Много файлов", "-o", "x.torrent"],
        &trackers[..],
    ]
    .concat();
    assert!(Peer::start(at, &create).end().status.success());
    get(at, &["x.torrent", "-o", "out"]);
    assert_all_there(&at.join("out"));
}

#[test]
fn a_pattern_that_matches_nothing_is_told_once_the_files_are_known() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let (_seed, link) = Peer::seed(at, &["Много файлов", "--tracker", &tracker.url()]);
    let output = Peer::start(at, &["get", &link, "-o", "out", "--skip", "*.JPG"]).end();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("error: --skip *.JPG matches no file"),
        "{text}"
    );
    assert_eq!(fs::read_dir(at.join("out")).unwrap().count(), 0);
}

#[test]
fn whoever_fetched_seeds_on_after_the_first_has_left() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let (seed, link) = Peer::seed(at, &["Много файлов", "--tracker", &tracker.url()]);
    let mut second = Peer::start(at, &["get", &link, "-o", "second", "--seed"]);
    get(at, &[&link, "-o", "third"]);
    // The second says when it has everything; the first is not needed from then on.
    second.wait_for("is in second");
    drop(seed);
    get(at, &[&link, "-o", "fourth"]);
    assert_all_there(&at.join("fourth"));
}

#[test]
fn sharing_ends_when_enough_was_given() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    let what = ["Много файлов", "--tracker", &tracker.url()];
    let (mut seed, link) = Peer::seed(at, &[&what[..], &["--seed-ratio", "1"]].concat());
    // It has nothing to give to anybody, and ends as soon as it could share.
    let get = ["get", &link, "-o", "out", "--seed-time", "0s"];
    let output = Peer::start(at, &get).end();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let last = text.lines().last().unwrap();
    assert_eq!(last, "it was shared for 0s: sharing ends");
    assert_all_there(&at.join("out"));
    seed.wait_for("1 times its size was given: sharing ends");
    assert_eq!(seed.end().status.code(), Some(0));
}

#[test]
fn peers_wait_for_a_tracker_and_outlive_its_restart() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("ws://{address}");
    let folder = shared();
    let at = folder.path();
    let (mut seed, link) = Peer::seed(at, &["Много файлов", "--tracker", &url]);
    let early = Peer::start(at, &["get", &link, "-o", "early"]);
    seed.wait_for("tracker unreachable (");
    let tracker = Tracker::start_on(address);
    seed.wait_for("connected to the tracker");
    assert!(early.end().status.success());
    drop(tracker);
    let late = Peer::start(at, &["get", &link, "-o", "late"]);
    let _tracker = Tracker::start_on(address);
    assert!(late.end().status.success());
    assert_all_there(&at.join("late"));
}

#[test]
fn a_file_that_changes_under_the_seeder_is_told_by_name() {
    let tracker = Tracker::start();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("file.bin"), bytes(1, 300_000)).unwrap();
    let (seed, link) = Peer::seed(at, &["file.bin", "--tracker", &tracker.url()]);
    fs::write(at.join("file.bin"), bytes(2, 300_001)).unwrap();
    let _get = Peer::start(at, &["get", &link, "-o", "out"]);
    let output = seed.end();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("file.bin changed: "), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("error: nothing is left to share"),
        "{text}"
    );
}

#[test]
fn what_happens_to_one_file_does_not_end_the_sharing_of_the_others() {
    for what in ["touched", "appended to", "cut", "deleted"] {
        let tracker = Tracker::start();
        let folder = shared();
        let at = folder.path();
        let (mut seed, link) = Peer::seed(at, &["Много файлов", "--tracker", &tracker.url()]);
        let path = at.join("Много файлов").join(FILES[2].0);
        let opened = fs::OpenOptions::new().append(true).open(&path).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
        match what {
            "touched" => opened.set_modified(later).unwrap(),
            "appended to" => std::io::Write::write_all(&mut &opened, b"more").unwrap(),
            "cut" => opened.set_len(0).unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
        // All others are to be had, to the last byte.
        let others = ["--skip", FILES[2].0];
        get(at, &[&[&link, "-o", "out"], &others[..]].concat());
        for (seed, (name, length)) in (0..).zip(FILES).filter(|(seed, _)| *seed != 2) {
            let there = fs::read(at.join("out/Много файлов").join(name)).unwrap();
            assert!(there == bytes(seed, length), "{what}: {name} differs");
        }
        if ["touched", "appended to"].contains(&what) {
            get(at, &[&link, "-o", "out"]);
            assert_all_there(&at.join("out"));
        }
        assert!(seed.0.try_wait().unwrap().is_none(), "{what}: it ended");
    }
}

#[cfg(unix)]
#[test]
fn interrupting_ends_a_seed_well_and_a_download_with_advice() {
    let tracker = Tracker::start();
    let folder = shared();
    let at = folder.path();
    for signal in ["INT", "TERM"] {
        let (seed, _) = Peer::seed(at, &["Много файлов", "--tracker", &tracker.url()]);
        // It has printed its link; what follows may be interrupted at any point.
        let mut line = String::new();
        let mut seed = seed;
        BufReader::new(seed.0.stderr.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        seed.signal(signal);
        assert_eq!(seed.end().status.code(), Some(0));
    }
    let mut get = Peer::start(
        at,
        &[
            "get",
            &"a".repeat(40),
            "-o",
            "out",
            "--tracker",
            &tracker.url(),
        ],
    );
    let mut line = String::new();
    BufReader::new(get.0.stderr.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    get.signal("INT");
    let output = get.end();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("the same command goes on from here"),
        "{text}"
    );
}

struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
}

#[test]
fn a_program_can_embed_peers_that_keep_pieces_in_memory() {
    let tracker = Tracker::start();
    let folder = shared();
    let made = make(
        &[folder.path().join("Много файлов")],
        Options::default(),
        &Quiet,
    )
    .unwrap();
    let metainfo = made.metainfo;
    let info_hash = metainfo.info_hash();
    let address: native_peer::TrackerAddress = tracker.url().parse().unwrap();
    tracker.runtime.block_on(async {
        let mut seed = Host::new(Config::default(), address.clone(), 1);
        seed.attach(info_hash, Arc::new(made.files));
        let resume = Resume::Pieces(Bitfield::full(metainfo.layout().piece_count()));
        seed.command(EngineCommand::AddTorrent {
            metainfo: metainfo.clone(),
            resume,
            paused: false,
        });
        let seeding = tokio::spawn(async move {
            while !matches!(
                seed.next_event().await,
                HostEvent::Engine(Event::Failed { .. })
            ) {}
        });

        let mut leech = Host::new(Config::default(), address, 2);
        leech.command(EngineCommand::AddLink {
            info_hash,
            name: None,
            check: false,
            paused: false,
        });
        let mut store = None;
        loop {
            match leech.next_event().await {
                HostEvent::Engine(Event::Metadata(found)) => {
                    assert_eq!(found.info(), metainfo.info());
                    let memory = Arc::new(MemoryStore::new(&found));
                    leech.attach(info_hash, memory.clone());
                    store = Some(memory);
                }
                HostEvent::Engine(Event::Completed(_)) => break,
                event => panic!("{event:?}"),
            }
        }
        let store = store.expect("the metadata came first");
        let got: Vec<u8> = metainfo
            .layout()
            .pieces()
            .flat_map(|p| store.read(p).unwrap())
            .collect();
        assert_eq!(got.len() as u64, metainfo.layout().total_length());
        leech.shut_down(std::time::Duration::from_secs(10)).await;
        seeding.abort();
    });
}
