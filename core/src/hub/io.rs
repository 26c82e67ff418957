//! What goes into a hub and what comes out.

use std::net::IpAddr;

use super::Source;
use crate::id::{ChannelId, InfoHash};
use crate::wire::relay::{ClientMessage, DataFrame, ServerMessage};
use crate::wire::tracker::http::Announced;
use crate::wire::tracker::{Announce, Scraped};
use crate::wire::webtorrent;

/// A connection, numbered by the shell, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Something happened. What is said of a connection that the hub closed crossed that on the
/// way, and changes nothing.
#[derive(Clone, Debug)]
pub enum HubInput<F = DataFrame> {
    /// The time of [`super::Hub::poll_timeout`] has come. A tick that comes early or twice
    /// changes nothing.
    Tick,
    /// A client connected, and what it takes is charged to this source. It gets a welcome, or
    /// is turned away if there are too many.
    Connected(ConnId, Source),
    /// A client connected that speaks WebTorrent's protocol. It gets no welcome.
    ConnectedWebTorrent(ConnId, Source),
    /// A client sent a message.
    Message(ConnId, ClientMessage),
    /// One that speaks WebTorrent's protocol did.
    WebTorrent(ConnId, webtorrent::ClientMessage),
    /// An ordinary client at this address asks. It is no connection, but has a number like one,
    /// by which [`HubOutput::Reply`] says whom it is for.
    Asked(ConnId, IpAddr, TrackerQuestion),
    /// A client sent a data frame, of which the hub looks at the channel and the length alone.
    Frame(ConnId, F),
    /// The shell read this from a client since it last said so, beside the messages.
    Read(ConnId, Reading),
    /// The shell wrote so many bytes of [`HubOutput::Forward`] messages to the client's socket
    /// since it last said so: headers included, and messages need not be whole.
    Written(ConnId, u64),
    /// A client's socket closed. Not needed after [`HubOutput::Close`].
    Disconnected(ConnId),
}

impl<F> HubInput<F> {
    /// The connection that it is about.
    pub(super) fn conn(&self) -> Option<ConnId> {
        match self {
            HubInput::Tick => None,
            HubInput::Connected(conn, _)
            | HubInput::ConnectedWebTorrent(conn, _)
            | HubInput::Message(conn, _)
            | HubInput::WebTorrent(conn, _)
            | HubInput::Asked(conn, ..)
            | HubInput::Frame(conn, _)
            | HubInput::Read(conn, _)
            | HubInput::Written(conn, _)
            | HubInput::Disconnected(conn) => Some(*conn),
        }
    }
}

/// A data frame, wherever its payload lies.
pub trait Frame: From<DataFrame> {
    /// The channel that it goes through.
    fn channel(&self) -> ChannelId;

    /// Bytes of payload.
    fn payload_len(&self) -> usize;
}

impl Frame for DataFrame {
    fn channel(&self) -> ChannelId {
        DataFrame::channel(self)
    }

    fn payload_len(&self) -> usize {
        DataFrame::payload_len(self)
    }
}

/// What is to be done about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubOutput<F = DataFrame> {
    /// Send a control message.
    Send(ServerMessage),
    /// Send a data frame just as it came.
    Forward(F),
    /// Send a message of WebTorrent's protocol.
    WebTorrent(webtorrent::ServerMessage),
    /// Answer an ordinary client.
    Reply(TrackerReply),
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

/// What an ordinary client asks, whether over HTTP or in a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackerQuestion {
    /// Who else is there.
    Announce {
        /// What it says of itself.
        announce: Announce,
        /// It takes peers with addresses of the other family too.
        both_families: bool,
    },
    /// How swarms stand.
    Scrape {
        /// Which.
        swarms: Vec<InfoHash>,
    },
}

/// The answer to a [`TrackerQuestion`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackerReply {
    /// To an announce.
    Announced(Announced),
    /// To a scrape: what each of the swarms is like.
    Scraped(Scraped),
    /// It was refused.
    Refused(String),
}
