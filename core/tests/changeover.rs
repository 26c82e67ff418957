//! Two engines, several channels between them that break at any moment: they complete, nobody
//! is blamed, and in the end both talk through the same channel.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pipes;

use std::time::Duration;

use pipes::Pair;
use swarm_core::net::RelayPolicy;

const PIECES: u32 = 48;
/// Bytes a second that a channel carries, each way.
const RATE: u64 = 100_000;
/// Swarms that are tried: a thousand were, once.
const SEEDS: u64 = 10;
/// How long channels break.
const CHAOS: Duration = Duration::from_secs(40);
/// By then everything is here: both are offered a channel once a second.
const END: Duration = Duration::from_secs(240);

fn each_what_the_other_lacks(end: usize, piece: u32) -> bool {
    piece as usize % 2 == end
}

/// Opens a channel that is as long as chance has it.
fn connect(pair: &mut Pair, opener: usize, link: u32) {
    let delay = Duration::from_millis(5 + pair.rng.below(100) as u64);
    pair.connect(opener, link, RATE, delay);
}

#[test]
fn channels_that_break_at_any_moment_cost_time_and_nothing_else() {
    for seed in 0..SEEDS {
        let mut pair = Pair::new(seed, PIECES, RelayPolicy::Spare, each_what_the_other_lacks);
        let begin = pair.now;
        while pair.now - begin < CHAOS {
            let (opener, link) = (pair.rng.below(2), pair.rng.below(3));
            connect(&mut pair, opener, u32::try_from(link).unwrap());
            // Both at once, now and then.
            if pair.rng.below(3) == 0 {
                let link = pair.rng.below(3);
                connect(&mut pair, 1 - opener, u32::try_from(link).unwrap());
            }
            let pause = Duration::from_millis(pair.rng.below(2000) as u64);
            pair.run_until(pair.now + pause);
            let alive = pair.alive();
            if let Some(&channel) = pair.rng.choose(&alive) {
                let after = [(); 2].map(|()| Duration::from_millis(pair.rng.below(3000) as u64));
                pair.cut(channel, after);
            }
        }
        while pair.completed != [true; 2] && pair.now - begin < END {
            for link in 0..3 {
                connect(&mut pair, 0, link);
            }
            pair.run_until(pair.now + Duration::from_secs(1));
        }
        assert_eq!(pair.completed, [true; 2], "seed {seed}");
        // All are one, and the best of them carries the talk.
        pair.run_until(pair.now + Duration::from_secs(20));
        let paths = [0, 1].map(|end| pair.paths(end));
        assert!(paths[0].len() <= 1, "seed {seed}: {paths:?}");
        assert_eq!(paths[0], paths[1], "seed {seed}");
    }
}
