//! Links: magnet links (BEP 9, 53), share links of a Tabswarm page, bare info-hashes.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::web_seed::{self, ESCAPED};
use super::{Metainfo, Selection, TrackerAddress, path, trackers};
use crate::id::InfoHash;
use crate::wire::relay::ENDPOINT;

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TorrentLink {
    /// The torrent.
    pub info_hash: InfoHash,
    /// What to call it until its metadata is here (`dn`).
    pub name: Option<String>,
    /// Trackers (`tr`), in order.
    pub trackers: Vec<String>,
    /// Web seeds (`ws`, BEP 19), in order.
    pub web_seeds: Vec<String>,
    /// The files that are asked for (`so`, BEP 53); none asks for all.
    pub files: Option<Selection>,
    /// The page that a share link opens, with its scheme and path, without the fragment:
    /// `https://host/`. Its server is the tracker.
    pub page: Option<String>,
}

/// Why a text is not a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TorrentLinkError {
    /// It is none of the three.
    #[error("not a share link, a magnet link or an info-hash")]
    NotALink,
    /// A magnet link without a BitTorrent v1 info-hash.
    #[error("the link names no BitTorrent torrent (no xt=urn:btih:…)")]
    NoInfoHash,
    /// The info-hash in it is not one.
    #[error("the link's info-hash is wrong: {0}")]
    InfoHash(#[from] crate::id::InvalidInfoHash),
    /// It is longer than any link should be.
    #[error("the link is too long")]
    TooLong,
}

const MAGNET: &str = "magnet:?";
/// The topic that names a BitTorrent v1 torrent.
const BTIH: &str = "urn:btih:";

impl TorrentLink {
    /// The longest link that is read, in bytes.
    pub const MAX_LENGTH: usize = 32 << 10;
    /// The longest [`TorrentLink::name`] that is read, in characters.
    pub const MAX_NAME: usize = 255;
    /// The most trackers in a share link: twice as many as a page connects to. People send it
    /// by hand, and some programs cut what is longer than a few thousand characters.
    pub const MAX_SHARED: usize = 8;
    /// The most web seeds in a share link.
    pub const MAX_SHARED_SEEDS: usize = 4;

    /// `magnet:?xt=urn:btih:…&dn=…&tr=…&ws=…`
    pub fn to_magnet(&self) -> String {
        self.with(&self.trackers.iter().collect::<Vec<_>>(), &self.web_seeds)
    }

    /// `PAGE#magnet:?xt=urn:btih:…&dn=…&tr=…&ws=…`: opens the torrent in the page at `page`, whose own
    /// server is a tracker without being named. Of the others as many as fit
    /// ([`TorrentLink::MAX_SHARED`]), those first that a page can speak with.
    pub fn to_share_link(&self, page: &str) -> String {
        let page = page.split('#').next().unwrap_or_default();
        let mut trackers: Vec<&String> = self.trackers.iter().collect();
        trackers.sort_by_key(|tracker| TrackerAddress::parse(tracker).is_err());
        trackers.truncate(Self::MAX_SHARED);
        let seeds = self.web_seeds.len().min(Self::MAX_SHARED_SEEDS);
        format!("{page}#{}", self.with(&trackers, &self.web_seeds[..seeds]))
    }

    fn with(&self, trackers: &[&String], web_seeds: &[String]) -> String {
        let mut magnet = self.to_short_magnet();
        let trackers = trackers.iter().map(|tracker| ("tr", *tracker));
        let web_seeds = web_seeds.iter().map(|seed| ("ws", seed));
        for (key, address) in trackers.chain(web_seeds) {
            let address = utf8_percent_encode(address, ESCAPED);
            write!(magnet, "&{key}={address}").expect("strings take everything");
        }
        magnet
    }

    fn to_short_magnet(&self) -> String {
        let mut magnet = format!("{MAGNET}xt={BTIH}{}", self.info_hash);
        if let Some(name) = &self.name {
            let name = utf8_percent_encode(name, ESCAPED);
            write!(magnet, "&dn={name}").expect("strings take everything");
        }
        if let Some(files) = &self.files {
            write!(magnet, "&so={files}").expect("strings take everything");
        }
        magnet
    }

    /// The WebSocket address of the tracker of [`TorrentLink::page`], which is beside the page:
    /// `ws://host/swarm`, and for `https://host/files/` it is `wss://host/files/swarm`.
    pub fn page_tracker(&self) -> Option<String> {
        let (secure, authority, rest) = split_page(self.page.as_deref()?)?;
        let scheme = if secure { "wss" } else { "ws" };
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let folder = path.rfind('/').map_or("", |slash| &path[..slash]);
        Some(format!("{scheme}://{authority}{folder}{ENDPOINT}"))
    }
}

impl From<&Metainfo> for TorrentLink {
    /// A link to this torrent, with its trackers and web seeds.
    fn from(metainfo: &Metainfo) -> Self {
        TorrentLink {
            info_hash: metainfo.info_hash(),
            name: Some(metainfo.name().to_owned()),
            trackers: metainfo.trackers().to_vec(),
            web_seeds: metainfo.web_seeds().to_vec(),
            files: None,
            page: None,
        }
    }
}

impl std::str::FromStr for TorrentLink {
    type Err = TorrentLinkError;

    fn from_str(text: &str) -> Result<Self, TorrentLinkError> {
        let text = text.trim();
        if text.len() > Self::MAX_LENGTH {
            return Err(TorrentLinkError::TooLong);
        }
        if let Some((page, fragment)) = text.split_once('#')
            && let Some(page) = clean_page(page)
        {
            // Some programs escape the whole fragment when they pass a link on.
            let fragment = match strip_prefix_ignoring_case(fragment, MAGNET) {
                None => percent_decode_str(fragment).decode_utf8_lossy(),
                Some(_) => Cow::Borrowed(fragment),
            };
            let mut link = magnet_or_hash(&fragment)?;
            link.page = Some(page);
            return Ok(link);
        }
        magnet_or_hash(text)
    }
}

fn magnet_or_hash(text: &str) -> Result<TorrentLink, TorrentLinkError> {
    match strip_prefix_ignoring_case(text, MAGNET) {
        Some(query) => magnet(query),
        None => Ok(TorrentLink {
            info_hash: text.parse().map_err(|_| TorrentLinkError::NotALink)?,
            name: None,
            trackers: Vec::new(),
            web_seeds: Vec::new(),
            files: None,
            page: None,
        }),
    }
}

fn magnet(query: &str) -> Result<TorrentLink, TorrentLinkError> {
    let mut info_hash = None;
    let mut name = None;
    let mut files = None;
    let mut addresses = Vec::new();
    let mut web_seeds = Vec::new();
    for pair in query.split('&') {
        // Links copied out of HTML carry `&amp;`.
        let pair = pair.strip_prefix("amp;").unwrap_or(pair);
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = || percent_decode_str(value).decode_utf8_lossy();
        // `xt.1`, `tr.2`: several of a kind, numbered.
        let kind = key.split('.').next().unwrap_or_default();
        match kind.to_ascii_lowercase().as_str() {
            "xt" if info_hash.is_none() => {
                let topic = value();
                let hash = strip_prefix_ignoring_case(&topic, BTIH);
                info_hash = hash.map(str::parse::<InfoHash>);
            }
            "dn" if name.is_none() => name = clean_name(pair),
            "so" if files.is_none() => files = value().parse().ok(),
            "tr" => addresses.push(value().into_owned()),
            "ws" => web_seeds.push(value().into_owned()),
            _ => {}
        }
    }
    Ok(TorrentLink {
        info_hash: info_hash.ok_or(TorrentLinkError::NoInfoHash)??,
        name,
        trackers: trackers::clean(addresses),
        web_seeds: web_seed::clean(web_seeds),
        files,
        page: None,
    })
}

/// The name in `dn=…`, for people to read. Many programs write `+` for a space there.
fn clean_name(pair: &str) -> Option<String> {
    let (_, value) = pair.split_once('=')?;
    let value = value.replace('+', " ");
    let name = percent_decode_str(&value).decode_utf8_lossy();
    let name: String = name
        .chars()
        .filter(|c| !c.is_control() && !path::is_deceptive(*c))
        .take(TorrentLink::MAX_NAME)
        .collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// A page's address, with the path that browsers add when there is none.
fn clean_page(page: &str) -> Option<String> {
    let (secure, authority, rest) = split_page(page)?;
    let scheme = if secure { "https" } else { "http" };
    let slash = if rest.starts_with('/') { "" } else { "/" };
    Some(format!("{scheme}://{authority}{slash}{rest}"))
}

/// Whether it is HTTPS, the host with its port, and what follows.
fn split_page(page: &str) -> Option<(bool, &str, &str)> {
    let (secure, rest) = match strip_prefix_ignoring_case(page, "https://") {
        Some(rest) => (true, rest),
        None => (false, strip_prefix_ignoring_case(page, "http://")?),
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let odd = |c: char| c.is_whitespace() || c.is_control() || path::is_deceptive(c);
    (is_authority(authority) && !rest.contains(odd)).then_some((secure, authority, rest))
}

/// A host and perhaps a port. Not `user@host`: it makes one host look like another.
fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_host = match host.strip_prefix('[').and_then(|v6| v6.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-._".contains(c))
        }
    };
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    is_host && port.is_none_or(is_port)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests;
