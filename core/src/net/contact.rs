//! Whom a channel can be opened to.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::id::{LinkId, MemberId};

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
    /// Whoever listens there, or called us from there.
    Address(SocketAddr),
}

impl Contact {
    /// The link that a channel to it goes through.
    pub fn link(&self) -> LinkId {
        match self {
            Contact::Member { link, .. } => *link,
            Contact::Address(_) => LinkId::NETWORK,
        }
    }

    /// What stands for its address where everybody is to come to the same result (BEP 6): it
    /// can't choose that itself.
    pub fn address(&self) -> [u8; 4] {
        match self {
            Contact::Member { member, .. } => member.0.to_be_bytes(),
            Contact::Address(address) => four_bytes(address.ip()),
        }
    }
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
