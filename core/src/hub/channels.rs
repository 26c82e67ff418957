//! Channels: opening, accepting, forwarding, closing, and the credit on them.
//!
//! Channel numbers grow. One that was given out and is not in the table closed lately:
//! what a client still sends on it crossed the close, and is ignored. One that was
//! never given out is a violation.

use super::credit::Flow;
use super::{ConnId, Deadline, Hub, HubOutput, Violation};
use crate::id::{ChannelId, InfoHash};
use crate::time::Time;
use crate::wire::relay::{DataFrame, Incoming, MAX_REASON, Open, ServerMessage};

/// Channels at once between the same two connections in one swarm: two wishes may
/// cross, and the ends decide which one stays.
const MAX_PER_PAIR: usize = 2;

/// Credit smaller than this is not passed on by itself while the sender has some left.
const WORTHWHILE: u64 = 16 << 10;

/// A frame of at least this many bytes is worth its place in a queue, however long.
const SMALL: usize = 1 << 10;

/// Part of a connection's budget, and of the hub's, that must have become free before
/// those that wait are looked at again (unless nothing is queued).
const CONNECTION_STEP: u64 = 64;
const HUB_STEP: u64 = 256;

/// A pipe between two members of a swarm.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) info_hash: InfoHash,
    /// Who opened it, and to whom.
    ends: [ConnId; 2],
    /// Bytes towards each of the ends.
    flows: [Flow; 2],
    state: State,
}

#[derive(Debug)]
enum State {
    /// Waits for an answer.
    Pending {
        /// The opener's number for it.
        request: u32,
        deadline: Time,
    },
    Open,
}

/// The index of an end in [`Channel::ends`] and [`Channel::flows`].
const OPENER: usize = 0;
const ACCEPTOR: usize = 1;

impl Channel {
    fn end_of(&self, conn: ConnId) -> Option<usize> {
        self.ends.iter().position(|&end| end == conn)
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }
}

impl Hub {
    pub(super) fn handle_open(&mut self, now: Time, conn: ConnId, open: &Open) {
        let request = open.request;
        let target = match self.why_not_open(conn, open) {
            Ok(target) => target,
            Err(reason) => {
                let reason = reason.to_owned();
                return self.send(conn, ServerMessage::Refused { request, reason });
            }
        };
        let id = self.number_channel();
        let deadline = now + self.config.open_timeout;
        let flow = Flow {
            withheld: open.credit.into(),
            ..Flow::default()
        };
        let channel = Channel {
            info_hash: open.info_hash,
            ends: [conn, target],
            flows: [flow, Flow::default()],
            state: State::Pending { request, deadline },
        };
        self.channels.insert(id, channel);
        self.deadlines.insert((deadline, Deadline::Open(id)));
        for end in [conn, target] {
            self.connection(end).channels.insert(id);
        }
        let credit = self.grant(id, OPENER);
        let incoming = Incoming {
            channel: id,
            info_hash: open.info_hash,
            member: self.connection(conn).member,
            peer_id: self.swarms[&open.info_hash]
                .member(conn)
                .expect("it was checked to be one")
                .peer_id,
            credit,
        };
        self.send(target, ServerMessage::Incoming(incoming));
    }

    fn why_not_open(&self, conn: ConnId, open: &Open) -> Result<ConnId, &'static str> {
        let swarm = self
            .swarms
            .get(&open.info_hash)
            .filter(|s| s.member(conn).is_some());
        let swarm = swarm.ok_or("announce to the swarm first")?;
        let target = self.members.get(&open.member).copied();
        let target = target
            .filter(|&t| swarm.member(t).is_some())
            .ok_or("the member is not in the swarm")?;
        let (ours, theirs) = (
            &self.connections[&conn].channels,
            &self.connections[&target].channels,
        );
        let between = ours
            .intersection(theirs)
            .filter(|id| self.channels[id].info_hash == open.info_hash);
        let limit = self.limits.channels_per_connection;
        if target == conn {
            Err("a channel to oneself leads nowhere")
        } else if ours.len() >= limit {
            Err("the connection has as many channels as the relay allows")
        } else if theirs.len() >= limit {
            Err("the member has as many channels as the relay allows")
        } else if self.channels.len() >= self.limits.channels {
            Err("the relay has as many channels as it allows")
        } else if between.count() >= MAX_PER_PAIR {
            Err("there are channels to the member already")
        } else {
            Ok(target)
        }
    }

    pub(super) fn handle_accept(
        &mut self,
        conn: ConnId,
        id: ChannelId,
        credit: u32,
    ) -> Result<(), Violation> {
        let Some((channel, end)) = self.channel_of(conn, id)? else {
            return Ok(());
        };
        let State::Pending { request, deadline } = channel.state else {
            return Err(Violation(format!("channel {} is open already", id.0)));
        };
        if end != ACCEPTOR {
            return Err(Violation(format!(
                "channel {} is for the other end to accept",
                id.0
            )));
        }
        channel.state = State::Open;
        channel.flows[ACCEPTOR].withheld = credit.into();
        let opener = channel.ends[OPENER];
        self.deadlines.remove(&(deadline, Deadline::Open(id)));
        let credit = self.grant(id, ACCEPTOR);
        self.send(
            opener,
            ServerMessage::Accepted {
                request,
                channel: id,
                credit,
            },
        );
        // What did not fit into the offer and the answer, if there is room by now.
        self.pass_credit(id, OPENER);
        self.pass_credit(id, ACCEPTOR);
        Ok(())
    }

    pub(super) fn handle_credit(
        &mut self,
        conn: ConnId,
        id: ChannelId,
        bytes: u32,
    ) -> Result<(), Violation> {
        let Some((channel, end)) = self.open_channel_of(conn, id)? else {
            return Ok(());
        };
        let flow = &mut channel.flows[end];
        flow.withheld = flow.withheld.saturating_add(bytes.into());
        self.pass_credit(id, end);
        Ok(())
    }

    pub(super) fn handle_data(&mut self, conn: ConnId, frame: DataFrame) -> Result<(), Violation> {
        let id = frame.channel();
        let length = frame.payload_len();
        let (max_payload, max_frames) = (self.config.max_payload, self.config.max_queued_frames);
        if length > max_payload {
            return Err(Violation(format!(
                "a data frame of {length} bytes, at most {max_payload} are allowed"
            )));
        }
        let Some((channel, end)) = self.open_channel_of(conn, id)? else {
            return Ok(());
        };
        let towards = 1 - end;
        let flow = &mut channel.flows[towards];
        let before = flow.outstanding;
        let spent = u32::try_from(length)
            .ok()
            .and_then(|l| Some((l, before.checked_sub(l)?)));
        let Some((length, after)) = spent else {
            return Err(Violation(format!(
                "{length} bytes through channel {} on a credit of {before}",
                id.0
            )));
        };
        flow.outstanding = after;
        let low_on_credit = flow.withheld > 0 && u64::from(after) < WORTHWHILE;
        let receiver = channel.ends[towards];
        let connection = self
            .connections
            .get_mut(&receiver)
            .expect("channels end at connections");
        for budget in [&mut connection.budget, &mut self.budget] {
            budget.change(before, after);
            budget.enqueue(length.into());
        }
        connection.queue.push(length);
        let crowded = connection.queue.frames() > max_frames && (length as usize) < SMALL;
        self.relayed_bytes += u64::from(length);
        self.outputs
            .push_back((receiver, HubOutput::Forward(frame.into_message())));
        if crowded {
            self.close_channel(
                id,
                "too many tiny messages are waiting for a slow receiver",
                None,
            );
        } else if low_on_credit {
            self.pass_credit(id, towards);
        }
        Ok(())
    }

    pub(super) fn handle_close(
        &mut self,
        conn: ConnId,
        id: ChannelId,
        reason: &str,
    ) -> Result<(), Violation> {
        if self.channel_of(conn, id)?.is_some() {
            self.close_channel(id, reason, Some(conn));
        }
        Ok(())
    }

    /// Ends a channel and tells its ends why, all but `silent`.
    pub(super) fn close_channel(&mut self, id: ChannelId, reason: &str, silent: Option<ConnId>) {
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
        for (end, (conn, flow)) in channel.ends.into_iter().zip(channel.flows).enumerate() {
            let connection = self.connection(conn);
            connection.channels.remove(&id);
            connection.budget.forget(flow.outstanding);
            if flow.waiting {
                connection.waiting.retain(|&waiting| waiting != id);
            }
            self.budget.forget(flow.outstanding);
            let reason = reason.to_owned();
            let farewell = match channel.state {
                State::Pending { request, .. } if end == OPENER => {
                    ServerMessage::Refused { request, reason }
                }
                _ => ServerMessage::Close {
                    channel: id,
                    reason,
                },
            };
            if silent != Some(conn) {
                self.send(conn, farewell);
            }
        }
        if let State::Pending { deadline, .. } = channel.state {
            self.deadlines.remove(&(deadline, Deadline::Open(id)));
        }
        self.share_room(&channel.ends);
    }

    /// Budgets of these connections, and with them the hub's, may have got room: passes on
    /// withheld credit if it is worth it.
    pub(super) fn share_room(&mut self, conns: &[ConnId]) {
        for &conn in conns {
            if self
                .connection(conn)
                .budget
                .take_worthwhile(CONNECTION_STEP)
            {
                self.serve_waiting(conn);
            }
        }
        if self.budget.take_worthwhile(HUB_STEP) {
            for conn in std::mem::take(&mut self.starved) {
                self.serve_waiting(conn);
            }
        }
    }

    fn serve_waiting(&mut self, conn: ConnId) {
        for _ in 0..self.connection(conn).waiting.len() {
            let Some(id) = self.connection(conn).waiting.pop_front() else {
                return;
            };
            let channel = self
                .channels
                .get_mut(&id)
                .expect("closed channels don't wait");
            let towards = channel.end_of(conn).expect("only its ends wait for it");
            channel.flows[towards].waiting = false;
            self.pass_credit(id, towards);
        }
    }

    /// Tells a sender of as much withheld credit as there is room for; the rest waits.
    fn pass_credit(&mut self, id: ChannelId, towards: usize) {
        let credit = self.grant(id, towards);
        if credit > 0 {
            let sender = self.channels[&id].ends[1 - towards];
            self.send(
                sender,
                ServerMessage::Credit {
                    channel: id,
                    bytes: credit,
                },
            );
        }
    }

    /// Turns withheld credit into outstanding credit as far as there is room; returns how
    /// much. What is left of an open channel's waits its turn.
    fn grant(&mut self, id: ChannelId, towards: usize) -> u32 {
        let channel = self
            .channels
            .get_mut(&id)
            .expect("callers hold an existing channel");
        let (receiver, open) = (channel.ends[towards], channel.is_open());
        let connection = self
            .connections
            .get_mut(&receiver)
            .expect("channels end at connections");
        let flow = &mut channel.flows[towards];
        let before = flow.outstanding;
        let own = u64::from(self.config.max_credit.saturating_sub(before));
        let (here, everywhere) = (connection.budget.room(before), self.budget.room(before));
        let mut bytes = flow.withheld.min(own).min(here).min(everywhere);
        if before > 0 && bytes < flow.withheld.min(WORTHWHILE) {
            bytes = 0;
        }
        let bytes = u32::try_from(bytes).expect("it is at most max_credit");
        flow.withheld -= u64::from(bytes);
        flow.outstanding += bytes;
        connection.budget.change(before, flow.outstanding);
        self.budget.change(before, flow.outstanding);
        if flow.withheld > 0 && open {
            if !flow.waiting {
                flow.waiting = true;
                connection.waiting.push_back(id);
            }
            if everywhere < here {
                self.starved.insert(receiver);
            }
        }
        bytes
    }

    /// The channel, and which end of it `conn` is; none if it closed lately.
    fn channel_of(
        &mut self,
        conn: ConnId,
        id: ChannelId,
    ) -> Result<Option<(&mut Channel, usize)>, Violation> {
        let known = u64::from(id.0) < self.next_channel;
        match self.channels.get_mut(&id) {
            None if known => Ok(None),
            None => Err(Violation(format!("there is no channel {}", id.0))),
            Some(channel) => match channel.end_of(conn) {
                Some(end) => Ok(Some((channel, end))),
                None => Err(Violation(format!("channel {} is not yours", id.0))),
            },
        }
    }

    /// As [`Hub::channel_of`], and it must have been accepted.
    fn open_channel_of(
        &mut self,
        conn: ConnId,
        id: ChannelId,
    ) -> Result<Option<(&mut Channel, usize)>, Violation> {
        match self.channel_of(conn, id)? {
            Some((channel, _)) if !channel.is_open() => {
                Err(Violation(format!("channel {} was not accepted yet", id.0)))
            }
            found => Ok(found),
        }
    }

    fn number_channel(&mut self) -> ChannelId {
        loop {
            // Only the lower half is the number: after four thousand million channels
            // numbers begin anew, and skip those in use.
            let id = ChannelId(self.next_channel as u32);
            self.next_channel += 1;
            if !self.channels.contains_key(&id) {
                return id;
            }
        }
    }

    fn connection(&mut self, conn: ConnId) -> &mut super::Connection {
        self.connections
            .get_mut(&conn)
            .expect("channels and room are only about connections")
    }
}
