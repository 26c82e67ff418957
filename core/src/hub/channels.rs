//! Channels: asking for them, accepting and closing them.
//!
//! Channel numbers grow. One that was given out and is not in the table closed lately:
//! what a client still sends on it crossed the close, and is ignored. One that was
//! never given out is a violation.

use super::credit::Flow;
use super::{ConnId, Connection, Deadline, Hub, Violation, share};
use crate::id::{ChannelId, InfoHash};
use crate::time::Time;
use crate::wire::relay::{Incoming, MAX_REASON, Open, ServerMessage};

/// Channels at once between the same two connections in one swarm: two wishes may
/// cross, and the ends decide which one stays.
const MAX_PER_PAIR: usize = 2;

/// A pipe between two members of a swarm.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) info_hash: InfoHash,
    /// Who opened it, and to whom.
    pub(super) ends: [ConnId; 2],
    /// Bytes towards each of the ends.
    pub(super) flows: [Flow; 2],
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
    Open {
        /// When something last went through it.
        moved: Time,
        /// When that is looked at.
        check: Time,
    },
}

/// The index of an end in [`Channel::ends`] and [`Channel::flows`].
const OPENER: usize = 0;
const ACCEPTOR: usize = 1;

impl Channel {
    pub(super) fn end_of(&self, conn: ConnId) -> Option<usize> {
        self.ends.iter().position(|&end| end == conn)
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Something goes through it.
    pub(super) fn note_move(&mut self, now: Time) {
        if let State::Open { moved, .. } = &mut self.state {
            *moved = now;
        }
    }
}

/// Why a channel is not to be had, and what it counts as.
enum Refusal {
    /// It makes no sense, or is there already.
    Pointless(&'static str),
    /// Somebody has too many channels.
    Channels(&'static str),
    /// Asked too often.
    Offers(&'static str),
}

impl Hub {
    pub(super) fn handle_open(&mut self, now: Time, conn: ConnId, open: &Open) {
        let request = open.request;
        let target = match self.why_not_open(now, conn, open) {
            Ok(target) => target,
            Err(refusal) => {
                let reason = self.count_refusal(&refusal).to_owned();
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
        let source = self.source_of(conn);
        self.account(source).channels += 1;
        self.connection(target).offers.opened(source);
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

    fn why_not_open(&mut self, now: Time, conn: ConnId, open: &Open) -> Result<ConnId, Refusal> {
        use Refusal::{Channels, Offers, Pointless};
        let swarm = self
            .swarms
            .get(&open.info_hash)
            .filter(|s| s.member(conn).is_some());
        let swarm = swarm.ok_or(Pointless("announce to the swarm first"))?;
        let target = self.members.get(&open.member).copied();
        let target = target
            .filter(|&t| swarm.member(t).is_some())
            .ok_or(Pointless("the member is not in the swarm"))?;
        if target == conn {
            return Err(Pointless("a channel to oneself leads nowhere"));
        }
        let (us, them) = (&self.connections[&conn], &self.connections[&target]);
        let account = &self.sources[&us.source];
        // Of the two the one with fewer channels: who has many pays for that.
        let (fewer, more) = if us.channels.len() <= them.channels.len() {
            (us, them)
        } else {
            (them, us)
        };
        let between = fewer
            .channels
            .iter()
            .filter(|id| more.channels.contains(id))
            .filter(|id| self.channels[id].info_hash == open.info_hash);
        let limit = self.limits.channels_per_connection;
        if between.count() >= MAX_PER_PAIR {
            Err(Pointless("there are channels to the member already"))
        } else if us.channels.len() >= limit {
            Err(Channels(
                "the connection has as many channels as the relay allows",
            ))
        } else if them.channels.len() >= limit {
            Err(Channels(
                "the member has as many channels as the relay allows",
            ))
        } else if !share::allows(them.offers.channels(us.source), them.channels.len(), limit) {
            Err(Channels(
                "the member has as many channels from your address as its share allows",
            ))
        } else if self.channels.len() >= self.limits.channels {
            Err(Channels("the relay has as many channels as it allows"))
        } else if !share::allows(account.channels, self.channels.len(), self.limits.channels) {
            Err(Channels(
                "your address has as many channels as its share of the relay allows",
            ))
        } else if [us, them].iter().any(|end| !self.has_reserve(end)) {
            Err(Channels(
                "too much waits to be read by an end of the channel",
            ))
        } else {
            let source = us.source;
            let them = self
                .connections
                .get_mut(&target)
                .expect("it was found above");
            them.offers
                .ask(now, source, &self.config)
                .then_some(target)
                .ok_or(Offers(
                    "your address asks the member for channels too often",
                ))
        }
    }

    /// Whether a channel more at this connection has its reserve: what is left of channels
    /// that are gone and was not read yet may be in its way.
    fn has_reserve(&self, end: &Connection) -> bool {
        let reserve = u64::from(self.limits.reserve);
        let here = (end.channels.len() as u64 + 1) * reserve + end.budget.pooled;
        let everywhere = (self.channels.len() as u64 + 1) * 2 * reserve + self.budget.pooled;
        here <= self.config.max_inflight_per_connection && everywhere <= self.config.max_inflight
    }

    fn count_refusal(&mut self, refusal: &Refusal) -> &'static str {
        match refusal {
            Refusal::Pointless(reason) => reason,
            Refusal::Channels(reason) => {
                self.limited.channels += 1;
                reason
            }
            Refusal::Offers(reason) => {
                self.limited.offers += 1;
                reason
            }
        }
    }

    pub(super) fn handle_accept(
        &mut self,
        now: Time,
        conn: ConnId,
        id: ChannelId,
        credit: u32,
    ) -> Result<(), Violation> {
        let check = now + self.config.channel_idle;
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
        channel.state = State::Open { moved: now, check };
        channel.flows[ACCEPTOR].withheld = credit.into();
        let opener = channel.ends[OPENER];
        self.deadlines.remove(&(deadline, Deadline::Open(id)));
        self.deadlines.insert((check, Deadline::Idle(id)));
        let credit = self.grant(id, ACCEPTOR);
        self.send(
            opener,
            ServerMessage::Accepted {
                request,
                channel: id,
                credit,
            },
        );
        // What did not fit into the offer, if there is room by now.
        self.pass_credit(id, OPENER);
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

    /// Closes a channel if nothing went through it for too long.
    pub(super) fn check_idle(&mut self, now: Time, id: ChannelId) {
        let idle = self.config.channel_idle;
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let State::Open { moved, check } = &mut channel.state else {
            return;
        };
        let due = *moved + idle;
        if due > now {
            *check = due;
            self.deadlines.insert((due, Deadline::Idle(id)));
        } else {
            self.limited.idle += 1;
            self.close_channel(id, "the channel carried nothing for too long", None);
        }
    }

    /// Ends a channel and tells its ends why, all but `silent`.
    pub(super) fn close_channel(&mut self, id: ChannelId, reason: &str, silent: Option<ConnId>) {
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
        for (end, (conn, flow)) in channel.ends.into_iter().zip(channel.flows).enumerate() {
            self.connection(conn).channels.remove(&id);
            self.orphan(conn, &flow);
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
        let deadline = match channel.state {
            State::Pending { deadline, .. } => (deadline, Deadline::Open(id)),
            State::Open { check, .. } => (check, Deadline::Idle(id)),
        };
        self.deadlines.remove(&deadline);
        let source = self.source_of(channel.ends[OPENER]);
        self.account(source).channels -= 1;
        self.connection(channel.ends[ACCEPTOR])
            .offers
            .closed(source);
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
    pub(super) fn open_channel_of(
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

    pub(super) fn connection(&mut self, conn: ConnId) -> &mut Connection {
        self.connections
            .get_mut(&conn)
            .expect("channels end at connections")
    }
}
