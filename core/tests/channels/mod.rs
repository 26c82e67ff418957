//! One engine without a node, and channels of any kind to peers that do what a test says.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

#[path = "../content/mod.rs"]
mod content;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{
    Command, Config, DirectId, DirectNews, DirectWork, Engine, Event, Input, Opening, Output,
    PeerPath, PeerView, Resume, TorrentState, TorrentView,
};
use swarm_core::id::{ChannelId, ChannelKey, Fingerprint, LinkId, MemberId, PeerId};
use swarm_core::metainfo::Metainfo;
use swarm_core::net::{Contact, LaneLimits, RelayPolicy};
use swarm_core::pieces::Bitfield;
use swarm_core::time::Time;
use swarm_core::wire::extension::{Begin, ExtensionHandshake, HANDSHAKE_ID, Proof, Token};
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{BlockRef, Handshake, Message, Reserved};

/// Bytes of a piece: two blocks.
const PIECE: u32 = 32 << 10;
pub(crate) const BLOCK: u32 = 16 << 10;
/// Links that are up.
const LINKS: u32 = 4;
/// What others at a link know the engine by.
const US: u32 = 1000;

pub(crate) fn block(piece: u32, begin: u32) -> BlockRef {
    BlockRef {
        piece,
        begin,
        length: BLOCK,
    }
}

/// The engine, and all channels to it that ever were, by their numbers.
pub(crate) struct Table {
    now: Time,
    engine: Engine,
    metainfo: Metainfo,
    bytes: Bytes,
    channels: Vec<End>,
    /// What was to be done about direct links.
    directs: Vec<(DirectId, DirectWork)>,
}

/// A peer's end of a channel.
struct End {
    key: ChannelKey,
    member: u32,
    decoder: Decoder,
    heard: Vec<Message>,
    /// Blocks that came whole.
    blocks: Vec<BlockRef>,
    handshakes: Vec<ExtensionHandshake>,
    closed: Option<String>,
}

impl Table {
    /// A torrent of so many pieces, of which the engine has those in `have`.
    pub(crate) fn new(config: Config, pieces: u32, have: &[u32]) -> Self {
        let (metainfo, bytes) = content::of_one("file", u64::from(pieces * PIECE), PIECE, 7);
        let now = Time::from_millis(1000);
        let mut table = Table {
            now,
            engine: Engine::new(config, 1, now),
            metainfo: metainfo.clone(),
            bytes,
            channels: Vec::new(),
            directs: Vec::new(),
        };
        for link in 0..LINKS {
            let limits = LaneLimits {
                max_channels: 256,
                max_payload: 256 << 10,
            };
            let link = LinkId(link);
            table.feed(Input::LinkUp {
                link,
                limits,
                policy: RelayPolicy::Spare,
            });
        }
        let mut had = Bitfield::empty(pieces);
        for &index in have {
            had.insert(metainfo.layout().piece(index).unwrap());
        }
        table.feed(Input::Command(Command::AddTorrent {
            metainfo,
            resume: Resume::Pieces(had),
            paused: false,
        }));
        table
    }

    /// Somebody opens a channel, greets, and says a token.
    pub(crate) fn open(&mut self, link: u32, path: PeerPath, name: u8) -> usize {
        self.open_with(link, path, name, 1 << 30)
    }

    /// The same, and it takes so many bytes for now.
    pub(crate) fn open_with(&mut self, link: u32, path: PeerPath, name: u8, room: u32) -> usize {
        let member = u32::try_from(self.channels.len()).unwrap() + 1;
        self.meet(link, path, name, member, room)
    }

    /// The same of somebody who knows none of our extensions.
    pub(crate) fn open_ordinary(&mut self, link: u32, path: PeerPath, name: u8) -> usize {
        let member = u32::try_from(self.channels.len()).unwrap() + 1;
        let contact = Contact::Member {
            link: LinkId(link),
            member: MemberId(member),
        };
        let opened = self.greet(link, path, name, (member, contact), 1 << 30);
        self.extend(opened, &ExtensionHandshake::default());
        opened
    }

    /// The member behind another channel opens one.
    pub(crate) fn open_as(&mut self, link: u32, path: PeerPath, name: u8, as_of: usize) -> usize {
        self.meet(link, path, name, self.channels[as_of].member, 1 << 30)
    }

    /// Somebody whose certificate is known is linked directly; maybe it takes introductions.
    pub(crate) fn link(&mut self, peer: Fingerprint, takes: Option<u8>) -> usize {
        let contact = Contact::Introduced(peer);
        let linked = self.offer(1, PeerPath::Direct, peer.0[0], (0, contact), 1 << 30);
        let handshake = ExtensionHandshake {
            ts_introduce: takes,
            ..ExtensionHandshake::default()
        };
        self.extend(linked, &handshake);
        linked
    }

    fn meet(&mut self, link: u32, path: PeerPath, name: u8, member: u32, room: u32) -> usize {
        let contact = Contact::Member {
            link: LinkId(link),
            member: MemberId(member),
        };
        self.offer(link, path, name, (member, contact), room)
    }

    fn offer(
        &mut self,
        link: u32,
        path: PeerPath,
        name: u8,
        who: (u32, Contact),
        room: u32,
    ) -> usize {
        let number = self.greet(link, path, name, who, room);
        self.extend(
            number,
            &ExtensionHandshake {
                token: Some(token_of(number)),
                ..ExtensionHandshake::default()
            },
        );
        number
    }

    fn greet(
        &mut self,
        link: u32,
        path: PeerPath,
        name: u8,
        (member, contact): (u32, Contact),
        room: u32,
    ) -> usize {
        let number = self.channels.len();
        let key = ChannelKey {
            link: LinkId(link),
            channel: ChannelId(u32::try_from(number).unwrap()),
        };
        self.channels.push(End {
            key,
            member,
            decoder: Decoder::new(1 << 20),
            heard: Vec::new(),
            blocks: Vec::new(),
            handshakes: Vec::new(),
            closed: None,
        });
        let peer_id = PeerId([name; 20]);
        self.feed(Input::Offered {
            opening: Opening {
                info_hash: self.metainfo.info_hash(),
                channel: key,
                contact,
                path,
                here: US.to_be_bytes(),
            },
            peer_id,
            room,
            crossing: false,
        });
        let handshake = Handshake {
            reserved: Reserved::FAST.with(Reserved::EXTENSION),
            info_hash: self.metainfo.info_hash(),
            peer_id,
        };
        self.send_bytes(number, &handshake.encode());
        number
    }

    /// The peer shows that it is the one at the other end of an earlier channel.
    pub(crate) fn prove(&mut self, channel: usize, first: usize) {
        let proof = self.proof(channel, first);
        self.show(channel, proof);
    }

    /// What it has to show for that.
    pub(crate) fn proof(&self, channel: usize, first: usize) -> Proof {
        self.proof_as(channel, first, self.channels[channel].member)
    }

    /// The same, if it were another member.
    pub(crate) fn proof_as(&self, channel: usize, first: usize, member: u32) -> Proof {
        let tokens = |of: usize| [token_of(of), self.token(of).unwrap()];
        self.hash(tokens(first), tokens(channel), [member, US])
    }

    /// The engine showed on one channel that it is the one at the other end of another.
    pub(crate) fn shown(&self, channel: usize, first: usize) -> bool {
        let tokens = |of: usize| [self.token(of).unwrap(), token_of(of)];
        let member = self.channels[channel].member;
        let proof = self.hash(tokens(first), tokens(channel), [US, member]);
        let mut said = self.channels[channel].handshakes.iter();
        said.any(|said| said.proof == Some(proof))
    }

    /// As `docs/protocol.md` says.
    fn hash(&self, first: [Token; 2], here: [Token; 2], members: [u32; 2]) -> Proof {
        let mut hash = Sha1::new();
        hash.update(b"tabswarm: one peer, two channels");
        hash.update(self.metainfo.info_hash().0);
        for token in first.into_iter().chain(here) {
            hash.update(token);
        }
        for member in members {
            hash.update(member.to_be_bytes());
        }
        hash.finalize().into()
    }

    pub(crate) fn show(&mut self, channel: usize, proof: Proof) {
        self.extend(
            channel,
            &ExtensionHandshake {
                proof: Some(proof),
                ..ExtensionHandshake::default()
            },
        );
    }

    pub(crate) fn begin(&mut self, channel: usize, begin: Begin) {
        self.extend(
            channel,
            &ExtensionHandshake {
                begin: Some(begin),
                ..ExtensionHandshake::default()
            },
        );
    }

    /// The peer says whether it stands in an ordinary swarm too, or nothing.
    pub(crate) fn says_gateway(&mut self, channel: usize, gateway: Option<bool>) {
        self.extend(
            channel,
            &ExtensionHandshake {
                gateway,
                ..ExtensionHandshake::default()
            },
        );
    }

    /// A person wants no ways but relays, or others too.
    pub(crate) fn relay_only(&mut self, only: bool) {
        self.feed(Input::RelayOnly(only));
    }

    /// Every extension handshake that a peer got.
    pub(crate) fn handshakes(&self, channel: usize) -> &[ExtensionHandshake] {
        &self.channels[channel].handshakes
    }

    fn extend(&mut self, channel: usize, handshake: &ExtensionHandshake) {
        let payload = handshake.encode();
        let id = HANDSHAKE_ID;
        self.say(channel, &Message::Extended { id, payload });
    }

    pub(crate) fn say(&mut self, channel: usize, message: &Message) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.send_bytes(channel, &bytes);
    }

    pub(crate) fn send_bytes(&mut self, channel: usize, bytes: &[u8]) {
        let channel = self.channels[channel].key;
        let bytes = Bytes::copy_from_slice(bytes);
        self.feed(Input::Received { channel, bytes });
    }

    pub(crate) fn grant(&mut self, channel: usize, bytes: u32) {
        let channel = self.channels[channel].key;
        self.feed(Input::Room { channel, bytes });
    }

    pub(crate) fn break_channel(&mut self, channel: usize) {
        let channel = self.channels[channel].key;
        self.feed(Input::Closed { channel });
    }

    pub(crate) fn block_message(&self, block: BlockRef) -> Vec<u8> {
        let begin = (block.piece * PIECE + block.begin) as usize;
        let message = Message::Piece {
            piece: block.piece,
            begin: block.begin,
            data: self.bytes.slice(begin..begin + block.length as usize),
        };
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        bytes
    }

    pub(crate) fn send_block(&mut self, channel: usize, block: BlockRef) {
        let bytes = self.block_message(block);
        self.send_bytes(channel, &bytes);
    }

    /// Answers whatever is asked through a channel, until nothing is.
    pub(crate) fn serve_all(&mut self, channel: usize) {
        loop {
            let asked = self.requests(channel);
            if asked.is_empty() {
                return;
            }
            for block in asked {
                self.send_block(channel, block);
            }
        }
    }

    /// The requests that a peer got since this was last asked, less those that were cancelled.
    pub(crate) fn requests(&mut self, channel: usize) -> Vec<BlockRef> {
        let mut requests = Vec::new();
        for message in std::mem::take(&mut self.channels[channel].heard) {
            match message {
                Message::Request(block) => requests.push(block),
                Message::Cancel(block) => requests.retain(|asked| *asked != block),
                _ => {}
            }
        }
        requests
    }

    /// The blocks that a peer got since this was last asked, all of which are right.
    pub(crate) fn blocks(&mut self, channel: usize) -> Vec<BlockRef> {
        std::mem::take(&mut self.channels[channel].blocks)
    }

    /// How often, and why, the engine began to talk through a channel.
    pub(crate) fn begins(&self, channel: usize) -> Vec<Begin> {
        let said = self.channels[channel].handshakes.iter();
        said.filter_map(|said| said.begin).collect()
    }

    /// What the engine said on a channel to know its other end by.
    pub(crate) fn token(&self, channel: usize) -> Option<Token> {
        let said = self.channels[channel].handshakes.iter();
        let tokens: BTreeSet<_> = said.filter_map(|said| said.token).collect();
        assert!(tokens.len() <= 1, "always the same");
        tokens.into_iter().next()
    }

    /// A proof that the engine showed on a channel.
    pub(crate) fn proof_heard(&self, channel: usize) -> Option<Proof> {
        let said = self.channels[channel].handshakes.iter();
        said.filter_map(|said| said.proof).next()
    }

    /// Why the engine closed a channel, if it did.
    pub(crate) fn closed(&self, channel: usize) -> Option<&str> {
        self.channels[channel].closed.as_deref()
    }

    /// What was to be done about direct links since this was last asked.
    pub(crate) fn directs(&mut self) -> Vec<DirectWork> {
        let directs = std::mem::take(&mut self.directs).into_iter();
        directs.map(|(_, work)| work).collect()
    }

    /// The same, with what each is known by.
    pub(crate) fn numbered_directs(&mut self) -> Vec<(DirectId, DirectWork)> {
        std::mem::take(&mut self.directs)
    }

    /// The host says something about a link that it makes.
    pub(crate) fn direct_news(&mut self, id: DirectId, news: DirectNews) {
        self.feed(Input::Direct(id, news));
    }

    /// What came under an extended id since this was last asked.
    pub(crate) fn extended(&mut self, channel: usize, id: u8) -> Vec<Bytes> {
        let heard = std::mem::take(&mut self.channels[channel].heard);
        let extended = heard.into_iter().filter_map(|message| match message {
            Message::Extended { id: of, payload } if of == id => Some(payload),
            _ => None,
        });
        extended.collect()
    }

    pub(crate) fn torrent(&self) -> TorrentView {
        self.engine.view(self.now).torrents.remove(0)
    }

    /// Bytes of the torrent.
    pub(crate) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn peers(&self) -> Vec<PeerView> {
        self.torrent().peers
    }

    pub(crate) fn is_seeding(&self) -> bool {
        self.torrent().state == TorrentState::Seeding
    }

    /// Lets time pass, a second at a time.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += Duration::from_secs(1);
            self.feed(Input::Tick);
        }
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.engine.handle(self.now, input);
            while let Some(output) = self.engine.poll_output() {
                inputs.extend(self.carry_out(output));
            }
            assert!(!self.engine.wake(self.now), "somebody waits for nothing");
        }
    }

    fn carry_out(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Send { channel, parts } => {
                let bytes = parts.frame(channel.channel).payload();
                let link = channel.link;
                let length = bytes.len();
                self.hear(channel.channel.0 as usize, bytes);
                Some(Input::Sent {
                    link,
                    bytes: length,
                })
            }
            Output::Close { channel, reason } => {
                let end = &mut self.channels[channel.channel.0 as usize];
                end.closed = Some(reason.to_string());
                None
            }
            Output::Store(job, work) => {
                let done = content::had(&self.bytes, PIECE, job, work);
                Some(Input::Store(job, done))
            }
            Output::Direct(id, work) => {
                self.directs.push((id, work));
                None
            }
            Output::Event(Event::Banned { peer, .. }) => panic!("{peer} is blamed"),
            _ => None,
        }
    }

    fn hear(&mut self, channel: usize, bytes: Bytes) {
        let end = &mut self.channels[channel];
        end.decoder.push(bytes);
        while let Some(received) = end.decoder.poll().unwrap() {
            match received {
                Received::Message(Message::Piece { piece, begin, data }) => {
                    let length = u32::try_from(data.len()).unwrap();
                    let at = (piece * PIECE + begin) as usize;
                    assert_eq!(data, self.bytes[at..at + data.len()]);
                    end.blocks.push(BlockRef {
                        piece,
                        begin,
                        length,
                    });
                }
                Received::Message(Message::Extended {
                    id: HANDSHAKE_ID,
                    payload,
                }) => {
                    let handshake = ExtensionHandshake::decode(&payload).unwrap();
                    end.handshakes.push(handshake);
                }
                Received::Message(message) => end.heard.push(message),
                Received::Handshake(_) => {}
            }
        }
    }
}

/// What the peer says on a channel to know its other end by.
fn token_of(channel: usize) -> Token {
    let mut token = [0xee; 16];
    token[0] = u8::try_from(channel).unwrap();
    token
}
