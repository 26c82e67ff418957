//! What the connections of one source have together.

use super::credit::Budget;
use super::work::{self, Bucket};
use super::{ConnId, Deadline, Hub, HubConfig, Source};
use crate::time::Time;

/// See the module.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) connections: usize,
    pub(super) memberships: usize,
    /// Swarms that are charged to it.
    pub(super) swarms: usize,
    pub(super) bitfield_bytes: usize,
    /// Channels that its connections asked for.
    pub(super) channels: usize,
    /// Bytes on their way to its connections.
    pub(super) budget: Budget,
    /// Frames on their way to its connections.
    pub(super) frames: usize,
    /// Work that any of its connections may ask for.
    pub(super) work: Bucket,
}

impl Account {
    pub(super) fn new(now: Time, config: &HubConfig) -> Self {
        Account {
            connections: 0,
            memberships: 0,
            swarms: 0,
            bitfield_bytes: 0,
            channels: 0,
            budget: Budget::default(),
            frames: 0,
            work: Bucket::full(now, work::pool(config)),
        }
    }
}

impl Hub {
    /// The account of a source that has connections.
    pub(super) fn account(&mut self, source: Source) -> &mut Account {
        self.sources
            .get_mut(&source)
            .expect("a source with connections has an account")
    }

    pub(super) fn source_of(&self, conn: ConnId) -> Source {
        self.connections[&conn].source
    }

    /// A source lost a connection. One that has none left is kept until what it used is made
    /// up for: else connecting anew would pay every debt.
    pub(super) fn leave_account(&mut self, now: Time, source: Source) {
        let account = self.account(source);
        account.connections -= 1;
        if account.connections == 0 {
            self.forget_account(now, source);
        }
    }

    /// Drops the account of a source that has no connections, or says when to try again.
    pub(super) fn forget_account(&mut self, now: Time, source: Source) {
        let rate = work::pool(&self.config);
        let Some(account) = self.sources.get_mut(&source) else {
            return;
        };
        if account.connections > 0 {
            return;
        }
        if account.work.is_full(now, rate) {
            self.sources.remove(&source);
        } else {
            let due = now + account.work.full_in(rate);
            self.deadlines.insert((due, Deadline::Forget(source)));
        }
    }
}
