//! Plays a scenario.

use std::time::Duration;

use crate::{Results, Scenario, ScenarioError, Snapshot};

/// See the module.
#[derive(Debug)]
pub struct Simulation {
    scenario: Scenario,
}

impl Simulation {
    /// At time zero, with nobody there yet.
    pub fn new(scenario: Scenario) -> Result<Self, ScenarioError> {
        Ok(Simulation { scenario })
    }

    /// What is played.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Virtual time since the start.
    pub fn now(&self) -> Duration {
        todo!()
    }

    /// Nothing will happen any more: all who wait are complete or gone, or can never
    /// complete, or the time limit is reached.
    pub fn is_over(&self) -> bool {
        todo!()
    }

    /// Plays on until this time, or for so many events, whichever comes first; returns how
    /// many events it played. Zero when the time is reached or it is over.
    pub fn play(&mut self, until: Duration, events: usize) -> usize {
        todo!()
    }

    /// What there is to see now.
    pub fn snapshot(&mut self) -> Snapshot {
        todo!()
    }

    /// What was measured so far.
    pub fn results(&self) -> Results {
        todo!()
    }
}
