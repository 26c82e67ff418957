//! The overlay of tabs as a network: swarms that share a tab here and there become one in which
//! everybody finds everybody.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod network;

use std::time::Duration;

use network::{HAS, Net};
use swarm_core::id::{Fingerprint, InfoHash};
use swarm_core::overlay::{BRIDGES, BridgeConfig, Output, Overlay, OverlayConfig, Want, topic_of};
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::introduce::Unlinked;
use swarm_core::wire::overlay::{Answer, MAX_HOPS, OverlayMessage, Question, Target};

const WANTS: Want = Want {
    announce: false,
    look: true,
    carry: None,
};

fn config() -> OverlayConfig {
    OverlayConfig {
        links: 32,
        ..OverlayConfig::default()
    }
}

fn topic(n: u8) -> Target {
    topic_of(InfoHash([n; 20]))
}

/// Swarms of a dozen, whose tabs are linked with some of their swarm; one tab of each is in the next
/// swarm, too.
fn islands(count: usize, config: &OverlayConfig, seed: u64) -> Net {
    let mut net = Net::new(count, config, seed);
    for first in (0..count).step_by(12) {
        let last = count.min(first + 12);
        for at in first..last {
            // A row, so that the swarm is in one piece, and somebody else.
            let other = first + net.rng.below(last - first);
            for other in [other, at + 1] {
                if other != at && other < count {
                    net.link(at, other);
                }
            }
        }
    }
    net
}

/// Of so many questions, how many get to the tab that they are for, and through how many links.
fn arriving(net: &mut Net, tries: usize) -> (usize, f64) {
    let alive: Vec<usize> = (0..net.tabs.len())
        .filter(|at| !net.tabs[*at].dead)
        .collect();
    let mut hops = Vec::new();
    for _ in 0..tries {
        let [from, to] = [(); 2].map(|()| *net.rng.choose(&alive).unwrap());
        hops.extend(net.way(from, to));
    }
    (
        hops.len(),
        hops.iter().sum::<usize>() as f64 / hops.len() as f64,
    )
}

/// Some have a topic and others want it: whether all who want it are linked with somebody who has
/// it, within two minutes.
fn all_find(net: &mut Net, n: u8, has: &[usize], want: &[usize]) -> bool {
    for (at, want) in has
        .iter()
        .map(|at| (*at, HAS))
        .chain(want.iter().map(|at| (*at, WANTS)))
    {
        net.tabs[at].wants.push((topic(n), want));
    }
    let end = net.now + Duration::from_secs(120);
    let want = want.to_vec();
    net.run_until(end, |net| {
        let mut want = want.iter().map(|at| &net.tabs[*at]);
        want.all(|tab| tab.linked.contains_key(&topic(n)))
    })
}

#[test]
fn swarms_that_share_a_tab_grow_into_one_network_in_which_everybody_is_found() {
    let mut net = islands(60, &config(), 1);
    net.run(60);
    let (arrived, hops) = arriving(&mut net, 500);
    assert_eq!(arrived, 500);
    assert!(hops < 2.5, "{hops}");
    // No more links than its buckets need, with those of its torrent.
    let most = net.tabs.iter().map(|tab| tab.links.len()).max().unwrap();
    assert!(most <= 36, "{most}");
    assert!(all_find(&mut net, 1, &[59], &[0, 13, 30]));
    assert!(all_find(&mut net, 2, &[5, 6, 7], &[58]));
    // Nobody is linked with whom it did not look for.
    let strangers = net
        .tabs
        .iter()
        .filter(|tab| tab.linked.contains_key(&topic(2)));
    assert_eq!(strangers.count(), 1);
}

#[test]
fn what_is_announced_is_found_when_half_of_all_tabs_are_gone() {
    let mut net = islands(60, &config(), 2);
    net.run(60);
    net.tabs[59].wants.push((topic(1), HAS));
    net.run(10);
    for at in (0..58).step_by(2) {
        net.kill(at);
    }
    assert!(all_find(&mut net, 1, &[], &[1, 21, 41]));
    net.run(60);
    let (arrived, _) = arriving(&mut net, 500);
    assert!(arrived >= 495, "{arrived}");
}

#[test]
fn some_who_swallow_everything_keep_nobody_from_being_found() {
    let mut net = islands(60, &config(), 3);
    net.run(60);
    for at in [4, 17, 29, 41, 50, 55] {
        net.tabs[at].swallows = true;
    }
    assert!(all_find(&mut net, 1, &[59, 8, 22], &[0, 13, 30, 44, 57]));
}

/// Some say that they are bridges, of whom some carry what they are asked for; some want what
/// nobody has.
fn with_bridges(seed: u64, say_so: &[usize], carry: &[usize], want: &[usize]) -> Net {
    let config = OverlayConfig {
        bridges: 4,
        bridge: BridgeConfig::on(),
        ..config()
    };
    let mut net = islands(60, &config, seed);
    for at in say_so {
        net.tabs[*at].wants.push((BRIDGES, Want::BRIDGE));
        net.tabs[*at].carries = carry.contains(at);
    }
    net.run(60);
    let info_hash = InfoHash([1; 20]);
    let wants = Want {
        carry: Some(info_hash),
        ..WANTS
    };
    for at in want {
        net.tabs[*at].wants.push((topic_of(info_hash), wants));
    }
    net
}

#[test]
fn what_nobody_has_is_asked_of_a_bridge_and_of_nobody_else() {
    let want = [0, 13, 30];
    let mut net = with_bridges(4, &[50], &[50], &want);
    let end = net.now + Duration::from_secs(120);
    assert!(net.run_until(end, |net| {
        let mut want = want.iter().map(|at| &net.tabs[*at]);
        want.all(|tab| tab.linked.contains_key(&topic(1)))
    }));
    for (at, tab) in net.tabs.iter().enumerate() {
        assert_eq!(tab.asked.is_empty(), at != 50, "{at}");
    }
}

#[test]
fn some_who_only_say_that_they_are_bridges_keep_nobody_from_the_honest_one() {
    let want = [0, 13, 30];
    let mut net = with_bridges(5, &[10, 25, 50], &[50], &want);
    let end = net.now + Duration::from_secs(600);
    assert!(net.run_until(end, |net| {
        let mut want = want.iter().map(|at| &net.tabs[*at]);
        want.all(|tab| tab.linked.contains_key(&topic(1)))
    }));
}

#[test]
fn who_asks_for_too_much_to_be_carried_is_told_that_we_are_busy() {
    let (mut overlay, asks, _) = node_with(OverlayConfig {
        bridge: BridgeConfig::on(),
        ..config()
    });
    let now = Time::from_millis(2000);
    for number in 0..1000 {
        overlay.hear(now, asks, asked(number, Question::Carry));
    }
    let outputs: Vec<Output> = std::iter::from_fn(|| overlay.poll()).collect();
    let carry = |output: &&Output| matches!(output, Output::Carry { .. });
    let taken = outputs.iter().filter(carry).count();
    assert_eq!(taken, config().calls_each);
    // Nobody is asked in turn, and those that wait are forgotten.
    let passed_on = |output: &Output| {
        let question = |message: &OverlayMessage| matches!(message, OverlayMessage::Question { question, .. } if *question == Question::Carry);
        matches!(output, Output::Send { message, .. } if question(message))
    };
    assert!(!outputs.iter().any(passed_on));
    let later = now + config().timeout;
    overlay.tick(later);
    while overlay.poll().is_some() {}
    overlay.carries(1);
    assert_eq!(overlay.poll(), None);
    // Whoever is no bridge says so.
    let (mut overlay, asks, _) = node();
    overlay.hear(now, asks, asked(1, Question::Carry));
    let said = answers(&mut overlay, asks);
    assert_eq!(said, [Answer::End(Unlinked::Unwanted)]);
}

/// A node with two neighbours, of whom one asks.
fn node() -> (Overlay, Fingerprint, Fingerprint) {
    node_with(config())
}

fn node_with(config: OverlayConfig) -> (Overlay, Fingerprint, Fingerprint) {
    let [ours, asks, other] = [1, 2, 3].map(|byte| Fingerprint([byte; 16]));
    let mut overlay = Overlay::new(config, Rng::new(1));
    overlay.is_called(ours);
    for tab in [asks, other] {
        overlay.meet(Time::from_millis(1000), tab, true);
    }
    (overlay, asks, other)
}

fn asked(number: u32, question: Question) -> OverlayMessage {
    OverlayMessage::Question {
        number,
        hops: MAX_HOPS,
        origin: None,
        target: [7; 20],
        question,
    }
}

fn answers(overlay: &mut Overlay, to: Fingerprint) -> Vec<Answer> {
    let outputs = std::iter::from_fn(|| overlay.poll());
    let answers = outputs.filter_map(|output| match output {
        Output::Send {
            to: whom,
            message: OverlayMessage::Answer { answer, .. },
        } if whom == to => Some(answer),
        _ => None,
    });
    answers.collect()
}

#[test]
fn who_asks_too_much_hears_that_we_are_busy_and_others_are_answered() {
    let (mut overlay, floods, other) = node();
    let now = Time::from_millis(2000);
    for number in 0..1000 {
        overlay.hear(now, floods, asked(number, Question::Find));
    }
    let busy = Answer::End(Unlinked::Busy);
    let said = answers(&mut overlay, floods);
    let refused = said.iter().filter(|answer| **answer == busy).count();
    assert!(refused >= 1000 - config().a_minute, "{refused}");
    overlay.hear(now, other, asked(1, Question::Find));
    let said = answers(&mut overlay, other);
    assert!(!said.contains(&busy), "{said:?}");
    // Strangers are not heard at all.
    let stranger = Fingerprint([9; 16]);
    overlay.hear(now, stranger, asked(1, Question::Find));
    assert_eq!(answers(&mut overlay, stranger), []);
}

#[test]
fn what_others_have_us_remember_is_bounded_and_ends() {
    let (mut overlay, one, _) = node();
    let mut now = Time::from_millis(2000);
    for topic in 0..1000_u32 {
        now += Duration::from_millis(400);
        let mut target = [0; 20];
        target[..4].copy_from_slice(&topic.to_be_bytes());
        let message = OverlayMessage::Question {
            number: topic,
            hops: 0,
            origin: Some(Fingerprint([100; 16])),
            target,
            question: Question::Announce,
        };
        overlay.hear(now, one, message);
    }
    while overlay.poll().is_some() {}
    assert_eq!(overlay.topics(), config().topics);
    overlay.tick(now + config().expiry);
    assert_eq!(overlay.topics(), 0);
}

/// How well larger networks do: `cargo test --release -p swarm-core --test overlay -- --ignored
/// --nocapture`.
#[test]
#[ignore = "a measurement, of minutes"]
fn measure() {
    for (count, bucket) in [(100, 2), (300, 2), (1000, 2), (1000, 3)] {
        let config = OverlayConfig { bucket, ..config() };
        let mut net = islands(count, &config, 1);
        for minutes in [1, 2, 4] {
            let end = Time::from_millis(1000 + minutes * 60_000);
            net.run_until(end, |_| false);
            let (arrived, hops) = arriving(&mut net, 2000);
            let links = net.tabs.iter().map(|tab| tab.links.len());
            let (all, most) = (links.clone().sum::<usize>(), links.max());
            let sum = |of: fn(&mut network::Tab) -> usize, net: &mut Net| -> usize {
                net.tabs.iter_mut().map(of).sum::<usize>() / count
            };
            let bytes = sum(|tab| std::mem::take(&mut tab.bytes), &mut net);
            eprintln!(
                "{count} tabs, {bucket} a bucket, after {minutes} min: {arrived} of 2000 arrive, \
                 {hops:.2} hops; {:.1} links, {most:?} at most; {bytes} bytes sent since; offers \
                 that were answered, and not: {:?}",
                all as f64 / count as f64,
                net.offers,
            );
        }
    }
}
