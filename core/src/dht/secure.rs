//! Identifiers that fit their addresses (BEP 42): nobody chooses a place for as many nodes as
//! they like, since each address allows eight regions of the 2²¹.

use std::net::IpAddr;

use super::address::{Contact, NodeAddress};
use super::id::NodeId;
use crate::rng::Rng;

/// An identifier that fits an address.
pub(super) fn id_for(address: IpAddr, rng: &mut Rng) -> NodeId {
    let mut id = NodeId::random(rng);
    let [a, b, c] = prefix(address, id.0[19]);
    id.0[0] = a;
    id.0[1] = b;
    id.0[2] = c | id.0[2] & 0x07;
    id
}

/// The identifier fits the address, or need not: the rule is for addresses that mean something
/// on the Internet.
pub(super) fn fits(contact: &Contact) -> bool {
    match contact.address {
        address if !address.is_global() => true,
        NodeAddress::V4(ip, _) => is_for(contact.id, ip.into()),
        NodeAddress::V6(ip, _) => is_for(contact.id, ip.into()),
        NodeAddress::Tab(_) => true,
    }
}

fn is_for(id: NodeId, address: IpAddr) -> bool {
    let [a, b, c, ..] = id.0;
    prefix(address, id.0[19]) == [a, b, c & 0xf8]
}

/// The first 21 bits of an identifier whose last byte is `random`.
fn prefix(address: IpAddr, random: u8) -> [u8; 3] {
    let random = random & 0x07;
    let crc = match address.to_canonical() {
        IpAddr::V4(ip) => {
            let bits = ip.to_bits() & 0x030f_3fff | u32::from(random) << 29;
            crc32c(&bits.to_be_bytes())
        }
        IpAddr::V6(ip) => {
            let bits = (ip.to_bits() >> 64) as u64 & 0x0103_070f_1f3f_7fff;
            crc32c(&(bits | u64::from(random) << 61).to_be_bytes())
        }
    };
    let [a, b, c, _] = crc.to_be_bytes();
    [a, b, c & 0xf8]
}

/// CRC-32C (Castagnoli), bit by bit: there are at most eight bytes.
fn crc32c(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 1 { 0x82f6_3b78 } else { 0 }
        })
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BEP 42, "test vectors".
    const VECTORS: [(&str, &str); 5] = [
        ("124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"),
        ("21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"),
        ("65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616"),
        ("84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41"),
        ("43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"),
    ];

    fn contact(ip: &str, id: NodeId) -> Contact {
        let ip: IpAddr = ip.parse().unwrap();
        let address = std::net::SocketAddr::from((ip, 6881)).into();
        Contact { id, address }
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn the_vectors_of_bep_42() {
        for (ip, id) in VECTORS {
            let mut id: NodeId = id.parse().unwrap();
            assert!(fits(&contact(ip, id)), "{ip}");
            id.0[0] ^= 1;
            assert!(!fits(&contact(ip, id)), "{ip}");
        }
    }

    #[test]
    fn what_is_made_fits() {
        let mut rng = Rng::new(1);
        for ip in ["9.8.7.6", "2600:1f18:1::5"] {
            let id = id_for(ip.parse().unwrap(), &mut rng);
            assert!(fits(&contact(ip, id)));
        }
    }

    #[test]
    fn whoever_is_on_our_own_network_may_have_any() {
        let id = NodeId([1; 20]);
        for ip in ["10.1.2.3", "127.0.0.1", "192.168.3.4", "fd00::1", "fe80::1"] {
            assert!(fits(&contact(ip, id)), "{ip}");
        }
    }
}
