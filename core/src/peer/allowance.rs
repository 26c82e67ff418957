//! How much work a peer may make for nothing.
//!
//! Every message costs time to take apart and to look at, and a peer that sends only what is
//! worth nothing could keep us busy for as long as it likes. So what it sends is charged, in
//! units of about what the smallest message costs, to a bucket that fills up with time
//! ([`WorkConfig`]). What a transfer is made of costs nothing, or is paid back once a block
//! has gone from one to the other.

use std::time::Duration;

use super::WorkConfig;
use crate::time::Time;

/// See the module. A new one is full.
#[derive(Debug, Default)]
pub struct Allowance {
    /// Thousandths of units that are used up.
    used: u64,
    /// Until when it was filled up.
    at: Time,
}

impl Allowance {
    /// Charges so many units; false if there are not so many left.
    pub fn spend(&mut self, now: Time, config: &WorkConfig, units: u32) -> bool {
        let millis = u64::try_from((now - self.at).as_millis()).unwrap_or(u64::MAX);
        self.at += Duration::from_millis(millis);
        let back = millis.saturating_mul(u64::from(config.rate));
        self.used = self.used.saturating_sub(back);
        let used = self.used + u64::from(units) * 1000;
        let enough = used <= u64::from(config.burst) * 1000;
        if enough {
            self.used = used;
        }
        enough
    }

    /// Pays so many units back.
    pub fn earn(&mut self, units: u32) {
        self.used = self.used.saturating_sub(u64::from(units) * 1000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_with_time_and_with_blocks() {
        let config = WorkConfig {
            burst: 100,
            rate: 10,
            ..WorkConfig::default()
        };
        let mut allowance = Allowance::default();
        assert!(allowance.spend(Time::ZERO, &config, 100));
        assert!(!allowance.spend(Time::from_millis(99), &config, 1));
        assert!(allowance.spend(Time::from_millis(100), &config, 1));
        assert!(!allowance.spend(Time::from_millis(150), &config, 1));
        allowance.earn(30);
        assert!(allowance.spend(Time::from_millis(150), &config, 30));
        // However long it was quiet, it never has more than the bucket holds.
        assert!(allowance.spend(Time::from_millis(3_600_000), &config, 100));
        assert!(!allowance.spend(Time::from_millis(3_600_000), &config, 1));
    }
}
