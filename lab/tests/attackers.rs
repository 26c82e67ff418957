//! Members that are only in the way: the others complete in near the time they take without.

use swarm_lab::scenario::Arrivals;
use swarm_lab::{Results, Scenario, Simulation};

fn play(scenario: Scenario) -> Results {
    let mut simulation = Simulation::new(scenario).expect("a good scenario");
    simulation.run();
    assert_eq!(simulation.false_claims(), 0, "announced without having it");
    simulation.results()
}

/// A seeder and so many who come a while later for 8 MiB.
fn swarm(seed: u64, leechers: u32) -> Scenario {
    let mut scenario = Scenario {
        seed,
        pieces: 128,
        piece_length: 64 << 10,
        leechers,
        arrivals: Arrivals::Trace(vec![5.0]),
        time_limit: 3600.0,
        ..Scenario::default()
    };
    scenario.seeder_link.up = 1e6;
    scenario.leecher_link.up = 500e3;
    scenario
}

/// How much longer the last takes, in seconds, and times as long.
fn cost(attacked: Scenario) -> (f64, f64) {
    let alone = play(Scenario {
        idle: 0,
        promisers: 0,
        impostors: 0,
        ..attacked.clone()
    });
    let results = play(attacked);
    let (before, after) = (alone.completion, results.completion);
    assert_eq!(
        (before.count, after.count),
        (before.of, after.of),
        "{after:?}"
    );
    (after.last - before.last, after.last / before.last)
}

#[test]
fn idle_members_cost_almost_nothing() {
    for (seed, leechers, idle) in [(1, 1, 25), (2, 1, 50), (3, 1, 100), (4, 10, 25)] {
        let (seconds, times) = cost(Scenario {
            idle,
            ..swarm(seed, leechers)
        });
        let cost = format!("{leechers} and {idle} idle: {seconds} s, {times} times as long");
        assert!(seconds < 4.0 && times < 1.3, "{cost}");
    }
}

#[test]
fn a_group_among_many_idle_members_completes_in_near_the_time_it_takes_alone() {
    for (seed, idle) in [(1, 50), (3, 50), (4, 100), (5, 100)] {
        let (seconds, times) = cost(Scenario {
            idle,
            ..swarm(seed, 10)
        });
        let cost = format!("10 and {idle} idle: {seconds} s, {times} times as long");
        assert!(seconds < 5.0, "{cost}");
    }
}

#[test]
fn a_seeder_is_found_among_a_thousand_idle_members() {
    let (seconds, times) = cost(Scenario {
        idle: 1000,
        ..swarm(1, 1)
    });
    assert!(seconds < 4.0, "{seconds} s and {times} times as long");
}

#[test]
fn promises_cost_almost_nothing() {
    for (seed, leechers, promisers) in [(1, 1, 10), (2, 1, 50), (3, 10, 10), (4, 10, 40)] {
        let (seconds, times) = cost(Scenario {
            promisers,
            ..swarm(seed, leechers)
        });
        // Beyond the places that there are, the seeder may have to be found first.
        let cost = format!("{leechers} and {promisers}: {seconds} s, {times} times as long");
        assert!(seconds < 5.0 && times < 1.6, "{cost}");
        assert!(promisers > 10 || times < 1.2, "{cost}");
    }
}

#[test]
fn a_borrowed_name_harms_nobody() {
    for (seed, leechers, impostors) in [(1, 1, 2), (2, 1, 10), (3, 10, 5)] {
        let (seconds, times) = cost(Scenario {
            impostors,
            ..swarm(seed, leechers)
        });
        let cost = format!("{leechers} and {impostors}: {seconds} s, {times} times as long");
        assert!(seconds < 4.0 && times < 1.2, "{cost}");
    }
}
