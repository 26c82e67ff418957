//! What waits to be sent to one client, merged as it comes.
//!
//! A client that is slow to read must not be made to hold more by what others do, so what is
//! said about the same thing is said once: credit on a channel is added up, a channel that
//! was offered and is gone before the client heard of it is not mentioned, and of two answers
//! about a swarm the newer counts. What then remains is bounded by the client's channels, by
//! its credit, and by what it asked itself; of that [`ClientOutbox::answers`] tells, and the shell
//! reads no further questions while there is much of it.

use std::collections::BTreeMap;

use super::HubOutput;
use crate::id::{ChannelId, InfoHash};
use crate::wire::relay::{Member, ServerMessage};

/// See the module.
#[derive(Debug, Default)]
pub struct ClientOutbox {
    /// By the order in which they are sent.
    waiting: BTreeMap<u64, HubOutput>,
    next: u64,
    /// Where credit and offers of channels, and answers about swarms, stand in it.
    credits: BTreeMap<ChannelId, u64>,
    offers: BTreeMap<ChannelId, u64>,
    peers: BTreeMap<InfoHash, u64>,
    answers: usize,
}

impl ClientOutbox {
    /// Adds what the hub said to this client.
    pub fn push(&mut self, output: HubOutput) {
        match &output {
            HubOutput::Send(ServerMessage::Credit { channel, bytes }) => {
                let before = self.credits.get(channel);
                if let Some(HubOutput::Send(ServerMessage::Credit { bytes: sum, .. })) =
                    before.and_then(|at| self.waiting.get_mut(at))
                    && let Some(both) = sum.checked_add(*bytes)
                {
                    *sum = both;
                    return;
                }
                self.credits.insert(*channel, self.next);
            }
            HubOutput::Send(ServerMessage::Incoming(incoming)) => {
                self.offers.insert(incoming.channel, self.next);
            }
            HubOutput::Send(ServerMessage::Close { channel, .. }) => {
                if let Some(at) = self.credits.remove(channel) {
                    self.waiting.remove(&at);
                }
                if let Some(at) = self.offers.remove(channel) {
                    self.waiting.remove(&at);
                    return;
                }
            }
            HubOutput::Send(ServerMessage::Peers(peers)) => {
                if let Some(at) = self.peers.insert(peers.info_hash, self.next) {
                    self.remove(at);
                }
            }
            _ => {}
        }
        self.answers += answer_size(&output);
        self.waiting.insert(self.next, output);
        self.next += 1;
    }

    /// What is to be sent next.
    pub fn pop(&mut self) -> Option<HubOutput> {
        let (at, output) = self.waiting.pop_first()?;
        self.answers -= answer_size(&output);
        match &output {
            HubOutput::Send(ServerMessage::Credit { channel, .. })
                if self.credits.get(channel) == Some(&at) =>
            {
                self.credits.remove(channel);
            }
            HubOutput::Send(ServerMessage::Incoming(incoming)) => {
                self.offers.remove(&incoming.channel);
            }
            HubOutput::Send(ServerMessage::Peers(peers)) => {
                self.peers.remove(&peers.info_hash);
            }
            _ => {}
        }
        Some(output)
    }

    /// Bytes of memory, about, of what waits and answers the client's own messages.
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// Drops everything: the connection ends.
    pub fn clear(&mut self) {
        *self = ClientOutbox {
            next: self.next,
            ..ClientOutbox::default()
        };
    }

    fn remove(&mut self, at: u64) {
        if let Some(output) = self.waiting.remove(&at) {
            self.answers -= answer_size(&output);
        }
    }
}

/// What an answer takes in memory; nothing for what others cause.
fn answer_size(output: &HubOutput) -> usize {
    let HubOutput::Send(message) = output else {
        return 0;
    };
    let inside = match message {
        ServerMessage::Welcome(_) | ServerMessage::Accepted { .. } | ServerMessage::Pong => 0,
        ServerMessage::Peers(peers) => peers.members.len() * size_of::<Member>(),
        ServerMessage::Refused { reason, .. } | ServerMessage::Error { reason, .. } => reason.len(),
        ServerMessage::Incoming(_)
        | ServerMessage::Credit { .. }
        | ServerMessage::Close { .. }
        | ServerMessage::Data(_) => return 0,
    };
    size_of::<HubOutput>() + inside
}

#[cfg(test)]
mod tests;
