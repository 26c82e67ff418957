//! How often a tracker is listened to.
//!
//! What it says of its own is taken apart at a bounded rate, pings and all; data is not counted,
//! since whoever sends it through a channel is charged for it there. Nothing is lost meanwhile: the
//! connection itself holds the tracker back.

use std::time::Duration;

use tokio::time::Instant;

/// Short messages beside data that are taken in a [`WINDOW`]. Credit for each 128 KiB of a
/// gigabyte a second is less than half of it, and at some 4 µs a message one that floods keeps
/// less than a tenth of a core busy.
const MOST: usize = 2_000;
/// Bytes of a message that is short; a longer one counts as several.
const SHORT: usize = 256;

const WINDOW: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub(super) struct Turns {
    begun: Instant,
    taken: usize,
}

impl Turns {
    pub(super) fn new() -> Self {
        Turns {
            begun: Instant::now(),
            taken: 0,
        }
    }

    /// One more was taken, of so many bytes. Beyond what is good for now, says until when to take
    /// no other.
    pub(super) fn take(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        if now - self.begun >= WINDOW {
            (self.begun, self.taken) = (now, 0);
        }
        self.taken += 1 + bytes / SHORT;
        (self.taken >= MOST).then(|| self.begun + WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_held_back_and_what_is_usual_is_not() {
        let mut turns = Turns::new();
        let begun = turns.begun;
        let mut now = begun;
        for _ in 0..10 * MOST {
            now = turns.take(now, 100).unwrap_or(now);
        }
        assert_eq!(now - begun, 10 * WINDOW);

        for _ in 0..10 {
            for _ in 1..MOST {
                assert_eq!(turns.take(now, 100), None);
            }
            now += WINDOW;
        }

        // Long ones are as much as several short ones.
        assert_eq!(turns.take(now, 100_000), None);
        assert!(turns.take(now, 500_000).is_some());
    }
}
