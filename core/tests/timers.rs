//! Every timer says why it fires.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use script::Stage;
use swarm_core::engine::{Config, TimerKind as Upkeep};
use swarm_core::id::ChannelId;
use swarm_core::node::TimerKind;
use swarm_core::wire::peer::{Message, Reserved};

/// Why the engine is to be ticked next.
fn reason(stage: &Stage) -> Option<Upkeep> {
    match stage.engine.poll_timeout()?.1 {
        TimerKind::Engine(kind) => Some(kind),
        _ => None,
    }
}

/// The reasons of so many seconds, without the slots that are given out among them, and
/// without those of the node around the engine.
fn reasons(stage: &mut Stage, seconds: u64) -> Vec<Upkeep> {
    let mut reasons = Vec::new();
    for _ in 0..seconds {
        let reason = reason(stage).filter(|reason| *reason != Upkeep::Slots);
        reasons.extend(reason.filter(|reason| reasons.last() != Some(reason)));
        stage.wait(1);
    }
    reasons
}

fn send_all(stage: &mut Stage, from: ChannelId) {
    loop {
        let asked = stage.requests(from);
        if asked.is_empty() {
            return;
        }
        for block in asked {
            stage.send_block(from, block, true);
        }
    }
}

#[test]
fn a_timer_says_why_it_fires() {
    let mut stage = Stage::new(Config::default(), 4, &[]);
    assert_eq!(reason(&stage), None, "there is nobody to look after");
    // Slots are given out before anything else, and then every ten seconds.
    let remote = stage.remote(Reserved::FAST);
    assert_eq!(reason(&stage), Some(Upkeep::Slots));
    stage.wait(1);
    assert_eq!(reason(&stage), Some(Upkeep::Rates));
    let passed = (1..).find(|_| {
        stage.wait(1);
        reason(&stage) == Some(Upkeep::Slots)
    });
    assert_eq!(passed, Some(9));
    // It says nothing, and we say that we are there after a hundred seconds.
    let reasons = reasons(&mut stage, 100);
    assert_eq!(reasons, [Upkeep::Rates, Upkeep::Silence, Upkeep::Rates]);
    assert_eq!(stage.heard(remote).last(), Some(&Message::KeepAlive));
}

#[test]
fn who_owes_us_blocks_is_watched_until_they_are_here() {
    let mut stage = Stage::new(Config::default(), 4, &[]);
    let seed = stage.seed();
    stage.wait(1);
    assert_eq!(reason(&stage), Some(Upkeep::Debts));
    send_all(&mut stage, seed);
    assert!(stage.is_seeding());
    stage.wait(1);
    assert_eq!(reason(&stage), Some(Upkeep::Rates));
}
