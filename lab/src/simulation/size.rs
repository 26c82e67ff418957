//! How long control messages are on the wire. Estimates within some bytes: encoding each
//! of them only to count would cost more than everything else about them.

use swarm_core::hub::Frame as _;
use swarm_core::wire::relay::frame::HEADER;
use swarm_core::wire::relay::{ClientMessage, ServerMessage};

use super::chunk::LabFrame;
use super::queue::Upward;

/// A dictionary with its type and an info-hash.
const HEAD: usize = 50;

pub(super) fn upward(message: &Upward) -> usize {
    match message {
        Upward::Control(message) => client(message),
        Upward::Frame(frame) => self::frame(frame),
    }
}

pub(super) fn frame(frame: &LabFrame) -> usize {
    HEADER + frame.payload_len()
}

pub(super) fn client(message: &ClientMessage) -> usize {
    match message {
        ClientMessage::Data(frame) => HEADER + frame.payload_len(),
        ClientMessage::Announce(announce) => {
            HEAD + 75 + announce.pieces.as_ref().map_or(0, |bits| bits.len() + 14)
        }
        ClientMessage::Have(have) => HEAD + 30 + 4 * have.pieces.len(),
        ClientMessage::Leave { .. } => HEAD,
        ClientMessage::Open(_) => HEAD + 45,
        ClientMessage::Accept { .. } | ClientMessage::Credit { .. } => 45,
        ClientMessage::Close { reason, .. } => 40 + reason.len(),
        ClientMessage::Offer(signal) | ClientMessage::Answer(signal) => {
            HEAD + 40 + signal.sdp.len()
        }
        ClientMessage::Ping => 12,
    }
}

pub(super) fn server(message: &ServerMessage) -> usize {
    match message {
        ServerMessage::Data(frame) => HEADER + frame.payload_len(),
        ServerMessage::Welcome(_) => 115,
        ServerMessage::Peers(peers) => HEAD + 55 + 70 * peers.members.len(),
        ServerMessage::Incoming(_) => HEAD + 90,
        ServerMessage::Accepted { .. } => 60,
        ServerMessage::Credit { .. } => 45,
        ServerMessage::Refused { reason, .. } | ServerMessage::Close { reason, .. } => {
            40 + reason.len()
        }
        ServerMessage::Error { reason, .. } => HEAD + 20 + reason.len(),
        ServerMessage::Offer(signal) | ServerMessage::Answer(signal) => {
            HEAD + 75 + signal.sdp.len()
        }
        ServerMessage::Pong => 12,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use swarm_core::id::{ChannelId, InfoHash, MemberId, PeerId};
    use swarm_core::wire::relay::{Announce, Have, Member, Open, Peers, Welcome};

    use super::*;

    #[test]
    fn estimates_are_close() {
        let (info_hash, peer_id) = (InfoHash([7; 20]), PeerId([8; 20]));
        let (channel, member) = (ChannelId(1000), MemberId(1000));
        let close = |estimate: usize, encoded: Bytes| {
            let (low, high) = (estimate * 7 / 10 - 8, estimate * 13 / 10 + 8);
            assert!(
                (low..=high).contains(&encoded.len()),
                "{estimate} {encoded:?}"
            );
        };
        for message in [
            ClientMessage::Announce(Announce {
                info_hash,
                peer_id,
                left: Some(50_000_000),
                pieces: Some(Bytes::from(vec![1; 50])),
                numwant: 30,
                rtc: false,
            }),
            ClientMessage::Have(Have {
                info_hash,
                pieces: (100..120).collect(),
                left: 50_000_000,
            }),
            ClientMessage::Leave { info_hash },
            ClientMessage::Open(Open {
                request: 20,
                info_hash,
                member,
                credit: 4 << 20,
            }),
            ClientMessage::Credit {
                channel,
                bytes: 1 << 20,
            },
            ClientMessage::Close {
                channel,
                reason: "enough peers".to_owned(),
            },
            ClientMessage::Ping,
        ] {
            close(client(&message), message.encode());
        }
        for message in [
            ServerMessage::Welcome(Welcome {
                max_channels: 256,
                max_payload: 512 << 10,
                max_credit: 4 << 20,
                max_swarms: 100,
                ..Welcome::of(member)
            }),
            ServerMessage::Peers(Peers {
                rtc: 0,
                info_hash,
                interval: 120,
                complete: 1,
                incomplete: 30,
                members: vec![
                    Member {
                        member,
                        peer_id,
                        have: 100,
                        seed: false,
                    };
                    30
                ],
            }),
            ServerMessage::Credit {
                channel,
                bytes: 1 << 20,
            },
        ] {
            close(server(&message), message.encode());
        }
    }
}
