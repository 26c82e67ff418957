//! What the worker's clock drives.

use std::time::Duration;

use swarm_lab::network::Network;

use crate::race::Race;

/// Virtual seconds per second at most while a lookup is under way: it takes a few tenths of a
/// second, and a person wants to see every hop.
const WALKING: f64 = 0.1;

/// Something that goes on in virtual time.
pub trait Played {
    /// Plays a little, up to `until` and for at most so many events. False when it has come that
    /// far.
    fn play(&mut self, until: Duration, events: usize) -> bool;
    /// How far it has come.
    fn reached(&self) -> Duration;
    /// Nothing will happen any more.
    fn is_over(&self) -> bool;
    /// Virtual seconds per second, where a person chose so many.
    fn pace(&self, chosen: f64) -> f64 {
        chosen
    }
}

impl Played for Race {
    fn play(&mut self, until: Duration, events: usize) -> bool {
        self.play(until, events)
    }

    fn reached(&self) -> Duration {
        self.reached()
    }

    fn is_over(&self) -> bool {
        self.is_over()
    }
}

impl Played for Network {
    fn play(&mut self, until: Duration, events: usize) -> bool {
        if self.now() >= until {
            return false;
        }
        self.play(until, events);
        true
    }

    fn reached(&self) -> Duration {
        self.now()
    }

    fn is_over(&self) -> bool {
        self.is_over()
    }

    fn pace(&self, chosen: f64) -> f64 {
        match self.is_walking() {
            true => chosen.min(WALKING),
            false => chosen,
        }
    }
}
