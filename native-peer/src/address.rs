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

    /// The tracker that the environment names, or else [`DEFAULT`].
    pub fn from_environment() -> Result<Self, AddressError> {
        match std::env::var(ENVIRONMENT) {
            Ok(text) if !text.trim().is_empty() => text.parse(),
            _ => DEFAULT.parse(),
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
        let mut link = TorrentLink {
            info_hash: metainfo.info_hash(),
            name: Some(metainfo.name().to_owned()),
            trackers: Vec::new(),
            files: None,
            page: None,
        };
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

/// Trackers of one torrent, in the order in which they are tried (BEP 12). At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trackers(Vec<TrackerAddress>);

impl From<TrackerAddress> for Trackers {
    fn from(tracker: TrackerAddress) -> Self {
        Trackers(vec![tracker])
    }
}

impl Trackers {
    /// Those of a list that speak WebSocket, each once; the others can't be reached. None if
    /// there is none.
    pub fn among<'a>(list: impl IntoIterator<Item = &'a String>) -> Option<Self> {
        let mut trackers: Vec<TrackerAddress> = Vec::new();
        for text in list.into_iter().filter(|text| text.starts_with("ws")) {
            if let Ok(tracker) = text.parse()
                && !trackers.contains(&tracker)
            {
                trackers.push(tracker);
            }
        }
        (!trackers.is_empty()).then_some(Trackers(trackers))
    }

    /// They are these; at least one.
    pub fn as_slice(&self) -> &[TrackerAddress] {
        &self.0
    }

    /// This tracker is one of them.
    pub fn contains(&self, tracker: &TrackerAddress) -> bool {
        self.0.contains(tracker)
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
    fn only_websocket_trackers_are_taken_from_lists() {
        let list = ["udp://a:1", "http://b/announce", "wss://c/swarm", "ws://d"].map(str::to_owned);
        let trackers = Trackers::among(list.iter().chain(&list)).unwrap();
        let trackers: Vec<_> = trackers.as_slice().iter().map(|t| t.as_str()).collect();
        assert_eq!(trackers, ["wss://c/swarm", "ws://d/swarm"]);
        assert_eq!(Trackers::among(&list[..2]), None);
    }
}
