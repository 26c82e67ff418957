//! Where nodes are: behind UDP, or behind channels between tabs.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use super::id::NodeId;
use crate::net::contact::{is_dialable, may_tell};

/// A network whose nodes reach each other. Each has a table and an identifier of its own
/// (BEP 32), and one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// UDP over IPv4.
    V4,
    /// UDP over IPv6.
    V6,
    /// Tabs that reach each other through channels.
    Tab,
}

/// What a tab is called in the overlay of tabs: opaque here, its host knows which channel
/// leads there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TabTag(pub [u8; 8]);

/// Where a node, or a peer of a torrent, is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NodeAddress {
    /// UDP over IPv4.
    V4(Ipv4Addr, u16),
    /// UDP over IPv6; never an IPv4 address in IPv6's clothes.
    V6(Ipv6Addr, u16),
    /// A tab.
    Tab(TabTag),
}

/// A node that somebody may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Contact {
    /// What it calls itself.
    pub id: NodeId,
    /// Where it is.
    pub address: NodeAddress,
}

/// What counts as one for limits: who has one of its addresses has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Site {
    /// An IPv4 address, or a network of them.
    V4([u8; 4]),
    /// A network of IPv6 addresses.
    V6([u8; 8]),
    /// One address, of whom nothing else is known: a tab, or somebody in our own network,
    /// where addresses can't be had by the thousand.
    One(NodeAddress),
}

impl NodeAddress {
    /// Its network.
    pub fn family(self) -> Family {
        match self {
            NodeAddress::V4(..) => Family::V4,
            NodeAddress::V6(..) => Family::V6,
            NodeAddress::Tab(_) => Family::Tab,
        }
    }

    /// The address for a socket; none of a tab.
    pub fn socket(self) -> Option<SocketAddr> {
        match self {
            NodeAddress::V4(ip, port) => Some(SocketAddrV4::new(ip, port).into()),
            NodeAddress::V6(ip, port) => Some((ip, port).into()),
            NodeAddress::Tab(_) => None,
        }
    }

    /// The address without its port; none of a tab.
    pub fn ip(self) -> Option<IpAddr> {
        self.socket().map(|address| address.ip())
    }

    /// The same machine, at another port; a tab has none.
    pub fn with_port(self, port: u16) -> Self {
        match self {
            NodeAddress::V4(ip, _) => NodeAddress::V4(ip, port),
            NodeAddress::V6(ip, _) => NodeAddress::V6(ip, port),
            NodeAddress::Tab(_) => self,
        }
    }

    /// Somebody may be there.
    pub fn is_usable(self) -> bool {
        self.socket().is_none_or(is_dialable)
    }

    /// It means something on the Internet: neither this machine nor this network alone.
    /// BEP 42's rule is for those. A tab's means nothing there.
    pub fn is_global(self) -> bool {
        let everywhere = IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9));
        self.socket()
            .is_some_and(|address| may_tell(everywhere, address))
    }

    /// Whoever is at `teller` may know of this address, see [`may_tell`].
    pub(super) fn may_come_from(self, teller: NodeAddress) -> bool {
        match (self.socket(), teller.ip()) {
            (Some(address), Some(teller)) => may_tell(teller, address),
            (Some(address), None) => is_dialable(address),
            (None, _) => true,
        }
    }

    /// Who is asked and answered as one: an IPv4 address, a /64 of IPv6.
    pub(super) fn host(self) -> Site {
        match self {
            NodeAddress::V4(ip, _) if self.is_global() => Site::V4(ip.octets()),
            _ => self.subnet(),
        }
    }

    /// Both have one [`NodeAddress::host`], found out without making it.
    pub(super) fn is_same_host(self, other: NodeAddress) -> bool {
        let near = match (self, other) {
            (NodeAddress::V4(own, _), NodeAddress::V4(other, _)) => own == other,
            _ => return self.is_same_subnet(other),
        };
        near && (self == other || self.is_global() && other.is_global())
    }

    /// Both have one [`NodeAddress::subnet`]. Tables and lookups ask this of everybody whom
    /// they know, so nothing else is looked at of those who are far apart.
    pub(super) fn is_same_subnet(self, other: NodeAddress) -> bool {
        let near = match (self, other) {
            (NodeAddress::V4(own, _), NodeAddress::V4(other, _)) => {
                own.octets()[..3] == other.octets()[..3]
            }
            (NodeAddress::V6(own, _), NodeAddress::V6(other, _)) => {
                own.octets()[..8] == other.octets()[..8]
            }
            _ => self == other,
        };
        near && (self == other || self.is_global() && other.is_global())
    }

    /// Who could be one party with many addresses: a /24 of IPv4, a /64 of IPv6.
    pub(super) fn subnet(self) -> Site {
        match self {
            NodeAddress::V4(ip, _) if self.is_global() => {
                let [a, b, c, _] = ip.octets();
                Site::V4([a, b, c, 0])
            }
            NodeAddress::V6(ip, _) if self.is_global() => {
                let octets = ip.octets();
                Site::V6(std::array::from_fn(|at| octets[at]))
            }
            _ => Site::One(self),
        }
    }
}

impl From<SocketAddr> for NodeAddress {
    fn from(address: SocketAddr) -> Self {
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => NodeAddress::V4(ip, address.port()),
            IpAddr::V6(ip) => NodeAddress::V6(ip, address.port()),
        }
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeAddress::V4(ip, port) => write!(f, "{ip}:{port}"),
            NodeAddress::V6(ip, port) => write!(f, "[{ip}]:{port}"),
            NodeAddress::Tab(tag) => tag.fmt(f),
        }
    }
}

impl fmt::Debug for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TabTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tab ")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TabTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> NodeAddress {
        address.parse::<SocketAddr>().unwrap().into()
    }

    #[test]
    fn an_address_is_of_one_family_whatever_its_clothes() {
        assert_eq!(at("[::ffff:9.8.7.6]:5"), at("9.8.7.6:5"));
        assert_eq!(at("9.8.7.6:5").to_string(), "9.8.7.6:5");
        assert_eq!(at("[2001:db8::1]:5").to_string(), "[2001:db8::1]:5");
    }

    #[test]
    fn strangers_do_not_tell_of_our_own_network() {
        assert!(!at("192.168.1.1:80").may_come_from(at("9.9.9.9:1")));
        assert!(!at("127.0.0.1:80").may_come_from(at("192.168.1.1:1")));
        assert!(at("9.9.9.9:80").may_come_from(at("192.168.1.1:1")));
        assert!(!at("9.9.9.9:0").may_come_from(at("8.8.8.8:1")));
    }

    #[test]
    fn who_has_one_address_of_a_network_has_all_of_them() {
        assert_eq!(at("9.8.7.6:5").subnet(), at("9.8.7.200:6").subnet());
        assert_ne!(at("9.8.7.6:5").host(), at("9.8.7.200:5").host());
        assert_eq!(at("9.8.7.6:5").host(), at("9.8.7.6:6").host());
        let (here, there) = (at("[2600::1]:5"), at("[2600::2]:6"));
        assert_eq!(here.host(), there.host());
        assert_ne!(at("10.0.0.1:5").host(), at("10.0.0.1:6").host());
    }

    #[test]
    fn what_is_the_same_is_found_out_the_short_way_too() {
        let some = [
            "9.8.7.6:5",
            "9.8.7.6:6",
            "9.8.7.7:5",
            "9.8.6.6:5",
            "10.0.0.1:5",
            "10.0.0.1:6",
            "10.0.0.2:5",
            "127.0.0.1:5",
            "[2600::1]:5",
            "[2600::2]:5",
            "[2600:1::1]:5",
            "[::1]:5",
            "[::1]:6",
            "[fd00::1]:5",
            "[fd00::2]:5",
        ];
        for one in some.map(at) {
            for other in some.map(at) {
                let host = one.host() == other.host();
                assert_eq!(one.is_same_host(other), host, "{one} {other}");
                let subnet = one.subnet() == other.subnet();
                assert_eq!(one.is_same_subnet(other), subnet, "{one} {other}");
            }
        }
    }
}
