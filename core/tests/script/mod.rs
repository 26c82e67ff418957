//! One engine against peers that do exactly what a test says: no hub, no other engine.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

#[path = "../content/mod.rs"]
mod content;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::view::{Known, Told};
use swarm_core::engine::{
    Command, Config, DirectId, DirectWork, Done, Event, Job, Resume, StoreError, TorrentState,
    TorrentView, Work,
};
use swarm_core::id::{ChannelId, InfoHash, LinkId, MemberId, PeerId};
use swarm_core::metainfo::{Metainfo, NewFile};
use swarm_core::node::{Input, LinkInput, Node, Output};
use swarm_core::pieces::{Bitfield, PieceIndex};
use swarm_core::time::Time;
use swarm_core::wire::peer::decoder::{Decoder, Received};
use swarm_core::wire::peer::{BlockRef, Handshake, Message, Reserved};
use swarm_core::wire::relay::{
    ClientMessage, DataFrame, Incoming, Member, Peers, ServerMessage, Welcome,
};

/// Bytes of a piece: two blocks.
pub(crate) const PIECE: u32 = 32 << 10;
pub(crate) const BLOCK: u32 = 16 << 10;
/// The only server.
const LINK: LinkId = LinkId(0);

/// The engine under test, its store, and the peers that talk to it.
pub(crate) struct Stage {
    pub(crate) now: Time,
    pub(crate) engine: Node,
    pub(crate) events: Vec<Event>,
    /// What was to be done about direct links.
    pub(crate) directs: Vec<(DirectId, DirectWork)>,
    metainfo: Metainfo,
    bytes: Bytes,
    store: BTreeSet<u32>,
    unreadable: BTreeSet<u32>,
    /// What was written of pieces in parts.
    pub(crate) parts: BTreeMap<u32, Vec<u8>>,
    /// Writes of parts fail while it is full.
    pub(crate) full: bool,
    /// What the store was asked to do with pieces in parts, while the test answers it.
    pub(crate) held_parts: Option<Vec<(Job, Work)>>,
    /// The same of pieces that are held whole.
    pub(crate) held: Option<Vec<(Job, Work)>>,
    /// How often a piece was read by a part.
    pub(crate) parts_read: usize,
    announced: Bytes,
    remotes: BTreeMap<ChannelId, Remote>,
    /// Members that it asked for a channel, by the number of the request.
    opening: BTreeMap<u32, MemberId>,
    next: u32,
    /// Reads that the test answers when it likes to; none while they are answered at once.
    reads: Option<Vec<u32>>,
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

    /// A torrent whose info dictionary is some 200 KiB long, of which the engine knows the
    /// info-hash alone.
    pub(crate) fn from_link(config: Config) -> Self {
        let described = (0..1000).map(|index| NewFile {
            path: vec![format!("{index} {}", "long name ".repeat(18))],
            length: 1,
        });
        let (metainfo, bytes) = content::of_files(Some("data"), described.collect(), PIECE, 7);
        Stage::empty(config, metainfo, bytes, &[]).with_link(false)
    }

    /// A torrent of so many pieces, of which the engine knows the info-hash alone; `check` says that
    /// there may be something of it in the store.
    pub(crate) fn from_link_to(config: Config, pieces: u32, check: bool) -> Self {
        let file = NewFile {
            path: vec!["0.bin".to_owned()],
            length: u64::from(pieces * PIECE),
        };
        let (metainfo, bytes) = content::of_files(None, vec![file], PIECE, 7);
        Stage::empty(config, metainfo, bytes, &[]).with_link(check)
    }

    fn with_link(mut self, check: bool) -> Self {
        let info_hash = self.info_hash();
        self.feed(Input::Command(Command::AddLink {
            info_hash,
            name: None,
            check,
            paused: false,
        }));
        self
    }

    fn open(config: Config, files: &[u32], have: &[u32]) -> Self {
        let described = files.iter().enumerate().map(|(index, pieces)| NewFile {
            path: vec![format!("{index}.bin")],
            length: u64::from(pieces * PIECE),
        });
        let folder = (files.len() > 1).then_some("data");
        let (metainfo, bytes) = content::of_files(folder, described.collect(), PIECE, 7);
        let mut stage = Stage::empty(config, metainfo.clone(), bytes, have);
        let mut had = Bitfield::empty(metainfo.layout().piece_count());
        for &index in have {
            had.insert(metainfo.layout().piece(index).unwrap());
        }
        stage.feed(Input::Command(Command::AddTorrent {
            metainfo,
            resume: Resume::Pieces(had),
            paused: false,
        }));
        stage
    }

    /// The engine does not know of the torrent yet.
    fn empty(config: Config, metainfo: Metainfo, bytes: Bytes, have: &[u32]) -> Self {
        let now = Time::from_millis(1000);
        let mut stage = Stage {
            now,
            engine: Node::new(config, 1, now, None),
            events: Vec::new(),
            directs: Vec::new(),
            bytes,
            store: have.iter().copied().collect(),
            unreadable: BTreeSet::new(),
            parts: BTreeMap::new(),
            full: false,
            held_parts: None,
            held: None,
            parts_read: 0,
            announced: Bytes::new(),
            remotes: BTreeMap::new(),
            opening: BTreeMap::new(),
            next: 1,
            reads: None,
            metainfo,
        };
        stage.feed(Input::Link(LINK, LinkInput::Up));
        stage.feed(Input::Link(
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
        stage
    }

    /// From now on the store answers only to [`Stage::answer_read`].
    pub(crate) fn hold_reads(&mut self) {
        self.reads = Some(Vec::new());
    }

    /// Pieces that the engine waits for.
    pub(crate) fn reads(&self) -> &[u32] {
        self.reads.as_deref().unwrap_or_default()
    }

    /// The store has read a piece.
    pub(crate) fn answer_read(&mut self, piece: u32) {
        let reads = self.reads.as_mut().unwrap();
        let place = reads.iter().position(|read| *read == piece).unwrap();
        reads.remove(place);
        let input = self.piece_read(piece);
        self.feed(input);
    }

    fn piece_read(&self, piece: u32) -> Input {
        let begin = (piece * PIECE) as usize;
        let data = self.bytes.slice(begin..begin + PIECE as usize);
        let spoilt = self.unreadable.contains(&piece);
        let job = Job {
            info_hash: self.info_hash(),
            piece: self.metainfo.layout().piece(piece).unwrap(),
            part: None,
            added: 0,
        };
        let result = match spoilt {
            true => Err(StoreError::Unreadable("it changed".to_owned())),
            false => Ok(data),
        };
        Input::Store(job, Done::Read(result))
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

    /// The info dictionary.
    pub(crate) fn info(&self) -> Bytes {
        self.metainfo.info().clone()
    }

    pub(crate) fn metainfo(&self) -> &Metainfo {
        &self.metainfo
    }

    /// The right bytes of a block.
    pub(crate) fn bytes_of(&self, block: BlockRef) -> Bytes {
        let begin = (block.piece * PIECE + block.begin) as usize;
        self.bytes.slice(begin..begin + block.length as usize)
    }

    pub(crate) fn info_hash(&self) -> InfoHash {
        self.metainfo.info_hash()
    }

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

    pub(crate) fn torrent(&self) -> TorrentView {
        self.engine.view(self.now).torrents.remove(0)
    }

    /// What a viewer learns who looks for the first time.
    pub(crate) fn known(&self) -> Known {
        let contents = self.engine.contents(self.info_hash()).unwrap();
        let mut known = Known::default();
        known.learn(Told::default().news(&contents).unwrap());
        known
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

    /// Does what a store does with pieces in parts.
    pub(crate) fn with_parts(&mut self, job: Job, work: &Work) -> Input {
        let bytes = self.bytes.clone();
        let piece = job.piece.get();
        let begin = job.part.unwrap_or(0);
        let here = |begin: u32, length: u32| {
            let begin = (piece * PIECE + begin) as usize;
            bytes.slice(begin..begin + length as usize)
        };
        let done = match work {
            Work::Read { length } => {
                assert!(self.store.contains(&piece), "reads what it has");
                self.parts_read += 1;
                Done::Read(Ok(here(begin, *length)))
            }
            Work::Write { data } => {
                assert!(!self.store.contains(&piece), "it is here already");
                Done::Written(if self.full {
                    Err(StoreError::Full("the disk".to_owned()))
                } else {
                    let place = self.parts.entry(piece);
                    let place = place.or_insert_with(|| vec![0; PIECE as usize]);
                    place[begin as usize..][..data.len()].copy_from_slice(data);
                    Ok(())
                })
            }
            Work::Verify => {
                let data = match self.parts.get(&piece) {
                    Some(written) => Some(Bytes::copy_from_slice(written)),
                    None => self.store.contains(&piece).then(|| here(0, PIECE)),
                };
                if data.as_ref() == Some(&here(0, PIECE)) {
                    self.store.insert(piece);
                }
                let digest = data.map(|data| Sha1::digest(&data).into());
                Done::Verified(digest.ok_or(StoreError::Missing))
            }
            Work::Hash { .. } => panic!("nothing about parts: {work:?}"),
        };
        Input::Store(job, done)
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
            Output::Link(_, output) => self.hear(output.into_message()?),
            Output::Store(job, work) => self.work(job, work),
            Output::WebTorrent(..)
            | Output::Web(_)
            | Output::Bridge(_)
            | Output::Wire(_)
            | Output::Ask(_)
            | Output::Trouble { .. } => {
                unreachable!("nobody here knows an address")
            }
            Output::Refused { .. } => None,
            Output::Direct(id, work) => {
                self.directs.push((id, work));
                None
            }
            Output::Event(event) => {
                self.events.push(event);
                None
            }
        }
    }
}

impl Stage {
    /// The engine says something to the server, or through it to a peer.
    fn hear(&mut self, message: ClientMessage) -> Option<Input> {
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

    fn work(&mut self, job: Job, work: Work) -> Option<Input> {
        if job.part.is_some() || matches!(work, Work::Verify) {
            if let Some(held) = &mut self.held_parts {
                held.push((job, work));
                return None;
            }
            return Some(self.with_parts(job, &work));
        }
        if let Some(held) = &mut self.held {
            held.push((job, work));
            return None;
        }
        let piece = job.piece.get();
        let done = match work {
            Work::Read { .. } => {
                assert!(self.store.contains(&piece), "reads what it has");
                if let Some(reads) = &mut self.reads {
                    reads.push(piece);
                    return None;
                }
                return Some(self.piece_read(piece));
            }
            Work::Write { data } => {
                let begin = (piece * PIECE) as usize;
                assert_eq!(data, self.bytes[begin..begin + PIECE as usize]);
                self.store.insert(piece);
                self.unreadable.remove(&piece);
                Done::Written(Ok(()))
            }
            Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
            Work::Verify => unreachable!("see above"),
        };
        Some(Input::Store(job, done))
    }
}
