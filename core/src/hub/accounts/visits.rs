//! What comes over HTTP and is no session: whoever asks for more than its share waits for its
//! answer, and who would have to wait for too long is refused.
//!
//! A source may use half as much for it as for its sessions, from a bucket of its own: pages that
//! load take nothing from sessions that stand behind the same address, nor the other way round. To begin
//! one is a visit.

use std::time::Duration;

use super::bucket::Rate;
use super::{Accounts, cost};
use crate::hub::Source;
use crate::time::Time;

/// What a client makes a shell do over HTTP; for [`crate::hub::Hub::visit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// It opened a connection.
    Connection,
    /// It sent a request.
    Request,
}

impl Accounts {
    /// How long it is to wait; an error if that is too long, and nothing was charged.
    pub(in crate::hub) fn visit(
        &mut self,
        now: Time,
        source: Source,
        visit: Visit,
    ) -> Result<Duration, Duration> {
        let rate = self.visits();
        let account = self.account(now, source);
        account.visits.refill(now, rate);
        let mut after = account.visits;
        after.spend(cost::of_visit(visit));
        let wait = after.paid_in(rate);
        if wait > self.config.max_visit_wait {
            self.refused += 1;
            return Err(wait);
        }
        self.account(now, source).visits = after;
        Ok(wait)
    }

    pub(super) fn visits(&self) -> Rate {
        Rate::new(self.config.work_per_source / 2, self.config.visit_burst)
    }
}
