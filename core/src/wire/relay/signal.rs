//! WebRTC offers and answers, which the hub hands on between members that can be reached so.

use serde::{Deserialize, Serialize};

use crate::id::{InfoHash, MemberId, PeerId};
use crate::wire::fields;
use crate::wire::webtorrent::OfferId;

/// The longest session description (SDP), in bytes.
pub const MAX_SDP: usize = 64 << 10;

/// An offer of ours for another member of a swarm, or our answer to the offer of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The swarm.
    #[serde(with = "fields::info_hash")]
    pub info_hash: InfoHash,
    /// Of the offer, drawn at random by whoever makes it.
    #[serde(with = "fields::offer_id")]
    pub id: OfferId,
    /// The session description, whole: no candidates follow. At most [`MAX_SDP`] bytes.
    #[serde(with = "fields::sdp")]
    pub sdp: String,
}

/// The offer of another member, or its answer to ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signalled {
    /// The swarm.
    #[serde(with = "fields::info_hash")]
    pub info_hash: InfoHash,
    /// Who it is. Unlike its name, nobody can borrow this number.
    pub member: MemberId,
    /// What the other calls itself.
    #[serde(with = "fields::peer_id")]
    pub peer_id: PeerId,
    /// Of the offer.
    #[serde(with = "fields::offer_id")]
    pub id: OfferId,
    /// The session description, whole. At most [`MAX_SDP`] bytes.
    #[serde(with = "fields::sdp")]
    pub sdp: String,
}
