//! Direct links that a host makes.

use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, ChannelKey, LinkId};

/// A direct link in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DirectId {
    /// The channel through which the two agree on it.
    pub channel: ChannelKey,
    /// Which of the offers made through it.
    pub attempt: u32,
}

impl DirectId {
    /// What a link is known by whose descriptions others carry, neighbours or the overlay.
    pub(in crate::engine) fn introduced(number: u32) -> Self {
        DirectId {
            channel: ChannelKey {
                link: LinkId::INTRODUCED,
                channel: ChannelId(number),
            },
            attempt: number,
        }
    }
}

/// What is to be done about a direct link. Descriptions are SDP (RFC 8866) with all of their
/// candidates; those of others are what strangers say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectWork {
    /// Offer one: answered with [`DirectNews::Described`].
    Offer,
    /// The same for an offer of the other end, which is this.
    Answer(String),
    /// The other end answered this to our offer.
    Accept(String),
    /// Give it up.
    Drop,
}

/// What came of [`DirectWork`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectNews {
    /// Our end, described.
    Described(String),
    /// It does not come about.
    Failed,
    /// It is there. Its channel follows, as one that was asked for
    /// ([`Input::Opened`](super::Input::Opened)).
    Linked,
}
