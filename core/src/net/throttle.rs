//! How many bytes a second may pass, as a person set it.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Bytes a second, of pieces, that may be given and taken by all torrents together; none stands
/// for as many as there can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// To others.
    pub up: Option<NonZeroU64>,
    /// From others.
    pub down: Option<NonZeroU64>,
}

/// What was left unused may follow at once, as far as it is of the last moment: a quarter of a
/// second, which is less than a hundredth of half a minute.
const BURST: Duration = Duration::from_millis(250);
/// Once everything is used up, so much time's worth is gathered before more passes: bytes of a
/// twentieth of a second leave together, or each block would be a message of its own.
const PAUSE: Duration = Duration::from_millis(50);
/// Who waited so long ago still counts as held back: a limit is said to be reached, or not, for
/// long enough to be read.
const LATELY: Duration = Duration::from_secs(2);

/// Spaces bytes out in time. The last of them may overdraw it; what follows waits for longer
/// then, so that the rate holds over time whatever the size of what passes (the generic cell rate
/// algorithm, ITU-T I.371, with cells of one byte).
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    rate: Option<NonZeroU64>,
    /// What has passed so far is paid for by then.
    paid: Time,
    /// It is used up, and gathers.
    gathers: bool,
    /// Somebody waits for it.
    awaited: bool,
    /// When somebody last did.
    last_awaited: Option<Time>,
}

impl Throttle {
    /// So many bytes a second from now on.
    pub(crate) fn set(&mut self, now: Time, rate: Option<NonZeroU64>) {
        self.rate = rate;
        self.paid = self.paid.min(now);
        self.gathers = false;
        self.last_awaited = None;
    }

    /// Bytes a second that may pass, if there is a limit.
    pub(crate) fn rate(&self) -> Option<u64> {
        self.rate.map(NonZeroU64::get)
    }

    /// Bytes that may pass now, at least: one more block may in any case, if it isn't none at all.
    /// None stands for as many as there are. If they are none, whoever asked waits.
    pub(crate) fn room(&mut self, now: Time) -> Option<u64> {
        let rate = self.rate?;
        self.gathers |= now <= self.paid;
        if self.gathers && now < self.paid + PAUSE {
            self.awaited = true;
            self.last_awaited = Some(now);
            return Some(0);
        }
        self.gathers = false;
        let saved = (now - self.paid).min(BURST);
        let bytes = u128::from(rate.get()) * saved.as_nanos() / NANOS;
        Some(u64::try_from(bytes).unwrap_or(u64::MAX).max(1))
    }

    /// These pass.
    pub(crate) fn pass(&mut self, now: Time, bytes: u64) {
        let earliest = Time::from_epoch(now.since_epoch().saturating_sub(BURST));
        self.paid = self.paid.max(earliest) + self.time_of(bytes);
    }

    /// These did not pass after all.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        let saved = self.time_of(bytes);
        self.paid = Time::from_epoch(self.paid.since_epoch().saturating_sub(saved));
    }

    /// How long these take.
    fn time_of(&self, bytes: u64) -> Duration {
        let Some(rate) = self.rate else {
            return Duration::ZERO;
        };
        let nanos = u128::from(bytes) * NANOS / u128::from(rate.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Nobody waits for it any more, until somebody asks again.
    pub(crate) fn begin_turn(&mut self) {
        self.awaited = false;
    }

    /// Somebody waits for it, or did a moment ago.
    pub(crate) fn holds_back(&self, now: Time) -> bool {
        self.last_awaited.is_some_and(|at| now - at < LATELY)
    }

    /// When whoever waits may go on.
    pub(crate) fn due(&self) -> Option<Time> {
        (self.awaited && self.rate.is_some()).then(|| self.paid + PAUSE)
    }
}

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(rate: u64) -> Throttle {
        let mut throttle = Throttle::default();
        throttle.set(Time::ZERO, NonZeroU64::new(rate));
        throttle
    }

    /// Bytes that pass in a minute, in chunks of this length, looked at whenever it is due and
    /// every so many milliseconds.
    fn in_a_minute(rate: u64, chunk: u64, every: u64) -> u64 {
        let mut throttle = throttle(rate);
        let (end, mut now, mut passed) = (Time::from_millis(60_000), Time::ZERO, 0);
        while now < end {
            throttle.begin_turn();
            while throttle.room(now) != Some(0) {
                throttle.pass(now, chunk);
                passed += chunk;
            }
            let next = now + Duration::from_millis(every);
            now = throttle.due().expect("it is used up").min(next);
        }
        passed
    }

    #[test]
    fn a_rate_holds_whatever_passes_and_whenever_it_is_looked_at() {
        for rate in [20_000, 1_000_000, 300_000_000] {
            for chunk in [1_000, 16_384] {
                for every in [1, 7, 1000] {
                    let (passed, due) = (in_a_minute(rate, chunk, every), rate * 60);
                    let off = passed.abs_diff(due) as f64 / due as f64;
                    assert!(off < 0.015, "{rate} {chunk} {every}: {passed} of {due}");
                }
            }
        }
    }

    #[test]
    fn what_was_not_used_is_lost_but_for_a_moment() {
        let mut throttle = throttle(1000);
        let late = Time::from_millis(100_000);
        assert_eq!(throttle.room(late), Some(250));
        throttle.pass(late, 250);
        assert_eq!(throttle.room(late), Some(0));
        assert_eq!(throttle.due(), Some(late + PAUSE));
        assert!(throttle.holds_back(late) && !throttle.holds_back(late + LATELY));
    }

    #[test]
    fn no_rate_is_no_limit_and_the_slowest_ends_at_some_time() {
        let mut free = Throttle::default();
        free.pass(Time::ZERO, u64::MAX);
        assert_eq!((free.room(Time::ZERO), free.due()), (None, None));
        let mut slow = throttle(1);
        let later = Time::from_millis(1000);
        assert_eq!(slow.room(later), Some(1));
        slow.pass(later, u64::MAX);
        assert_eq!(slow.room(later), Some(0));
        slow.set(later, NonZeroU64::new(1_000_000));
        assert!(slow.room(later + PAUSE) > Some(0), "debts of another rate");
    }
}
