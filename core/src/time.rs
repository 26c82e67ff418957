//! Time as a value: the core has no clock, the host says what time it is.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// The latest time that a recording may have, in its host's time: thirty thousand years. Of times
/// within it the state machines can take sums and multiples.
pub const MAX_TIME: Duration = Duration::from_secs(1 << 40);

/// A point in time, as a distance from an epoch that the host chooses.
///
/// Only differences matter. The host must never let it run backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Duration);

impl Time {
    /// The host's epoch.
    pub const ZERO: Time = Time(Duration::ZERO);

    /// The point `since_epoch` after the host's epoch.
    pub const fn from_epoch(since_epoch: Duration) -> Self {
        Time(since_epoch)
    }

    /// The point `millis` milliseconds after the host's epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Time(Duration::from_millis(millis))
    }

    /// How long after the host's epoch this is.
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn saturating_since(self, earlier: Time) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, rhs: Duration) -> Time {
        Time(self.0.saturating_add(rhs))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub for Time {
    type Output = Duration;
    /// The distance from `rhs`, zero when `rhs` is later.
    fn sub(self, rhs: Time) -> Duration {
        self.saturating_since(rhs)
    }
}
