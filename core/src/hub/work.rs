//! Charging for work: what a client makes the server do is counted in time, and whoever
//! used more than its share is not listened to until the debt is paid.
//!
//! A source may use [`HubConfig::work_per_source`]. Half of that is divided evenly among its
//! connections, whether they are busy or not, so that one tab that floods does not stop
//! the others behind the same address; the other half goes to whoever of them needs it.

use std::time::Duration;

use super::{ConnId, Hub, HubConfig, HubOutput};
use crate::time::Time;
use crate::wire::relay::{ClientMessage, ServerMessage};

/// A client that is slowed down hears of it, but not more often than this.
const TELL_INTERVAL: Duration = Duration::from_secs(60);

/// A payload of at least this many bytes is worth the work of a message.
const WORTHWHILE: usize = 4 << 10;

/// Credit of less than this many bytes at a time is a waste of messages.
const SMALL_CREDIT: u32 = 1 << 10;

/// What things cost, in nanoseconds, about as measured on a server of two cores from 2020,
/// with what they cost outside of the hub: decoding, encoding, waking the receiver's task.
mod cost {
    pub(super) const CONTROL: u64 = 4_000;
    pub(super) const SMALL_FRAME: u64 = 3_000;
    pub(super) const ANNOUNCE: u64 = 10_000;
    /// For each member that is told of.
    pub(super) const MEMBER: u64 = 1_000;
    pub(super) const OPEN: u64 = 30_000;
    pub(super) const SMALL_CREDIT: u64 = 20_000;
    pub(super) const PIECE: u64 = 4;
    pub(super) const BITFIELD_BYTE: u64 = 1;
    /// Of a control message, for reading and decoding it.
    pub(super) const CONTROL_BYTE: u64 = 3;
    /// Of headers, pings and other things of the WebSocket: six of them are a message that
    /// says nothing.
    pub(super) const FRAMING_BYTE: u64 = 80;
    pub(super) const CONNECTION: u64 = 100_000;
}

/// What the shell read from a client, for [`Hub::charge`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes that were no message of the protocol: headers, pings, pongs, what is not whole
    /// yet.
    pub framing: u64,
    /// Bytes of control messages.
    pub control: u64,
}

/// Work that may be done, saved up to a bound; below zero it is owed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// In nanoseconds.
    level: i64,
    since: Time,
}

/// How fast a [`Bucket`] fills, and how far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Nanoseconds of work for each second, not zero.
    per_second: u64,
    cap: i64,
}

impl Rate {
    /// `per_second` and `cap` are work.
    pub(super) fn new(per_second: Duration, cap: Duration) -> Self {
        Rate {
            per_second: nanos(per_second).max(1).unsigned_abs(),
            cap: nanos(cap),
        }
    }

    fn part(self, parts: usize) -> Self {
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

    pub(super) fn full(now: Time, rate: Rate) -> Self {
        let level = rate.cap;
        Bucket { level, since: now }
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

    /// Takes `work` if there is so much; nothing else happens if not.
    pub(super) fn take(&mut self, now: Time, rate: Rate, work: Duration) -> bool {
        self.refill(now, rate);
        let enough = self.level >= nanos(work);
        if enough {
            self.level -= nanos(work);
        }
        enough
    }

    pub(super) fn is_full(&mut self, now: Time, rate: Rate) -> bool {
        self.refill(now, rate);
        self.level >= rate.cap
    }

    /// How long it takes until there is `level`, of which something is missing.
    fn until(&self, level: i64, rate: Rate) -> Duration {
        let missing = u128::from(level.saturating_sub(self.level).max(0).unsigned_abs());
        let wait = (missing * 1_000_000_000).div_ceil(rate.per_second.into());
        Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    pub(super) fn full_in(&self, rate: Rate) -> Duration {
        self.until(rate.cap, rate)
    }
}

/// The half of a source's work that its connections share.
pub(super) fn pool(config: &HubConfig) -> Rate {
    Rate::new(config.work_per_source / 2, config.work_burst / 2)
}

impl Hub {
    /// The shell read this from the client, beside what it hands to [`Hub::handle`].
    pub fn charge(&mut self, now: Time, conn: ConnId, reading: Reading) {
        let framing = reading.framing.saturating_mul(cost::FRAMING_BYTE);
        let control = reading.control.saturating_mul(cost::CONTROL_BYTE);
        self.spend(now, conn, framing.saturating_add(control));
    }

    /// Until when the shell is not to read from this client, nor hand on what it has read:
    /// the client, or its whole source, used more work than it may.
    pub fn paused_until(&mut self, now: Time, conn: ConnId) -> Option<Time> {
        self.pay(now, conn);
        let connection = self.connections.get(&conn)?;
        let connections = self.sources.get(&connection.source)?.connections;
        // What it will get: its own part, and of the common one as much as all the others.
        let rate = Rate::new(self.config.work_per_source, self.config.work_burst);
        let wait = connection.work.until(0, rate.part(connections));
        (!wait.is_zero()).then_some(now + wait)
    }

    pub(super) fn charge_connection(&mut self, now: Time, conn: ConnId) {
        self.spend(now, conn, cost::CONNECTION);
    }

    pub(super) fn charge_message(&mut self, now: Time, conn: ConnId, message: &ClientMessage) {
        let nanos = match message {
            ClientMessage::Data(frame) if frame.payload_len() >= WORTHWHILE => 0,
            ClientMessage::Data(_) => cost::SMALL_FRAME,
            ClientMessage::Announce(announce) => {
                let told = u64::from(announce.numwant).min(self.config.max_numwant as u64);
                let bits = announce.pieces.as_ref().map_or(0, |p| p.len() as u64);
                cost::ANNOUNCE + told * cost::MEMBER + bits * cost::BITFIELD_BYTE
            }
            ClientMessage::Have(have) => cost::CONTROL + have.pieces.len() as u64 * cost::PIECE,
            ClientMessage::Open(_) => cost::OPEN,
            ClientMessage::Credit { bytes, .. } if *bytes < SMALL_CREDIT => cost::SMALL_CREDIT,
            ClientMessage::Credit { .. }
            | ClientMessage::Accept { .. }
            | ClientMessage::Close { .. }
            | ClientMessage::Leave { .. }
            | ClientMessage::Ping => cost::CONTROL,
        };
        self.spend(now, conn, nanos);
    }

    fn spend(&mut self, now: Time, conn: ConnId, nanos: u64) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        let before = connection.work.level;
        let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
        connection.work.level = before.saturating_sub(nanos);
        if connection.work.level >= 0 {
            return;
        }
        self.pay(now, conn);
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        let owed = connection.work.level.min(0).unsigned_abs();
        if owed > 0 && before >= 0 {
            self.limited.work += 1;
            let told = connection.told_to_slow;
            if told.is_none_or(|told| now.saturating_since(told) >= TELL_INTERVAL) {
                connection.told_to_slow = Some(now);
                let reason = "slow down: your address asks for more than its share of this \
                              server's time, and is not listened to for a moment";
                self.send(
                    conn,
                    ServerMessage::Error {
                        info_hash: None,
                        reason: reason.to_owned(),
                    },
                );
            }
        }
        if Duration::from_nanos(owed) > self.config.max_work_debt {
            self.limited.cut += 1;
            self.remove(now, conn, "the other end asked for too much");
            let reason = "the connection asked for far more than its share of this server's time";
            let reason = reason.to_owned();
            self.outputs.push_back((conn, HubOutput::Close { reason }));
        }
    }

    /// Brings a connection's bucket up to date, and pays what it owes from its source's
    /// common one as far as there is something.
    fn pay(&mut self, now: Time, conn: ConnId) {
        let rate = pool(&self.config);
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        let account = self
            .sources
            .get_mut(&connection.source)
            .expect("a source with connections has an account");
        connection.work.refill(now, rate.part(account.connections));
        account.work.refill(now, rate);
        let paid = account.work.level.min(-connection.work.level).max(0);
        connection.work.level += paid;
        account.work.level -= paid;
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
