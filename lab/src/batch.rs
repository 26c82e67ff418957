//! Many runs at once, one on each core.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::network::{Network, NetworkResults, NetworkScenario};
use crate::{Results, Scenario, ScenarioError, Simulation};

/// Events that are played between two looks at whether it is over.
const SLICE: usize = 100_000;

/// Plays one scenario to its end.
pub fn play(scenario: Scenario) -> Result<Results, ScenarioError> {
    let mut simulation = Simulation::new(scenario)?;
    while !simulation.is_over() {
        simulation.play(Duration::MAX, SLICE);
    }
    Ok(simulation.results())
}

/// Plays all of them, on `threads` cores, or on all; `done` hears of the index of each
/// that ends. The results are in the order of the scenarios.
pub fn play_all(
    scenarios: &[Scenario],
    threads: Option<NonZero<usize>>,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Results>, ScenarioError> {
    let results = each(scenarios, threads, &|scenario| play(scenario.clone()), done);
    results.into_iter().collect()
}

/// The same for networks.
pub fn play_networks(
    scenarios: &[NetworkScenario],
    threads: Option<NonZero<usize>>,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<NetworkResults>, ScenarioError> {
    let play = |scenario: &NetworkScenario| {
        let mut network = Network::new(scenario.clone())?;
        network.run();
        Ok(network.results())
    };
    let results = each(scenarios, threads, &play, done);
    results.into_iter().collect()
}

fn each<S: Sync, R: Send>(
    scenarios: &[S],
    threads: Option<NonZero<usize>>,
    play: &(dyn Fn(&S) -> R + Sync),
    done: &(dyn Fn(usize) + Sync),
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let threads = threads
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get)
        .min(scenarios.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(index) else {
                        return;
                    };
                    let result = play(scenario);
                    let mut results = results.lock().expect("no run panics with the lock held");
                    results.push((index, result));
                    drop(results);
                    done(index);
                }
            });
        }
    });
    let mut results = results.into_inner().expect("all threads have ended well");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The same scenario with the seeds `first..first + count`.
pub fn seeds(scenario: &Scenario, count: u64) -> Vec<Scenario> {
    (0..count)
        .map(|number| Scenario {
            seed: scenario.seed + number,
            ..scenario.clone()
        })
        .collect()
}
