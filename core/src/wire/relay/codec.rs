//! Messages to bytes and back. A control message is one bencoded dictionary whose key
//! `t` says which it is; keys that we don't know are ignored.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ClientMessage, DataFrame, MAX_MESSAGE, MAX_REASON, ServerMessage, frame, told};
use crate::bencode::{self, DecodeLimits};
use crate::id::{ChannelId, InfoHash};
use crate::wire::fields;

/// Why a message from the other side of the WebSocket is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// It is longer than [`super::MAX_MESSAGE`].
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// It is neither a data frame nor a control message.
    #[error("not a message of this protocol: {0}")]
    Malformed(String),
}

/// What a control message of a client may cost: it has a handful of keys, and some more may
/// come with later versions.
const CLIENT_LIMITS: DecodeLimits = DecodeLimits {
    length: MAX_MESSAGE,
    depth: 6,
    values: 64,
};

/// What a control message of the hub may cost. The most values are in a `peers` message: nine
/// for each of [`super::MAX_MEMBERS`], and some more for keys of later versions.
const SERVER_LIMITS: DecodeLimits = DecodeLimits {
    values: 1 << 14,
    ..CLIENT_LIMITS
};

/// The values of `t`.
pub(super) mod tag {
    pub(in crate::wire::relay) const ANNOUNCE: &str = "announce";
    pub(in crate::wire::relay) const HAVE: &str = "have";
    pub(in crate::wire::relay) const LEAVE: &str = "leave";
    pub(in crate::wire::relay) const OPEN: &str = "open";
    pub(in crate::wire::relay) const ACCEPT: &str = "accept";
    pub(in crate::wire::relay) const CREDIT: &str = "credit";
    pub(in crate::wire::relay) const CLOSE: &str = "close";
    pub(in crate::wire::relay) const PING: &str = "ping";
    pub(in crate::wire::relay) const PONG: &str = "pong";
    pub(in crate::wire::relay) const OFFER: &str = "offer";
    pub(in crate::wire::relay) const ANSWER: &str = "answer";
    pub(in crate::wire::relay) const WELCOME: &str = "welcome";
    pub(in crate::wire::relay) const PEERS: &str = "peers";
    pub(in crate::wire::relay) const INCOMING: &str = "incoming";
    pub(in crate::wire::relay) const ACCEPTED: &str = "accepted";
    pub(in crate::wire::relay) const REFUSED: &str = "refused";
    pub(in crate::wire::relay) const ERROR: &str = "error";
}

impl ClientMessage {
    /// The bytes of one binary WebSocket message.
    pub fn encode(self) -> Bytes {
        match self {
            ClientMessage::Announce(announce) => control(tag::ANNOUNCE, &announce),
            ClientMessage::Have(have) => control(tag::HAVE, &have),
            ClientMessage::Leave { info_hash } => control(tag::LEAVE, &Leave { info_hash }),
            ClientMessage::Open(open) => control(tag::OPEN, &open),
            ClientMessage::Accept { channel, credit } => {
                control(tag::ACCEPT, &Accept { channel, credit })
            }
            ClientMessage::Credit { channel, bytes } => {
                control(tag::CREDIT, &Credit { channel, bytes })
            }
            ClientMessage::Close { channel, reason } => {
                control(tag::CLOSE, &Close { channel, reason })
            }
            ClientMessage::Data(frame) => frame.into_message(),
            ClientMessage::Offer(offer) => control(tag::OFFER, &offer),
            ClientMessage::Answer(answer) => control(tag::ANSWER, &answer),
            ClientMessage::Ping => control(tag::PING, &Nothing {}),
        }
    }

    /// Reads what a client sent.
    pub fn decode(message: Bytes) -> Result<Self, RelayError> {
        if message.first() == Some(&frame::DATA) {
            return data_frame(message).map(ClientMessage::Data);
        }
        let body = Body::read(&message, CLIENT_LIMITS)?;
        Ok(match body.tag()? {
            tag::ANNOUNCE => ClientMessage::Announce(body.decode()?),
            tag::HAVE => ClientMessage::Have(body.decode()?),
            tag::LEAVE => {
                let Leave { info_hash } = body.decode()?;
                ClientMessage::Leave { info_hash }
            }
            tag::OPEN => ClientMessage::Open(body.decode()?),
            tag::ACCEPT => {
                let Accept { channel, credit } = body.decode()?;
                ClientMessage::Accept { channel, credit }
            }
            tag::CREDIT => {
                let Credit { channel, bytes } = body.decode()?;
                ClientMessage::Credit { channel, bytes }
            }
            tag::CLOSE => {
                let Close { channel, reason } = body.decode()?;
                ClientMessage::Close { channel, reason }
            }
            tag::OFFER => ClientMessage::Offer(body.decode()?),
            tag::ANSWER => ClientMessage::Answer(body.decode()?),
            tag::PING => ClientMessage::Ping,
            unknown => return Err(malformed(&unknown_type(unknown))),
        })
    }
}

impl ServerMessage {
    /// The bytes of one binary WebSocket message.
    pub fn encode(self) -> Bytes {
        match self {
            ServerMessage::Welcome(welcome) => control(tag::WELCOME, &welcome),
            ServerMessage::Peers(peers) => control(tag::PEERS, &peers),
            ServerMessage::Incoming(incoming) => control(tag::INCOMING, &incoming),
            ServerMessage::Accepted {
                request,
                channel,
                credit,
            } => control(
                tag::ACCEPTED,
                &Accepted {
                    request,
                    channel,
                    credit,
                },
            ),
            ServerMessage::Refused { request, reason } => {
                control(tag::REFUSED, &Refused { request, reason })
            }
            ServerMessage::Credit { channel, bytes } => {
                control(tag::CREDIT, &Credit { channel, bytes })
            }
            ServerMessage::Close { channel, reason } => {
                control(tag::CLOSE, &Close { channel, reason })
            }
            ServerMessage::Error { info_hash, reason } => {
                control(tag::ERROR, &Problem { info_hash, reason })
            }
            ServerMessage::Data(frame) => frame.into_message(),
            ServerMessage::Offer(offer) => control(tag::OFFER, &offer),
            ServerMessage::Answer(answer) => control(tag::ANSWER, &answer),
            ServerMessage::Pong => control(tag::PONG, &Nothing {}),
        }
    }

    /// Reads what a hub sent.
    pub fn decode(message: Bytes) -> Result<Self, RelayError> {
        if message.first() == Some(&frame::DATA) {
            return data_frame(message).map(ServerMessage::Data);
        }
        let body = Body::read(&message, SERVER_LIMITS)?;
        let tag = body.tag()?;
        let told = body.0.keys().and_then(|keys| told::message(tag, keys));
        told.map_err(|error| malformed(&error.to_string()))
    }
}

/// What has no keys but `t`.
#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize, Deserialize)]
struct Leave {
    #[serde(with = "fields::info_hash")]
    info_hash: InfoHash,
}

#[derive(Serialize, Deserialize)]
struct Accept {
    channel: ChannelId,
    credit: u32,
}

#[derive(Serialize)]
struct Accepted {
    request: u32,
    channel: ChannelId,
    credit: u32,
}

#[derive(Serialize)]
struct Refused {
    request: u32,
    #[serde(with = "fields::reason")]
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Credit {
    channel: ChannelId,
    bytes: u32,
}

#[derive(Serialize, Deserialize)]
struct Close {
    channel: ChannelId,
    #[serde(with = "fields::reason")]
    reason: String,
}

#[derive(Serialize)]
struct Problem {
    #[serde(with = "fields::optional_info_hash")]
    info_hash: Option<InfoHash>,
    #[serde(with = "fields::reason")]
    reason: String,
}

/// The bytes of a control message: `body`'s keys, and `t`.
fn control(t: &'static str, body: &impl Serialize) -> Bytes {
    #[derive(Serialize)]
    struct Tagged<'a, T> {
        t: &'static str,
        #[serde(flatten)]
        body: &'a T,
    }
    bencode::encode(&Tagged { t, body }).into()
}

fn data_frame(message: Bytes) -> Result<DataFrame, RelayError> {
    check_length(&message)?;
    DataFrame::parse(message).ok_or_else(|| malformed("a data frame without bytes"))
}

fn check_length(message: &[u8]) -> Result<(), RelayError> {
    if message.len() > MAX_MESSAGE {
        return Err(RelayError::TooLong(message.len()));
    }
    Ok(())
}

/// A control message, walked once.
struct Body<'a>(bencode::Scanned<'a>);

impl<'a> Body<'a> {
    fn read(message: &'a [u8], limits: DecodeLimits) -> Result<Self, RelayError> {
        check_length(message)?;
        if message.first() != Some(&b'd') {
            return Err(malformed("neither a dictionary nor a data frame"));
        }
        bencode::scan(message, b"t", limits)
            .map(Body)
            .map_err(|error| malformed(&error.to_string()))
    }

    fn tag(&self) -> Result<&'a str, RelayError> {
        let tag = self.0.string().and_then(|t| std::str::from_utf8(t).ok());
        tag.ok_or_else(|| malformed("no type of message under the key t"))
    }

    fn decode<T: DeserializeOwned>(&self) -> Result<T, RelayError> {
        self.0
            .decode()
            .map_err(|error| malformed(&error.to_string()))
    }
}

/// Of a message whose type is none that there is.
pub(super) fn unknown_type(t: &str) -> String {
    format!("a message of the unknown type “{t}”")
}

/// The remote may have chosen some of the words: not too many of them.
fn malformed(why: &str) -> RelayError {
    RelayError::Malformed(why[..why.floor_char_boundary(MAX_REASON)].to_owned())
}

#[cfg(test)]
mod tests;
