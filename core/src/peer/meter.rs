//! Bytes over a sliding window.

use std::time::Duration;

use crate::time::Time;

/// How many slots the longest window has, and how long one is.
const SLOTS: usize = 40;
const SLOT: Duration = Duration::from_millis(500);
/// Slots of the window for what a person sees, and for how much to ask of a peer: five
/// seconds.
const RECENT: usize = 10;

/// Counts bytes in all, and bytes a second over the last five and twenty seconds.
#[derive(Clone, Debug)]
pub struct Meter {
    total: u64,
    slots: [u32; SLOTS],
    /// The number of the newest slot, counted from the epoch.
    newest: u64,
    began: Option<Time>,
}

impl Default for Meter {
    fn default() -> Self {
        Meter {
            total: 0,
            slots: [0; SLOTS],
            newest: 0,
            began: None,
        }
    }
}

impl Meter {
    /// Adds bytes that passed now.
    pub fn add(&mut self, now: Time, bytes: u64) {
        self.began.get_or_insert(now);
        let slot = slot_of(now);
        let fresh = slot.saturating_sub(self.newest).min(SLOTS as u64);
        for stale in 0..fresh {
            self.slots[index(slot - stale)] = 0;
        }
        self.newest = self.newest.max(slot);
        let count = &mut self.slots[index(slot)];
        *count = count.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.total += bytes;
    }

    /// Bytes since the start.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes a second over the last five seconds, or since the first byte when that is
    /// shorter.
    pub fn rate(&self, now: Time) -> u64 {
        self.rate_over(now, RECENT)
    }

    /// Bytes a second over the last twenty seconds, the window of BEP 3's tit-for-tat, or
    /// since the first byte when that is shorter.
    pub fn long_rate(&self, now: Time) -> u64 {
        self.rate_over(now, SLOTS)
    }

    fn rate_over(&self, now: Time, slots: usize) -> u64 {
        let Some(began) = self.began else { return 0 };
        let current = slot_of(now);
        if current >= self.newest + slots as u64 {
            return 0;
        }
        let bytes: u64 = (0..slots as u64)
            .filter_map(|age| current.checked_sub(age))
            .filter(|&slot| slot <= self.newest && slot + (SLOTS as u64) > self.newest)
            .map(|slot| u64::from(self.slots[index(slot)]))
            .sum();
        let into_slot = now.since_epoch().as_millis() as u64 % SLOT.as_millis() as u64;
        let window = SLOT.as_millis() as u64 * (slots as u64 - 1) + into_slot;
        let elapsed = (now - began).as_millis() as u64;
        // A burst in the first moments says little about the next second.
        let millis = elapsed.min(window).max(SLOT.as_millis() as u64);
        bytes * 1000 / millis
    }
}

fn slot_of(now: Time) -> u64 {
    (now.since_epoch().as_millis() / SLOT.as_millis()) as u64
}

fn index(slot: u64) -> usize {
    (slot % SLOTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_flow_shows_its_rate() {
        let mut meter = Meter::default();
        for tick in 0..400 {
            meter.add(Time::from_millis(tick * 100), 1000);
        }
        for rate in [
            meter.rate(Time::from_millis(39_999)),
            meter.long_rate(Time::from_millis(39_999)),
        ] {
            assert!((9_500..=10_500).contains(&rate), "{rate}");
        }
        assert_eq!(meter.total(), 400_000);
    }

    #[test]
    fn silence_brings_it_to_zero() {
        let mut meter = Meter::default();
        meter.add(Time::from_millis(1000), 1 << 20);
        assert!(meter.rate(Time::from_millis(1100)) > 0);
        assert_eq!(meter.rate(Time::from_millis(8000)), 0);
        assert!(meter.long_rate(Time::from_millis(8000)) > 0);
        assert_eq!(meter.long_rate(Time::from_millis(22_000)), 0);
        meter.add(Time::from_millis(60_000), 500);
        assert_eq!(meter.rate(Time::from_millis(60_000)), 500 * 1000 / 4500);
    }
}
