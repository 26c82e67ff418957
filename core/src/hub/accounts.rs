//! Who is connected, from where, and how much work they make: what a client makes the server
//! do is counted in time, and whoever used more than its share is not listened to until the
//! debt is paid.
//!
//! A source may use [`HubConfig::work_per_source`]. Half of that is divided evenly among its
//! connections, whether they are busy or not, so that one tab that floods does not stop
//! the others behind the same address; the other half goes to whoever of them needs it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::door::Door;
use super::{Frame, HubConfig, HubStats, Source, share};
use crate::id::MemberId;
use crate::time::Time;
use crate::wire::relay::ServerMessage;
use bucket::{Bucket, Rate};

pub(super) mod bucket;
pub(super) mod cost;
pub(super) mod visits;

/// See the module.
#[derive(Debug)]
pub(super) struct Accounts {
    config: HubConfig,
    clients: BTreeMap<MemberId, Client>,
    sources: BTreeMap<Source, Account>,
    /// When sources without connections are forgotten.
    deadlines: BTreeSet<(Time, Source)>,
    turned_away: u64,
    slowed: u64,
    cut: u64,
    refused: u64,
}

#[derive(Debug)]
struct Client {
    /// Whom it is charged to.
    source: Source,
    /// Work that it may ask for.
    work: Bucket,
    /// When it last heard that it asks for too much.
    told_to_slow: Option<Time>,
}

/// What the connections of one source have together.
#[derive(Clone, Copy, Debug)]
struct Account {
    connections: usize,
    /// Work that any of its connections may ask for.
    work: Bucket,
    /// What it may ask for over HTTP.
    visits: Bucket,
}

/// A client owes so much work that its connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overdrawn;

impl Accounts {
    pub(super) fn new(config: HubConfig) -> Self {
        Accounts {
            config,
            clients: BTreeMap::new(),
            sources: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            turned_away: 0,
            slowed: 0,
            cut: 0,
            refused: 0,
        }
    }

    /// Whether there is a place for one more client; if not, why, for a person to read.
    pub(super) fn check_place(&mut self, source: Source) -> Result<(), &'static str> {
        let own = self.sources.get(&source).map_or(0, |a| a.connections);
        let (used, limit) = (self.clients.len(), self.config.max_connections);
        if used < limit && share::allows(own, used, limit) {
            return Ok(());
        }
        self.turned_away += 1;
        Err(if used >= limit {
            "the server has as many connections as it allows"
        } else {
            "your address has as many connections as its share of this server allows"
        })
    }

    /// A client is connected, for which there is a place.
    pub(super) fn connect(&mut self, now: Time, member: MemberId, source: Source) {
        self.account(now, source).connections += 1;
        let work = Bucket::empty(now);
        self.clients.insert(
            member,
            Client {
                source,
                work,
                told_to_slow: None,
            },
        );
    }

    /// A client is gone. A source that has none left is kept until what it used is made up
    /// for: else connecting anew would pay every debt.
    pub(super) fn disconnect(&mut self, now: Time, member: MemberId) {
        let Some(client) = self.clients.remove(&member) else {
            return;
        };
        let account = self
            .sources
            .get_mut(&client.source)
            .expect("a source with connections has an account");
        account.connections -= 1;
        if account.connections == 0 {
            self.forget(now, client.source);
        }
    }

    /// A client made the server work for so many nanoseconds. It is told when that becomes too
    /// much.
    pub(super) fn charge(
        &mut self,
        now: Time,
        member: MemberId,
        nanos: u64,
        door: &mut Door<impl Frame>,
    ) -> Result<(), Overdrawn> {
        let pool = self.pool();
        let Some(client) = self.clients.get_mut(&member) else {
            return Ok(());
        };
        let owed_before = client.work.owed();
        client.work.spend(nanos);
        if client.work.owed() == 0 {
            return Ok(());
        }
        let account = self
            .sources
            .get_mut(&client.source)
            .expect("a source with connections has an account");
        account.settle(now, pool, &mut client.work);
        let owed = client.work.owed();
        if owed > 0 && owed_before == 0 {
            self.slowed += 1;
            let interval = self.config.slow_down_interval;
            let told = client.told_to_slow;
            if told.is_none_or(|told| now.saturating_since(told) >= interval) {
                client.told_to_slow = Some(now);
                let reason = "slow down: your address asks for more than its share of this \
                              server's time, and is not listened to for a moment";
                let reason = reason.to_owned();
                let info_hash = None;
                door.send(member, ServerMessage::Error { info_hash, reason });
            }
        }
        if Duration::from_nanos(owed) <= self.config.max_work_debt {
            return Ok(());
        }
        self.cut += 1;
        Err(Overdrawn)
    }

    /// One who is not connected made the server work for so many nanoseconds, which those of its
    /// address have for that together with those who are. False: it is too much.
    pub(super) fn charge_source(&mut self, now: Time, source: Source, nanos: u64) -> bool {
        let pool = self.pool();
        let account = self.account(now, source);
        let taken = account.work.take(now, pool, Duration::from_nanos(nanos));
        self.slowed += u64::from(!taken);
        taken
    }

    /// Until when a client is not to be listened to; none if it may be now.
    pub(super) fn paused_until(&self, now: Time, member: MemberId) -> Option<Time> {
        let client = self.clients.get(&member)?;
        let mut account = *self.sources.get(&client.source)?;
        let mut work = client.work;
        account.settle(now, self.pool(), &mut work);
        // What it will get: its own part, and of the common one as much as all the others.
        let rate = Rate::new(self.config.work_per_source, self.config.work_burst);
        let wait = work.paid_in(rate.part(account.connections));
        (!wait.is_zero()).then_some(now + wait)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|&(due, _)| due)
    }

    /// The first deadline has come.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        if let Some((_, source)) = self.deadlines.pop_first() {
            self.forget(now, source);
        }
    }

    /// Fills in what it knows.
    pub(super) fn count(&self, stats: &mut HubStats) {
        stats.connections = self.clients.len();
        stats.sources = self.sources.len();
        stats.limited.connections = self.turned_away;
        stats.limited.work = self.slowed;
        stats.limited.cut = self.cut;
        stats.limited.visits = self.refused;
    }

    /// The account of a source, which begins with all that can be saved up.
    fn account(&mut self, now: Time, source: Source) -> &mut Account {
        let (pool, visits) = (self.pool(), self.visits());
        match self.sources.entry(source) {
            Entry::Occupied(account) => account.into_mut(),
            Entry::Vacant(place) => {
                // It is forgotten once what it used is made up for.
                self.deadlines.insert((now, source));
                place.insert(Account {
                    connections: 0,
                    work: Bucket::full(now, pool),
                    visits: Bucket::full(now, visits),
                })
            }
        }
    }

    /// Drops the account of a source that has no connections, or says when to try again.
    fn forget(&mut self, now: Time, source: Source) {
        let (pool, visits) = (self.pool(), self.visits());
        let Some(account) = self.sources.get_mut(&source) else {
            return;
        };
        if account.connections > 0 {
            return;
        }
        if account.work.is_full(now, pool) & account.visits.is_full(now, visits) {
            self.sources.remove(&source);
        } else {
            let full_in = account.work.full_in(pool);
            let due = now + full_in.max(account.visits.full_in(visits));
            self.deadlines.insert((due, source));
        }
    }

    /// The half of a source's work that its connections share.
    fn pool(&self) -> Rate {
        Rate::new(self.config.work_per_source / 2, self.config.work_burst / 2)
    }
}

impl Account {
    /// Brings a connection's bucket up to date, and pays what it owes from the common one as
    /// far as there is something.
    fn settle(&mut self, now: Time, pool: Rate, own: &mut Bucket) {
        own.refill(now, pool.part(self.connections));
        self.work.refill(now, pool);
        own.pay_from(&mut self.work);
    }
}
