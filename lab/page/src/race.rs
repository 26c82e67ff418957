//! Simulations side by side, in step.

use std::time::Duration;

use swarm_lab::{Scenario, ScenarioError, Simulation};

/// See the module.
#[derive(Debug)]
pub struct Race {
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    simulation: Simulation,
    /// Everything up to here has been played.
    reached: Duration,
}

impl Race {
    /// All at their start.
    pub fn new(scenarios: Vec<Scenario>) -> Result<Self, ScenarioError> {
        let run = |scenario| {
            Ok(Run {
                simulation: Simulation::new(scenario)?,
                reached: Duration::ZERO,
            })
        };
        let runs = scenarios.into_iter().map(run).collect::<Result<_, _>>()?;
        Ok(Race { runs })
    }

    /// Plays the one that is behind, up to `until` and for at most so many events. False
    /// when all have come that far or are over.
    pub fn play(&mut self, until: Duration, events: usize) -> bool {
        let running = self.runs.iter_mut().filter(|run| !run.simulation.is_over());
        let behind = running.min_by_key(|run| run.reached);
        let Some(run) = behind.filter(|run| run.reached < until) else {
            return false;
        };
        let played = run.simulation.play(until, events);
        run.reached = match played < events {
            true => until,
            false => run.simulation.now(),
        };
        true
    }

    /// How far all have come that are not over.
    pub fn reached(&self) -> Duration {
        let running = self.runs.iter().filter(|run| !run.simulation.is_over());
        let reached = running.map(|run| run.reached).min();
        reached.unwrap_or(Duration::MAX)
    }

    /// All are over.
    pub fn is_over(&self) -> bool {
        self.runs.iter().all(|run| run.simulation.is_over())
    }

    /// The simulations, in the order of their scenarios.
    pub fn simulations(&mut self) -> impl Iterator<Item = &mut Simulation> {
        self.runs.iter_mut().map(|run| &mut run.simulation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn scenarios() -> Vec<Scenario> {
        Settings::from_fragment("peers=5&pieces=8&piece-size=64").scenarios()
    }

    #[test]
    fn in_turns_they_run_as_they_do_alone() {
        let mut race = Race::new(scenarios()).unwrap();
        while !race.is_over() {
            let until = race.reached() + Duration::from_millis(130);
            while race.play(until, 17) {}
        }
        for (together, scenario) in race.simulations().zip(scenarios()) {
            let mut alone = Simulation::new(scenario).unwrap();
            while !alone.is_over() {
                alone.play(Duration::MAX, 1_000_000);
            }
            assert!(alone.results().completion.count == 5);
            assert_eq!(together.results(), alone.results());
        }
    }

    #[test]
    fn nobody_runs_ahead() {
        let mut race = Race::new(scenarios()).unwrap();
        let until = Duration::from_secs(1);
        while race.play(until, 1) {
            let first = race.reached();
            let ahead = race.runs.iter().map(|run| run.reached).max().unwrap();
            // One event, which is as far as one may be ahead of the other, is never long.
            assert!(
                ahead <= first + Duration::from_millis(500),
                "{ahead:?} {first:?}"
            );
        }
        assert_eq!(race.reached(), until);
    }
}
