//! What WebTorrent's clients and trackers say to each other over a WebSocket, one JSON object in
//! each text message: announces that carry WebRTC offers, which the tracker hands on to others,
//! and the answers of those.
//!
//! There is no specification; these are the ways of bittorrent-tracker 11 and libtorrent 2.1.
//! Reading and writing JSON is another package's, `webtorrent-json`: a tab's page has
//! JavaScript's own, and would load it for nothing.

use crate::id::{InfoHash, PeerId};
use crate::wire::tracker::{Event, Scraped};

/// What an offer is called by its sender, and by whoever answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId(pub [u8; 20]);

/// What one message may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLimits {
    /// Bytes of a message.
    pub message: usize,
    /// Bytes of a session description (SDP).
    pub sdp: usize,
    /// Offers of an announce; more are passed over.
    pub offers: usize,
    /// Swarms of a scrape; more are passed over.
    pub scrape: usize,
}

impl Default for MessageLimits {
    fn default() -> Self {
        MessageLimits {
            // Ten offers of the usual 1 to 10 KiB, and as much as libtorrent reads.
            message: 128 << 10,
            // As much as libtorrent reads.
            sdp: 64 << 10,
            // libtorrent sends ten at a time, WebTorrent five.
            offers: 10,
            // As in a datagram (BEP 15).
            scrape: super::tracker::MAX_SCRAPE,
        }
    }
}

/// From a client to a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// Joins a swarm, stays in it or leaves it, with offers for others there.
    Announce(Announce),
    /// Answers an offer.
    Answer(Answer),
    /// Asks how swarms stand.
    Scrape {
        /// Which; none at all asks for all that the tracker has, which it need not tell.
        swarms: Vec<InfoHash>,
    },
}

/// See [`ClientMessage::Announce`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The swarm. Some clients announce to any twenty bytes that they share.
    pub info_hash: InfoHash,
    /// What the client calls itself.
    pub peer_id: PeerId,
    /// Bytes that it sent to others, below 2⁵³.
    pub uploaded: u64,
    /// Bytes that it got, below 2⁵³.
    pub downloaded: u64,
    /// Bytes that it lacks, below 2⁵³; none while it doesn't know. Exactly 0 is a seeder.
    pub left: Option<u64>,
    /// Why it announces.
    pub event: Event,
    /// To how many its offers may go at most; none leaves that to the tracker.
    pub numwant: Option<u32>,
    /// Each for another peer.
    pub offers: Vec<Offer>,
}

/// A WebRTC offer for whomever the tracker chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Comes back with the answer.
    pub id: OfferId,
    /// The session description, which the tracker does not look into.
    pub sdp: String,
}

/// See [`ClientMessage::Answer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The swarm.
    pub info_hash: InfoHash,
    /// What the client calls itself.
    pub peer_id: PeerId,
    /// Who made the offer, as it calls itself.
    pub to: PeerId,
    /// Which offer.
    pub id: OfferId,
    /// The session description.
    pub sdp: String,
}

/// From a tracker to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// An announce was taken.
    Announced {
        /// The swarm.
        info_hash: InfoHash,
        /// Seconds until the client should announce again.
        interval: u32,
        /// Peers that have everything.
        complete: u32,
        /// Peers that lack something.
        incomplete: u32,
    },
    /// Somebody's offer: answer it with its id.
    Offer {
        /// The swarm.
        info_hash: InfoHash,
        /// What its sender calls itself.
        peer_id: PeerId,
        /// The offer.
        offer: Offer,
    },
    /// The answer to an offer of the client.
    Answer {
        /// The swarm.
        info_hash: InfoHash,
        /// What its sender calls itself.
        peer_id: PeerId,
        /// Of the offer.
        id: OfferId,
        /// The session description.
        sdp: String,
    },
    /// How swarms stand.
    Scraped(Scraped),
    /// Something was refused. Clients give up on a tracker that sends this without naming what
    /// it is about.
    Failure {
        /// The swarm.
        info_hash: InfoHash,
        /// Why, for a person to read.
        reason: String,
    },
}
