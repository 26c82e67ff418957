//! Whom a channel can be opened to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::id::{Fingerprint, LinkId, MemberId};

/// Somebody who can be reached, and how. Equal contacts are the same somebody, as far as that
/// can be known: whoever says who is where vouches for that, and never the peer itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Contact {
    /// A member of a swarm, by the number that the server behind a link gave it, through that
    /// server.
    Member {
        /// The link to the server.
        link: LinkId,
        /// Its number there.
        member: MemberId,
    },
    /// Whoever listens there.
    Address(SocketAddr),
    /// Whoever called us from there: nobody need be found there again.
    Caller(SocketAddr),
    /// Whoever has this certificate, as DTLS showed on a direct link that a neighbour brought
    /// about: only such a one leads there.
    Introduced(Fingerprint),
}

impl Contact {
    /// The link that a channel to it goes through.
    pub fn link(&self) -> LinkId {
        match self {
            Contact::Member { link, .. } => *link,
            Contact::Address(_) | Contact::Caller(_) => LinkId::NETWORK,
            Contact::Introduced(_) => LinkId::INTRODUCED,
        }
    }

    /// What stands for its address where everybody is to come to the same result (BEP 6): it
    /// can't choose that itself.
    pub fn address(&self) -> [u8; 4] {
        match self {
            Contact::Member { member, .. } => member.0.to_be_bytes(),
            Contact::Address(address) | Contact::Caller(address) => four_bytes(address.ip()),
            Contact::Introduced(fingerprint) => fingerprint.address(),
        }
    }
}

impl Contact {
    /// The address, if it is known by one.
    pub(crate) fn socket(&self) -> Option<SocketAddr> {
        match self {
            Contact::Address(address) | Contact::Caller(address) => Some(*address),
            Contact::Member { .. } | Contact::Introduced(_) => None,
        }
    }

    /// Where a caller says that it can be called back: at its own address, whatever it says.
    pub(crate) fn listening(&self, port: u16) -> Option<Contact> {
        let Contact::Caller(address) = self else {
            return None;
        };
        let address = SocketAddr::new(address.ip(), port);
        is_dialable(address).then_some(Contact::Address(address))
    }

    /// The same for whoever calls from one machine, or from behind one router: the ports of
    /// callers are another each time. On our own machine they are all there is to tell
    /// programs from each other.
    pub(crate) fn caller_host(&self) -> Contact {
        match self {
            Contact::Caller(address) if !is_loopback(address.ip()) => {
                Contact::Caller(SocketAddr::new(host(address.ip()), 0))
            }
            contact => *contact,
        }
    }

    /// The same for whoever is at one machine, or behind one router.
    pub(crate) fn host(&self) -> Contact {
        match self {
            Contact::Address(address) => Contact::Caller(*address).caller_host(),
            contact => contact.caller_host(),
        }
    }
}

/// What stands for a machine: its address, or the network that IPv6 gives to each (/64).
fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Somebody may listen there: it is the address of one machine, with a port.
pub fn is_dialable(address: SocketAddr) -> bool {
    let one = match address.ip().to_canonical() {
        IpAddr::V4(ip) => !(ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast()),
        IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_multicast()),
    };
    one && address.port() != 0
}

/// Whoever is at `teller` may know of this address: strangers don't make us call programs of
/// our own machine, or of our own network, which only those who are there themselves can mean.
pub fn may_tell(teller: IpAddr, address: SocketAddr) -> bool {
    is_dialable(address) && reach(teller) <= reach(address.ip())
}

/// From how far away an address can be meant: our own machine, our own network, everywhere.
fn reach(address: IpAddr) -> u8 {
    match address.to_canonical() {
        ip if ip.is_loopback() => 0,
        IpAddr::V4(ip) if ip.is_private() || ip.is_link_local() || is_shared(ip) => 1,
        IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => 1,
        _ => 2,
    }
}

/// Of a provider's own network, or of one that a VPN makes (100.64.0.0/10, RFC 6598).
fn is_shared(ip: Ipv4Addr) -> bool {
    matches!(ip.octets(), [100, 64..128, ..])
}

/// An IPv4 address, or what an IPv6 one folds to: BEP 6 knows the first kind only.
pub fn four_bytes(address: IpAddr) -> [u8; 4] {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let quarters = [96, 64, 32, 0].map(|shift| (bits >> shift) as u32);
            quarters
                .into_iter()
                .fold(0, |sum, quarter| sum ^ quarter)
                .to_be_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    #[test]
    fn callers_of_one_machine_are_one_and_programs_of_ours_are_not() {
        let host = |address| Contact::Caller(at(address)).caller_host();
        assert_eq!(host("9.9.9.9:5000"), host("9.9.9.9:6000"));
        assert_eq!(host("[::ffff:9.9.9.9]:5000"), host("9.9.9.9:6000"));
        assert_eq!(host("[2001:db8::1]:1"), host("[2001:db8::ffff:2]:2"));
        assert_ne!(host("9.9.9.9:5000"), host("9.9.9.8:5000"));
        assert_ne!(host("[2001:db8::1]:1"), host("[2001:db8:0:1::1]:1"));
        assert_ne!(host("127.0.0.1:5000"), host("127.0.0.1:6000"));
        let listens = Contact::Address(at("9.9.9.9:6881"));
        assert_eq!(listens.caller_host(), listens);
        assert_eq!(listens.host(), host("9.9.9.9:5000"));
    }

    #[test]
    fn strangers_do_not_tell_of_what_is_ours() {
        let may = |teller: &str, address| may_tell(teller.parse().unwrap(), at(address));
        for (teller, address) in [
            ("9.9.9.9", "8.8.8.8:6881"),
            ("9.9.9.9", "[2001:db8::1]:6881"),
            ("192.168.1.1", "10.0.0.1:6881"),
            ("192.168.1.1", "8.8.8.8:6881"),
            ("127.0.0.1", "127.0.0.1:6881"),
            ("100.64.0.1", "100.127.9.9:6881"),
            ("9.9.9.9", "100.128.0.1:6881"),
        ] {
            assert!(may(teller, address), "{teller} tells of {address}");
        }
        for (teller, address) in [
            ("9.9.9.9", "127.0.0.1:6881"),
            ("9.9.9.9", "192.168.1.1:6881"),
            ("9.9.9.9", "100.64.0.1:6881"),
            ("9.9.9.9", "[::ffff:127.0.0.1]:6881"),
            ("9.9.9.9", "[fe80::1]:6881"),
            ("192.168.1.1", "127.0.0.1:6881"),
            ("9.9.9.9", "8.8.8.8:0"),
            ("9.9.9.9", "0.0.0.0:6881"),
            ("9.9.9.9", "224.0.0.1:6881"),
        ] {
            assert!(!may(teller, address), "{teller} tells of {address}");
        }
    }

    #[test]
    fn a_caller_can_be_called_back_at_its_own_address_alone() {
        let caller = Contact::Caller(at("9.9.9.9:5000"));
        let there = Contact::Address(at("9.9.9.9:6881"));
        assert_eq!(caller.listening(6881), Some(there));
        assert_eq!(caller.listening(0), None);
        assert_eq!(there.listening(7000), None);
    }
}
