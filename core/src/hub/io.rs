//! What goes into a hub and what comes out.

use bytes::Bytes;

use super::Source;
use crate::wire::relay::{ClientMessage, ServerMessage};

/// A connection, numbered by the shell, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Something happened. What is said of a connection that the hub closed crossed that on the
/// way, and changes nothing.
#[derive(Clone, Debug)]
pub enum HubInput {
    /// The time of [`super::Hub::poll_timeout`] has come. A tick that comes early or twice
    /// changes nothing.
    Tick,
    /// A client connected, and what it takes is charged to this source. It gets a welcome, or
    /// is turned away if there are too many.
    Connected(ConnId, Source),
    /// A client sent a message.
    Message(ConnId, ClientMessage),
    /// The shell read this from a client since it last said so, beside the messages.
    Read(ConnId, Reading),
    /// The shell wrote so many bytes of [`HubOutput::Forward`] messages to the client's socket
    /// since it last said so: headers included, and messages need not be whole.
    Written(ConnId, u64),
    /// A client's socket closed. Not needed after [`HubOutput::Close`].
    Disconnected(ConnId),
}

impl HubInput {
    /// The connection that it is about.
    pub(super) fn conn(&self) -> Option<ConnId> {
        match *self {
            HubInput::Tick => None,
            HubInput::Connected(conn, _)
            | HubInput::Message(conn, _)
            | HubInput::Read(conn, _)
            | HubInput::Written(conn, _)
            | HubInput::Disconnected(conn) => Some(conn),
        }
    }
}

/// What is to be done about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubOutput {
    /// Send a control message.
    Send(ServerMessage),
    /// Send a data frame just as it came.
    Forward(Bytes),
    /// Close the connection.
    Close {
        /// Why, for a person to read.
        reason: String,
    },
}

/// What the shell read from a client that is no message; for [`HubInput::Read`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes that were no message of the protocol: headers, pings, pongs, what is not whole
    /// yet.
    pub framing: u64,
    /// Bytes of control messages.
    pub control: u64,
}
