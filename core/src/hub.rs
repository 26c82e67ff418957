//! The mind of the tracker and relay: who is in which swarm, with which pieces, and
//! the channels between them. No sockets: [`Hub::handle`], then drain
//! [`Hub::poll_output`], then call [`Hub::handle_timeout`] at [`Hub::poll_timeout`].

use std::time::Duration;

use bytes::Bytes;

use crate::time::Time;
use crate::wire::relay::{ClientMessage, ServerMessage};

/// A connection, numbered by the shell, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What a hub allows. Every bound on its memory is here.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Seconds between a client's announces.
    pub announce_interval: Duration,
    /// A member that has not announced for this long leaves the swarm.
    pub member_expiry: Duration,
    /// Connections at once.
    pub max_connections: usize,
    /// Swarms at once.
    pub max_swarms: usize,
    /// Swarms that one connection may be in.
    pub max_swarms_per_connection: usize,
    /// Channels that one connection may be an end of, pending ones included.
    pub max_channels_per_connection: usize,
    /// Bytes of a bitfield that are kept for a member.
    pub max_bitfield: usize,
    /// Members told of in one answer.
    pub max_numwant: usize,
    /// The longest payload of a data frame.
    pub max_payload: usize,
    /// The most credit outstanding on one channel in one direction.
    pub max_credit: u32,
    /// Bytes that may be queued for, or on credit towards, one connection.
    pub max_inflight_per_connection: u64,
    /// Bytes that may be queued or on credit in the whole hub.
    pub max_inflight: u64,
}

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
    /// Open channels now.
    pub channels: usize,
    /// Payload bytes forwarded since the start.
    pub relayed_bytes: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Hub {}

impl Hub {
    /// A hub without connections.
    pub fn new(config: HubConfig, seed: u64) -> Self { let _ = (config, seed); todo!() }
    /// A client connected. Outputs a welcome, or a close if there are too many.
    pub fn connect(&mut self, now: Time, conn: ConnId) { let _ = (now, conn); todo!() }
    /// A client sent a message.
    pub fn handle(&mut self, now: Time, conn: ConnId, message: ClientMessage) { let _ = (now, conn, message); todo!() }
    /// The shell wrote `bytes` of [`HubOutput::Forward`] messages to the client's socket.
    pub fn flushed(&mut self, now: Time, conn: ConnId, bytes: u64) { let _ = (now, conn, bytes); todo!() }
    /// A client's socket closed.
    pub fn disconnect(&mut self, now: Time, conn: ConnId) { let _ = (now, conn); todo!() }
    /// When to call [`Hub::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> { todo!() }
    /// Expires what is due; doing so early or twice changes nothing.
    pub fn handle_timeout(&mut self, now: Time) { let _ = now; todo!() }
    /// The next thing for the shell to do.
    pub fn poll_output(&mut self) -> Option<(ConnId, HubOutput)> { todo!() }
    /// Counters.
    pub fn stats(&self) -> HubStats { todo!() }
}
