//! When there was enough of sharing, as a person set it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much is given of a torrent that is complete before its sharing ends; for ever, where
/// neither is set. Hosts ask it: what ends then, a program or one torrent of several, differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Enough {
    /// So many times the torrent's size.
    pub ratio: Option<f64>,
    /// For so long after everything was here.
    pub time: Option<Duration>,
}

/// Which of the two was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reached {
    /// [`Enough::ratio`].
    Ratio,
    /// [`Enough::time`].
    Time,
}

impl Enough {
    /// Something was said.
    pub fn is_set(self) -> bool {
        self.ratio.is_some() || self.time.is_some()
    }

    /// Whether it is enough, and why: so many bytes were given of a torrent of this length (in
    /// bytes), and for so long all of it was here and shared.
    pub fn reached(self, given: u64, length: u64, shared: Duration) -> Option<Reached> {
        let ratio = self
            .ratio
            .map(|ratio| given as f64 >= ratio * length as f64);
        let time = self.time.map(|time| shared >= time);
        match (ratio, time) {
            (Some(true), _) => Some(Reached::Ratio),
            (_, Some(true)) => Some(Reached::Time),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_reached_first_is_enough() {
        let hour = Duration::from_secs(3600);
        let both = Enough {
            ratio: Some(1.5),
            time: Some(hour),
        };
        assert_eq!(both.reached(1499, 1000, hour / 2), None);
        assert_eq!(both.reached(1500, 1000, hour / 2), Some(Reached::Ratio));
        assert_eq!(both.reached(0, 1000, hour), Some(Reached::Time));
        assert_eq!(both.reached(1500, 1000, hour), Some(Reached::Ratio));
    }

    #[test]
    fn what_is_not_set_or_no_number_is_never_reached() {
        let none = Enough::default();
        assert!(!none.is_set());
        assert_eq!(none.reached(u64::MAX, 1, Duration::MAX), None);
        let strange = Enough {
            ratio: Some(f64::NAN),
            time: None,
        };
        assert_eq!(strange.reached(u64::MAX, 1, Duration::MAX), None);
    }
}
