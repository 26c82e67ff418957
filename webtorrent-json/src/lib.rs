//! What WebTorrent's clients and trackers say to each other ([`swarm_core::wire::webtorrent`]),
//! to JSON and back. Bytes travel as characters: `U+0000` to `U+00FF`, one for each.
//!
//! It stands apart from the core so that the page, which has JavaScript's JSON, need not load
//! another one.
//!
//! A tracker reads with [`decode_client`] and writes with [`encode_server`], a client the other
//! two. Reading is total: any text gives a message within [`MessageLimits`] or a
//! [`WebTorrentError`], keys that nobody knows are passed over, and what is missing has the
//! meaning that it has to other trackers.
//!
//! ```
//! use swarm_core::id::{InfoHash, PeerId};
//! use swarm_core::wire::webtorrent::{ClientMessage, MessageLimits, ServerMessage};
//! use webtorrent_json::{decode_client, encode_server};
//!
//! // A client announces itself; its ids have a byte in each character.
//! let text = r#"{"action":"announce","info_hash":"\u00ff2345678901234567890",
//!     "peer_id":"-WW0102-abcdefghijkl","left":0,"event":"completed","numwant":5}"#;
//! let ClientMessage::Announce(announce) = decode_client(text, &MessageLimits::default())? else {
//!     panic!("an announce with neither offers nor an answer is an announce");
//! };
//! assert_eq!(announce.info_hash, InfoHash(*b"\xff2345678901234567890"));
//! assert_eq!(announce.peer_id, PeerId(*b"-WW0102-abcdefghijkl"));
//!
//! let text = encode_server(&ServerMessage::Announced {
//!     info_hash: announce.info_hash,
//!     interval: 120,
//!     complete: 1,
//!     incomplete: 3,
//! });
//! assert!(text.contains(r#""interval":120"#));
//! # Ok::<(), webtorrent_json::WebTorrentError>(())
//! ```

use std::borrow::Cow;

use serde::Deserialize;

use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::tracker::printable;
use swarm_core::wire::webtorrent::{
    Announce, Answer, ClientMessage, MessageLimits, Offer, OfferId, ServerMessage,
};

mod fields;
mod handed;
mod names;
#[cfg(test)]
mod tests;
mod write;

use fields::{Files, Swarms, Twenty, number};
use names::{ANNOUNCE, SCRAPE, event_of};
pub use write::{encode_client, encode_server};

/// Why a text is not a message of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebTorrentError {
    /// It is longer than [`MessageLimits::message`].
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// It is no JSON, or some of it has another type than it should have.
    #[error("not a message of WebTorrent's trackers: {0}")]
    Json(String),
    /// It does not say what it is, or is nothing that is known.
    #[error("a message without an action that is known")]
    Action,
    /// Something is missing that should be there.
    #[error("a message without {0}")]
    Missing(&'static str),
    /// A session description is longer than [`MessageLimits::sdp`].
    #[error("a session description of {0} bytes is too long")]
    LongSdp(usize),
}

/// Any message of either side. Keys that we don't know are ignored, and `null` is as good as
/// nothing.
#[derive(Deserialize)]
struct Any<'a> {
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    #[serde(default)]
    info_hash: Swarms,
    peer_id: Option<Twenty>,
    to_peer_id: Option<Twenty>,
    offer_id: Option<Twenty>,
    #[serde(default, deserialize_with = "number")]
    uploaded: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    downloaded: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    left: Option<u64>,
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "number")]
    numwant: Option<u64>,
    #[serde(borrow)]
    offers: Option<Vec<AnyOffer<'a>>>,
    #[serde(borrow)]
    offer: Option<Description<'a>>,
    #[serde(borrow)]
    answer: Option<Description<'a>>,
    #[serde(default, deserialize_with = "number")]
    interval: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    complete: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    incomplete: Option<u64>,
    files: Option<Files>,
    #[serde(borrow, rename = "failure reason")]
    failure: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct AnyOffer<'a> {
    offer_id: Twenty,
    #[serde(borrow)]
    offer: Description<'a>,
}

/// Its type is known by where it stands.
#[derive(Deserialize)]
struct Description<'a> {
    #[serde(borrow)]
    sdp: Cow<'a, str>,
}

/// Reads what a client sent.
pub fn decode_client(text: &str, limits: &MessageLimits) -> Result<ClientMessage, WebTorrentError> {
    let any = Any::read(text, limits)?;
    match any.action.as_deref() {
        Some(SCRAPE) => {
            let mut swarms = any.info_hash.0;
            swarms.truncate(limits.scrape);
            Ok(ClientMessage::Scrape { swarms })
        }
        Some(ANNOUNCE) if any.answer.is_some() => any.answer(limits).map(ClientMessage::Answer),
        Some(ANNOUNCE) => any.announce(limits).map(ClientMessage::Announce),
        _ => Err(WebTorrentError::Action),
    }
}
/// Reads what a tracker sent.
pub fn decode_server(text: &str, limits: &MessageLimits) -> Result<ServerMessage, WebTorrentError> {
    let mut any = Any::read(text, limits)?;
    if let Some(reason) = any.failure.take() {
        let info_hash = any.swarm()?;
        let reason = printable(reason.as_bytes());
        return Ok(ServerMessage::Failure { info_hash, reason });
    }
    if any.action.as_deref() == Some(SCRAPE) {
        let files = any.files.ok_or(WebTorrentError::Missing("files"))?;
        let files = files.0.into_iter().take(limits.scrape);
        return Ok(ServerMessage::Scraped(files.collect()));
    }
    if any.action.as_deref() != Some(ANNOUNCE) {
        return Err(WebTorrentError::Action);
    }
    let info_hash = any.swarm()?;
    if any.offer.is_none() && any.answer.is_none() {
        let clamped = |count: Option<u64>| count.map(|it| u32::try_from(it).unwrap_or(u32::MAX));
        return Ok(ServerMessage::Announced {
            info_hash,
            interval: clamped(any.interval).ok_or(WebTorrentError::Missing("interval"))?,
            complete: clamped(any.complete).unwrap_or_default(),
            incomplete: clamped(any.incomplete).unwrap_or_default(),
        });
    }
    let (peer_id, id) = (any.peer()?, any.offer_id()?);
    if let Some(offer) = any.offer {
        let sdp = offer.check(limits)?;
        let offer = Offer { id, sdp };
        return Ok(ServerMessage::Offer {
            info_hash,
            peer_id,
            offer,
        });
    }
    let answer = any.answer.expect("it was looked at above");
    Ok(ServerMessage::Answer {
        info_hash,
        peer_id,
        id,
        sdp: answer.check(limits)?,
    })
}
impl<'a> Any<'a> {
    fn read(text: &'a str, limits: &MessageLimits) -> Result<Self, WebTorrentError> {
        if text.len() > limits.message {
            return Err(WebTorrentError::TooLong(text.len()));
        }
        // What it says was made of what a stranger sent; and it is for a person to read.
        let words = |error: serde_json::Error| printable(error.to_string().as_bytes());
        serde_json::from_str(text).map_err(|error| WebTorrentError::Json(words(error)))
    }

    fn swarm(&self) -> Result<InfoHash, WebTorrentError> {
        let first = self.info_hash.0.first().copied();
        first.ok_or(WebTorrentError::Missing("info_hash"))
    }

    fn peer(&self) -> Result<PeerId, WebTorrentError> {
        let id = self.peer_id.ok_or(WebTorrentError::Missing("peer_id"))?;
        Ok(PeerId(id.0))
    }

    fn offer_id(&self) -> Result<OfferId, WebTorrentError> {
        let id = self.offer_id.ok_or(WebTorrentError::Missing("offer_id"))?;
        Ok(OfferId(id.0))
    }

    fn announce(self, limits: &MessageLimits) -> Result<Announce, WebTorrentError> {
        let (info_hash, peer_id) = (self.swarm()?, self.peer()?);
        let offers = self.offers.unwrap_or_default().into_iter();
        let offer = |offer: AnyOffer<'_>| {
            Ok(Offer {
                id: OfferId(offer.offer_id.0),
                sdp: offer.offer.check(limits)?,
            })
        };
        Ok(Announce {
            info_hash,
            peer_id,
            uploaded: self.uploaded.unwrap_or_default(),
            downloaded: self.downloaded.unwrap_or_default(),
            left: self.left,
            event: event_of(self.event.as_deref()),
            numwant: self.numwant.map(|it| u32::try_from(it).unwrap_or(u32::MAX)),
            offers: offers
                .take(limits.offers)
                .map(offer)
                .collect::<Result<_, _>>()?,
        })
    }

    fn answer(self, limits: &MessageLimits) -> Result<Answer, WebTorrentError> {
        let to = self
            .to_peer_id
            .ok_or(WebTorrentError::Missing("to_peer_id"))?;
        Ok(Answer {
            info_hash: self.swarm()?,
            peer_id: self.peer()?,
            to: PeerId(to.0),
            id: self.offer_id()?,
            sdp: self
                .answer
                .ok_or(WebTorrentError::Missing("answer"))?
                .check(limits)?,
        })
    }
}

impl Description<'_> {
    fn check(self, limits: &MessageLimits) -> Result<String, WebTorrentError> {
        match self.sdp.len() {
            length if length > limits.sdp => Err(WebTorrentError::LongSdp(length)),
            _ => Ok(self.sdp.into_owned()),
        }
    }
}
