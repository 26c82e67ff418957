//! One engine against peers that do exactly what a test says: no hub, no other engine.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{
    Command, Config, Engine, Event, Input, Output, Resume, StoreError, TorrentState, TorrentView,
};
use swarm_core::id::{ChannelId, InfoHash, MemberId, PeerId};
use swarm_core::metainfo::{Builder, Metainfo, NewFile};
use swarm_core::pieces::{Bitfield, PieceIndex};
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{BlockRef, Handshake, Message, Reserved};
use swarm_core::wire::relay::{ClientMessage, DataFrame, Incoming, ServerMessage, Welcome};

/// Bytes of a piece: two blocks.
pub(crate) const PIECE: u32 = 32 << 10;
pub(crate) const BLOCK: u32 = 16 << 10;

/// The engine under test, its store, and the peers that talk to it.
pub(crate) struct Stage {
    pub(crate) now: Time,
    pub(crate) engine: Engine,
    pub(crate) events: Vec<Event>,
    metainfo: Metainfo,
    bytes: Bytes,
    store: BTreeSet<u32>,
    unreadable: BTreeSet<u32>,
    announced: Bytes,
    remotes: BTreeMap<ChannelId, Remote>,
    next: u32,
}

/// What a scripted peer heard.
struct Remote {
    decoder: Decoder,
    heard: Vec<Message>,
    closed: Option<String>,
}

/// What a peer calls itself.
fn name_of(number: u32) -> PeerId {
    PeerId([u8::try_from(number % 251).unwrap(); 20])
}

impl Stage {
    /// A torrent of so many pieces, of which the engine has those in `have`.
    pub(crate) fn new(config: Config, pieces: u32, have: &[u32]) -> Self {
        Stage::open(config, &[pieces], have)
    }

    /// A torrent of files of so many pieces, of which the engine has nothing.
    pub(crate) fn with_files(config: Config, pieces: &[u32]) -> Self {
        Stage::open(config, pieces, &[])
    }

    fn open(config: Config, files: &[u32], have: &[u32]) -> Self {
        let pieces: u32 = files.iter().sum();
        let mut bytes = vec![0; (pieces * PIECE) as usize];
        Rng::new(7).fill(&mut bytes);
        let described = files.iter().enumerate().map(|(index, pieces)| NewFile {
            path: vec![format!("{index}.bin")],
            length: u64::from(pieces * PIECE),
        });
        let folder = (files.len() > 1).then_some("data");
        let hashes = bytes
            .chunks(PIECE as usize)
            .flat_map(|piece| <[u8; 20]>::from(Sha1::digest(piece)))
            .collect();
        let builder = Builder::new(folder, described.collect(), Some(PIECE)).unwrap();
        let metainfo = builder.finish(hashes, Vec::new(), false);
        let now = Time::from_millis(1000);
        let mut stage = Stage {
            now,
            engine: Engine::new(config, 1, now),
            events: Vec::new(),
            bytes: bytes.into(),
            store: have.iter().copied().collect(),
            unreadable: BTreeSet::new(),
            announced: Bytes::new(),
            remotes: BTreeMap::new(),
            next: 1,
            metainfo: metainfo.clone(),
        };
        let mut had = Bitfield::empty(pieces);
        for &index in have {
            had.insert(metainfo.layout().piece(index).unwrap());
        }
        stage.feed(Input::TrackerUp);
        stage.feed(Input::Tracker(ServerMessage::Welcome(Welcome {
            member: MemberId(0),
            max_payload: 256 << 10,
            max_credit: 4 << 20,
            max_channels: 256,
            max_swarms: 100,
        })));
        stage.feed(Input::Command(Command::AddTorrent {
            metainfo,
            resume: Resume::Pieces(had),
            paused: false,
        }));
        stage
    }

    /// From now on a piece can't be read any more.
    pub(crate) fn spoil(&mut self, piece: u32) {
        self.unreadable.insert(piece);
    }

    /// The pieces that a store holds, by their indices.
    pub(crate) fn pieces(&self, indices: &[u32]) -> Vec<PieceIndex> {
        let layout = self.metainfo.layout();
        indices
            .iter()
            .map(|index| layout.piece(*index).unwrap())
            .collect()
    }

    /// What the tracker was told last: the pieces that are here.
    pub(crate) fn announced(&self) -> &[u8] {
        &self.announced
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.feed(Input::Command(command));
    }

    pub(crate) fn info_hash(&self) -> InfoHash {
        self.metainfo.info_hash()
    }

    /// A peer asks for a channel, gets it, and greets.
    pub(crate) fn remote(&mut self, reserved: Reserved) -> ChannelId {
        let number = self.next;
        self.meet(MemberId(number), name_of(number), reserved)
    }

    /// The peer behind a channel comes once more, through the same connection to the tracker.
    pub(crate) fn again(&mut self, channel: ChannelId) -> ChannelId {
        self.meet(MemberId(channel.0), name_of(channel.0), Reserved::FAST)
    }

    /// Somebody else comes under the id of the peer behind a channel.
    pub(crate) fn namesake(&mut self, channel: ChannelId) -> ChannelId {
        self.meet(MemberId(self.next), name_of(channel.0), Reserved::FAST)
    }

    fn meet(&mut self, member: MemberId, peer_id: PeerId, reserved: Reserved) -> ChannelId {
        let number = self.next;
        self.next += 1;
        let channel = ChannelId(number);
        self.remotes.insert(
            channel,
            Remote {
                decoder: Decoder::new(1 << 20),
                heard: Vec::new(),
                closed: None,
            },
        );
        self.feed(Input::Tracker(ServerMessage::Incoming(Incoming {
            channel,
            info_hash: self.info_hash(),
            member,
            peer_id,
            credit: 1 << 30,
        })));
        let handshake = Handshake {
            reserved,
            info_hash: self.info_hash(),
            peer_id,
        };
        self.send_bytes(channel, &handshake.encode());
        channel
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

    pub(crate) fn say(&mut self, channel: ChannelId, message: &Message) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.send_bytes(channel, &bytes);
    }

    fn send_bytes(&mut self, channel: ChannelId, bytes: &[u8]) {
        let frame = DataFrame::new(channel, bytes);
        self.feed(Input::Tracker(ServerMessage::Data(frame)));
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

    pub(crate) fn torrent(&self) -> TorrentView {
        self.engine.view(self.now).torrents.remove(0)
    }

    pub(crate) fn is_seeding(&self) -> bool {
        self.torrent().state == TorrentState::Seeding
    }

    /// Lets time pass, a second at a time.
    pub(crate) fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.feed(Input::Tick);
        }
    }

    pub(crate) fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.engine.handle(self.now, input);
            while let Some(output) = self.engine.poll_output() {
                inputs.extend(self.carry_out(output));
            }
        }
    }

    fn carry_out(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Tracker(ClientMessage::Data(frame)) => {
                let bytes = frame.payload_len();
                if let Some(remote) = self.remotes.get_mut(&frame.channel()) {
                    remote.decoder.push(frame.payload());
                    while let Some(received) = remote.decoder.poll().unwrap() {
                        if let Received::Message(message) = received {
                            remote.heard.push(message);
                        }
                    }
                }
                Some(Input::TrackerSent(bytes))
            }
            Output::Tracker(ClientMessage::Close { channel, reason }) => {
                if let Some(remote) = self.remotes.get_mut(&channel) {
                    remote.closed = Some(reason);
                }
                None
            }
            Output::Tracker(ClientMessage::Ping) => Some(Input::Tracker(ServerMessage::Pong)),
            Output::Tracker(ClientMessage::Announce(announce)) => {
                self.announced = announce.pieces.unwrap_or_default();
                None
            }
            Output::Tracker(_) | Output::Reconnect => None,
            Output::Read { info_hash, piece } => {
                assert!(self.store.contains(&piece.get()), "reads what it has");
                let begin = (piece.get() * PIECE) as usize;
                let data = self.bytes.slice(begin..begin + PIECE as usize);
                let spoilt = self.unreadable.contains(&piece.get());
                Some(Input::Read {
                    info_hash,
                    piece,
                    result: match spoilt {
                        true => Err(StoreError::Unreadable("it changed".to_owned())),
                        false => Ok(data),
                    },
                })
            }
            Output::Write {
                info_hash,
                piece,
                data,
            } => {
                let begin = (piece.get() * PIECE) as usize;
                assert_eq!(data, self.bytes[begin..begin + PIECE as usize]);
                self.store.insert(piece.get());
                self.unreadable.remove(&piece.get());
                Some(Input::Written {
                    info_hash,
                    piece,
                    result: Ok(()),
                })
            }
            Output::Hash {
                info_hash,
                piece,
                data,
            } => Some(Input::Hashed {
                info_hash,
                piece,
                digest: Sha1::digest(&data).into(),
            }),
            Output::Event(event) => {
                self.events.push(event);
                None
            }
        }
    }
}
