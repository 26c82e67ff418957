//! The mind of the tracker and relay, in the shape of the engine's: [`Hub::handle`], then drain
//! [`Hub::poll_output`], then call it again with [`HubInput::Tick`] at [`Hub::poll_timeout`].
//! No sockets.
//!
//! Nothing a client sends makes the hub fail: what breaks the protocol closes that
//! client's connection with a reason, what can't be granted is refused, and what
//! merely crossed another message on the way is ignored.
//!
//! Each part owns what it knows, and none knows another but the hub, which asks them in turn:
//!
//! - `door`: which connection is which member, and what is said to them.
//! - `accounts`: where clients come from, and how much work they make.
//! - `registry`: who is in which swarm, with which pieces.
//! - `relay`: the channels between members, and credit.
//! - `signal`: what WebRTC peers offer each other.
//!
//! Beside it, for shells: [`ClientOutbox`] and [`ConnectionIds`].

use std::time::Duration;

use crate::id::{InfoHash, MemberId};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::relay::{ClientMessage, DataFrame, Open, ServerMessage};
use accounts::{Accounts, Overdrawn, cost};
use door::Door;
use kind::Kind;
use registry::Registry;
use relay::{Relay, Violation};
use signal::Signal;

mod accounts;
mod config;
mod connection_ids;
mod door;
mod io;
mod kind;
mod outbox;
mod questions;
mod registry;
mod relay;
mod share;
mod signal;
mod source;
mod stats;
mod webtorrent;

#[cfg(test)]
mod credit_tests;
#[cfg(test)]
mod fairness_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod question_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod webtorrent_tests;

pub use accounts::visits::Visit;
pub use config::HubConfig;
pub use connection_ids::ConnectionIds;
pub use io::{ConnId, Frame, HubInput, HubOutput, Reading, TrackerQuestion, TrackerReply};
pub use outbox::ClientOutbox;
pub use source::Source;
pub use stats::{HubStats, LimitCounts};

/// See the module.
#[derive(Debug)]
pub struct Hub<F = DataFrame> {
    config: HubConfig,
    door: Door<F>,
    accounts: Accounts,
    registry: Registry,
    relay: Relay,
    signal: Signal,
}

/// Parts that have deadlines, in the order in which they are asked at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Registry,
    Relay,
    Accounts,
    Signal,
}

impl<F: Frame> Hub<F> {
    /// A hub without connections. Members are drawn at random from `seed`.
    pub fn new(config: HubConfig, seed: u64) -> Self {
        Hub {
            door: Door::new(),
            accounts: Accounts::new(config.clone()),
            registry: Registry::new(config.clone(), Rng::new(seed).fork("hub")),
            relay: Relay::new(config.clone()),
            signal: Signal::new(config.clone()),
            config,
        }
    }

    /// Something happened. Drain [`Hub::poll_output`] afterwards.
    pub fn handle(&mut self, now: Time, input: HubInput<F>) {
        let who = input.conn().and_then(|conn| self.door.who(conn));
        match (input, who) {
            (HubInput::Tick, _) => self.tick(now),
            (HubInput::Connected(conn, source), None) => {
                self.connect(now, conn, source, Kind::Tab);
            }
            (HubInput::ConnectedWebTorrent(conn, source), None) => {
                self.connect(now, conn, source, Kind::WebTorrent);
            }
            (HubInput::Asked(conn, from, question), None) => self.ask(now, conn, from, &question),
            (HubInput::Message(_, message), Some((member, Kind::Tab))) => {
                self.hear(now, member, message);
            }
            (HubInput::Frame(_, frame), Some((member, Kind::Tab))) => {
                self.pass(now, member, frame);
            }
            (HubInput::Written(_, bytes), Some((member, Kind::Tab))) => {
                self.relay.written(member, bytes, &mut self.door);
            }
            (HubInput::WebTorrent(_, message), Some((member, Kind::WebTorrent))) => {
                self.hear_webtorrent(now, member, message);
            }
            (HubInput::Read(_, reading), Some((member, _))) => {
                self.charge(now, member, cost::of_reading(reading));
            }
            (HubInput::Disconnected(_), Some((member, _))) => {
                self.remove(now, member, "the other end is gone");
            }
            // It crossed the close that we sent, or it is not what the connection speaks.
            (
                HubInput::Connected(..)
                | HubInput::ConnectedWebTorrent(..)
                | HubInput::Asked(..)
                | HubInput::Message(..)
                | HubInput::WebTorrent(..)
                | HubInput::Frame(..)
                | HubInput::Read(..)
                | HubInput::Written(..)
                | HubInput::Disconnected(_),
                _,
            ) => {}
        }
    }

    /// What to do next, about which connection.
    pub fn poll_output(&mut self) -> Option<(ConnId, HubOutput<F>)> {
        self.door.poll_output()
    }

    /// When to say [`HubInput::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.next_deadline().map(|(due, _)| due)
    }

    /// Until when the shell is not to read from this client, nor hand on what it has read:
    /// the client, or its whole source, used more work than it may. Ask after every message.
    pub fn paused_until(&self, now: Time, conn: ConnId) -> Option<Time> {
        self.accounts.paused_until(now, self.door.member(conn)?)
    }

    /// A client at this source, which need not be connected, made the shell work over HTTP. How
    /// long it is to wait for its answer. An error if that is too long: it is refused, charged
    /// nothing, and may try again after this time.
    pub fn visit(&mut self, now: Time, source: Source, visit: Visit) -> Result<Duration, Duration> {
        self.accounts.visit(now, source, visit)
    }

    /// Counters.
    pub fn stats(&self) -> HubStats {
        let mut stats = HubStats::default();
        self.accounts.count(&mut stats);
        self.registry.count(&mut stats);
        self.relay.count(&mut stats);
        self.signal.count(&mut stats);
        stats
    }

    fn connect(&mut self, now: Time, conn: ConnId, source: Source, kind: Kind) {
        if let Err(reason) = self.accounts.check_place(source) {
            return self.door.close(conn, reason.to_owned());
        }
        let member = self.door.admit(conn, kind);
        self.accounts.connect(now, member, source);
        self.registry.connect(member, source, kind);
        if kind == Kind::Tab {
            self.relay.connect(member, source);
            let welcome = self.config.welcome(member, self.relay.max_channels());
            self.door.send(member, ServerMessage::Welcome(welcome));
        }
        self.charge(now, member, cost::CONNECTION);
    }

    /// A member sends through a channel.
    fn pass(&mut self, now: Time, member: MemberId, frame: F) {
        if self.charge(now, member, cost::of_frame(frame.payload_len())) {
            let passed = self.relay.data(now, member, frame, &mut self.door);
            self.judge(now, member, passed);
        }
    }

    /// Whoever breaks the relay's rules is not served any more.
    fn judge(&mut self, now: Time, member: MemberId, heard: Result<(), Violation>) {
        if let Err(violation) = heard {
            let others = "the other end broke the relay's rules";
            self.end(now, member, others, violation.to_string());
        }
    }

    /// A member said something.
    fn hear(&mut self, now: Time, member: MemberId, message: ClientMessage) {
        if let ClientMessage::Data(frame) = message {
            return self.pass(now, member, frame.into());
        }
        let cost = cost::of_message(&message, self.config.max_numwant);
        if !self.charge(now, member, cost) {
            return;
        }
        let (relay, door) = (&mut self.relay, &mut self.door);
        let heard = match message {
            ClientMessage::Data(_) => unreachable!("it is passed on above"),
            ClientMessage::Credit { channel, bytes } => relay.credit(member, channel, bytes, door),
            ClientMessage::Accept { channel, credit } => {
                relay.accept(now, member, channel, credit, door)
            }
            ClientMessage::Close { channel, reason } => relay.close(member, channel, &reason, door),
            ClientMessage::Open(open) => return self.open(now, member, &open),
            ClientMessage::Announce(announce) => {
                return match self.registry.announce(now, member, &announce) {
                    Ok(mut peers) => {
                        peers.rtc = self.count_partners(member, announce.info_hash);
                        self.door.send(member, ServerMessage::Peers(peers));
                    }
                    Err(reason) => self.error(member, announce.info_hash, reason),
                };
            }
            ClientMessage::Offer(signal) => return self.offer(now, member, signal),
            ClientMessage::Answer(signal) => return self.answer(member, signal),
            ClientMessage::Have(have) => return self.registry.have(member, &have),
            ClientMessage::Ping => return door.send(member, ServerMessage::Pong),
            ClientMessage::Leave { info_hash } => {
                self.signal.leave(member, info_hash);
                return self.leave(member, info_hash, "the other end left the swarm", true);
            }
        };
        self.judge(now, member, heard);
    }

    /// A member asks for a channel.
    fn open(&mut self, now: Time, member: MemberId, open: &Open) {
        let introduced = self.registry.introduce(open.info_hash, member, open.member);
        match introduced {
            Ok(peer_id) => self.relay.open(now, member, peer_id, open, &mut self.door),
            Err(reason) => {
                let (request, reason) = (open.request, reason.to_owned());
                let refused = ServerMessage::Refused { request, reason };
                self.door.send(member, refused);
            }
        }
    }

    /// Expires what is due; doing so early or twice changes nothing.
    fn tick(&mut self, now: Time) {
        while let Some((_, part)) = self.next_deadline().filter(|(due, _)| *due <= now) {
            match part {
                Part::Registry => {
                    if let Some((member, info_hash)) = self.registry.pop_expired() {
                        self.expire(member, info_hash);
                    }
                }
                Part::Relay => self.relay.handle_timeout(now, &mut self.door),
                Part::Accounts => self.accounts.handle_timeout(now),
                Part::Signal => self.signal.handle_timeout(now),
            }
        }
    }

    fn next_deadline(&self) -> Option<(Time, Part)> {
        let deadlines = [
            (self.registry.poll_timeout(), Part::Registry),
            (self.relay.poll_timeout(), Part::Relay),
            (self.accounts.poll_timeout(), Part::Accounts),
            (self.signal.poll_timeout(), Part::Signal),
        ];
        let known = deadlines.into_iter();
        known.filter_map(|(due, part)| Some((due?, part))).min()
    }

    fn expire(&mut self, member: MemberId, info_hash: InfoHash) {
        self.error(
            member,
            info_hash,
            "left the swarm: no announce for too long",
        );
        let reason = "an end has not announced for too long";
        self.leave(member, info_hash, reason, false);
    }

    /// Takes a member out of a swarm, and tells those whose channels end; it too, unless it
    /// knows.
    fn leave(&mut self, member: MemberId, info_hash: InfoHash, reason: &str, knows: bool) {
        let left = self.registry.leave(member, info_hash);
        if left && self.door.kind(member) == Some(Kind::Tab) {
            let door = &mut self.door;
            self.relay.leave(member, info_hash, reason, knows, door);
        }
    }

    /// Counts work that a member made. False: it was too much, and the member is gone.
    fn charge(&mut self, now: Time, member: MemberId, nanos: u64) -> bool {
        let charged = self.accounts.charge(now, member, nanos, &mut self.door);
        if let Err(Overdrawn) = charged {
            let reason = "the connection asked for far more than its share of this server's time";
            let others = "the other end asked for too much";
            self.end(now, member, others, reason.to_owned());
        }
        charged.is_ok()
    }

    /// Ends a member's connection, and says why: to others, and to itself.
    fn end(&mut self, now: Time, member: MemberId, others: &str, reason: String) {
        if let Some(conn) = self.remove(now, member, others) {
            self.door.close(conn, reason);
        }
    }

    fn remove(&mut self, now: Time, member: MemberId, reason: &str) -> Option<ConnId> {
        for info_hash in self.registry.swarms_of(member) {
            self.leave(member, info_hash, reason, true);
        }
        self.relay.disconnect(member);
        self.registry.disconnect(member);
        self.accounts.disconnect(now, member);
        self.door.dismiss(member)
    }

    fn error(&mut self, member: MemberId, info_hash: InfoHash, reason: &str) {
        let error = ServerMessage::Error {
            info_hash: Some(info_hash),
            reason: reason.to_owned(),
        };
        self.door.send(member, error);
    }
}
