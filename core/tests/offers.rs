//! WebRTC connections by way of trackers: ours, which says whom offers would find, and those of
//! WebTorrent's kind, which take them with an announce.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod content;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{Command, Config, DirectId, DirectWork, Done, PeerPath, Resume, Work};
use swarm_core::id::{InfoHash, LinkId, MemberId, PeerId};
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{
    DirectInput, Input, LinkInput, LinkOutput, Node, Output, WebTorrentInput, WireInput, WireOutput,
};
use swarm_core::pieces::Bitfield;
use swarm_core::time::Time;
use swarm_core::wire::peer::{Handshake, Reserved};
use swarm_core::wire::relay::{self, Peers, Signal, Signalled, Welcome};
use swarm_core::wire::tracker::Event;
use swarm_core::wire::webtorrent::{Announce, ClientMessage, OfferId, ServerMessage};

const LINK: LinkId = LinkId(0);
const PIECE: u32 = 64 << 10;
const PIECES: u32 = 5;
const OTHER: PeerId = PeerId(*b"-WW0300-0123456789ab");

/// A node, and what it wants of its host.
struct Tab {
    node: Node,
    now: Time,
    /// Connections that it wants something of.
    direct: Vec<(DirectId, DirectWork)>,
    /// What it says to servers of ours.
    said: Vec<relay::ClientMessage>,
    /// What it says to trackers of WebTorrent's kind.
    told: Vec<ClientMessage>,
    wires: Vec<WireOutput>,
    store: BTreeMap<u32, Bytes>,
    /// How often it gave a connection up.
    reconnects: usize,
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
    fn new(seed: u64, has_all: bool) -> Self {
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

    fn feed(&mut self, input: Input) {
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

    fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some((due, _)) = self.node.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.feed(Input::Tick);
        }
        self.now = end;
        self.feed(Input::Tick);
    }

    /// A server of ours is there.
    fn welcome(&mut self, relay_only: bool) {
        self.feed(Input::Link(LINK, LinkInput::Up));
        let welcome = Welcome {
            relay_only,
            ..Welcome::of(MemberId(1))
        };
        self.hear(relay::ServerMessage::Welcome(welcome));
    }

    fn hear(&mut self, message: relay::ServerMessage) {
        self.feed(Input::Link(LINK, message.into()));
    }

    /// It says that so many offers would find somebody.
    fn invite(&mut self, rtc: u32) {
        self.hear(relay::ServerMessage::Peers(Peers {
            info_hash: info_hash(),
            interval: 120,
            complete: 1,
            incomplete: 1,
            members: Vec::new(),
            rtc,
        }));
    }

    fn take_direct(&mut self) -> Vec<(DirectId, DirectWork)> {
        std::mem::take(&mut self.direct)
    }

    fn describe(&mut self, id: DirectId, sdp: &str) {
        let described = DirectInput::Described(sdp.to_owned());
        self.feed(Input::Direct(id, described));
    }

    fn link(&mut self, id: DirectId, wire: u32) {
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
    fn announced(&mut self) -> Vec<bool> {
        let said = std::mem::take(&mut self.said).into_iter();
        let rtc = said.filter_map(|message| match message {
            relay::ClientMessage::Announce(announce) => Some(announce.rtc),
            _ => None,
        });
        rtc.collect()
    }

    /// What it announced to a tracker of WebTorrent's kind since this was last asked.
    fn told(&mut self) -> Vec<Announce> {
        let told = std::mem::take(&mut self.told).into_iter();
        let announces = told.filter_map(|message| match message {
            ClientMessage::Announce(announce) => Some(announce),
            _ => None,
        });
        announces.collect()
    }

    fn paths(&self) -> Vec<PeerPath> {
        let view = self.node.view(self.now);
        view.torrents[0].peers.iter().map(|it| it.path).collect()
    }
}

fn info_hash() -> InfoHash {
    torrent().0.info_hash()
}

fn signalled(id: OfferId, sdp: &str) -> Signalled {
    Signalled {
        info_hash: info_hash(),
        member: MemberId(7),
        peer_id: OTHER,
        id,
        sdp: sdp.to_owned(),
    }
}

#[test]
fn offers_are_made_as_many_as_find_somebody_and_few_at_once() {
    let mut tab = Tab::new(1, false);
    tab.welcome(false);
    assert_eq!(tab.announced(), [true]);
    tab.invite(3);
    let first = tab.take_direct();
    let offers = first.iter().map(|(_, work)| work);
    assert_eq!(offers.collect::<Vec<_>>(), [&DirectWork::Offer; 2]);
    let [(one, _), (two, _)] = first[..] else {
        unreachable!("two of them")
    };
    tab.describe(one, "one");
    let [relay::ClientMessage::Offer(Signal { id, sdp, .. })] = &tab.said[..] else {
        panic!("no offer: {:?}", tab.said)
    };
    assert_eq!(sdp, "one");
    let answer = signalled(*id, "their answer");
    tab.feed(Input::Direct(two, DirectInput::Failed));
    let third = tab.take_direct();
    assert!(
        matches!(third[..], [(id, DirectWork::Offer)] if id != one && id != two),
        "in its place: {third:?}"
    );
    tab.hear(relay::ServerMessage::Answer(answer.clone()));
    let accepted = (one, DirectWork::Accept("their answer".to_owned()));
    assert_eq!(tab.take_direct(), [accepted]);
    tab.hear(relay::ServerMessage::Answer(answer));
    assert_eq!(tab.take_direct(), [], "once is enough");
    tab.link(one, 1 << 16);
    let Some(WireOutput::Send { parts, .. }) = tab.wires.first() else {
        panic!("nothing is said: {:?}", tab.wires)
    };
    assert!(parts.len() >= 68, "a handshake, at once");
    assert_eq!(tab.paths(), [PeerPath::WebTorrent]);
    // The last one is described by nobody, and given up.
    tab.wait(11);
    let given_up = (third[0].0, DirectWork::Drop);
    assert_eq!(tab.take_direct(), [given_up]);
    // Whom we have met need not be found.
    tab.invite(1);
    assert_eq!(tab.take_direct(), []);
}

#[test]
fn what_fails_is_tried_again_after_a_minute() {
    let mut tab = Tab::new(1, false);
    tab.welcome(false);
    tab.invite(1);
    let (id, _) = tab.take_direct()[0];
    tab.describe(id, "ours");
    let [.., relay::ClientMessage::Offer(Signal { id: offer, .. })] = &tab.said[..] else {
        panic!("no offer: {:?}", tab.said)
    };
    let answer = signalled(*offer, "theirs");
    tab.hear(relay::ServerMessage::Answer(answer));
    tab.announced();
    tab.wait(26);
    let drop = (id, DirectWork::Drop);
    assert_eq!(tab.take_direct().pop(), Some(drop), "no connection came");
    let before = tab.announced().len();
    tab.wait(62);
    assert!(tab.announced().len() > before, "the tracker is asked anew");
}

#[test]
fn offers_of_others_are_answered_once() {
    let mut tab = Tab::new(1, true);
    tab.welcome(false);
    let id = OfferId([9; 20]);
    let offer = relay::ServerMessage::Offer(signalled(id, "their offer"));
    tab.hear(offer.clone());
    let direct = tab.take_direct();
    let answer = DirectWork::Answer("their offer".to_owned());
    assert!(matches!(&direct[..], [(_, work)] if *work == answer));
    let (number, _) = direct[0];
    tab.hear(offer.clone());
    assert_eq!(tab.take_direct(), []);
    tab.describe(number, "our answer");
    let said = relay::ClientMessage::Answer(Signal {
        info_hash: info_hash(),
        id,
        sdp: "our answer".to_owned(),
    });
    assert_eq!(tab.said.pop(), Some(said));
    tab.link(number, 1 << 16);
    assert_eq!(tab.paths(), [PeerPath::WebTorrent]);
    tab.hear(offer.clone());
    assert_eq!(tab.take_direct(), [], "it is here");
    // The other end goes away, and may come back.
    tab.feed(Input::Wire(LinkId(1 << 16), WireInput::Down));
    assert_eq!(tab.paths(), []);
    tab.hear(offer.clone());
    let (number, _) = tab.take_direct()[0];
    // Who talks nonsense may not, for a while.
    tab.describe(number, "our answer");
    tab.link(number, (1 << 16) + 1);
    let nonsense = WireInput::Received(vec![0xff; 100].into());
    tab.feed(Input::Wire(LinkId((1 << 16) + 1), nonsense));
    assert_eq!(tab.paths(), []);
    tab.hear(offer);
    assert_eq!(tab.take_direct(), []);
}

#[test]
fn where_relays_alone_are_wanted_there_are_no_offers() {
    let offer = || relay::ServerMessage::Offer(signalled(OfferId([9; 20]), "their offer"));
    let mut tab = Tab::new(1, false);
    tab.welcome(true);
    tab.invite(3);
    tab.hear(offer());
    tab.feed(Input::WebTorrent(LinkId(1), WebTorrentInput::Up));
    assert_eq!((tab.take_direct(), tab.announced()), (vec![], vec![false]));
    assert_eq!(tab.told(), [], "nor does another tracker hear of us");
    tab.feed(Input::Link(LINK, LinkInput::Down));
    tab.wait(60);
    assert_eq!(tab.told(), [], "nor while the server is away");

    // A person says so while there are some.
    let mut tab = Tab::new(1, false);
    tab.welcome(false);
    tab.feed(Input::WebTorrent(LinkId(1), WebTorrentInput::Up));
    assert_eq!(tab.told().len(), 1);
    tab.invite(2);
    tab.hear(offer());
    assert_eq!(tab.take_direct().len(), 3);
    tab.announced();
    tab.feed(Input::RelayOnly(true));
    let dropped = tab.take_direct();
    assert_eq!(dropped.len(), 3);
    assert!(dropped.iter().all(|(_, work)| *work == DirectWork::Drop));
    assert_eq!(tab.announced(), [false], "and its server hears of that");
    assert_eq!(tab.told()[0].event, Event::Stopped);
    tab.invite(2);
    tab.hear(offer());
    assert_eq!(tab.take_direct(), []);
    tab.feed(Input::RelayOnly(false));
    assert_eq!(tab.announced(), [true]);
    assert_eq!(tab.told()[0].event, Event::Started);
}

#[test]
fn a_tracker_of_webtorrent_gets_offers_together_and_an_interval_within_reason() {
    let mut tab = Tab::new(1, false);
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    let told = tab.told();
    let [announce] = &told[..] else {
        panic!("not one announce: {told:?}")
    };
    assert_eq!((announce.event, announce.offers.len()), (Event::Started, 0));
    assert_eq!(announce.left, Some(u64::from(PIECE * PIECES)));
    let announced = ServerMessage::Announced {
        info_hash: info_hash(),
        interval: 0,
        complete: 2,
        incomplete: 1,
    };
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Message(announced)));
    let direct = tab.take_direct();
    assert_eq!(direct.len(), 2, "as many as may be");
    tab.describe(direct[0].0, "one");
    assert_eq!(tab.told(), []);
    tab.describe(direct[1].0, "two");
    let told = tab.told();
    let [announce] = &told[..] else {
        panic!("not one announce: {told:?}")
    };
    let sdps: Vec<&str> = announce.offers.iter().map(|it| &it.sdp[..]).collect();
    assert_eq!((sdps, announce.numwant), (vec!["one", "two"], Some(2)));
    tab.wait(14);
    assert_eq!(tab.told(), []);
    tab.wait(2);
    assert_eq!(tab.told().len(), 1);
    tab.feed(Input::Link(LINK, LinkInput::Down));
    let dropped = tab.take_direct();
    assert!(dropped.iter().all(|(_, work)| *work == DirectWork::Drop));
    assert_eq!(dropped.len(), 2);
}

/// Two tabs that know each other by a tracker of WebTorrent's kind alone.
struct Pair {
    tabs: [Tab; 2],
    /// The other ends of those that are open.
    wires: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    made: u32,
}

impl Pair {
    fn new() -> Self {
        Pair {
            tabs: [Tab::new(1, true), Tab::new(2, false)],
            wires: BTreeMap::new(),
            made: 1 << 16,
        }
    }

    fn tell(&mut self, tab: usize, message: ServerMessage) {
        let message = WebTorrentInput::Message(message);
        self.tabs[tab].feed(Input::WebTorrent(LINK, message));
    }

    /// Does what both want, one step of each; false if that is nothing.
    fn step(&mut self) -> bool {
        let mut moved = false;
        for at in [0, 1] {
            let told = std::mem::take(&mut self.tabs[at].told);
            let direct = self.tabs[at].take_direct();
            let wires = std::mem::take(&mut self.tabs[at].wires);
            moved |= !(told.is_empty() && direct.is_empty() && wires.is_empty());
            told.into_iter().for_each(|it| self.track(at, it));
            direct.into_iter().for_each(|it| self.connect(at, it));
            wires.into_iter().for_each(|it| self.carry(at, it));
        }
        moved
    }

    /// The tracker hands offers on to the other one, and answers back.
    fn track(&mut self, from: usize, message: ClientMessage) {
        let info_hash = info_hash();
        match message {
            ClientMessage::Announce(announce) => {
                for offer in announce.offers {
                    let peer_id = announce.peer_id;
                    let offer = ServerMessage::Offer {
                        info_hash,
                        peer_id,
                        offer,
                    };
                    self.tell(1 - from, offer);
                }
                let announced = ServerMessage::Announced {
                    info_hash,
                    interval: 600,
                    complete: 1,
                    incomplete: 1,
                };
                self.tell(from, announced);
            }
            ClientMessage::Answer(answer) => {
                let said = ServerMessage::Answer {
                    info_hash,
                    peer_id: answer.peer_id,
                    id: answer.id,
                    sdp: answer.sdp,
                };
                self.tell(1 - from, said);
            }
            ClientMessage::Scrape { .. } => unreachable!("nobody asks for that"),
        }
    }

    /// A description names its connection by its number at the end that offers.
    fn connect(&mut self, at: usize, (id, work): (DirectId, DirectWork)) {
        match work {
            DirectWork::Offer => {
                let sdp = format!("{at} {}", id.attempt);
                self.tabs[at].describe(id, &sdp);
            }
            DirectWork::Answer(offer) => {
                self.tabs[at].describe(id, &format!("{offer} {}", id.attempt));
            }
            DirectWork::Accept(answer) => {
                let there = answer.rsplit(' ').next().unwrap().parse().unwrap();
                let there = DirectId {
                    attempt: there,
                    ..id
                };
                self.made += 2;
                let ends = [(at, id), (1 - at, there)];
                let wires = [self.made, self.made + 1].map(LinkId);
                self.wires.insert((at, wires[0]), (1 - at, wires[1]));
                self.wires.insert((1 - at, wires[1]), (at, wires[0]));
                for ((tab, id), wire) in ends.into_iter().zip(wires) {
                    let max_payload = 64 << 10;
                    let linked = DirectInput::Linked { wire, max_payload };
                    self.tabs[tab].feed(Input::Direct(id, linked));
                }
            }
            DirectWork::Drop => {}
        }
    }

    fn carry(&mut self, at: usize, output: WireOutput) {
        match output {
            WireOutput::Send { wire, parts } => {
                if let Some(&(other, far)) = self.wires.get(&(at, wire)) {
                    let mut bytes = Vec::new();
                    parts.iter().for_each(|part| part.append_to(&mut bytes));
                    let received = WireInput::Received(bytes.into());
                    self.tabs[other].feed(Input::Wire(far, received));
                }
            }
            WireOutput::Close { wire, .. } => {
                if let Some((other, far)) = self.wires.remove(&(at, wire))
                    && self.wires.remove(&(other, far)).is_some()
                {
                    self.tabs[other].feed(Input::Wire(far, WireInput::Down));
                }
            }
            WireOutput::Dial { .. } => unreachable!("a tab dials nobody"),
        }
    }
}

#[test]
fn of_connections_that_cross_one_stays_and_carries_everything() {
    let mut pair = Pair::new();
    for tab in &mut pair.tabs {
        tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    }
    for _ in 0..100 {
        while pair.step() {}
        for tab in &mut pair.tabs {
            tab.wait(1);
        }
    }
    assert!(pair.made > (1 << 16) + 2, "both offered");
    assert_eq!(pair.wires.len(), 2, "one connection, of two ends");
    for tab in &pair.tabs {
        assert_eq!(tab.paths(), [PeerPath::WebTorrent]);
    }
    assert_eq!(pair.tabs[0].store, pair.tabs[1].store);
}

/// Some trackers take only torrents that they know.
#[test]
fn a_tracker_that_refuses_many_torrents_is_kept_for_the_others() {
    let mut tab = Tab::new(1, true);
    let others: Vec<Metainfo> = (0..30)
        .map(|n| content::of_one(&format!("other {n}"), 1000, PIECE, n).0)
        .collect();
    for metainfo in &others {
        tab.feed(Input::Command(Command::AddTorrent {
            metainfo: metainfo.clone(),
            resume: Resume::Nothing,
            paused: false,
        }));
    }
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    for metainfo in &others {
        let refused = ServerMessage::Failure {
            info_hash: metainfo.info_hash(),
            reason: "not one of ours".to_owned(),
        };
        tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Message(refused)));
    }
    assert_eq!(tab.reconnects, 0);
}

#[test]
fn a_tracker_that_babbles_is_given_up_and_gets_another_chance() {
    let mut tab = Tab::new(1, false);
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    assert_eq!(tab.told().len(), 1);
    let nonsense = || {
        WebTorrentInput::Message(ServerMessage::Announced {
            info_hash: InfoHash([7; 20]),
            interval: 120,
            complete: 0,
            incomplete: 1,
        })
    };
    for _ in 0..10_000 {
        tab.feed(Input::WebTorrent(LINK, nonsense()));
    }
    assert_eq!(tab.reconnects, 0, "some of it is borne");
    for _ in 0..50_000 {
        tab.feed(Input::WebTorrent(LINK, nonsense()));
    }
    assert_eq!(tab.reconnects, 1);
    tab.feed(Input::Link(LINK, LinkInput::Down));
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    assert_eq!(tab.told().len(), 1);
}
