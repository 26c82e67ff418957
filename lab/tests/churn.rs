//! Peers come and go.

use swarm_lab::scenario::{Arrivals, Stay};
use swarm_lab::{Results, Scenario, Simulation};

fn play(scenario: Scenario) -> Results {
    let mut simulation = Simulation::new(scenario).expect("a good scenario");
    simulation.run();
    assert_eq!(simulation.false_claims(), 0, "announced without having it");
    simulation.results()
}

/// Sixty peers come one after the other for 6 MiB, and stay for less than a download takes
/// as a rule. A slow seeder, that alone would need half an hour for all of them, keeps a
/// copy of each piece.
fn coming_and_going(seed: u64) -> Scenario {
    let mut scenario = Scenario {
        seed,
        pieces: 96,
        piece_length: 64 << 10,
        leechers: 60,
        arrivals: Arrivals::Poisson(0.5),
        stay: Stay::Exponential(14.0),
        time_limit: 3600.0,
        ..Scenario::default()
    };
    scenario.seeder_link.up = 200e3;
    scenario.leecher_link.up = 250e3;
    scenario
}

#[test]
fn whoever_is_there_at_the_end_completes() {
    for seed in 1..=3 {
        let results = play(coming_and_going(seed));
        let leechers = || results.peers.iter().filter(|peer| peer.role.is_leecher());
        assert_eq!(leechers().count(), 60);
        for peer in leechers() {
            assert!(peer.completed.is_some() || peer.left.is_some(), "{peer:?}");
        }
        // A download takes longer than most peers stay, or it would be no churn.
        let gave_up = leechers().filter(|peer| peer.completed.is_none()).count();
        assert!((31..=59).contains(&gave_up), "{gave_up} left too early");
    }
}

#[test]
fn nobody_waits_for_long_though_others_vanish() {
    for seed in 1..=3 {
        let results = play(coming_and_going(seed));
        // Requests to a peer that vanished must be asked of others soon. On a link shared
        // by so many, a turn comes after some seconds.
        assert!(
            results.longest_stall < 30.0,
            "seed {seed}: {} s without a byte",
            results.longest_stall
        );
    }
}

#[test]
fn nobody_waits_for_long_in_a_swarm_that_stays() {
    for seed in 1..=3 {
        let results = play(Scenario {
            stay: Stay::Forever,
            arrivals: Arrivals::AtOnce,
            ..coming_and_going(seed)
        });
        assert_eq!(results.completion.count, 60);
        assert!(
            results.longest_stall < 30.0,
            "seed {seed}: {} s without a byte",
            results.longest_stall
        );
    }
}

#[test]
fn those_who_leave_when_complete_leave_no_one_behind() {
    let results = play(Scenario {
        stay: Stay::UntilComplete,
        ..coming_and_going(1)
    });
    assert_eq!(results.completion.count, 60);
    let seeder = &results.peers[0];
    let size = 96 * (64 << 10);
    // The leechers served each other, or the seeder would have had to give 60 copies.
    assert!(seeder.sent < 40 * size, "{} bytes", seeder.sent);
}
