//! One engine against peers that do exactly what a test says: no hub, no other engine.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

#[path = "../content/mod.rs"]
mod content;

mod remotes;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use remotes::Remote;
use swarm_core::engine::view::{Known, Told};
use swarm_core::engine::{
    Command, Config, DirectId, DirectWork, Event, Job, Resume, TorrentState, TorrentView, Work,
};
use swarm_core::id::{ChannelId, InfoHash, LinkId, MemberId};
use swarm_core::metainfo::{Metainfo, NewFile};
use swarm_core::node::{Input, LinkInput, Node, Output};
use swarm_core::pieces::Bitfield;
use swarm_core::time::Time;
use swarm_core::wire::peer::BlockRef;
use swarm_core::wire::relay::{ServerMessage, Welcome};

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
    reads: Option<Vec<Job>>,
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
