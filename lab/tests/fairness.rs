//! What free-riders get, and what they cost those who contribute.

use swarm_lab::scenario::AccessLink;
use swarm_lab::snapshot::Role;
use swarm_lab::{Results, Scenario, Simulation};

/// A seeder and twenty contributors of 250 kB/s up, with ten free-riders or without.
fn swarm(free_riders: u32) -> Scenario {
    let line = AccessLink {
        up: 250e3,
        down: 1e6,
        ..AccessLink::default()
    };
    let leechers = 20 + free_riders;
    Scenario {
        pieces: 400,
        piece_length: 64 << 10,
        leechers,
        free_riders: f64::from(free_riders) / f64::from(leechers),
        seeder_link: line,
        leecher_link: line,
        ..Scenario::default()
    }
}

fn play(scenario: Scenario) -> Results {
    let mut simulation = Simulation::new(scenario).expect("a sound scenario");
    simulation.run();
    simulation.results()
}

/// How many pieces the peers of a role have on average.
fn pieces(results: &Results, role: Role) -> f64 {
    let peers = results.peers.iter().filter(|peer| peer.role == role);
    let pieces: Vec<f64> = peers.map(|peer| f64::from(peer.pieces)).collect();
    pieces.iter().sum::<f64>() / pieces.len() as f64
}

#[test]
fn who_gives_nothing_gets_less_and_costs_the_others_little() {
    let among_themselves = play(swarm(0)).completion;
    let with_free_riders = play(swarm(10));
    let contributors = with_free_riders.completion;
    assert_eq!((contributors.count, contributors.of), (20, 20));
    // A third of the peers gives nothing; shared out evenly, all would take 1.5 times as long.
    let slower = contributors.mean / among_themselves.mean;
    assert!(slower < 1.25, "{slower} times as long");
    // While the contributors compete, until the mean one of them is complete:
    let halfway = play(Scenario {
        time_limit: contributors.mean,
        ..swarm(10)
    });
    let share = pieces(&halfway, Role::FreeRider) / pieces(&halfway, Role::Contributor);
    assert!(
        share < 0.6,
        "a free-rider had {share} of what a contributor had"
    );
    assert!(
        share > 0.05,
        "a free-rider had {share} of what a contributor had"
    );
    // Nobody is shut out for ever.
    let free_riders = with_free_riders.free_rider_completion;
    assert_eq!((free_riders.count, free_riders.of), (10, 10));
    assert!(free_riders.mean > contributors.mean);
}

#[test]
fn without_choking_they_cost_much_more() {
    let choking = play(swarm(10)).completion.mean;
    let none = play(Scenario {
        choking: false,
        ..swarm(10)
    });
    assert!(
        none.completion.mean > 1.5 * choking,
        "{} s and {choking} s",
        none.completion.mean
    );
}
