//! Links: magnet links (BEP 9), share links of a Tabswarm page, bare info-hashes.

use crate::id::InfoHash;

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The torrent.
    pub info_hash: InfoHash,
    /// What to call it until its metadata is here (`dn`).
    pub name: Option<String>,
    /// Trackers (`tr`), in order.
    pub trackers: Vec<String>,
    /// The page that a share link opens, with its scheme and path, without the fragment:
    /// `https://host/`. Its server is the tracker.
    pub page: Option<String>,
}

/// Why a text is not a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
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

impl std::str::FromStr for Link {
    type Err = LinkError;
    fn from_str(text: &str) -> Result<Self, LinkError> {
        let _ = text;
        todo!()
    }
}

impl Link {
    /// `magnet:?xt=urn:btih:…&dn=…&tr=…`
    pub fn to_magnet(&self) -> String {
        todo!()
    }
    /// `PAGE#magnet:?xt=urn:btih:…&dn=…`: opens the torrent in the page at `page`.
    pub fn to_share_link(&self, page: &str) -> String {
        let _ = page;
        todo!()
    }
    /// The WebSocket address of the tracker of [`Link::page`]: `ws://host/swarm`.
    pub fn page_tracker(&self) -> Option<String> {
        todo!()
    }
}
