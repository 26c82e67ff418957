//! How long a host waits before it connects to a server again. One rule for all hosts.

use std::time::Duration;

/// The first delay: a server that is started anew is back as soon, and nobody notices.
const FIRST: Duration = Duration::from_millis(500);
/// The longest: so soon somebody is back who has no network for an hour.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that was of use for so long was worth having. One that ends sooner every time
/// would be made again and again, by all who know the server: it may be overloaded, or mean no
/// good.
const STEADY: Duration = Duration::from_secs(10);

/// See the module: delays that double, and begin anew only after a connection that was worth having.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Connections in a row that did not come about, or were not worth having.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The connection that ended was of use for so long: the server spoke as it should.
    pub fn worked_for(&mut self, time: Duration) {
        if time >= STEADY {
            self.reset();
        }
    }

    /// Whatever was in the way is gone, such as a network that was not there.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// A connection ended or did not come about: the delay before the next attempt. `random`, from
    /// 0 to 1, takes away up to half of it, so that a whole swarm does not come back in the same
    /// moment when its server restarts.
    pub fn next_delay(&mut self, random: f64) -> Duration {
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let whole = (FIRST * (1 << doublings)).min(LONGEST);
        whole.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_stay_bounded() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next_delay(1.0), FIRST);
        assert_eq!(backoff.next_delay(1.0), FIRST * 2);
        assert_eq!(backoff.next_delay(0.0), FIRST * 2);
        for _ in 0..100 {
            let delay = backoff.next_delay(1.0);
            assert!(delay >= FIRST * 8 && delay <= LONGEST);
        }
        backoff.failures = u32::MAX;
        assert_eq!(backoff.next_delay(-1.0), LONGEST / 2);
        assert_eq!(backoff.failures(), u32::MAX);
    }

    #[test]
    fn they_begin_anew_after_a_connection_that_was_worth_having() {
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            // It says a word, and closes.
            backoff.worked_for(STEADY / 2);
            backoff.next_delay(1.0);
        }
        assert_eq!(backoff.next_delay(1.0), LONGEST);
        backoff.worked_for(STEADY);
        assert_eq!(backoff.next_delay(1.0), FIRST);
        backoff.next_delay(1.0);
        backoff.reset();
        assert_eq!(backoff.next_delay(1.0), FIRST);
    }
}
