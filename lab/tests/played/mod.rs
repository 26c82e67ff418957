//! Runs to the end, in which nobody says or waits for what is not so.

use swarm_lab::{Results, Scenario, Simulation};

/// Plays a scenario, looking for false claims and for stalls.
pub(crate) fn play(scenario: Scenario) -> Results {
    let mut simulation = Simulation::new(scenario).expect("a good scenario");
    simulation.watch_for_stalls();
    simulation.run();
    assert_eq!(simulation.false_claims(), 0, "announced without having it");
    assert_eq!(simulation.stalls(), 0, "nothing would have woken somebody");
    simulation.results()
}
