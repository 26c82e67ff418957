//! What the host asks of the task.

use std::net::SocketAddr;

use swarm_core::net::Parts;

use super::ConnectionId;

/// What the host wants.
#[derive(Debug)]
pub(super) enum Command {
    /// A connection, with these STUN servers.
    Begin(ConnectionId, Way, Vec<String>),
    /// Those servers are there.
    Found(ConnectionId, Vec<SocketAddr>),
    Accept(ConnectionId, String),
    Send(ConnectionId, Parts),
    Close(ConnectionId),
}

/// How a connection begins.
#[derive(Debug)]
pub(super) enum Way {
    Offer,
    /// With this offer of theirs.
    Answer(String),
}
