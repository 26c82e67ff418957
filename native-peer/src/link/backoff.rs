//! How long to wait before the next attempt.

use std::time::Duration;

use swarm_core::rng::Rng;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasts this long was worth having. One that ends sooner every time would be
/// made again and again, by all who know the tracker: it may be overloaded, or mean no good.
const STEADY: Duration = Duration::from_secs(10);

/// Delays that double up to half a minute, each shortened by up to half at random.
#[derive(Debug)]
pub(crate) struct Backoff {
    rng: Rng,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(rng: Rng) -> Self {
        Backoff { rng, next: FIRST }
    }

    /// The delay before the next attempt.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(LONGEST);
        let half = whole / 2;
        let extra = self
            .rng
            .below(usize::try_from(half.as_millis()).expect("half a minute fits"));
        half + Duration::from_millis(extra as u64)
    }

    /// The last attempt was a success, and lasted so long.
    pub(crate) fn worked_for(&mut self, time: Duration) {
        if time >= STEADY {
            self.next = FIRST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_stay_bounded_and_differ() {
        let mut backoff = Backoff::new(Rng::new(7));
        let delays: Vec<_> = (0..20).map(|_| backoff.next_delay()).collect();
        assert!(delays[0] < FIRST);
        assert!(delays.iter().all(|d| *d >= FIRST / 2 && *d < LONGEST));
        assert!(delays[10..].iter().all(|d| *d >= LONGEST / 2));
        assert!(delays[10..].windows(2).any(|pair| pair[0] != pair[1]));
        backoff.worked_for(STEADY / 2);
        assert!(backoff.next_delay() >= LONGEST / 2);
        backoff.worked_for(STEADY);
        assert!(backoff.next_delay() < FIRST);
    }
}
