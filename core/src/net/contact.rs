//! Whom a channel can be opened to.

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
}

impl Contact {
    /// The link that a channel to it goes through.
    pub fn link(&self) -> LinkId {
        match self {
            Contact::Member { link, .. } => *link,
        }
    }

    /// What stands for its address where everybody is to come to the same result (BEP 6): it
    /// can't choose that itself.
    pub fn address(&self) -> [u8; 4] {
        match self {
            Contact::Member { member, .. } => member.0.to_be_bytes(),
        }
    }
}
