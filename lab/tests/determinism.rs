//! The same scenario gives the same run, to the byte.

use std::sync::{Arc, Mutex};

use swarm_lab::scenario::{Outage, Stay};
use swarm_lab::{Results, Scenario, Simulation};

fn scenario(seed: u64) -> Scenario {
    Scenario {
        seed,
        pieces: 24,
        piece_length: 64 << 10,
        leechers: 8,
        free_riders: 0.25,
        liars: 0.125,
        stay: Stay::SeedFor(5.0),
        outages: vec![Outage {
            at: 2.0,
            lasts: 3.0,
        }],
        time_limit: 600.0,
        ..Scenario::default()
    }
}

/// The log as text, and the results. `step` is how many events are played at a time.
fn played(seed: u64, step: usize) -> (String, Results, u64) {
    let mut simulation = Simulation::new(scenario(seed)).expect("a good scenario");
    let log = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&log);
    simulation.log_to(move |line| {
        let mut log = lines.lock().expect("nobody panicked");
        log.push_str(&line.to_string());
        log.push('\n');
    });
    while !simulation.is_over() {
        simulation.play(std::time::Duration::MAX, step);
        simulation.snapshot();
    }
    let log = log.lock().expect("nobody panicked").clone();
    (log, simulation.results(), simulation.fingerprint())
}

#[test]
fn the_same_seed_gives_the_same_log_to_the_byte() {
    let (one, two) = (played(1, usize::MAX), played(1, 1000));
    assert!(one.0.lines().count() > 1000, "a log worth comparing");
    assert!(one.0 == two.0, "the logs differ");
    assert_eq!((&one.1, one.2), (&two.1, two.2));
    assert_eq!(one.1.completion.count, one.1.completion.of);
}

#[test]
fn another_seed_gives_another_run() {
    let (one, two) = (played(1, usize::MAX), played(2, usize::MAX));
    assert!(one.0 != two.0);
    assert_ne!(one.2, two.2);
}
