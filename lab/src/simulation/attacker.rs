//! Members of the swarm that are no engine, and mean no good.
//!
//! They say what the protocols allow, and no more than it takes to be in the way: to hold
//! a place, to be asked for pieces, or to be taken for somebody else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use swarm_core::chunk::Chunk as _;
use swarm_core::id::{ChannelId, InfoHash, MemberId, PeerId};
use swarm_core::net::Parts;
use swarm_core::node::{LinkInput, LinkOutput};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{Handshake, Message, Reserved};
use swarm_core::wire::relay::{Announce, ClientMessage, Member, Open, Peers, ServerMessage};

use super::{Input, Output, SERVER};

/// Channels that one asks for after each announce.
const DIALS: usize = 30;
/// A member is asked again after so long.
const REDIAL: Duration = Duration::from_secs(5);
/// Pauses between announces: the first, and the longest; each is twice the one before.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// What may be sent to it through a channel. It takes nothing.
const CREDIT: u32 = 1 << 20;

/// What one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attack {
    /// Says that it wants something, and asks for nothing.
    Idle,
    /// Says that it has everything and may be asked, and never answers.
    Promise,
    /// Says that it is the seeder, and misbehaves: with every other peer by a message that
    /// makes no sense, with the rest by corrupt blocks.
    Impersonate,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Attacker {
    attack: Attack,
    info_hash: InfoHash,
    pieces: u32,
    peer_id: PeerId,
    rng: Rng,
    me: Option<MemberId>,
    next_announce: Option<Time>,
    pause: Duration,
    request: u32,
    opening: BTreeMap<u32, MemberId>,
    dialed: BTreeMap<MemberId, Time>,
    channels: BTreeMap<ChannelId, Channel>,
    out: VecDeque<Output>,
}

#[derive(Debug)]
struct Channel {
    member: MemberId,
    decoder: Decoder,
    credit: usize,
}

impl Attacker {
    pub(super) fn new(attack: Attack, info_hash: InfoHash, pieces: u32, mut rng: Rng) -> Self {
        Attacker {
            attack,
            info_hash,
            pieces,
            peer_id: PeerId::random(&mut rng),
            rng,
            me: None,
            next_announce: None,
            pause: PAUSES.0,
            request: 0,
            opening: BTreeMap::new(),
            dialed: BTreeMap::new(),
            channels: BTreeMap::new(),
            out: VecDeque::new(),
        }
    }

    pub(super) fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Link(_, LinkInput::Message(message)) => self.hear(now, message),
            Input::Link(_, LinkInput::Data { channel, payload }) => {
                self.listen(channel, payload.to_bytes());
            }
            Input::Link(_, LinkInput::Down) => {
                self.next_announce = None;
                self.pause = PAUSES.0;
                self.opening.clear();
                self.dialed.clear();
                self.channels.clear();
            }
            _ => {}
        }
        if self.next_announce.is_some_and(|due| due <= now) {
            self.announce(now);
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.next_announce
    }

    fn say(&mut self, message: ClientMessage) {
        let message = LinkOutput::Send(message);
        self.out.push_back(Output::Link(SERVER, message));
    }

    fn announce(&mut self, now: Time) {
        let claims = self.attack != Attack::Idle;
        let pieces = if claims {
            Bitfield::full(self.pieces)
        } else {
            Bitfield::empty(self.pieces)
        };
        self.say(ClientMessage::Announce(Announce {
            info_hash: self.info_hash,
            peer_id: self.peer_id,
            left: Some(u64::from(!claims)),
            pieces: Some(Bytes::copy_from_slice(pieces.as_bytes())),
            numwant: 50,
            rtc: false,
        }));
        self.next_announce = Some(now + self.pause);
        self.pause = (2 * self.pause).min(PAUSES.1);
    }

    fn hear(&mut self, now: Time, message: ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => {
                self.me = Some(welcome.member);
                self.announce(now);
            }
            ServerMessage::Peers(peers) => self.meet(now, peers),
            ServerMessage::Incoming(incoming) => {
                let channel = incoming.channel;
                self.say(ClientMessage::Accept {
                    channel,
                    credit: CREDIT,
                });
                self.greet(channel, incoming.member, incoming.credit);
            }
            ServerMessage::Accepted {
                request,
                channel,
                credit,
            } => {
                if let Some(member) = self.opening.remove(&request) {
                    self.greet(channel, member, credit);
                }
            }
            ServerMessage::Refused { request, .. } => {
                self.opening.remove(&request);
            }
            ServerMessage::Credit { channel, bytes } => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.credit += bytes as usize;
                }
            }
            ServerMessage::Close { channel, .. } => {
                self.channels.remove(&channel);
            }
            ServerMessage::Data(_)
            | ServerMessage::Error { .. }
            | ServerMessage::Offer(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Pong => {}
        }
    }

    /// Asks for channels: to those who have everything first, they are the ones to keep busy.
    fn meet(&mut self, now: Time, peers: Peers) {
        let mut members = peers.members;
        self.rng.shuffle(&mut members);
        if self.attack == Attack::Impersonate {
            self.borrow_name(&members);
            members.retain(|member| !member.seed);
        }
        members.sort_by_key(|member| !member.seed);
        let busy: BTreeSet<MemberId> = self.channels.values().map(|c| c.member).collect();
        let free = members.into_iter().map(|member| member.member);
        let free = free.filter(|member| {
            let lately = self.dialed.get(member);
            !busy.contains(member) && lately.is_none_or(|dialed| now - *dialed >= REDIAL)
        });
        let free: Vec<MemberId> = free.take(DIALS).collect();
        for member in free {
            self.dialed.insert(member, now);
            self.request += 1;
            self.opening.insert(self.request, member);
            self.say(ClientMessage::Open(Open {
                request: self.request,
                info_hash: self.info_hash,
                member,
                credit: CREDIT,
            }));
        }
    }

    /// The seeder is the one that was there first.
    fn borrow_name(&mut self, members: &[Member]) {
        let seeds = members.iter().filter(|member| member.seed);
        if let Some(seeder) = seeds.min_by_key(|member| member.member) {
            self.peer_id = seeder.peer_id;
        }
    }

    fn greet(&mut self, channel: ChannelId, member: MemberId, credit: u32) {
        let remote = Channel {
            member,
            decoder: Decoder::new(1 << 20),
            credit: credit as usize,
        };
        self.channels.insert(channel, remote);
        let handshake = Handshake {
            reserved: Reserved::FAST,
            info_hash: self.info_hash,
            peer_id: self.peer_id,
        };
        let mut bytes = handshake.encode().to_vec();
        let words: &[Message] = match self.attack {
            Attack::Idle => &[Message::HaveNone, Message::Interested],
            Attack::Promise | Attack::Impersonate => &[Message::HaveAll, Message::Unchoke],
        };
        for message in words {
            message.encode(&mut bytes);
        }
        if self.attack == Attack::Impersonate && member.0.is_multiple_of(2) {
            // A "have" that is too short.
            bytes.extend([0, 0, 0, 3, 4, 0, 0]);
        }
        self.send(channel, &bytes);
    }

    fn send(&mut self, channel: ChannelId, bytes: &[u8]) {
        let Some(remote) = self.channels.get_mut(&channel) else {
            return;
        };
        if remote.credit >= bytes.len() {
            remote.credit -= bytes.len();
            let mut parts = Parts::default();
            parts.write(|out| out.extend_from_slice(bytes));
            let frame = LinkOutput::Data { channel, parts };
            self.out.push_back(Output::Link(SERVER, frame));
        }
    }

    /// Answers requests with nonsense, if it is one who does.
    fn listen(&mut self, channel: ChannelId, bytes: Bytes) {
        let Some(remote) = self.channels.get_mut(&channel) else {
            return;
        };
        if self.attack != Attack::Impersonate {
            return;
        }
        remote.decoder.push(bytes);
        let mut answers = Vec::new();
        while let Ok(Some(received)) = remote.decoder.poll() {
            if let Received::Message(Message::Request(block)) = received {
                answers.push(Message::Piece {
                    piece: block.piece,
                    begin: block.begin,
                    data: vec![0; block.length as usize].into(),
                });
            }
        }
        for answer in answers {
            let mut bytes = Vec::new();
            answer.encode(&mut bytes);
            self.send(channel, &bytes);
        }
    }
}
