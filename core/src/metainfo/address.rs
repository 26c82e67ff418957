//! Addresses of trackers, and web seeds, that a page may connect to, whoever named them.
//!
//! Links, `.torrent` files and peers are strangers. Whatever they name, a page connects to
//! servers of the public Internet alone, and, if it was served over HTTPS, without giving its
//! encryption away: else a link would have the page knock on every door of somebody's local
//! network. A page that came from such a network itself may connect to others there.
//!
//! Browsers read addresses generously (the URL Standard, "host parsing"): `127.1`, `0x7f.1`,
//! `%31.0.0.1`, full-width digits and backslashes all lead to this machine. So what isn't
//! written in the plainest way is refused, and no reading but one is left. A public name that
//! leads to a private address can't be told from here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::trackers::MAX_ADDRESS;

/// Where a page came from, as far as it says whom the page may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// It came over HTTPS: browsers let it connect to `wss:` alone.
    pub secure: bool,
    /// It came from this machine, or from a private network.
    pub local: bool,
}

/// The address of a tracker that speaks through a WebSocket, in one way of writing: scheme and
/// host in lower case, no default port, a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerAddress {
    text: String,
    origin: Origin,
}

/// Why a page does not connect to a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It speaks by other means than a WebSocket: `udp:`, `http:` and the like.
    #[error("a page can speak with trackers at ws:// and wss:// addresses only")]
    Scheme,
    /// It is no address, or not written plainly.
    #[error("this is not a plain address")]
    Address,
    /// The page came over HTTPS, and this is not encrypted.
    #[error("this page came over HTTPS, and the connection would not be encrypted")]
    Insecure,
    /// It is on a private network, or this machine, and the page is not from there.
    #[error("it is on a private network, and this page does not look into those")]
    Local,
}

impl TrackerAddress {
    /// Reads an address of the form `ws://host:port/path?query` or `wss://…`.
    pub fn parse(address: &str) -> Result<Self, Unfit> {
        let (scheme, _) = address.split_once("://").ok_or(Unfit::Address)?;
        let scheme = scheme.to_ascii_lowercase();
        if matches!(scheme.as_str(), "udp" | "http" | "https") {
            return Err(Unfit::Scheme);
        }
        let (text, origin) = read(address, ["ws", "wss"])?;
        Ok(TrackerAddress { text, origin })
    }

    /// The address, in one way of writing.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What a page is that was served from beside this tracker.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Reads an address that a stranger named, if a page from `page` may connect to it.
    pub fn for_page(address: &str, page: Origin) -> Result<Self, Unfit> {
        let read = Self::parse(address)?;
        read.origin.fits(page)?;
        Ok(read)
    }
}

impl Origin {
    /// A page from `page` may connect to what is here.
    pub(super) fn fits(self, page: Origin) -> Result<(), Unfit> {
        match self {
            Origin { secure: false, .. } if page.secure => Err(Unfit::Insecure),
            Origin { local: true, .. } if !page.local => Err(Unfit::Local),
            _ => Ok(()),
        }
    }
}

/// An address of one of two schemes, the second of which is encrypted, in one way of writing;
/// and where that is.
pub(super) fn read(address: &str, schemes: [&str; 2]) -> Result<(String, Origin), Unfit> {
    let (scheme, rest) = address.split_once("://").ok_or(Unfit::Address)?;
    let scheme = scheme.to_ascii_lowercase();
    let secure = schemes.iter().position(|known| *known == scheme);
    let secure = secure.ok_or(Unfit::Address)? == 1;
    // What a browser drops, escapes or takes for something else.
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '#' | '"' | '<' | '>');
    if address.len() > MAX_ADDRESS || !address.chars().all(plain) {
        return Err(Unfit::Address);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = split_port(authority)?;
    let host = Host::parse(host).ok_or(Unfit::Address)?;
    let default = if secure { 443 } else { 80 };
    let port = port.filter(|port| *port != default);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let slash = if path.starts_with('/') { "" } else { "/" };
    let origin = Origin {
        secure,
        local: host.is_local(),
    };
    Ok((
        format!("{scheme}://{}{port}{slash}{path}", host.text()),
        origin,
    ))
}

/// A host, and its port if it has one. Neither `user@` nor an empty port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), Unfit> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let digits = port.bytes().all(|b| b.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port != 0);
            Ok((host, Some(port.ok_or(Unfit::Address)?)))
        }
        _ => Ok((authority, None)),
    }
}

/// Who is named.
enum Host {
    Ip(IpAddr),
    /// In lower case.
    Name(String),
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(v6) = text.strip_prefix('[') {
            let v6: Ipv6Addr = v6.strip_suffix(']')?.parse().ok()?;
            return Some(Host::Ip(v6.into()));
        }
        let name = text.to_ascii_lowercase();
        let labels = || name.split('.');
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // The root's dot at the end makes another name of it for some, and not for others.
        if name.len() > 253 || !labels().all(is_label) {
            return None;
        }
        let last = labels().next_back()?;
        let digits = last.bytes().all(|b| b.is_ascii_digit());
        // Browsers take a name that ends in a number for an address, with octal and
        // hexadecimal parts, or fewer than four.
        if digits || last.starts_with("0x") {
            return Some(Host::Ip(name.parse::<Ipv4Addr>().ok()?.into()));
        }
        Some(Host::Name(name))
    }

    fn text(&self) -> String {
        match self {
            Host::Ip(IpAddr::V4(v4)) => v4.to_string(),
            // Not as `Ipv6Addr` writes those with an IPv4 address in them: as browsers do.
            Host::Ip(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
                Some(v4) => {
                    let [a, b, c, d] = v4.octets();
                    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                    format!("[::ffff:{high:x}:{low:x}]")
                }
                None => format!("[{v6}]"),
            },
            Host::Name(name) => name.clone(),
        }
    }

    fn is_local(&self) -> bool {
        match self {
            Host::Ip(IpAddr::V4(v4)) => is_local_v4(*v4),
            Host::Ip(IpAddr::V6(v6)) => is_local_v6(*v6),
            Host::Name(name) => is_local_name(name),
        }
    }
}

/// Names that are looked up on this machine or in the network that it is in: those without a
/// dot, and the reserved ones (RFC 6761, 6762, 8375; `internal` by ICANN's resolution of 2024)
/// and those that routers and companies use without asking.
const LOCAL_DOMAINS: [&str; 14] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "arpa",
    "test",
    "invalid",
    "domain",
    "workgroup",
];

fn is_local_name(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, last)) => LOCAL_DOMAINS.contains(&last),
        None => true,
    }
}

/// Everything that is no host of the public Internet (IANA's registry of special addresses).
fn is_local_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || matches!(
            (a, b, c),
            // This network, what providers share, for protocols, for benchmarks, for groups
            // and for later.
            (0 | 224.., _, _) | (100, 64..=127, _) | (192, 0, 0) | (198, 18 | 19, _)
        )
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_local_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // By way of IPv4: mapped, translated (RFC 6052), 6to4.
        (0, 0) if [c, d, e, f] == [0, 0, 0, 0xffff] => v4(g, h),
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => v4(g, h),
        (0x2002, _) => v4(b, c),
        // Protocols (with Teredo), documentation.
        (0x2001, 0..0x200 | 0xdb8) => true,
        // What else is given out to hosts.
        (0x2000..=0x3ffe, _) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
