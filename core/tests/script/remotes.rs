//! The peers that talk to the engine under test, and the server through which they do.

use swarm_core::id::{ChannelId, MemberId, PeerId};
use swarm_core::node::{Input, LinkInput};
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{BlockRef, Handshake, Message, Reserved};
use swarm_core::wire::relay::{ClientMessage, DataFrame, Incoming, Member, Peers, ServerMessage};

use super::{LINK, PIECE, Stage};

/// What a scripted peer heard.
pub(super) struct Remote {
    decoder: Decoder,
    heard: Vec<Message>,
    closed: Option<String>,
}

/// What a peer calls itself.
fn name_of(number: u32) -> PeerId {
    PeerId([u8::try_from(number % 251).unwrap(); 20])
}

impl Stage {
    /// A peer asks for a channel, gets it, and greets.
    pub(crate) fn remote(&mut self, reserved: Reserved) -> ChannelId {
        self.remote_with_credit(reserved, 1 << 30)
    }

    /// The same, and we may send it only so many bytes for now.
    pub(crate) fn remote_with_credit(&mut self, reserved: Reserved, credit: u32) -> ChannelId {
        let number = self.next;
        self.meet(MemberId(number), name_of(number), reserved, credit)
    }

    /// We may send a peer so many bytes more.
    pub(crate) fn give_credit(&mut self, channel: ChannelId, bytes: u32) {
        self.feed(Input::Link(
            LINK,
            ServerMessage::Credit { channel, bytes }.into(),
        ));
    }

    /// The peer behind a channel comes once more, through the same connection to the tracker.
    pub(crate) fn again(&mut self, channel: ChannelId) -> ChannelId {
        self.meet(
            MemberId(channel.0),
            name_of(channel.0),
            Reserved::FAST,
            1 << 30,
        )
    }

    /// Somebody else comes under the id of the peer behind a channel.
    pub(crate) fn namesake(&mut self, channel: ChannelId) -> ChannelId {
        self.meet(
            MemberId(self.next),
            name_of(channel.0),
            Reserved::FAST,
            1 << 30,
        )
    }

    fn meet(
        &mut self,
        member: MemberId,
        peer_id: PeerId,
        reserved: Reserved,
        credit: u32,
    ) -> ChannelId {
        let channel = ChannelId(self.next);
        self.next += 1;
        self.meet_through(channel, member, peer_id, reserved, credit);
        channel
    }

    /// The server gives the number of a channel to another one, of somebody else.
    pub(crate) fn give_number_twice(&mut self, channel: ChannelId) {
        let number = self.next;
        self.next += 1;
        let member = MemberId(number);
        self.meet_through(channel, member, name_of(number), Reserved::FAST, 1 << 30);
    }

    fn meet_through(
        &mut self,
        channel: ChannelId,
        member: MemberId,
        peer_id: PeerId,
        reserved: Reserved,
        credit: u32,
    ) {
        self.remotes.insert(
            channel,
            Remote {
                decoder: Decoder::new(1 << 20),
                heard: Vec::new(),
                closed: None,
            },
        );
        self.feed(Input::Link(
            LINK,
            ServerMessage::Incoming(Incoming {
                channel,
                info_hash: self.info_hash(),
                member,
                peer_id,
                credit,
            })
            .into(),
        ));
        let handshake = Handshake {
            reserved,
            info_hash: self.info_hash(),
            peer_id,
        };
        self.send_bytes(channel, &handshake.encode());
    }

    /// A peer of the Fast extension that has everything and lets us request.
    pub(crate) fn seed(&mut self) -> ChannelId {
        let remote = self.remote(Reserved::FAST);
        self.say(remote, &Message::HaveAll);
        self.say(remote, &Message::Unchoke);
        remote
    }

    /// A peer of the Fast extension that has nothing and wants what we have.
    pub(crate) fn leecher(&mut self) -> ChannelId {
        let remote = self.remote(Reserved::FAST);
        self.say(remote, &Message::HaveNone);
        self.say(remote, &Message::Interested);
        remote
    }

    /// The tracker names so many members, from 1 on, of which those in `seeds` say that they
    /// have everything.
    pub(crate) fn tell_of(&mut self, count: u32, seeds: &[u32]) {
        let members = (1..=count).map(|number| Member {
            member: MemberId(number),
            peer_id: name_of(number),
            have: 0,
            seed: seeds.contains(&number),
        });
        self.feed(Input::Link(
            LINK,
            ServerMessage::Peers(Peers {
                rtc: 0,
                info_hash: self.info_hash(),
                interval: 120,
                complete: 0,
                incomplete: count,
                members: members.collect(),
            })
            .into(),
        ));
    }

    /// The members that it has asked for a channel, and not been answered.
    pub(crate) fn opened(&self) -> Vec<u32> {
        self.opening.values().map(|member| member.0).collect()
    }

    /// None of them wants one.
    pub(crate) fn refuse_all(&mut self) {
        for request in std::mem::take(&mut self.opening).into_keys() {
            let reason = "enough peers".to_owned();
            self.feed(Input::Link(
                LINK,
                ServerMessage::Refused { request, reason }.into(),
            ));
        }
    }

    pub(crate) fn say(&mut self, channel: ChannelId, message: &Message) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.send_bytes(channel, &bytes);
    }

    pub(crate) fn send_bytes(&mut self, channel: ChannelId, bytes: &[u8]) {
        let frame = DataFrame::new(channel, bytes);
        self.feed(Input::Link(LINK, ServerMessage::Data(frame).into()));
    }

    /// Sends a block, rightly or with its first bit flipped.
    pub(crate) fn send_block(&mut self, channel: ChannelId, block: BlockRef, right: bool) {
        let begin = (block.piece * PIECE + block.begin) as usize;
        let mut data = self.bytes[begin..begin + block.length as usize].to_vec();
        data[0] ^= u8::from(!right);
        let message = Message::Piece {
            piece: block.piece,
            begin: block.begin,
            data: data.into(),
        };
        self.say(channel, &message);
    }

    /// What a peer heard since this was last asked.
    pub(crate) fn heard(&mut self, channel: ChannelId) -> Vec<Message> {
        std::mem::take(&mut self.remotes.get_mut(&channel).unwrap().heard)
    }

    /// The requests among what a peer heard, less those that were cancelled again.
    pub(crate) fn requests(&mut self, channel: ChannelId) -> Vec<BlockRef> {
        let mut requests = Vec::new();
        for message in self.heard(channel) {
            match message {
                Message::Request(block) => requests.push(block),
                Message::Cancel(block) => requests.retain(|asked| *asked != block),
                _ => {}
            }
        }
        requests
    }

    /// Why the engine closed a peer's channel, if it did.
    pub(crate) fn closed(&self, channel: ChannelId) -> Option<&str> {
        self.remotes[&channel].closed.as_deref()
    }

    /// The engine says something to the server, or through it to a peer.
    pub(super) fn hear(&mut self, message: ClientMessage) -> Option<Input> {
        match message {
            ClientMessage::Data(frame) => {
                let bytes = frame.payload_len();
                if let Some(remote) = self.remotes.get_mut(&frame.channel()) {
                    remote.decoder.push(frame.payload());
                    while let Some(received) = remote.decoder.poll().unwrap() {
                        if let Received::Message(message) = received {
                            remote.heard.push(message);
                        }
                    }
                }
                return Some(Input::Link(LINK, LinkInput::Sent(bytes)));
            }
            ClientMessage::Close { channel, reason } => {
                if let Some(remote) = self.remotes.get_mut(&channel) {
                    remote.closed = Some(reason);
                }
            }
            ClientMessage::Ping => return Some(Input::Link(LINK, ServerMessage::Pong.into())),
            ClientMessage::Announce(announce) => {
                self.announced = announce.pieces.unwrap_or_default();
            }
            ClientMessage::Open(open) => {
                self.opening.insert(open.request, open.member);
            }
            _ => {}
        }
        None
    }
}
