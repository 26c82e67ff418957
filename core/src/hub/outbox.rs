//! What waits to be sent to one client, merged as it comes.
//!
//! A client that is slow to read must not be made to hold more by what others do, so what is
//! said about the same thing is said once: credit on a channel is added up, a channel that
//! was offered and is gone before the client heard of it is not mentioned, and of two answers
//! about a swarm the newer counts. What then remains is bounded by the client's channels, by
//! its credit, and by what it asked itself; of that [`ClientOutbox::answers`] tells, and the shell
//! reads no further questions while there is much of it. WebRTC offers and answers of others are
//! dropped when too many wait: whoever made them makes others.

use std::collections::BTreeMap;

use super::HubOutput;
use crate::id::{ChannelId, InfoHash};
use crate::wire::relay::{Member, ServerMessage};
use crate::wire::webtorrent;

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
    /// Bytes of WebRTC offers and answers that wait, and that may.
    signals: usize,
    max_signals: usize,
}

impl ClientOutbox {
    /// An empty one, in which so many bytes of WebRTC offers and answers may wait.
    pub fn new(max_signals: usize) -> Self {
        ClientOutbox {
            max_signals,
            ..ClientOutbox::default()
        }
    }

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
        let signal = signal_size(&output);
        if signal > self.max_signals.saturating_sub(self.signals) {
            return;
        }
        self.signals += signal;
        self.answers += answer_size(&output);
        self.waiting.insert(self.next, output);
        self.next += 1;
    }

    /// What is to be sent next.
    pub fn pop(&mut self) -> Option<HubOutput> {
        let (at, output) = self.waiting.pop_first()?;
        if self.waiting.is_empty() {
            // An empty tree keeps room for eleven, kilobytes for everybody to whom anything was
            // ever said.
            self.waiting = BTreeMap::new();
        }
        self.answers -= answer_size(&output);
        self.signals -= signal_size(&output);
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

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes of memory, about, of what waits and answers the client's own messages.
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// Drops everything: the connection ends.
    pub fn clear(&mut self) {
        *self = ClientOutbox {
            next: self.next,
            ..ClientOutbox::new(self.max_signals)
        };
    }

    fn remove(&mut self, at: u64) {
        if let Some(output) = self.waiting.remove(&at) {
            self.answers -= answer_size(&output);
        }
    }
}

/// What a WebRTC offer or answer of somebody else takes in memory.
fn signal_size(output: &HubOutput) -> usize {
    let message = match output {
        HubOutput::WebTorrent(message) => message,
        HubOutput::Send(ServerMessage::Offer(signal) | ServerMessage::Answer(signal)) => {
            return size_of::<HubOutput>() + signal.sdp.len();
        }
        _ => return 0,
    };
    match message {
        webtorrent::ServerMessage::Offer { offer, .. } => size_of::<HubOutput>() + offer.sdp.len(),
        webtorrent::ServerMessage::Answer { sdp, .. } => size_of::<HubOutput>() + sdp.len(),
        webtorrent::ServerMessage::Announced { .. }
        | webtorrent::ServerMessage::Scraped(_)
        | webtorrent::ServerMessage::Failure { .. } => 0,
    }
}

/// What an answer takes in memory; nothing for what others cause.
fn answer_size(output: &HubOutput) -> usize {
    let message = match output {
        HubOutput::Send(message) => message,
        HubOutput::WebTorrent(message) => return webtorrent_answer_size(message),
        HubOutput::Forward(_) | HubOutput::Reply(_) | HubOutput::Close { .. } => return 0,
    };
    let inside = match message {
        ServerMessage::Welcome(_) | ServerMessage::Accepted { .. } | ServerMessage::Pong => 0,
        ServerMessage::Peers(peers) => peers.members.len() * size_of::<Member>(),
        ServerMessage::Refused { reason, .. } | ServerMessage::Error { reason, .. } => reason.len(),
        ServerMessage::Incoming(_)
        | ServerMessage::Credit { .. }
        | ServerMessage::Close { .. }
        | ServerMessage::Offer(_)
        | ServerMessage::Answer(_)
        | ServerMessage::Data(_) => return 0,
    };
    size_of::<HubOutput>() + inside
}

fn webtorrent_answer_size(message: &webtorrent::ServerMessage) -> usize {
    let inside = match message {
        webtorrent::ServerMessage::Announced { .. } => 0,
        webtorrent::ServerMessage::Scraped(scraped) => scraped.len() * SCRAPED_SIZE,
        webtorrent::ServerMessage::Failure { reason, .. } => reason.len(),
        webtorrent::ServerMessage::Offer { .. } | webtorrent::ServerMessage::Answer { .. } => {
            return 0;
        }
    };
    size_of::<HubOutput>() + inside
}

/// A swarm's hash and counts, in a tree.
const SCRAPED_SIZE: usize = 48;

#[cfg(test)]
mod tests;
