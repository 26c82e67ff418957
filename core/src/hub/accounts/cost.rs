//! What things cost, in nanoseconds, about as measured on a server of two cores from 2020,
//! with what they cost outside of the hub: decoding, encoding, waking the receiver's task.

use super::super::{Reading, TrackerQuestion};
use super::visits::Visit;
use crate::wire::relay::ClientMessage;
use crate::wire::webtorrent;

pub(in crate::hub) const CONNECTION: u64 = 100_000;

/// Of a connection over which HTTP is spoken: taking it, and its end.
const HTTP_CONNECTION: u64 = 20_000;
/// Of a request, which may be one for a file.
const REQUEST: u64 = 20_000;

const CONTROL: u64 = 4_000;
const SMALL_FRAME: u64 = 3_000;
const ANNOUNCE: u64 = 10_000;
/// For each member that is told of.
const MEMBER: u64 = 1_000;
/// For each ordinary peer that is told of.
const SOCKET: u64 = 200;
/// For each swarm of a scrape.
const SCRAPED: u64 = 1_000;
/// For each WebRTC offer or answer that is handed on.
const OFFER: u64 = 10_000;
/// Of its session description, which is written as JSON once more.
const SDP_BYTE: u64 = 3;
const OPEN: u64 = 30_000;
const SMALL_CREDIT: u64 = 20_000;
const PIECE: u64 = 4;
const BITFIELD_BYTE: u64 = 1;
/// Of a control message, for reading and decoding it.
const CONTROL_BYTE: u64 = 3;
/// Of headers, pings and other things of the WebSocket: six of them are a message that
/// says nothing.
const FRAMING_BYTE: u64 = 80;

/// A payload of at least this many bytes is worth the work of a message.
const WORTHWHILE: usize = 4 << 10;

/// Credit of less than this many bytes at a time is a waste of messages.
const LITTLE_CREDIT: u32 = 1 << 10;

/// What a data frame with so many bytes of payload costs.
pub(in crate::hub) fn of_frame(payload: usize) -> u64 {
    match payload >= WORTHWHILE {
        true => 0,
        false => SMALL_FRAME,
    }
}

/// What a message costs; an announce is answered with at most `max_numwant` members.
pub(in crate::hub) fn of_message(message: &ClientMessage, max_numwant: usize) -> u64 {
    match message {
        ClientMessage::Data(frame) => of_frame(frame.payload_len()),
        ClientMessage::Announce(announce) => {
            let told = u64::from(announce.numwant).min(max_numwant as u64);
            let bits = announce.pieces.as_ref().map_or(0, |p| p.len() as u64);
            ANNOUNCE + told * MEMBER + bits * BITFIELD_BYTE
        }
        ClientMessage::Have(have) => CONTROL + have.pieces.len() as u64 * PIECE,
        ClientMessage::Open(_) => OPEN,
        ClientMessage::Offer(signal) | ClientMessage::Answer(signal) => {
            OFFER + signal.sdp.len() as u64 * SDP_BYTE
        }
        ClientMessage::Credit { bytes, .. } if *bytes < LITTLE_CREDIT => SMALL_CREDIT,
        ClientMessage::Credit { .. }
        | ClientMessage::Accept { .. }
        | ClientMessage::Close { .. }
        | ClientMessage::Leave { .. }
        | ClientMessage::Ping => CONTROL,
    }
}

/// What a message of WebTorrent's protocol costs.
pub(in crate::hub) fn of_webtorrent(message: &webtorrent::ClientMessage) -> u64 {
    match message {
        webtorrent::ClientMessage::Announce(announce) => {
            let sdp: usize = announce.offers.iter().map(|offer| offer.sdp.len()).sum();
            ANNOUNCE + announce.offers.len() as u64 * OFFER + sdp as u64 * SDP_BYTE
        }
        webtorrent::ClientMessage::Answer(answer) => OFFER + answer.sdp.len() as u64 * SDP_BYTE,
        webtorrent::ClientMessage::Scrape { swarms } => CONTROL + swarms.len() as u64 * SCRAPED,
    }
}

/// What a question costs; an announce is answered with at most `max_numwant` peers.
pub(in crate::hub) fn of_question(question: &TrackerQuestion, max_numwant: usize) -> u64 {
    match question {
        TrackerQuestion::Announce { announce, .. } => {
            let told = announce.numwant.map_or(max_numwant as u64, u64::from);
            ANNOUNCE + told.min(max_numwant as u64) * SOCKET
        }
        TrackerQuestion::Scrape { swarms } => CONTROL + swarms.len() as u64 * SCRAPED,
    }
}

/// What comes over HTTP costs, beside what it asks of the tracker.
pub(super) fn of_visit(visit: Visit) -> u64 {
    match visit {
        Visit::Connection => HTTP_CONNECTION,
        Visit::Request => REQUEST,
    }
}

/// What reading costs beside the messages.
pub(in crate::hub) fn of_reading(reading: Reading) -> u64 {
    let framing = reading.framing.saturating_mul(FRAMING_BYTE);
    framing.saturating_add(reading.control.saturating_mul(CONTROL_BYTE))
}
