//! What ordinary clients and trackers say to each other, from both sides: [`http`] (BEP 3, 7,
//! 23, 48) and [`udp`] (BEP 15, 41) say the same in different bytes.

use std::collections::BTreeMap;

use crate::id::{InfoHash, PeerId};
use crate::wire::fields::is_printable;
use crate::wire::relay::MAX_REASON;

pub mod http;
#[cfg(test)]
mod testing;
pub mod udp;

/// Joins a swarm, stays in it, or leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The swarm.
    pub info_hash: InfoHash,
    /// What the client calls itself.
    pub peer_id: PeerId,
    /// The TCP port at which it takes connections; 0 if it takes none.
    pub port: u16,
    /// Bytes that it sent to others since it started, below 2⁶³.
    pub uploaded: u64,
    /// Bytes that it got since it started, below 2⁶³.
    pub downloaded: u64,
    /// Bytes that it lacks, below 2⁶³; none while it doesn't know. Exactly 0 is a seeder.
    pub left: Option<u64>,
    /// Why it announces.
    pub event: Event,
    /// How many peers it would like to hear of; none leaves that to the tracker.
    pub numwant: Option<u32>,
    /// What stays the same when its address changes, and no other peer knows.
    pub key: Option<u32>,
}

/// Why a client announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Event {
    /// The interval is over, or it wants more peers.
    #[default]
    Update,
    /// It begins.
    Started,
    /// It got the last piece just now.
    Completed,
    /// It leaves.
    Stopped,
    /// It has all it wants, though not all there is (BEP 21).
    Paused,
}

/// How a swarm stands, as a scrape tells it (BEP 48).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Peers that have everything.
    pub complete: u32,
    /// How often a download was completed, as far as the tracker remembers.
    pub downloaded: u32,
    /// Peers that lack something.
    pub incomplete: u32,
}

/// What a tracker says of several swarms; of those that it does not know, nothing.
pub type Scraped = BTreeMap<InfoHash, Counts>;

/// The most swarms that are asked about in one scrape: more do not fit into a datagram (BEP 15).
pub const MAX_SCRAPE: usize = 74;

/// The most peers of an answer that are read; trackers tell of 50 to 200.
pub const MAX_PEERS: usize = 2000;

/// A number that the wire has eight bytes for and that has no sign.
const MAX_BYTES: u64 = i64::MAX as u64;

/// Words of a stranger as a person may see them, at most [`MAX_REASON`] bytes.
pub fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut text: String = text.chars().filter(|c| is_printable(*c)).collect();
    text.truncate(text.floor_char_boundary(MAX_REASON));
    text
}
