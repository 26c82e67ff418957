//! Where the tracker is.

use std::fmt;
use std::str::FromStr;

use swarm_core::metainfo::{Metainfo, TorrentLink};
use swarm_core::wire::relay::ENDPOINT;
use url::Url;

/// The tracker when nobody names one: that of `cargo xtask serve` on this machine.
pub const DEFAULT: &str = "ws://127.0.0.1:8080/swarm";

/// The environment variable that replaces [`DEFAULT`].
pub const ENVIRONMENT: &str = "TABSWARM_TRACKER";

/// The WebSocket address of a tracker: `ws://` or `wss://`, with a host and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerAddress(Url);

/// Why a text is no tracker address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} is not a tracker address (such as {DEFAULT}): {reason}")]
pub struct AddressError {
    text: String,
    reason: String,
}

impl FromStr for TrackerAddress {
    type Err = AddressError;

    /// Without a path, [`ENDPOINT`] is meant. The address of the tracker's page
    /// (`http://` or `https://`, a folder) does as well: the tracker is beside it.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |reason: &str| AddressError {
            text: crate::text::plain(text),
            reason: reason.to_owned(),
        };
        let text = text.trim();
        let is_page = text.starts_with("http");
        let text = match text.split_once("://") {
            Some(("http", rest)) => format!("ws://{rest}"),
            Some(("https", rest)) => format!("wss://{rest}"),
            _ => text.to_owned(),
        };
        let mut url = Url::parse(&text).map_err(|e| error(&e.to_string()))?;
        if !matches!(url.scheme(), "ws" | "wss") {
            return Err(error("it must begin with ws:// or wss://"));
        }
        url.set_fragment(None);
        if url.path() == "/" {
            url.set_path(ENDPOINT);
        } else if is_page && let Some(folder) = url.path().strip_suffix('/') {
            url.set_path(&format!("{folder}{ENDPOINT}"));
        }
        Ok(TrackerAddress(url))
    }
}

impl TrackerAddress {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, an IPv6 address in brackets.
    pub(crate) fn host(&self) -> Option<&str> {
        self.0.host_str()
    }

    /// The tracker that the environment names; if it names none, [`DEFAULT`] where there is
    /// to be one.
    pub fn from_environment(or_default: bool) -> Result<Option<Self>, AddressError> {
        match std::env::var(ENVIRONMENT) {
            Ok(text) if !text.trim().is_empty() => text.parse().map(Some),
            _ if or_default => DEFAULT.parse().map(Some),
            _ => Ok(None),
        }
    }

    /// Where the tracker serves its page, if the address looks like one of a Tabswarm server.
    fn page(&self) -> Option<String> {
        let mut page = self.0.clone();
        let folder = page.path().strip_suffix(ENDPOINT)?.to_owned() + "/";
        page.set_path(&folder);
        let (_, rest) = page.as_str().split_once("://")?;
        let scheme = if self.0.scheme() == "wss" {
            "https"
        } else {
            "http"
        };
        Some(format!("{scheme}://{rest}"))
    }

    /// What to give to others: a link that opens the torrent in the tracker's page, or,
    /// where that page can't be told from the address, a magnet link that names the tracker.
    pub fn share_link(&self, metainfo: &Metainfo) -> String {
        let mut link = link_to(metainfo);
        let leads_here = |text: &String| {
            let tracker = text
                .parse::<TorrentLink>()
                .ok()
                .and_then(|link| link.page_tracker());
            tracker.as_deref() == Some(self.as_str())
        };
        if let Some(text) = self
            .page()
            .map(|page| link.to_share_link(&page))
            .filter(leads_here)
        {
            return text;
        }
        link.trackers.push(self.as_str().to_owned());
        link.to_magnet()
    }
}

/// A link to a torrent that names no tracker.
pub(crate) fn link_to(metainfo: &Metainfo) -> TorrentLink {
    TorrentLink {
        info_hash: metainfo.info_hash(),
        name: Some(metainfo.name().to_owned()),
        trackers: Vec::new(),
        web_seeds: metainfo.web_seeds().to_vec(),
        files: None,
        page: None,
    }
}

/// A tracker of any kind that we can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tracker {
    /// A Tabswarm server, which is a relay as well.
    Relay(TrackerAddress),
    /// One that is asked by HTTP or UDP.
    Announce(Url),
}

impl Tracker {
    /// One that a person named: by HTTP the address of a folder is that of a Tabswarm server's
    /// page.
    pub fn typed(text: &str) -> Result<Self, AddressError> {
        match announce_url(text.trim()) {
            Some(url) if url.scheme() == "udp" || !url.path().ends_with('/') => {
                Ok(Tracker::Announce(url))
            }
            _ if is_of_a_kind(text) => text.parse().map(Tracker::Relay),
            _ => Err(AddressError::of_any_kind(text)),
        }
    }

    /// It is a relay as well.
    pub fn is_relay(&self) -> bool {
        matches!(self, Tracker::Relay(_))
    }
}

impl FromStr for Tracker {
    type Err = AddressError;

    /// One that a torrent or a link names.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match announce_url(text.trim()) {
            Some(url) => Ok(Tracker::Announce(url)),
            None => text.parse().map(Tracker::Relay),
        }
    }
}

/// It begins as the addresses of trackers do that a page can speak with, and a page's own.
fn is_of_a_kind(text: &str) -> bool {
    let scheme = text.split_once("://");
    let scheme = scheme.map(|(scheme, _)| scheme.trim().to_ascii_lowercase());
    scheme.is_some_and(|it| matches!(it.as_str(), "ws" | "wss" | "http" | "https"))
}

impl AddressError {
    /// No tracker's at all.
    pub(crate) fn of_any_kind(text: &str) -> Self {
        AddressError {
            text: crate::text::plain(text),
            reason:
                "it must begin with ws://, wss://, http://, https:// or udp://, and have a port \
                     after udp://"
                    .to_owned(),
        }
    }
}

/// The address of a tracker that is asked by HTTP or UDP.
fn announce_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let has_port = url.port_or_known_default().is_some_and(|port| port != 0);
    let kind = matches!(url.scheme(), "http" | "https" | "udp");
    (kind && url.has_host() && has_port).then_some(url)
}

impl fmt::Display for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tracker::Relay(address) => address.fmt(f),
            Tracker::Announce(url) => url.fmt(f),
        }
    }
}

/// Relays of a torrent, or those of them that share a link, in the order in which they are tried
/// (BEP 12). At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trackers(Vec<TrackerAddress>);

impl From<TrackerAddress> for Trackers {
    fn from(tracker: TrackerAddress) -> Self {
        Trackers(vec![tracker])
    }
}

impl Trackers {
    /// Those of a list that are relays, each once; none if there is none.
    pub fn relays(list: &[Tracker]) -> Option<Self> {
        let mut trackers: Vec<TrackerAddress> = Vec::new();
        for tracker in list {
            if let Tracker::Relay(tracker) = tracker
                && !trackers.contains(tracker)
            {
                trackers.push(tracker.clone());
            }
        }
        (!trackers.is_empty()).then_some(Trackers(trackers))
    }

    /// Divides them among at most `links` links: the first of each link are the first of the
    /// list, and what is left over is tried by turns.
    pub(crate) fn spread(self, links: usize) -> Vec<Self> {
        let mut spread: Vec<Self> = Vec::new();
        for (place, tracker) in self.0.into_iter().enumerate() {
            match spread.get_mut(place % links) {
                Some(link) => link.0.push(tracker),
                None => spread.push(tracker.into()),
            }
        }
        spread
    }

    /// They are these; at least one.
    pub fn as_slice(&self) -> &[TrackerAddress] {
        &self.0
    }
}

impl fmt::Display for TrackerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> String {
        text.parse::<TrackerAddress>().unwrap().to_string()
    }

    #[test]
    fn the_endpoint_is_meant_where_no_path_is_given() {
        assert_eq!(
            address("ws://example.org:9000"),
            "ws://example.org:9000/swarm"
        );
        assert_eq!(
            address("ws://example.org:9000/"),
            "ws://example.org:9000/swarm"
        );
        assert_eq!(address("wss://example.org/a/b"), "wss://example.org/a/b");
        assert_eq!(address("ws://[::1]:80"), "ws://[::1]/swarm");
    }

    #[test]
    fn the_address_of_the_page_is_understood() {
        assert_eq!(
            address("http://127.0.0.1:8080/"),
            "ws://127.0.0.1:8080/swarm"
        );
        assert_eq!(
            address("https://example.org/#magnet:?"),
            "wss://example.org/swarm"
        );
        assert_eq!(
            address("https://example.org/files/#magnet:?"),
            "wss://example.org/files/swarm"
        );
    }

    #[test]
    fn what_is_no_tracker_address_is_refused_in_words() {
        for text in [
            "",
            "example.org",
            "udp://example.org:80",
            "ws://",
            "ftp://x",
            "ws://ho st/",
            "\x1b",
        ] {
            let error = text.parse::<TrackerAddress>().unwrap_err().to_string();
            assert!(error.contains("is not a tracker address"), "{error}");
            assert!(!error.contains(char::is_control), "{error}");
        }
    }

    #[test]
    fn the_page_is_beside_the_endpoint() {
        let page = |text: &str| text.parse::<TrackerAddress>().unwrap().page();
        assert_eq!(
            page("ws://127.0.0.1:8080").as_deref(),
            Some("http://127.0.0.1:8080/")
        );
        assert_eq!(
            page("wss://example.org/files/swarm").as_deref(),
            Some("https://example.org/files/")
        );
        assert_eq!(page("wss://example.org/other"), None);
    }

    #[test]
    fn trackers_are_told_apart_by_their_addresses() {
        let typed = |text| Tracker::typed(text).unwrap();
        for page in ["http://host:8080", "https://host/files/", "ws://host"] {
            assert!(typed(page).is_relay(), "{page}");
        }
        for text in [
            "http://host:8080/announce",
            "https://h/x/announce.php?k=1",
            "udp://h:80",
        ] {
            assert!(!typed(text).is_relay(), "{text}");
            assert_eq!(typed(text).to_string(), text);
        }
        assert!(Tracker::typed("udp://host").is_err(), "no port");
        assert!(!"http://host:8080/".parse::<Tracker>().unwrap().is_relay());
    }

    #[test]
    fn relays_of_a_list_are_each_taken_once() {
        let list = ["wss://c/swarm", "ws://d", "wss://c/swarm"].map(|text| text.parse().unwrap());
        let trackers = Trackers::relays(&list).unwrap();
        let trackers: Vec<_> = trackers.as_slice().iter().map(|t| t.as_str()).collect();
        assert_eq!(trackers, ["wss://c/swarm", "ws://d/swarm"]);
        assert_eq!(Trackers::relays(&[]), None);
    }

    #[test]
    fn more_trackers_than_links_share_them() {
        let list: Vec<Tracker> = (0..5)
            .map(|n| format!("ws://h{n}").parse().unwrap())
            .collect();
        let spread = Trackers::relays(&list).unwrap().spread(2);
        let spread: Vec<Vec<_>> = spread
            .iter()
            .map(|link| link.as_slice().iter().map(|t| t.as_str()).collect())
            .collect();
        assert_eq!(
            spread,
            [
                vec!["ws://h0/swarm", "ws://h2/swarm", "ws://h4/swarm"],
                vec!["ws://h1/swarm", "ws://h3/swarm"]
            ]
        );
    }
}
