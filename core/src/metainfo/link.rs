//! Links: magnet links (BEP 9), share links of a Tabswarm page, bare info-hashes.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Metainfo, path, trackers};
use crate::id::InfoHash;
use crate::wire::relay::ENDPOINT;

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

/// What needs no escape in a query (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const MAGNET: &str = "magnet:?";
/// The topic that names a BitTorrent v1 torrent.
const BTIH: &str = "urn:btih:";

impl Link {
    /// The longest link that is read, in bytes.
    pub const MAX_LENGTH: usize = 32 << 10;
    /// The longest [`Link::name`] that is read, in characters.
    pub const MAX_NAME: usize = 255;

    /// `magnet:?xt=urn:btih:…&dn=…&tr=…`
    pub fn to_magnet(&self) -> String {
        let mut magnet = self.to_short_magnet();
        for tracker in &self.trackers {
            let tracker = utf8_percent_encode(tracker, ESCAPED);
            write!(magnet, "&tr={tracker}").expect("strings take everything");
        }
        magnet
    }

    /// `PAGE#magnet:?xt=urn:btih:…&dn=…`: opens the torrent in the page at `page`. Without
    /// trackers: the page's own server is one.
    pub fn to_share_link(&self, page: &str) -> String {
        let page = page.split('#').next().unwrap_or_default();
        format!("{page}#{}", self.to_short_magnet())
    }

    fn to_short_magnet(&self) -> String {
        let mut magnet = format!("{MAGNET}xt={BTIH}{}", self.info_hash);
        if let Some(name) = &self.name {
            let name = utf8_percent_encode(name, ESCAPED);
            write!(magnet, "&dn={name}").expect("strings take everything");
        }
        magnet
    }

    /// The WebSocket address of the tracker of [`Link::page`]: `ws://host/swarm`.
    pub fn page_tracker(&self) -> Option<String> {
        let (secure, authority, _) = split_page(self.page.as_deref()?)?;
        let scheme = if secure { "wss" } else { "ws" };
        Some(format!("{scheme}://{authority}{ENDPOINT}"))
    }
}

impl From<&Metainfo> for Link {
    /// A link to this torrent, with its trackers.
    fn from(metainfo: &Metainfo) -> Self {
        Link {
            info_hash: metainfo.info_hash(),
            name: Some(metainfo.name().to_owned()),
            trackers: metainfo.trackers().to_vec(),
            page: None,
        }
    }
}

impl std::str::FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > Self::MAX_LENGTH {
            return Err(LinkError::TooLong);
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

fn magnet_or_hash(text: &str) -> Result<Link, LinkError> {
    match strip_prefix_ignoring_case(text, MAGNET) {
        Some(query) => magnet(query),
        None => Ok(Link {
            info_hash: text.parse().map_err(|_| LinkError::NotALink)?,
            name: None,
            trackers: Vec::new(),
            page: None,
        }),
    }
}

fn magnet(query: &str) -> Result<Link, LinkError> {
    let mut info_hash = None;
    let mut name = None;
    let mut addresses = Vec::new();
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
            "tr" => addresses.push(value().into_owned()),
            _ => {}
        }
    }
    Ok(Link {
        info_hash: info_hash.ok_or(LinkError::NoInfoHash)??,
        name,
        trackers: trackers::clean(addresses),
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
        .take(Link::MAX_NAME)
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
mod tests {
    use super::*;

    const HEX: &str = "2c6b6858d61da9543d4231a71db4b1c9264b0685";

    fn parse(text: &str) -> Result<Link, LinkError> {
        text.parse()
    }

    fn link(name: Option<&str>, trackers: &[&str], page: Option<&str>) -> Link {
        Link {
            info_hash: HEX.parse().unwrap(),
            name: name.map(str::to_owned),
            trackers: trackers.iter().map(|t| (*t).to_owned()).collect(),
            page: page.map(str::to_owned),
        }
    }

    #[test]
    fn an_info_hash_is_a_link() {
        assert_eq!(parse(HEX), Ok(link(None, &[], None)));
        assert_eq!(
            parse(" FRVWQWGWDWUVIPKCGGTR3NFRZETEWBUF\n"),
            Ok(link(None, &[], None))
        );
    }

    #[test]
    fn magnet_links_are_read() {
        let full = link(
            Some("Größe & more+.txt"),
            &["wss://t.example/x?y=1&z", "udp://t.example:80"],
            None,
        );
        assert_eq!(
            parse(&format!(
                "magnet:?dn=Gr%C3%B6%C3%9Fe+%26+more%2B.txt&xl=12&tr=wss%3A%2F%2Ft.example%2Fx\
                 %3Fy%3D1%26z&XT=urn:btih:{HEX}&tr.1=udp://t.example:80&ws=http://w.example/"
            )),
            Ok(full)
        );
        assert_eq!(
            parse(&format!("MAGNET:?xt=urn%3ABTIH%3A{HEX}&amp;dn=a")),
            Ok(link(Some("a"), &[], None))
        );
        // A hybrid torrent has two topics.
        let v2 = format!("1220{}", "ab".repeat(32));
        assert_eq!(
            parse(&format!(
                "magnet:?xt=urn:btmh:{v2}&xt=urn:btih:{HEX}&dn=&tr=&tr=a%20b"
            )),
            Ok(link(None, &[], None))
        );
        assert_eq!(
            parse(&format!("magnet:?xt=urn:btmh:{v2}")),
            Err(LinkError::NoInfoHash)
        );
    }

    #[test]
    fn names_from_links_are_fit_to_be_shown() {
        let name = |dn: &str| parse(&format!("magnet:?xt=urn:btih:{HEX}&dn={dn}")).map(|l| l.name);
        assert_eq!(name("a%E2%80%AEb%0A%00c"), Ok(Some("abc".into())));
        assert_eq!(name("%FF"), Ok(Some("\u{fffd}".into())));
        assert_eq!(name("%20%0d"), Ok(None));
        assert_eq!(name(&"x".repeat(300)), Ok(Some("x".repeat(255))));
    }

    #[test]
    fn share_links_are_read() {
        for (text, page, tracker) in [
            (
                "http://127.0.0.1:8080/#magnet:?xt=urn:btih:{}",
                "http://127.0.0.1:8080/",
                "ws://127.0.0.1:8080/swarm",
            ),
            (
                "HTTPS://swarm.example#magnet:?xt=urn:btih:{}",
                "https://swarm.example/",
                "wss://swarm.example/swarm",
            ),
            (
                "https://swarm.example/app/?lang=de#magnet%3A%3Fxt%3Durn%3Abtih%3A{}",
                "https://swarm.example/app/?lang=de",
                "wss://swarm.example/swarm",
            ),
            (
                "http://[::1]:1234/x#{}",
                "http://[::1]:1234/x",
                "ws://[::1]:1234/swarm",
            ),
            (
                "https://müller.example?a#{}",
                "https://müller.example/?a",
                "wss://müller.example/swarm",
            ),
        ] {
            let read = parse(&text.replace("{}", HEX)).unwrap();
            assert_eq!(read.page_tracker().as_deref(), Some(tracker));
            assert_eq!(read, link(None, &[], Some(page)));
        }
        assert_eq!(link(None, &[], None).page_tracker(), None);
    }

    #[test]
    fn what_is_no_link_is_refused_in_words() {
        let not_a_link = [
            "",
            "hello",
            "https://swarm.example/",
            "https://swarm.example/#",
            "https://swarm.example/#about",
            "https:///#{}",
            "https://user@swarm.example/#{}",
            "https://swarm.example:99999/#{}",
            "https://swarm.example:+80/#{}",
            "https://swarm .example/#{}",
            "https://[::1/#{}",
            "ftp://swarm.example/#{}",
            "javascript:alert(1)#{}",
            "#{}",
        ];
        for text in not_a_link {
            let text = text.replace("{}", HEX);
            assert_eq!(parse(&text), Err(LinkError::NotALink), "{text}");
        }
        assert_eq!(parse("magnet:?dn=x"), Err(LinkError::NoInfoHash));
        assert!(matches!(
            parse("magnet:?xt=urn:btih:2c6b"),
            Err(LinkError::InfoHash(_))
        ));
        let long = format!("magnet:?xt=urn:btih:{HEX}&dn={}", "x".repeat(40_000));
        assert_eq!(parse(&long), Err(LinkError::TooLong));
    }

    #[test]
    fn links_are_written_as_everybody_reads_them() {
        let link = link(Some("a b/ä+&#.txt"), &["wss://t.example/swarm"], None);
        let magnet = format!("magnet:?xt=urn:btih:{HEX}&dn=a%20b%2F%C3%A4%2B%26%23.txt");
        assert_eq!(
            link.to_magnet(),
            format!("{magnet}&tr=wss%3A%2F%2Ft.example%2Fswarm")
        );
        assert_eq!(
            link.to_share_link("http://localhost:8080/#old"),
            format!("http://localhost:8080/#{magnet}")
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        arbtest::arbtest(|u| {
            let text: String = u.arbitrary()?;
            let mut link = link(clean_name(&format!("dn={text}")).as_deref(), &[], None);
            link.trackers = trackers::clean(u.arbitrary::<Vec<String>>()?);
            assert_eq!(parse(&link.to_magnet()), Ok(link.clone()));

            let page = "https://swarm.example/";
            let shared = parse(&link.to_share_link(page)).unwrap();
            link.trackers.clear();
            link.page = Some(page.into());
            assert_eq!(shared, link);
            Ok(())
        });
    }

    #[test]
    fn any_text_is_a_link_or_an_error() {
        arbtest::arbtest(|u| {
            let mut text = String::new();
            while !u.is_empty() && text.len() < 300 {
                text += u.choose(&[
                    HEX,
                    "magnet:?",
                    "xt=",
                    "urn:btih:",
                    "&",
                    "dn=",
                    "tr=",
                    "%",
                    "%e2%80%ae",
                    "http://",
                    "[",
                    "]",
                    ":",
                    "#",
                    "a",
                    "é",
                    "/",
                ])?;
                if u.ratio(1, 10)? {
                    text.push(u.arbitrary()?);
                }
            }
            if let Ok(link) = parse(&text) {
                assert_eq!(link.page.is_some(), link.page_tracker().is_some());
                assert_eq!(
                    parse(&link.to_magnet()).map(|l| l.info_hash),
                    Ok(link.info_hash)
                );
            }
            Ok(())
        });
    }
}
