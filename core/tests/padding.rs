//! Padding (BEP 47) between peers: known to everybody, kept and asked for by nobody.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{
    Command, Config, Contents, Done, Resume, StoreError, TorrentState, TorrentView, Work,
};
use swarm_core::id::{ChannelId, LinkId, MemberId, PeerId};
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{Input, LinkInput, LinkOutput, Node, Output};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{BlockRef, Handshake, Message, Reserved};
use swarm_core::wire::relay::{DataFrame, Incoming, ServerMessage, Welcome};

const BLOCK: u32 = 16 << 10;
/// Two blocks.
const PIECE: u32 = 2 * BLOCK;
const CHANNEL: ChannelId = ChannelId(1);
const LINK: LinkId = LinkId(0);

fn block(piece: u32, begin: u32) -> BlockRef {
    BlockRef {
        piece,
        begin,
        length: BLOCK,
    }
}

/// One engine and one peer. The torrent has three pieces: a file of 10,000 bytes, padding up
/// to the last piece, and a file of that piece.
struct Pair {
    engine: Node,
    bytes: Vec<u8>,
    /// What the engine's host keeps.
    store: BTreeMap<u32, Bytes>,
    decoder: Decoder,
    heard: Vec<Message>,
}

impl Pair {
    fn new(have: &[u32]) -> Self {
        let mut bytes = vec![0; 3 * PIECE as usize];
        let mut rng = Rng::new(7);
        rng.fill(&mut bytes[..10_000]);
        rng.fill(&mut bytes[2 * PIECE as usize..]);
        let pieces = bytes.chunks(PIECE as usize);
        let hashes: Vec<u8> = pieces.flat_map(|p| Sha1::digest(p).to_vec()).collect();
        let padding = 2 * PIECE - 10_000;
        let info = format!(
            "d5:filesld6:lengthi10000e4:pathl1:aeed4:attr1:p6:lengthi{padding}ee\
             d6:lengthi{PIECE}e4:pathl1:beee4:name1:f12:piece lengthi{PIECE}e6:pieces60:"
        );
        let torrent = [b"d4:info", info.as_bytes(), &hashes, b"ee"].concat();
        let metainfo = Metainfo::from_torrent(&torrent).unwrap();

        let mut had = Bitfield::empty(3);
        let mut store = BTreeMap::new();
        for &index in have {
            had.insert(metainfo.layout().piece(index).unwrap());
            let begin = (index * PIECE) as usize;
            let piece = &bytes[begin..begin + PIECE as usize];
            store.insert(index, Bytes::copy_from_slice(piece));
        }
        let mut config = Config::default();
        // So that everything is asked for at once.
        config.requests.start = 16;
        let mut pair = Pair {
            engine: Node::new(config, 1, Time::ZERO, None),
            bytes,
            store,
            decoder: Decoder::new(1 << 20),
            heard: Vec::new(),
        };
        let info_hash = metainfo.info_hash();
        pair.feed(Input::Link(LINK, LinkInput::Up));
        pair.feed(Input::Link(
            LINK,
            ServerMessage::Welcome(Welcome {
                max_payload: 256 << 10,
                max_credit: 4 << 20,
                max_channels: 256,
                max_swarms: 100,
                ..Welcome::of(MemberId(0))
            })
            .into(),
        ));
        pair.feed(Input::Command(Command::AddTorrent {
            metainfo,
            resume: Resume::Pieces(had),
            paused: false,
        }));
        let peer_id = PeerId([1; 20]);
        pair.feed(Input::Link(
            LINK,
            ServerMessage::Incoming(Incoming {
                channel: CHANNEL,
                info_hash,
                member: MemberId(1),
                peer_id,
                credit: 1 << 30,
            })
            .into(),
        ));
        let handshake = Handshake {
            reserved: Reserved::FAST,
            info_hash,
            peer_id,
        };
        pair.send(&handshake.encode());
        pair
    }

    fn say(&mut self, message: &Message) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.send(&bytes);
    }

    fn send(&mut self, bytes: &[u8]) {
        let frame = DataFrame::new(CHANNEL, bytes);
        self.feed(Input::Link(LINK, ServerMessage::Data(frame).into()));
    }

    fn contents(&self) -> Contents<'_> {
        let info_hash = self.torrent().info_hash;
        self.engine.contents(info_hash).unwrap()
    }

    fn torrent(&self) -> TorrentView {
        self.engine.view(Time::ZERO).torrents.remove(0)
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.engine.handle(Time::ZERO, input);
            while let Some(output) = self.engine.poll_output() {
                inputs.extend(self.carry_out(output));
            }
        }
    }

    fn carry_out(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Link(_, LinkOutput::Data { channel, parts }) => {
                self.decoder.push(parts.frame(channel).payload());
                while let Some(received) = self.decoder.poll().unwrap() {
                    if let Received::Message(message) = received {
                        self.heard.push(message);
                    }
                }
                Some(Input::Link(LINK, LinkInput::Sent(parts.len())))
            }
            Output::Store(job, work) => {
                let done = match work {
                    Work::Read { .. } => {
                        let data = self.store.get(&job.piece.get()).cloned();
                        Done::Read(data.ok_or(StoreError::Missing))
                    }
                    Work::Write { data } => {
                        self.store.insert(job.piece.get(), data);
                        Done::Written(Ok(()))
                    }
                    Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
                    Work::Verify => return None,
                };
                Some(Input::Store(job, done))
            }
            _ => None,
        }
    }
}

#[test]
fn only_blocks_with_bytes_of_files_are_asked_for() {
    let mut pair = Pair::new(&[]);
    pair.say(&Message::HaveAll);
    pair.say(&Message::Unchoke);
    let requests = pair.heard.iter().filter_map(|message| match message {
        Message::Request(block) => Some(*block),
        _ => None,
    });
    let mut requests: Vec<BlockRef> = requests.collect();
    requests.sort_by_key(|block| (block.piece, block.begin));
    assert_eq!(requests, [block(0, 0), block(2, 0), block(2, BLOCK)]);
    for BlockRef { piece, begin, .. } in requests {
        let from = (piece * PIECE + begin) as usize;
        let data = Bytes::copy_from_slice(&pair.bytes[from..from + BLOCK as usize]);
        pair.say(&Message::Piece { piece, begin, data });
    }
    assert_eq!(pair.torrent().state, TorrentState::Seeding);
    let contents = pair.contents();
    let have = contents.have.map(Bitfield::as_bytes);
    assert_eq!(have, Some(&[0b1110_0000][..]), "the piece of padding too");
    let length = contents.describe().length;
    assert_eq!(length, u64::from(10_000 + PIECE));
    let kept: Vec<u32> = pair.store.keys().copied().collect();
    assert_eq!(kept, [0, 2]);
}

#[test]
fn whoever_asks_for_padding_gets_zeros() {
    // The piece of nothing but padding is not even kept.
    let mut pair = Pair::new(&[0, 2]);
    assert_eq!(pair.heard[0], Message::HaveAll);
    pair.say(&Message::HaveNone);
    pair.say(&Message::Interested);
    for asked in [block(0, BLOCK), block(1, 0)] {
        pair.heard.clear();
        pair.say(&Message::Request(asked));
        let zeros = Message::Piece {
            piece: asked.piece,
            begin: asked.begin,
            data: vec![0; BLOCK as usize].into(),
        };
        assert_eq!(pair.heard, [zeros]);
    }
}
