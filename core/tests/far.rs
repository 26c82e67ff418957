//! Fast peers far away: what is under way follows the length of the way, what the peer takes,
//! and what others have.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use std::time::Duration;

use script::Stage;
use swarm_core::engine::Config;
use swarm_core::id::ChannelId;
use swarm_core::node::Input;
use swarm_core::wire::extension::ExtensionHandshake;
use swarm_core::wire::peer::{BlockRef, Message, Reserved};

/// Requests in flight to whoever is near.
const NEAR: usize = 16;
/// More of them for all who are far.
const FAR: usize = 64;

fn config() -> Config {
    let mut config = Config::terminal();
    config.requests.queue.1 = NEAR;
    config.requests.far = FAR;
    config
}

/// A peer that has everything, and keeps so many requests.
fn seed(stage: &mut Stage, takes: Option<u32>) -> ChannelId {
    let seed = stage.remote(Reserved::FAST);
    let handshake = ExtensionHandshake {
        request_queue: takes,
        ..ExtensionHandshake::default()
    };
    stage.say(
        seed,
        &Message::Extended {
            id: 0,
            payload: handshake.encode(),
        },
    );
    stage.say(seed, &Message::HaveAll);
    stage.say(seed, &Message::Unchoke);
    seed
}

/// Peers that answer everything after `delay`, and what each was asked for then; after so many
/// times.
fn under_way(stage: &mut Stage, seeds: &[ChannelId], delay: Duration, times: usize) -> Vec<usize> {
    let mut asked: Vec<Vec<BlockRef>> = vec![Vec::new(); seeds.len()];
    for _ in 0..times {
        stage.now += delay;
        stage.feed(Input::Tick);
        for (seed, asked) in seeds.iter().zip(&mut asked) {
            asked.extend(stage.requests(*seed));
        }
        for (seed, asked) in seeds.iter().zip(&mut asked) {
            for block in asked.drain(..) {
                stage.send_block(*seed, block, true);
            }
        }
        for (seed, asked) in seeds.iter().zip(&mut asked) {
            assert_eq!(stage.closed(*seed), None);
            asked.extend(stage.requests(*seed));
        }
    }
    asked.iter().map(Vec::len).collect()
}

const LONG: Duration = Duration::from_millis(200);

#[test]
fn much_is_under_way_only_to_those_far_away_that_take_it() {
    for (delay, takes, most) in [
        // Half of its queue: what was given up may still stand in it.
        (LONG, Some(60), 30),
        // Alone it may have as much as it leaves free.
        (LONG, Some(1000), NEAR + FAR / 2),
        (LONG, Some(10), 10),
        (LONG, None, NEAR),
        (Duration::ZERO, Some(1000), NEAR),
    ] {
        let mut stage = Stage::new(config(), 512, &[]);
        let seed = seed(&mut stage, takes);
        let asked = under_way(&mut stage, &[seed], delay, 10)[0];
        assert!(
            asked <= most && 4 * asked >= 3 * most,
            "{asked} of {most} that it takes {takes:?} after {delay:?}"
        );
    }
}

#[test]
fn many_share_what_one_could_have() {
    let mut stage = Stage::new(config(), 2048, &[]);
    let seeds: Vec<ChannelId> = (0..8).map(|_| seed(&mut stage, Some(1000))).collect();
    let asked = under_way(&mut stage, &seeds, LONG, 10);
    let beyond: usize = asked.iter().map(|asked| asked.saturating_sub(NEAR)).sum();
    assert!(beyond <= FAR, "{asked:?}");
    assert!(asked.iter().all(|asked| 4 * asked >= 3 * NEAR), "{asked:?}");
}
