//! What things cost, in nanoseconds, about as measured on a server of two cores from 2020,
//! with what they cost outside of the hub: decoding, encoding, waking the receiver's task.

use super::super::Reading;
use crate::wire::relay::ClientMessage;

pub(in crate::hub) const CONNECTION: u64 = 100_000;

const CONTROL: u64 = 4_000;
const SMALL_FRAME: u64 = 3_000;
const ANNOUNCE: u64 = 10_000;
/// For each member that is told of.
const MEMBER: u64 = 1_000;
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

/// What a message costs; an announce is answered with at most `max_numwant` members.
pub(in crate::hub) fn of_message(message: &ClientMessage, max_numwant: usize) -> u64 {
    match message {
        ClientMessage::Data(frame) if frame.payload_len() >= WORTHWHILE => 0,
        ClientMessage::Data(_) => SMALL_FRAME,
        ClientMessage::Announce(announce) => {
            let told = u64::from(announce.numwant).min(max_numwant as u64);
            let bits = announce.pieces.as_ref().map_or(0, |p| p.len() as u64);
            ANNOUNCE + told * MEMBER + bits * BITFIELD_BYTE
        }
        ClientMessage::Have(have) => CONTROL + have.pieces.len() as u64 * PIECE,
        ClientMessage::Open(_) => OPEN,
        ClientMessage::Credit { bytes, .. } if *bytes < LITTLE_CREDIT => SMALL_CREDIT,
        ClientMessage::Credit { .. }
        | ClientMessage::Accept { .. }
        | ClientMessage::Close { .. }
        | ClientMessage::Leave { .. }
        | ClientMessage::Ping => CONTROL,
    }
}

/// What reading costs beside the messages.
pub(in crate::hub) fn of_reading(reading: Reading) -> u64 {
    let framing = reading.framing.saturating_mul(FRAMING_BYTE);
    framing.saturating_add(reading.control.saturating_mul(CONTROL_BYTE))
}
