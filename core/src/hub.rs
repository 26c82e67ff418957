//! The mind of the tracker and relay: who is in which swarm, with which pieces, and
//! the channels between them. No sockets: [`Hub::handle`], then drain
//! [`Hub::poll_output`], then call [`Hub::handle_timeout`] at [`Hub::poll_timeout`].
//!
//! Nothing a client sends makes the hub fail: what breaks the protocol closes that
//! client's connection with a reason, what can't be granted is refused, and what
//! merely crossed another message on the way is ignored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::id::{ChannelId, InfoHash, MemberId};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::relay::{ClientMessage, ServerMessage, Welcome};

mod account;
mod channels;
mod config;
mod credit;
mod data;
mod offers;
mod outbox;
mod share;
mod source;
mod stats;
mod swarm;
mod tracking;
mod work;

#[cfg(test)]
mod credit_tests;
#[cfg(test)]
mod fairness_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use config::HubConfig;
pub use outbox::Outbox;
pub use source::Source;
pub use stats::{HubStats, Limited};
pub use work::Reading;

use account::Account;
use channels::Channel;
use config::Limits;
use credit::{Budget, Queue};
use offers::Offers;
use swarm::Swarm;
use work::Bucket;

/// A connection, numbered by the shell, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubOutput {
    /// Send a control message.
    Send(ServerMessage),
    /// Send a data frame just as it came.
    Forward(Bytes),
    /// Close the connection; the shell need not report it with [`Hub::disconnect`].
    Close {
        /// Why, for a person to read.
        reason: String,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    limits: Limits,
    rng: Rng,
    connections: BTreeMap<ConnId, Connection>,
    members: BTreeMap<MemberId, ConnId>,
    next_member: u32,
    sources: BTreeMap<Source, Account>,
    swarms: BTreeMap<InfoHash, Swarm>,
    memberships: usize,
    bitfield_bytes: usize,
    channels: BTreeMap<ChannelId, Channel>,
    next_channel: u64,
    deadlines: BTreeSet<(Time, Deadline)>,
    /// Bytes on their way to all connections.
    budget: Budget,
    /// Frames on their way to all connections.
    frames: usize,
    outputs: VecDeque<(ConnId, HubOutput)>,
    relayed_bytes: u64,
    limited: Limited,
}

/// What a connection is to the hub.
#[derive(Debug)]
struct Connection {
    /// Whom it is charged to.
    source: Source,
    member: MemberId,
    swarms: BTreeSet<InfoHash>,
    channels: BTreeSet<ChannelId>,
    /// Bytes on their way to it.
    budget: Budget,
    queue: Queue,
    /// What others want of it.
    offers: Offers,
    /// Work that it may ask for.
    work: Bucket,
    /// When it last heard that it asks for too much.
    told_to_slow: Option<Time>,
}

/// What happens when a time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    /// A member that did not announce leaves.
    Membership(ConnId, InfoHash),
    /// A channel that was not accepted is refused.
    Open(ChannelId),
    /// A channel that carried nothing is closed.
    Idle(ChannelId),
    /// A source without connections is forgotten.
    Forget(Source),
}

impl Hub {
    /// A hub without connections. Members are drawn at random from `seed`.
    pub fn new(config: HubConfig, seed: u64) -> Self {
        let limits = Limits::of(&config);
        Hub {
            limits,
            rng: Rng::new(seed).fork("hub"),
            connections: BTreeMap::new(),
            members: BTreeMap::new(),
            next_member: 1,
            sources: BTreeMap::new(),
            swarms: BTreeMap::new(),
            memberships: 0,
            bitfield_bytes: 0,
            channels: BTreeMap::new(),
            next_channel: 1,
            deadlines: BTreeSet::new(),
            budget: Budget::default(),
            frames: 0,
            outputs: VecDeque::new(),
            relayed_bytes: 0,
            limited: Limited::default(),
            config,
        }
    }

    /// A client connected, and what it takes is charged to `source`. Outputs a welcome, or a
    /// close if there are too many.
    pub fn connect(&mut self, now: Time, conn: ConnId, source: Source) {
        if self.connections.contains_key(&conn) {
            return;
        }
        if let Some(reason) = self.why_not_connect(source) {
            self.limited.connections += 1;
            let reason = reason.to_owned();
            return self.outputs.push_back((conn, HubOutput::Close { reason }));
        }
        let account = Account::new(now, &self.config);
        self.sources.entry(source).or_insert(account).connections += 1;
        let member = self.number_member(conn);
        self.connections.insert(
            conn,
            Connection {
                source,
                member,
                swarms: BTreeSet::new(),
                channels: BTreeSet::new(),
                budget: Budget::default(),
                queue: Queue::default(),
                offers: Offers::default(),
                work: Bucket::empty(now),
                told_to_slow: None,
            },
        );
        let welcome = Welcome {
            member,
            max_channels: u32::try_from(self.limits.channels_per_connection).unwrap_or(u32::MAX),
            max_payload: u32::try_from(self.config.max_payload).unwrap_or(u32::MAX),
            max_credit: self.config.max_credit,
            max_swarms: u32::try_from(self.config.max_swarms_per_connection).unwrap_or(u32::MAX),
        };
        self.send(conn, ServerMessage::Welcome(welcome));
        self.charge_connection(now, conn);
    }

    fn why_not_connect(&self, source: Source) -> Option<&'static str> {
        let own = self.sources.get(&source).map_or(0, |a| a.connections);
        let (used, limit) = (self.connections.len(), self.config.max_connections);
        if used >= limit {
            Some("the server has as many connections as it allows")
        } else if !share::allows(own, used, limit) {
            Some("your address has as many connections as its share of this server allows")
        } else {
            None
        }
    }

    /// A client sent a message.
    pub fn handle(&mut self, now: Time, conn: ConnId, message: ClientMessage) {
        self.charge_message(now, conn, &message);
        if !self.connections.contains_key(&conn) {
            // It crossed the close that we sent.
            return;
        }
        let verdict = match message {
            ClientMessage::Data(frame) => self.handle_data(now, conn, frame),
            ClientMessage::Credit { channel, bytes } => self.handle_credit(conn, channel, bytes),
            ClientMessage::Accept { channel, credit } => {
                self.handle_accept(now, conn, channel, credit)
            }
            ClientMessage::Close { channel, reason } => self.handle_close(conn, channel, &reason),
            ClientMessage::Open(open) => return self.handle_open(now, conn, &open),
            ClientMessage::Announce(announce) => return self.handle_announce(now, conn, &announce),
            ClientMessage::Have(have) => return self.handle_have(conn, &have),
            ClientMessage::Ping => return self.send(conn, ServerMessage::Pong),
            ClientMessage::Leave { info_hash } => {
                return self.leave(conn, info_hash, "the other end left the swarm");
            }
        };
        if let Err(Violation(reason)) = verdict {
            self.remove(now, conn, "the other end broke the relay's rules");
            self.outputs.push_back((conn, HubOutput::Close { reason }));
        }
    }

    /// A client's socket closed.
    pub fn disconnect(&mut self, now: Time, conn: ConnId) {
        self.remove(now, conn, "the other end is gone");
    }

    /// When to call [`Hub::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|&(time, _)| time)
    }

    /// Expires what is due; doing so early or twice changes nothing.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&(time, deadline)) = self.deadlines.first().filter(|(time, _)| *time <= now)
        {
            self.deadlines.remove(&(time, deadline));
            match deadline {
                Deadline::Membership(conn, info_hash) => self.expire(conn, info_hash),
                Deadline::Open(channel) => self.close_channel(channel, "no answer", None),
                Deadline::Idle(channel) => self.check_idle(now, channel),
                Deadline::Forget(source) => self.forget_account(now, source),
            }
        }
    }

    /// The next thing for the shell to do.
    pub fn poll_output(&mut self) -> Option<(ConnId, HubOutput)> {
        self.outputs.pop_front()
    }

    /// Counters.
    pub fn stats(&self) -> HubStats {
        HubStats {
            connections: self.connections.len(),
            sources: self.sources.len(),
            swarms: self.swarms.len(),
            memberships: self.memberships,
            channels: self.channels.len(),
            relayed_bytes: self.relayed_bytes,
            queued_bytes: self.budget.queued,
            queued_frames: self.frames,
            credit_bytes: self.budget.outstanding,
            bitfield_bytes: self.bitfield_bytes,
            limited: self.limited,
        }
    }

    fn remove(&mut self, now: Time, conn: ConnId, reason: &str) {
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        let swarms: Vec<_> = connection.swarms.iter().copied().collect();
        for info_hash in swarms {
            self.leave(conn, info_hash, reason);
        }
        self.forget_queue(conn);
        let connection = self
            .connections
            .remove(&conn)
            .expect("it was there a moment ago");
        debug_assert!(connection.channels.is_empty(), "channels belong to swarms");
        self.members.remove(&connection.member);
        self.leave_account(now, connection.source);
    }

    fn number_member(&mut self, conn: ConnId) -> MemberId {
        while self.members.contains_key(&MemberId(self.next_member)) {
            self.next_member = self.next_member.wrapping_add(1);
        }
        let member = MemberId(self.next_member);
        self.next_member = self.next_member.wrapping_add(1);
        self.members.insert(member, conn);
        member
    }

    fn send(&mut self, conn: ConnId, message: ServerMessage) {
        self.outputs.push_back((conn, HubOutput::Send(message)));
    }
}

/// A client broke the protocol; why, for a person to read.
#[derive(Debug)]
struct Violation(String);
