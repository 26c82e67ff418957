//! A tab that speaks to servers and makes connections as a test says.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{Command, Config, DirectId, DirectWork, Done, PeerPath, Resume, Work};
use swarm_core::id::{InfoHash, LinkId, MemberId, PeerId};
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{
    DirectInput, Input, LinkInput, LinkOutput, Node, Output, WireInput, WireOutput,
};
use swarm_core::pieces::Bitfield;
use swarm_core::time::Time;
use swarm_core::wire::peer::{Handshake, Reserved};
use swarm_core::wire::relay::{self, Peers, Welcome};
use swarm_core::wire::webtorrent::{Announce, ClientMessage};

use crate::content;

/// The only server.
pub(crate) const LINK: LinkId = LinkId(0);
pub(crate) const PIECE: u32 = 64 << 10;
pub(crate) const PIECES: u32 = 5;
/// Whoever is met by a connection.
pub(crate) const OTHER: PeerId = PeerId(*b"-WW0300-0123456789ab");

/// A node, and what it wants of its host.
pub(crate) struct Tab {
    pub(crate) node: Node,
    pub(crate) now: Time,
    /// Connections that it wants something of.
    pub(crate) direct: Vec<(DirectId, DirectWork)>,
    /// What it says to servers of ours.
    pub(crate) said: Vec<relay::ClientMessage>,
    /// What it says to trackers of WebTorrent's kind.
    pub(crate) told: Vec<ClientMessage>,
    pub(crate) wires: Vec<WireOutput>,
    pub(crate) store: BTreeMap<u32, Bytes>,
    /// How often it gave a connection up.
    pub(crate) reconnects: usize,
}

fn config() -> Config {
    let mut config = Config::default();
    config.paths.channels = 2;
    config.paths.rtc.at_once = 2;
    config
}

fn torrent() -> (Metainfo, Bytes) {
    content::of_one("file", u64::from(PIECE * PIECES), PIECE, 1)
}

impl Tab {
    pub(crate) fn new(seed: u64, has_all: bool) -> Self {
        let (metainfo, bytes) = torrent();
        let now = Time::from_millis(1000);
        let mut tab = Tab {
            node: Node::new(config(), seed, now, None),
            now,
            direct: Vec::new(),
            said: Vec::new(),
            told: Vec::new(),
            wires: Vec::new(),
            store: BTreeMap::new(),
            reconnects: 0,
        };
        let resume = match has_all {
            true => Resume::Pieces(Bitfield::full(PIECES)),
            false => Resume::Nothing,
        };
        for piece in (0..PIECES).filter(|_| has_all) {
            let begin = (piece * PIECE) as usize;
            let piece_bytes = bytes.slice(begin..begin + PIECE as usize);
            tab.store.insert(piece, piece_bytes);
        }
        tab.feed(Input::Command(Command::AddTorrent {
            metainfo,
            resume,
            paused: false,
        }));
        tab
    }

    pub(crate) fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.node.handle(self.now, input);
            while let Some(output) = self.node.poll_output() {
                match output {
                    Output::Direct(id, work) => self.direct.push((id, work)),
                    Output::Link(_, LinkOutput::Send(relay::ClientMessage::Ping)) => {
                        let pong = relay::ServerMessage::Pong;
                        inputs.push_back(Input::Link(LINK, pong.into()));
                    }
                    Output::Link(_, LinkOutput::Send(message)) => self.said.push(message),
                    Output::Link(_, LinkOutput::Reconnect) => self.reconnects += 1,
                    Output::WebTorrent(_, message) => self.told.push(message),
                    Output::Wire(output) => {
                        if let WireOutput::Send { wire, parts } = &output {
                            let sent = WireInput::Sent(parts.len());
                            inputs.push_back(Input::Wire(*wire, sent));
                        }
                        self.wires.push(output);
                    }
                    Output::Store(job, work) => {
                        let piece = job.piece.get();
                        let done = match work {
                            Work::Read { .. } => Done::Read(Ok(self.store[&piece].clone())),
                            Work::Write { data } => {
                                self.store.insert(piece, data);
                                Done::Written(Ok(()))
                            }
                            Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
                            Work::Verify => unreachable!("pieces are short"),
                        };
                        inputs.push_back(Input::Store(job, done));
                    }
                    Output::Event(_) | Output::Refused { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some((due, _)) = self.node.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.feed(Input::Tick);
        }
        self.now = end;
        self.feed(Input::Tick);
    }

    /// A server of ours is there.
    pub(crate) fn welcome(&mut self, relay_only: bool) {
        self.feed(Input::Link(LINK, LinkInput::Up));
        let welcome = Welcome {
            relay_only,
            ..Welcome::of(MemberId(1))
        };
        self.hear(relay::ServerMessage::Welcome(welcome));
    }

    pub(crate) fn hear(&mut self, message: relay::ServerMessage) {
        self.feed(Input::Link(LINK, message.into()));
    }

    /// It says that so many offers would find somebody.
    pub(crate) fn invite(&mut self, rtc: u32) {
        self.hear(relay::ServerMessage::Peers(Peers {
            info_hash: info_hash(),
            interval: 120,
            complete: 1,
            incomplete: 1,
            members: Vec::new(),
            rtc,
        }));
    }

    pub(crate) fn take_direct(&mut self) -> Vec<(DirectId, DirectWork)> {
        std::mem::take(&mut self.direct)
    }

    pub(crate) fn describe(&mut self, id: DirectId, sdp: &str) {
        let described = DirectInput::Described(sdp.to_owned());
        self.feed(Input::Direct(id, described));
    }

    pub(crate) fn link(&mut self, id: DirectId, wire: u32) {
        let linked = DirectInput::Linked {
            wire: LinkId(wire),
            max_payload: 64 << 10,
        };
        self.feed(Input::Direct(id, linked));
        let handshake = Handshake {
            reserved: Reserved::EXTENSION.with(Reserved::FAST),
            info_hash: info_hash(),
            peer_id: OTHER,
        };
        let greets = WireInput::Received(handshake.encode().to_vec().into());
        self.feed(Input::Wire(LinkId(wire), greets));
    }

    /// The `rtc` of what it announced since this was last asked.
    pub(crate) fn announced(&mut self) -> Vec<bool> {
        let said = std::mem::take(&mut self.said).into_iter();
        let rtc = said.filter_map(|message| match message {
            relay::ClientMessage::Announce(announce) => Some(announce.rtc),
            _ => None,
        });
        rtc.collect()
    }

    /// What it announced to a tracker of WebTorrent's kind since this was last asked.
    pub(crate) fn told(&mut self) -> Vec<Announce> {
        let told = std::mem::take(&mut self.told).into_iter();
        let announces = told.filter_map(|message| match message {
            ClientMessage::Announce(announce) => Some(announce),
            _ => None,
        });
        announces.collect()
    }

    pub(crate) fn paths(&self) -> Vec<PeerPath> {
        let view = self.node.view(self.now);
        view.torrents[0].peers.iter().map(|it| it.path).collect()
    }
}

pub(crate) fn info_hash() -> InfoHash {
    torrent().0.info_hash()
}
