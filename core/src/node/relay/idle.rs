//! How much a server may say that is worth nothing.
//!
//! What belongs to channels is charged to the peer at the other end, and what the server was
//! asked for is bounded by our questions. The rest costs it of an allowance of its own, or it
//! could keep us busy, and a person reading, for as long as it likes.

use std::collections::VecDeque;

use super::super::pulse::Pulse;
use super::super::{LinkInput, LinkOutput, Output};
use super::RelayLink;
use crate::chunk::Chunk;
use crate::id::ChannelId;
use crate::peer::WorkConfig;
use crate::time::Time;
use crate::wire::relay::ServerMessage;

/// Units for another error than the one before: twenty at once, and one every other second.
/// Each is a line that somebody reads.
pub(in crate::node) const NEWS: u32 = 1000;
/// Bytes of a channel that is gone, for each unit: what was under way when we closed it is no
/// fault of the server's, even if that is what all channels' queues hold.
const STRETCH: usize = 32 << 10;

impl RelayLink {
    /// The server may say this; or it has said too much that nobody asked for, and its
    /// connection is given up for good.
    pub(in crate::node) fn bears<C: Chunk>(
        &mut self,
        now: Time,
        input: &LinkInput<C>,
        config: &WorkConfig,
        out: &mut VecDeque<Output<C>>,
    ) -> bool {
        if self.given_up {
            return matches!(input, LinkInput::Up | LinkInput::Down);
        }
        let units = match input {
            LinkInput::Message(message) => self.units(message),
            LinkInput::Data { channel, payload } => self.stretch(*channel, payload.len()),
            LinkInput::Up | LinkInput::Down | LinkInput::Sent(_) => 0,
        };
        if units == 0 || self.idle_talk.spend(now, config, units) {
            return true;
        }
        self.given_up = true;
        self.pulse = Pulse::Off;
        out.push_back(Output::Link(self.id, LinkOutput::Reconnect));
        false
    }

    fn units(&self, message: &ServerMessage) -> u32 {
        let unless = |useful: bool| u32::from(!useful);
        match message {
            ServerMessage::Welcome(_) => unless(self.welcome.is_none()),
            ServerMessage::Peers(peers) => unless(self.tracker.awaits(peers.info_hash)),
            // A crowd of thousands may call for what only we have.
            ServerMessage::Incoming(call) => unless(self.tracker.lists(call.info_hash)),
            ServerMessage::Offer(_) | ServerMessage::Answer(_) => 1,
            ServerMessage::Accepted { request, .. } | ServerMessage::Refused { request, .. } => {
                unless(self.opening.contains_key(request))
            }
            ServerMessage::Credit { channel, .. } | ServerMessage::Close { channel, .. } => {
                unless(self.channels.contains_key(channel))
            }
            ServerMessage::Pong => 1,
            ServerMessage::Error { info_hash, reason } => {
                let before = match info_hash {
                    Some(info_hash) => self.tracker.refusal(*info_hash),
                    None => self.complaint.as_deref(),
                };
                // The first of each torrent is worth its line.
                let first = info_hash.is_some() && before.is_none();
                if first || before == Some(reason) {
                    1
                } else {
                    NEWS
                }
            }
            ServerMessage::Data(frame) => self.stretch(frame.channel(), frame.payload_len()),
        }
    }

    fn stretch(&self, channel: ChannelId, bytes: usize) -> u32 {
        match self.channels.contains_key(&channel) {
            true => 0,
            false => 1 + u32::try_from(bytes / STRETCH).unwrap_or(u32::MAX - 1),
        }
    }
}
