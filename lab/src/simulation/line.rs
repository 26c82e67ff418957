//! One direction of a link: bytes leave it one after the other, and arrive in order.

use swarm_core::rng::Rng;

use super::{Nanos, nanos};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Bytes a second.
    rate: f64,
    latency: Nanos,
    jitter: f64,
    /// When all that was sent has left.
    free: Nanos,
    /// When the last of it arrives.
    arrived: Nanos,
}

impl Line {
    pub(super) fn new(rate: f64, latency: f64, jitter: f64) -> Self {
        Line {
            rate,
            latency: nanos(latency),
            jitter,
            free: 0,
            arrived: 0,
        }
    }

    /// When a message of so many bytes, sent now, has left.
    pub(super) fn send(&mut self, now: Nanos, bytes: usize) -> Nanos {
        self.free = self.free.max(now) + nanos(bytes as f64 / self.rate);
        self.free
    }

    /// When what left at this time arrives.
    pub(super) fn arrival(&mut self, left: Nanos, rng: &mut Rng) -> Nanos {
        let jitter = if self.jitter > 0.0 {
            nanos(self.jitter * rng.unit())
        } else {
            0
        };
        self.arrived = self.arrived.max(left + self.latency + jitter);
        self.arrived
    }

    /// A new connection: what waited is gone.
    pub(super) fn reset(&mut self, now: Nanos) {
        self.free = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_one_after_the_other_and_arrive_in_order() {
        let mut rng = Rng::new(1);
        let mut line = Line::new(1000.0, 0.01, 0.5);
        assert_eq!(line.send(0, 500), 500_000_000);
        assert_eq!(line.send(100, 500), 1_000_000_000);
        assert_eq!(line.send(2_000_000_000, 500), 2_500_000_000);
        let mut last = 0;
        for left in (0..100).map(|i| i * 1_000_000) {
            let arrival = line.arrival(left, &mut rng);
            assert!(arrival >= last && arrival >= left + 10_000_000);
            last = arrival;
        }
    }
}
