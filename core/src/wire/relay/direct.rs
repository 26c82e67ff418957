//! What a hub tells peers of links that do not go through it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::Serialize;

/// The most STUN servers of one [`Welcome`](super::Welcome): each one that a browser asks costs
/// it time, and one answers as well as four.
pub const MAX_STUN: usize = 4;

/// The longest name of a host (RFC 1035 §2.3.4), in bytes.
const MAX_HOST: usize = 253;

/// What a hub says of its relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RelayUse {
    /// It costs nobody anything, as on one machine or in one network: peers use whichever way
    /// is the better.
    #[default]
    Free,
    /// It is to be spared, as on a public server: peers prefer links of their own.
    Spare,
}

/// Where a STUN server (RFC 8489) listens on UDP, written `host:port`.
///
/// The host is a name, an IPv4 address or an IPv6 address in brackets. It may be missing
/// (`:3478`): then it is the one by which the client reached the hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StunServer {
    host: String,
    port: u16,
}

/// Why a text does not say where a STUN server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a STUN server is a host and a port, such as stun.example.org:3478")]
pub struct InvalidStunServer;

impl StunServer {
    /// One at this port of the host by which clients reach the hub; none for port 0.
    pub fn beside_hub(port: u16) -> Option<Self> {
        let host = String::new();
        (port != 0).then_some(StunServer { host, port })
    }

    /// The URL by which a browser is told of it (RFC 7064). `hub` is the host by which the hub
    /// was reached, as it stands in a URL: an IPv6 address in brackets.
    pub fn url(&self, hub: &str) -> String {
        let host = match self.host.is_empty() {
            true => hub,
            false => &self.host,
        };
        format!("stun:{host}:{}", self.port)
    }

    /// Its name or address, an IPv6 address in brackets; empty for the host of the hub.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its UDP port, not 0.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for StunServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for StunServer {
    type Err = InvalidStunServer;

    fn from_str(text: &str) -> Result<Self, InvalidStunServer> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidStunServer)?;
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port: u16 = port.parse().map_err(|_| InvalidStunServer)?;
        if !digits || port == 0 || !is_host(host) {
            return Err(InvalidStunServer);
        }
        let host = host.to_owned();
        Ok(StunServer { host, port })
    }
}

/// It can stand in a URL as it is, and be nothing else there.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let mut bytes = host.bytes();
    host.len() <= MAX_HOST && bytes.all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c))
}

impl Serialize for StunServer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stun_server_is_a_host_and_a_port() {
        for text in [
            "stun.example.org:3478",
            "192.0.2.1:1",
            "[2001:db8::1]:65535",
            ":3478",
        ] {
            let server: StunServer = text.parse().unwrap();
            assert_eq!(server.to_string(), text);
        }
        for text in [
            "",
            ":",
            "3478",
            "host",
            "host:",
            "host:0",
            "host:+1",
            "host:65536",
            "2001:db8::1:3478",
            "[host]:3478",
            "user@host:3478",
            "host/path:3478",
            "host?transport=tcp:3478",
            &format!("{}:1", "x".repeat(MAX_HOST + 1)),
        ] {
            let refused = text.parse::<StunServer>();
            assert_eq!(refused, Err(InvalidStunServer), "{text}");
        }
    }

    #[test]
    fn without_a_host_it_is_where_the_hub_is() {
        let beside = StunServer::beside_hub(3478).unwrap();
        assert_eq!(beside.url("[::1]"), "stun:[::1]:3478");
        let elsewhere: StunServer = "stun.example.org:1".parse().unwrap();
        assert_eq!(elsewhere.url("example.org"), "stun:stun.example.org:1");
        assert_eq!(StunServer::beside_hub(0), None);
    }
}
