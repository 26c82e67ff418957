//! Work that may be done, saved up and paid.

use std::time::Duration;

use crate::time::Time;

/// Work that may be done, saved up to a bound; below zero it is owed.
#[derive(Clone, Copy, Debug)]
pub(in crate::hub) struct Bucket {
    /// In nanoseconds.
    level: i64,
    since: Time,
}

/// How fast a [`Bucket`] fills, and how far.
#[derive(Clone, Copy, Debug)]
pub(in crate::hub) struct Rate {
    /// Nanoseconds of work for each second, not zero.
    per_second: u64,
    cap: i64,
}

impl Rate {
    /// `per_second` and `cap` are work.
    pub(in crate::hub) fn new(per_second: Duration, cap: Duration) -> Self {
        Rate {
            per_second: nanos(per_second).max(1).unsigned_abs(),
            cap: nanos(cap),
        }
    }

    /// What one of so many has when all have the same.
    pub(super) fn part(self, parts: usize) -> Self {
        let parts = parts.max(1) as u64;
        Rate {
            per_second: (self.per_second / parts).max(1),
            cap: self.cap / parts.cast_signed(),
        }
    }
}

impl Bucket {
    pub(super) fn empty(now: Time) -> Self {
        let level = 0;
        Bucket { level, since: now }
    }

    pub(in crate::hub) fn full(now: Time, rate: Rate) -> Self {
        let level = rate.cap;
        Bucket { level, since: now }
    }

    /// Takes `work` if there is so much; nothing else happens if not.
    pub(in crate::hub) fn take(&mut self, now: Time, rate: Rate, work: Duration) -> bool {
        self.refill(now, rate);
        let enough = self.level >= nanos(work);
        if enough {
            self.level -= nanos(work);
        }
        enough
    }

    pub(in crate::hub) fn is_full(&mut self, now: Time, rate: Rate) -> bool {
        self.refill(now, rate);
        self.level >= rate.cap
    }

    pub(super) fn refill(&mut self, now: Time, rate: Rate) {
        let elapsed = now.saturating_since(self.since).as_nanos();
        let gain = elapsed.saturating_mul(rate.per_second.into()) / 1_000_000_000;
        // Else the time goes on counting until there is something to gain.
        if gain > 0 {
            let gain = i64::try_from(gain).unwrap_or(i64::MAX);
            (self.level, self.since) = (self.level.saturating_add(gain), now);
        }
        self.level = self.level.min(rate.cap);
    }

    /// Takes so many nanoseconds of work, and owes what is missing.
    pub(super) fn spend(&mut self, nanos: u64) {
        let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
        self.level = self.level.saturating_sub(nanos);
    }

    /// Nanoseconds of work that are owed.
    pub(super) fn owed(&self) -> u64 {
        self.level.min(0).unsigned_abs()
    }

    /// Pays what it owes from another, as far as there is something.
    pub(super) fn pay_from(&mut self, other: &mut Bucket) {
        let paid = other.level.min(self.level.saturating_neg()).max(0);
        self.level += paid;
        other.level -= paid;
    }

    /// How long it takes until nothing is owed.
    pub(super) fn paid_in(&self, rate: Rate) -> Duration {
        self.until(0, rate)
    }

    pub(super) fn full_in(&self, rate: Rate) -> Duration {
        self.until(rate.cap, rate)
    }

    /// How long it takes until there is `level`, of which something is missing.
    fn until(&self, level: i64, rate: Rate) -> Duration {
        let missing = u128::from(level.saturating_sub(self.level).max(0).unsigned_abs());
        let wait = (missing * 1_000_000_000).div_ceil(rate.per_second.into());
        Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
