//! Two engines, two ways between them, neither of which is to be spared: the better carries the
//! talk, and finding out costs little.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pipes;

use std::time::Duration;

use pipes::{PIECE, Pair};
use swarm_core::engine::PeerPath;
use swarm_core::id::{ChannelKey, LinkId};
use swarm_core::net::RelayPolicy;
use swarm_core::time::Time;

/// Links' numbers.
const RELAY: u32 = 0;
const DIRECT: u32 = 1;

/// A way: bytes a second, and how long it is.
type Way = (u64, Duration);

const NEAR: Duration = Duration::from_millis(20);
const FAR: Duration = Duration::from_millis(150);

/// What became of a transfer.
struct Played {
    pair: Pair,
    began: Time,
    /// When the talk went another way, as the one who gets everything saw it, and which.
    changes: Vec<(Duration, PeerPath)>,
}

impl Played {
    /// One has so many pieces, the other, if not both, opened the channels.
    fn begin(pieces: u32, policy: RelayPolicy, opener: usize, ways: [Way; 2]) -> Self {
        let mut pair = Pair::new(1, pieces, policy, |end, _| end == 0);
        pair.set_room(64 << 10);
        let began = pair.now;
        pair.connect(opener, RELAY, ways[0].0, ways[0].1);
        pair.run_until(began + Duration::from_secs(2));
        pair.connect(opener, DIRECT, ways[1].0, ways[1].1);
        Played {
            pair,
            began,
            changes: vec![(Duration::ZERO, PeerPath::Relay)],
        }
    }

    fn time(&self) -> Duration {
        self.pair.now - self.began
    }

    fn run_until(&mut self, done: impl Fn(&Played) -> bool) {
        while !done(self) {
            assert!(
                self.time() < Duration::from_secs(3600),
                "{:?}",
                self.changes
            );
            self.pair
                .run_until(self.pair.now + Duration::from_millis(50));
            // Until both channels are known to lead to the same there are two peers.
            if let [path] = self.pair.paths(1)[..]
                && self.changes.last().unwrap().1 != path
            {
                self.changes.push((self.time(), path));
            }
        }
    }

    fn complete(&mut self) {
        self.run_until(|played| played.pair.completed[1]);
    }

    /// The way that carries the talk.
    fn path(&self) -> PeerPath {
        self.changes.last().unwrap().1
    }
}

fn play(pieces: u32, policy: RelayPolicy, opener: usize, ways: [Way; 2]) -> Played {
    let mut played = Played::begin(pieces, policy, opener, ways);
    played.complete();
    played
}

#[test]
fn a_slow_relay_is_left_for_a_fast_link_whoever_opened_it() {
    for opener in 0..2 {
        let ways = [(100_000, FAR), (400_000, NEAR)];
        let played = play(500, RelayPolicy::Free, opener, ways);
        let [_, (when, PeerPath::Direct)] = played.changes[..] else {
            panic!("{:?}", played.changes);
        };
        assert!(when < Duration::from_secs(15), "{when:?}");
        // What was under way was waited for.
        let least = u64::from(500 * PIECE);
        let sent = played.pair.sent[0];
        assert!(sent < least + least / 100, "{sent} bytes for {least}");
    }
}

#[test]
fn a_fast_relay_is_come_back_to_from_a_slow_link() {
    let ways = [(400_000, NEAR), (50_000, NEAR)];
    let tried = play(500, RelayPolicy::Free, 1, ways);
    let [_, (left, PeerPath::Direct), (back, PeerPath::Relay)] = tried.changes[..] else {
        panic!("{:?}", tried.changes);
    };
    assert!(back - left < Duration::from_secs(5), "{:?}", tried.changes);
    let untried = Duration::from_millis(u64::from(500 * PIECE) * 1000 / 400_000);
    let cost = tried.time().saturating_sub(untried);
    assert!(cost < Duration::from_secs(8), "{cost:?}");
}

#[test]
fn as_fast_by_half_as_long_a_way_is_better() {
    let ways = [(100_000, FAR), (100_000, NEAR)];
    let played = play(100, RelayPolicy::Free, 1, ways);
    assert_eq!(played.path(), PeerPath::Direct, "{:?}", played.changes);
    assert_eq!(played.changes.len(), 2);
}

#[test]
fn of_equals_the_first_stays_and_trials_become_rare() {
    let ways = [(50_000, NEAR), (50_000, NEAR)];
    let played = play(1200, RelayPolicy::Free, 1, ways);
    assert!(played.time() > Duration::from_secs(600));
    // After some seconds, a minute later, and five minutes after that: there and back.
    assert_eq!(played.changes.len(), 1 + 2 * 3, "{:?}", played.changes);
    assert_eq!(played.path(), PeerPath::Relay);
    let least = u64::from(1200 * PIECE);
    let sent = played.pair.sent[0];
    assert!(sent < least + least / 100, "{sent} bytes for {least}");
}

#[test]
fn a_link_that_breaks_in_its_trial_costs_nothing_but_time() {
    let ways = [(200_000, NEAR), (100_000, NEAR)];
    for notices in [[0, 0], [10, 12]] {
        let mut played = Played::begin(300, RelayPolicy::Free, 1, ways);
        played.run_until(|played| played.path() == PeerPath::Direct);
        let direct = ChannelKey {
            link: LinkId(DIRECT),
            ..played.pair.alive()[1]
        };
        played.pair.cut(direct, notices.map(Duration::from_secs));
        let cut = played.time();
        played.run_until(|played| played.path() == PeerPath::Relay);
        assert!(played.time() - cut < Duration::from_secs(5));
        // Nobody is blamed, or the channel's end would say so.
        played.complete();
        assert_eq!(played.path(), PeerPath::Relay);
    }
}

#[test]
fn a_relay_that_is_to_be_spared_is_left_however_fast_it_is() {
    let ways = [(400_000, NEAR), (100_000, NEAR)];
    let played = play(200, RelayPolicy::Spare, 1, ways);
    assert_eq!(played.path(), PeerPath::Direct);
    assert_eq!(played.changes.len(), 2, "{:?}", played.changes);
}

#[test]
fn a_way_that_brings_nothing_any_more_is_left() {
    let ways = [(100_000, NEAR), (50_000, NEAR)];
    let mut played = Played::begin(600, RelayPolicy::Free, 1, ways);
    played.run_until(|played| played.time() > Duration::from_secs(150));
    assert_eq!(played.path(), PeerPath::Relay, "{:?}", played.changes);
    let relay = played.pair.alive()[0];
    played.pair.cut(relay, [600, 600].map(Duration::from_secs));
    let cut = played.time();
    played.run_until(|played| played.path() == PeerPath::Direct);
    assert!(played.time() - cut < Duration::from_secs(10));
    played.complete();
}
