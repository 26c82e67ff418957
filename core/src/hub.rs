//! The mind of the tracker and relay: who is in which swarm, with which pieces, and
//! the channels between them. No sockets: [`Hub::handle`], then drain
//! [`Hub::poll_output`], then call [`Hub::handle_timeout`] at [`Hub::poll_timeout`].
//!
//! Nothing a client sends makes the hub fail: what breaks the protocol closes that
//! client's connection with a reason, what can't be granted is refused, and what
//! merely crossed another message on the way is ignored.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::id::{ChannelId, InfoHash, MemberId};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::relay::{
    Announce, ClientMessage, Have, MAX_MEMBERS, Member, Peers, ServerMessage, Welcome,
};

mod channels;
mod config;
mod credit;
mod share;
mod source;
mod swarm;

#[cfg(test)]
mod credit_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use config::HubConfig;
pub use source::Source;

use channels::Channel;
use config::Limits;
use credit::{Budget, Queue};
use swarm::{Membership, Swarm};

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

/// Counters for logs and status pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Connections now.
    pub connections: usize,
    /// Swarms now.
    pub swarms: usize,
    /// Channels now, pending ones included.
    pub channels: usize,
    /// Payload bytes forwarded since the start.
    pub relayed_bytes: u64,
    /// Payload bytes that wait to be written to sockets.
    pub queued_bytes: u64,
    /// Bytes that senders may send at any moment.
    pub credit_bytes: u64,
    /// Bytes of bitfields that are kept.
    pub bitfield_bytes: usize,
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
    bitfield_bytes: usize,
    channels: BTreeMap<ChannelId, Channel>,
    next_channel: u64,
    deadlines: BTreeSet<(Time, Deadline)>,
    budget: Budget,
    /// Connections with channels that wait for room in the hub's own budget.
    starved: BTreeSet<ConnId>,
    outputs: VecDeque<(ConnId, HubOutput)>,
    relayed_bytes: u64,
}

/// What the connections of one source have together.
#[derive(Debug, Default)]
struct Account {
    connections: usize,
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
    /// Channels that wait for room to pass its credit on.
    waiting: VecDeque<ChannelId>,
}

/// What happens when a time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    /// A member that did not announce leaves.
    Membership(ConnId, InfoHash),
    /// A channel that was not accepted is refused.
    Open(ChannelId),
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
            bitfield_bytes: 0,
            channels: BTreeMap::new(),
            next_channel: 1,
            deadlines: BTreeSet::new(),
            budget: Budget::new(config.max_inflight, limits.reserve),
            starved: BTreeSet::new(),
            outputs: VecDeque::new(),
            relayed_bytes: 0,
            config,
        }
    }

    /// A client connected, and what it takes is charged to `source`. Outputs a welcome, or a
    /// close if there are too many.
    pub fn connect(&mut self, _now: Time, conn: ConnId, source: Source) {
        if self.connections.contains_key(&conn) {
            return;
        }
        if self.connections.len() >= self.config.max_connections {
            let reason = "the server has as many connections as it allows".to_owned();
            return self.outputs.push_back((conn, HubOutput::Close { reason }));
        }
        let own = self.sources.get(&source).map_or(0, |a| a.connections);
        if !share::allows(own, self.connections.len(), self.config.max_connections) {
            let reason = "your address has as many connections as its share allows".to_owned();
            return self.outputs.push_back((conn, HubOutput::Close { reason }));
        }
        self.sources.entry(source).or_default().connections += 1;
        let member = self.number_member(conn);
        let budget = Budget::new(self.config.max_inflight_per_connection, self.limits.reserve);
        let (swarms, channels) = (BTreeSet::new(), BTreeSet::new());
        let (queue, waiting) = (Queue::default(), VecDeque::new());
        self.connections.insert(
            conn,
            Connection {
                source,
                member,
                swarms,
                channels,
                budget,
                queue,
                waiting,
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
    }

    /// A client sent a message.
    pub fn handle(&mut self, now: Time, conn: ConnId, message: ClientMessage) {
        if !self.connections.contains_key(&conn) {
            // It crossed the close that we sent.
            return;
        }
        let verdict = match message {
            ClientMessage::Data(frame) => self.handle_data(conn, frame),
            ClientMessage::Credit { channel, bytes } => self.handle_credit(conn, channel, bytes),
            ClientMessage::Accept { channel, credit } => self.handle_accept(conn, channel, credit),
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
            self.remove(conn, "the other end broke the relay's rules");
            self.outputs.push_back((conn, HubOutput::Close { reason }));
        }
    }

    /// The shell wrote `bytes` of [`HubOutput::Forward`] messages to the client's socket
    /// (bytes of the messages, headers included; any part of a message may be reported).
    pub fn flushed(&mut self, _now: Time, conn: ConnId, bytes: u64) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        let payload = connection.queue.flushed(bytes);
        if payload > 0 {
            connection.budget.dequeue(payload);
            self.budget.dequeue(payload);
            self.share_room(&[conn]);
        }
    }

    /// A client's socket closed.
    pub fn disconnect(&mut self, _now: Time, conn: ConnId) {
        self.remove(conn, "the other end is gone");
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
            swarms: self.swarms.len(),
            channels: self.channels.len(),
            relayed_bytes: self.relayed_bytes,
            queued_bytes: self.budget.queued(),
            credit_bytes: self.budget.outstanding(),
            bitfield_bytes: self.bitfield_bytes,
        }
    }

    fn handle_announce(&mut self, now: Time, conn: ConnId, announce: &Announce) {
        let Announce {
            info_hash,
            peer_id,
            left,
            ref pieces,
            numwant,
        } = *announce;
        if let Some(reason) = self.why_not_announce(conn, announce) {
            return self.error(conn, info_hash, reason);
        }
        let deadline = now + self.config.member_expiry;
        let swarm = self.swarms.entry(info_hash).or_default();
        if let Some(before) = swarm.announce(conn, peer_id, left == Some(0), deadline) {
            self.deadlines
                .remove(&(before, Deadline::Membership(conn, info_hash)));
        }
        self.deadlines
            .insert((deadline, Deadline::Membership(conn, info_hash)));
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.swarms.insert(info_hash);
        }
        if let Some(bits) = pieces {
            let room = self
                .config
                .max_bitfields
                .saturating_sub(self.bitfield_bytes);
            let grown = swarm.set_pieces(conn, bits, room);
            self.bitfield_bytes = self.bitfield_bytes.saturating_add_signed(grown);
        }
        self.send_peers(conn, info_hash, numwant);
    }

    fn why_not_announce(&self, conn: ConnId, announce: &Announce) -> Option<&'static str> {
        let swarm = self.swarms.get(&announce.info_hash);
        let swarms_of_conn = self.connections.get(&conn).map_or(0, |c| c.swarms.len());
        let joins = swarm.is_none_or(|s| s.member(conn).is_none());
        if announce
            .pieces
            .as_ref()
            .is_some_and(|p| p.len() > self.config.max_bitfield)
        {
            Some("the torrent has more pieces than this tracker keeps track of")
        } else if joins && swarms_of_conn >= self.config.max_swarms_per_connection {
            Some("the connection is in as many swarms as this tracker allows")
        } else if swarm.is_none() && self.swarms.len() >= self.config.max_swarms {
            Some("the tracker has as many swarms as it allows")
        } else {
            None
        }
    }

    fn send_peers(&mut self, conn: ConnId, info_hash: InfoHash, numwant: u32) {
        let Some(swarm) = self.swarms.get(&info_hash) else {
            return;
        };
        let count = usize::try_from(numwant)
            .unwrap_or(usize::MAX)
            .min(self.config.max_numwant)
            .min(MAX_MEMBERS);
        let member = |(id, membership): (ConnId, &Membership)| Member {
            member: self.connections[&id].member,
            peer_id: membership.peer_id,
            have: membership.have(),
            seed: membership.seed,
        };
        let peers = Peers {
            info_hash,
            interval: u32::try_from(self.config.announce_interval.as_secs()).unwrap_or(u32::MAX),
            complete: swarm.complete(),
            incomplete: swarm.incomplete(),
            members: swarm
                .sample(conn, count, &mut self.rng)
                .into_iter()
                .map(member)
                .collect(),
        };
        self.send(conn, ServerMessage::Peers(peers));
    }

    fn handle_have(&mut self, conn: ConnId, have: &Have) {
        let room = self
            .config
            .max_bitfields
            .saturating_sub(self.bitfield_bytes);
        // One who is no member expired, and was told so; this crossed it.
        let swarm = self
            .swarms
            .get_mut(&have.info_hash)
            .filter(|s| s.member(conn).is_some());
        let Some(swarm) = swarm else { return };
        let grown = swarm.have(
            conn,
            &have.pieces,
            have.left == 0,
            self.config.max_bitfield,
            room,
        );
        self.bitfield_bytes = self.bitfield_bytes.saturating_add_signed(grown);
    }

    fn expire(&mut self, conn: ConnId, info_hash: InfoHash) {
        self.error(conn, info_hash, "left the swarm: no announce for too long");
        self.leave_telling(
            conn,
            info_hash,
            "an end has not announced for too long",
            None,
        );
    }

    /// Takes a connection out of a swarm at its own wish; it knows that its channels end.
    fn leave(&mut self, conn: ConnId, info_hash: InfoHash, reason: &str) {
        self.leave_telling(conn, info_hash, reason, Some(conn));
    }

    fn leave_telling(
        &mut self,
        conn: ConnId,
        info_hash: InfoHash,
        reason: &str,
        silent: Option<ConnId>,
    ) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        if !connection.swarms.remove(&info_hash) {
            return;
        }
        let channels: Vec<_> = connection.channels.iter().copied().collect();
        for channel in channels {
            if self.channels[&channel].info_hash == info_hash {
                self.close_channel(channel, reason, silent);
            }
        }
        let swarm = self
            .swarms
            .get_mut(&info_hash)
            .expect("a swarm with members exists");
        if let Some(member) = swarm.leave(conn) {
            self.deadlines
                .remove(&(member.deadline, Deadline::Membership(conn, info_hash)));
            self.bitfield_bytes -= member.bitfield_size();
        }
        if swarm.is_empty() {
            self.swarms.remove(&info_hash);
        }
    }

    fn remove(&mut self, conn: ConnId, reason: &str) {
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        let swarms: Vec<_> = connection.swarms.iter().copied().collect();
        for info_hash in swarms {
            self.leave(conn, info_hash, reason);
        }
        let connection = self
            .connections
            .remove(&conn)
            .expect("it was there a moment ago");
        debug_assert!(connection.channels.is_empty(), "channels belong to swarms");
        self.members.remove(&connection.member);
        if let Entry::Occupied(mut account) = self.sources.entry(connection.source) {
            account.get_mut().connections -= 1;
            if account.get().connections == 0 {
                account.remove();
            }
        }
        self.starved.remove(&conn);
        self.budget.dequeue(connection.budget.queued());
        self.share_room(&[]);
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

    fn error(&mut self, conn: ConnId, info_hash: InfoHash, reason: &str) {
        let info_hash = Some(info_hash);
        self.send(
            conn,
            ServerMessage::Error {
                info_hash,
                reason: reason.to_owned(),
            },
        );
    }

    fn send(&mut self, conn: ConnId, message: ServerMessage) {
        self.outputs.push_back((conn, HubOutput::Send(message)));
    }
}

/// A client broke the protocol; why, for a person to read.
#[derive(Debug)]
struct Violation(String);
