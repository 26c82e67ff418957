//! What choking does to those who give nothing.

use swarm_lab::snapshot::Role;
use swarm_lab::{Results, Scenario, Simulation};

/// Thirty peers share 16 MiB; uploading is what limits them, and the seeder gives as much
/// as any other.
fn swarm(free_riders: f64, seed: u64) -> Scenario {
    let mut scenario = Scenario {
        seed,
        pieces: 128,
        piece_length: 128 << 10,
        leechers: 30,
        free_riders,
        time_limit: 7200.0,
        ..Scenario::default()
    };
    for link in [&mut scenario.seeder_link, &mut scenario.leecher_link] {
        link.up = 250e3;
        link.down = 2.5e6;
    }
    scenario
}

/// Played to the end, and bytes that contributors and free-riders had, as a mean of each,
/// when half of the contributors were complete.
fn play(scenario: Scenario) -> (Results, f64, f64) {
    let mut simulation = Simulation::new(scenario).expect("a good scenario");
    let mut taken = None;
    let half = |simulation: &Simulation| {
        let results = simulation.results();
        2 * results.completion.count >= results.completion.of
    };
    while !simulation.is_over() {
        let next = simulation.now() + std::time::Duration::from_secs(1);
        simulation.play(next, usize::MAX);
        if taken.is_none() && half(&simulation) {
            let results = simulation.results();
            let mean = |role| {
                let peers = results.peers.iter().filter(|peer| peer.role == role);
                let bytes: Vec<u64> = peers.map(|peer| peer.received).collect();
                bytes.iter().sum::<u64>() as f64 / bytes.len().max(1) as f64
            };
            taken = Some((mean(Role::Contributor), mean(Role::FreeRider)));
        }
    }
    let (contributors, riders) = taken.expect("half of the contributors complete");
    (simulation.results(), contributors, riders)
}

#[test]
fn free_riders_get_clearly_less_than_contributors() {
    for seed in 1..=2 {
        let (results, contributors, riders) = play(swarm(1.0 / 3.0, seed));
        assert!(
            riders < 0.75 * contributors,
            "seed {seed}: free-riders had {riders:.0} bytes, contributors {contributors:.0}"
        );
        // They are slowed down, not shut out.
        let (givers, takers) = (&results.completion, &results.free_rider_completion);
        assert_eq!((givers.of, takers.of), (20, 10));
        assert_eq!((givers.count, takers.count), (20, 10), "all complete");
        assert!(takers.mean > 1.1 * givers.mean, "{givers:?} {takers:?}");
        let given = results.fairness.iter().find(|f| f.role == Role::FreeRider);
        assert_eq!(given.map(|fairness| fairness.given), Some(0));
    }
}

#[test]
fn contributors_hardly_notice_free_riders() {
    // With the same peers but for the free-riders.
    let alone = Scenario {
        leechers: 20,
        ..swarm(0.0, 1)
    };
    let (alone, _, _) = play(alone);
    let (among_riders, _, _) = play(swarm(1.0 / 3.0, 1));
    let ratio = among_riders.completion.mean / alone.completion.mean;
    assert!(ratio < 1.35, "{ratio:.2} times as long");
}
