//! What leaves for a client.

use bytes::Bytes;
use swarm_core::wire::relay::{Member, ServerMessage};
use swarm_core::wire::webtorrent;

/// A message to a client.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Not encoded yet.
    Control(ServerMessage),
    /// A data frame as it came.
    Data(Bytes),
    /// Of WebTorrent's protocol, not encoded yet.
    WebTorrent(webtorrent::ServerMessage),
}

impl Outgoing {
    /// Bytes, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Outgoing::Control(ServerMessage::Peers(peers)) => {
                size_of::<Self>() + peers.members.len() * size_of::<Member>()
            }
            Outgoing::Control(_) => size_of::<Self>(),
            Outgoing::Data(message) => message.len(),
            Outgoing::WebTorrent(message) => {
                let inside = match message {
                    webtorrent::ServerMessage::Offer { offer, .. } => offer.sdp.len(),
                    webtorrent::ServerMessage::Answer { sdp, .. } => sdp.len(),
                    webtorrent::ServerMessage::Scraped(scraped) => scraped.len() * 100,
                    webtorrent::ServerMessage::Announced { .. }
                    | webtorrent::ServerMessage::Failure { .. } => 0,
                };
                size_of::<Self>() + inside
            }
        }
    }
}
