//! What is asked: the part of a URL behind the question mark.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::super::{Announce, Event, MAX_BYTES, MAX_SCRAPE};
use crate::id::{InfoHash, PeerId};

/// An announce as it stands in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceQuery {
    /// What is announced.
    pub announce: Announce,
    /// The answer may have its peers in one string (BEP 23), as everybody wants it today.
    pub compact: bool,
    /// Peer ids need not be in an answer that is not compact.
    pub no_peer_id: bool,
    /// What an earlier answer said to send along ([`super::Announced::tracker_id`]).
    pub tracker_id: Option<Vec<u8>>,
}

/// Why a query is no announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A parameter that has to be there is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A parameter has no value that it may have.
    #[error("{0} is not valid")]
    Invalid(&'static str),
    /// It is longer than 8 KiB: a scrape of as many swarms as one may name, every byte escaped.
    #[error("the query is too long")]
    TooLong,
}

/// The longest query that is read, in bytes.
const MAX_QUERY: usize = 8 << 10;

/// The longest [`AnnounceQuery::tracker_id`] that is read, in bytes.
pub(super) const MAX_TRACKER_ID: usize = 128;

/// What needs no escape (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl AnnounceQuery {
    /// Asks for a compact answer.
    pub fn new(announce: Announce) -> Self {
        AnnounceQuery {
            announce,
            compact: true,
            no_peer_id: true,
            tracker_id: None,
        }
    }

    /// The query, without a question mark.
    pub fn to_query(&self) -> String {
        let Announce {
            info_hash,
            peer_id,
            port,
            uploaded,
            downloaded,
            left,
            event,
            numwant,
            key,
        } = &self.announce;
        let mut query = format!(
            "info_hash={}&peer_id={}&port={port}&uploaded={uploaded}&downloaded={downloaded}",
            percent_encode(&info_hash.0, ESCAPED),
            percent_encode(&peer_id.0, ESCAPED),
        );
        let mut add = |name: &str, value: &dyn std::fmt::Display| {
            write!(query, "&{name}={value}").expect("a string takes what is written");
        };
        if let Some(left) = left {
            add("left", left);
        }
        add("compact", &u8::from(self.compact));
        if self.no_peer_id {
            add("no_peer_id", &1);
        }
        if let Some(event) = event_name(*event) {
            add("event", &event);
        }
        if let Some(numwant) = numwant {
            add("numwant", numwant);
        }
        if let Some(key) = key {
            add("key", &format_args!("{key:08X}"));
        }
        if let Some(tracker_id) = &self.tracker_id {
            add("trackerid", &percent_encode(tracker_id, ESCAPED));
        }
        query
    }

    /// Reads a query. Of a parameter that comes twice the first counts; what is not needed and
    /// not understood is as good as missing.
    pub fn from_query(query: &str) -> Result<Self, QueryError> {
        let value = |name| value(query, name);
        if query.len() > MAX_QUERY {
            return Err(QueryError::TooLong);
        }
        let number =
            |name| value(name).and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok());
        let bytes = |name| number(name).filter(|count: &u64| *count <= MAX_BYTES);
        let event = value("event").unwrap_or_default();
        let events = [
            Event::Started,
            Event::Completed,
            Event::Stopped,
            Event::Paused,
        ];
        let mut named = events.into_iter();
        let event = named.find(|it| event_name(*it).is_some_and(|name| name.as_bytes() == &*event));
        let announce = Announce {
            info_hash: InfoHash(twenty(query, "info_hash")?),
            peer_id: PeerId(twenty(query, "peer_id")?),
            port: match value("port") {
                Some(_) => number("port")
                    .and_then(|port: u64| u16::try_from(port).ok())
                    .ok_or(QueryError::Invalid("port"))?,
                None => return Err(QueryError::Missing("port")),
            },
            uploaded: bytes("uploaded").unwrap_or_default(),
            downloaded: bytes("downloaded").unwrap_or_default(),
            left: bytes("left"),
            event: event.unwrap_or_default(),
            numwant: number("numwant").and_then(|count: u64| u32::try_from(count).ok()),
            key: value("key")
                .and_then(|key| u32::from_str_radix(std::str::from_utf8(&key).ok()?, 16).ok()),
        };
        let tracker_id = value("trackerid").filter(|id| id.len() <= MAX_TRACKER_ID);
        Ok(AnnounceQuery {
            announce,
            compact: value("compact").as_deref() != Some(b"0"),
            no_peer_id: value("no_peer_id").as_deref() == Some(b"1"),
            tracker_id: tracker_id.map(Cow::into_owned),
        })
    }
}

/// The query of a scrape, without a question mark. Of more than [`MAX_SCRAPE`] swarms the first.
pub fn scrape_query(swarms: &[InfoHash]) -> String {
    let mut query = String::new();
    for info_hash in swarms.iter().take(MAX_SCRAPE) {
        let separator = if query.is_empty() { "" } else { "&" };
        let escaped = percent_encode(&info_hash.0, ESCAPED);
        write!(query, "{separator}info_hash={escaped}").expect("a string takes what is written");
    }
    query
}

/// Reads the query of a scrape; of more than [`MAX_SCRAPE`] swarms the first. None at all asks
/// for all that the tracker has, which it need not tell.
pub fn scraped_swarms(query: &str) -> Result<Vec<InfoHash>, QueryError> {
    if query.len() > MAX_QUERY {
        return Err(QueryError::TooLong);
    }
    let swarms = pairs(query).filter(|(name, _)| *name == "info_hash");
    let read = |(_, value)| {
        let bytes = decoded(value).as_ref().try_into();
        bytes
            .map(InfoHash)
            .map_err(|_| QueryError::Invalid("info_hash"))
    };
    swarms.take(MAX_SCRAPE).map(read).collect()
}

/// Where a tracker is scraped that is announced to at `url`, by the convention of BEP 48: the
/// last part of the path begins with `announce`, else it can't be.
pub fn scrape_url(url: &str) -> Option<String> {
    let path = url.find(['?', '#']).unwrap_or(url.len());
    let last = url[..path].rfind('/')? + 1;
    let rest = url[last..].strip_prefix("announce")?;
    Some(format!("{}scrape{rest}", &url[..last]))
}

fn event_name(event: Event) -> Option<&'static str> {
    match event {
        Event::Update => None,
        Event::Started => Some("started"),
        Event::Completed => Some("completed"),
        Event::Stopped => Some("stopped"),
        Event::Paused => Some("paused"),
    }
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter_map(|pair| pair.split_once('='))
}

fn value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, [u8]>> {
    let found = pairs(query).find(|(it, _)| *it == name);
    found.map(|(_, value)| decoded(value))
}

/// A plus sign is one: clients escape bytes, and write no forms.
fn decoded(value: &str) -> Cow<'_, [u8]> {
    percent_decode_str(value).into()
}

fn twenty(query: &str, name: &'static str) -> Result<[u8; 20], QueryError> {
    let value = value(query, name).ok_or(QueryError::Missing(name))?;
    let bytes = value.as_ref().try_into();
    bytes.map_err(|_| QueryError::Invalid(name))
}
