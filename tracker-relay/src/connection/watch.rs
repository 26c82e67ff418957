//! How long a client was silent, and whether it pings too much.

use std::sync::Arc;
use std::time::Duration;

use super::End;
use super::close_code::CloseCode;
use crate::config::Config;
use crate::counters::{Counters, ServerLimit};

/// How often silence is looked at, as a part of the shorter timeout.
const CHECKS_PER_TIMEOUT: u32 = 4;

/// How long nothing has come, in checks.
#[derive(Debug)]
pub(super) struct Watch {
    silent: u32,
    ping_after: u32,
    pings: u32,
    max_pings: u32,
    counters: Arc<Counters>,
}

impl Watch {
    /// And how long it is from one check to the next.
    pub(super) fn new(config: &Config, counters: Arc<Counters>) -> (Duration, Self) {
        let shorter = config.ping_interval.min(config.write_timeout);
        let period = (shorter / CHECKS_PER_TIMEOUT).max(Duration::from_millis(10));
        let checks = config.ping_interval.as_millis() / period.as_millis();
        let watch = Watch {
            silent: 0,
            ping_after: u32::try_from(checks).unwrap_or(u32::MAX),
            pings: 0,
            max_pings: config.max_pings,
            counters,
        };
        (period, watch)
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.silent = 0;
    }

    /// It was a ping.
    pub(super) fn pinged(&mut self) -> Result<(), End> {
        self.pings += 1;
        if self.pings > self.max_pings {
            self.counters.count(ServerLimit::Pings);
            let reason = format!("more than {} pings at once", self.max_pings);
            return Err(End::Close(CloseCode::POLICY_VIOLATION, reason));
        }
        Ok(())
    }

    /// Some time has passed. True: ping it.
    pub(super) fn check(&mut self, unflushed: bool) -> Result<bool, End> {
        self.pings = 0;
        if unflushed {
            // It may not have got our ping.
            return Ok(false);
        }
        self.silent += 1;
        if self.silent >= self.ping_after.saturating_mul(3) {
            self.counters.count(ServerLimit::Silent);
            return Err(End::Gone("it says nothing any more".to_owned()));
        }
        Ok(self.silent.is_multiple_of(self.ping_after))
    }
}
