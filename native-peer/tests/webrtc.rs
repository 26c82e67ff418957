//! Terminals that are linked directly, by WebRTC.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use native_peer::host::{Host, HostEvent};
use native_peer::share::{Options, Progress, make};
use native_peer::store::MemoryStore;
use native_peer::webrtc::WebRtc;
use native_peer::{TrackerAddress, store::Store};
use support::{FILES, Peer, Tracker, assert_all_there, bytes, get, shared};
use swarm_core::engine::{Command, Config, Event, PeerPath, Resume};
use swarm_core::metainfo::Metainfo;
use swarm_core::net::Rates;
use swarm_core::pieces::Bitfield;
use swarm_core::wire::relay::RelayUse;
use tokio::time::interval;

/// Nobody looks on.
struct Nobody;

impl Progress for Nobody {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// What leaves nothing but relays and WebRTC.
const ALONE: [&str; 2] = ["--no-tcp", "--no-lsd"];

/// One whose relay is to be spared.
fn spared() -> Tracker {
    let mut config = tracker_relay::Config::default();
    config.hub.relay = RelayUse::Spare;
    Tracker::start_as(config, "127.0.0.1:0".parse().unwrap())
}

/// A host that makes links.
fn host(tracker: &str, seed: u64) -> Host {
    let mut config = Config::default();
    config.paths.channels = 2;
    config.paths.direct.at_once = 4;
    config.paths.rtc.at_once = 8;
    let tracker: TrackerAddress = tracker.parse().unwrap();
    let mut host = Host::new(config, tracker, seed);
    host.link_directly(WebRtc::open().unwrap());
    host
}

/// Somebody who has all of it, and gives a little a second until told otherwise.
struct Seed {
    host: Host,
    metainfo: Metainfo,
}

impl Seed {
    fn new(tracker: &str, length: usize) -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a long way.bin");
        std::fs::write(&path, bytes(7, length)).unwrap();
        let made = make(&[path], Options::default(), &Nobody).unwrap();
        let metainfo = made.metainfo;
        let mut host = host(tracker, 1);
        host.attach(metainfo.info_hash(), Arc::new(made.files));
        let resume = Resume::Pieces(Bitfield::full(metainfo.layout().piece_count()));
        host.set_rates(Rates {
            up: NonZeroU64::new(256 << 10),
            down: None,
        });
        host.command(Command::AddTorrent {
            metainfo: metainfo.clone(),
            resume,
            paused: false,
        });
        (Seed { host, metainfo }, folder)
    }
}

/// Somebody who gets it.
struct Leech {
    host: Host,
    store: Arc<MemoryStore>,
    complete: bool,
}

impl Leech {
    fn new(tracker: &str, metainfo: &Metainfo) -> Self {
        let mut host = host(tracker, 2);
        let store = Arc::new(MemoryStore::new(metainfo));
        host.attach(metainfo.info_hash(), store.clone());
        host.command(Command::AddTorrent {
            metainfo: metainfo.clone(),
            resume: Resume::Nothing,
            paused: false,
        });
        Leech {
            host,
            store,
            complete: false,
        }
    }

    fn path(&self) -> Option<PeerPath> {
        let view = self.host.view();
        view.torrents[0].peers.first().map(|peer| peer.path)
    }

    fn downloaded(&self) -> u64 {
        self.host.view().torrents[0].downloaded
    }
}

/// Both go on until this holds.
async fn until(seed: &mut Seed, leech: &mut Leech, mut holds: impl FnMut(&Leech) -> bool) {
    let mut look = interval(Duration::from_millis(10));
    while !holds(leech) {
        tokio::select! {
            event = seed.host.next_event() => drop(event),
            event = leech.host.next_event() => match event {
                HostEvent::Engine(Event::Completed(_)) => leech.complete = true,
                HostEvent::Engine(Event::Failed { reason, .. }) => panic!("{reason}"),
                _ => {}
            },
            _ = look.tick() => {}
        }
    }
}

fn assert_got(leech: &Leech, metainfo: &Metainfo, length: usize) {
    let pieces = metainfo.layout().pieces();
    let got: Vec<u8> = pieces
        .flat_map(|piece| leech.store.read(piece).unwrap())
        .collect();
    assert!(got == bytes(7, length), "{} bytes", got.len());
}

#[test]
fn terminals_spare_the_relay_and_go_on_when_it_is_gone() {
    let mut tracker = spared();
    let length = 8 << 20;
    let (url, handle) = (tracker.url(), tracker.runtime.handle().clone());
    let _runtime = handle.enter();
    let (mut seed, _folder) = Seed::new(&url, length);
    let mut leech = Leech::new(&url, &seed.metainfo);
    let direct = |leech: &Leech| leech.path() == Some(PeerPath::Direct);
    handle.block_on(until(&mut seed, &mut leech, direct));
    // What was under way through the relay has arrived when something came directly.
    let linked = leech.downloaded() + (512 << 10);
    handle.block_on(until(&mut seed, &mut leech, |it| it.downloaded() > linked));
    let relayed = tracker.relayed_bytes();
    let later = leech.downloaded() + (1 << 20);
    handle.block_on(until(&mut seed, &mut leech, |it| it.downloaded() > later));
    let more = tracker.relayed_bytes() - relayed;
    assert!(more < 64 << 10, "{more} bytes went through the relay");
    assert!(!leech.complete);

    tracker.stop();
    seed.host.set_rates(Rates::default());
    handle.block_on(until(&mut seed, &mut leech, |it| it.complete));
    assert_got(&leech, &seed.metainfo, length);
}

/// At any other path our server speaks WebTorrent's protocol alone.
#[test]
fn terminals_meet_at_a_tracker_of_webtorrent() {
    let tracker = Tracker::start();
    let length = 3 << 20;
    let (url, handle) = (
        tracker.url() + "/announce",
        tracker.runtime.handle().clone(),
    );
    let _runtime = handle.enter();
    let (mut seed, _folder) = Seed::new(&url, length);
    seed.host.set_rates(Rates::default());
    let mut leech = Leech::new(&url, &seed.metainfo);
    let mut path = None;
    let done = |leech: &Leech| {
        path = leech.path().or(path);
        leech.complete
    };
    handle.block_on(until(&mut seed, &mut leech, done));
    assert_eq!(path, Some(PeerPath::WebTorrent));
    assert_eq!(tracker.relayed_bytes(), 0);
    assert_got(&leech, &seed.metainfo, length);
}

#[test]
fn who_wants_no_webrtc_makes_none() {
    let tracker = spared();
    let folder = shared();
    let at = folder.path();
    let what = ["Много файлов", "--tracker", &tracker.url()];
    let (_seed, link) = Peer::seed(at, &[&what[..], &ALONE[..]].concat());
    let length = FILES.iter().map(|(_, length)| *length as u64).sum::<u64>();
    for option in ["--no-webrtc", "--relay-only"] {
        let before = tracker.relayed_bytes();
        let out = option.trim_start_matches('-');
        get(at, &[&[&link, "-o", out, option], &ALONE[..]].concat());
        assert_all_there(&at.join(out));
        let relayed = tracker.relayed_bytes() - before;
        assert!(relayed >= length, "{option}: {relayed} of {length} bytes");
    }
}
