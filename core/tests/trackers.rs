//! Torrents with trackers of their own: each is told to those, and to no others.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};

use swarm_core::engine::{Command, Config, Standing, TrackerView};
use swarm_core::id::{ChannelId, InfoHash, LinkId, MemberId, PeerId};
use swarm_core::node::{Input, LinkInput, LinkOutput, Node, Output};
use swarm_core::time::Time;
use swarm_core::wire::relay::{ClientMessage, Incoming, Member, Peers, ServerMessage, Welcome};

const FIRST: LinkId = LinkId(0);
const SECOND: LinkId = LinkId(1);
const THIRD: LinkId = LinkId(2);
const PUBLIC: InfoHash = InfoHash([1; 20]);
const PRIVATE: InfoHash = InfoHash([2; 20]);

/// A node, and what each server knows.
struct Stage {
    node: Node,
    swarms: BTreeMap<LinkId, BTreeSet<InfoHash>>,
    /// Every torrent that a server ever heard of.
    heard: BTreeSet<(LinkId, InfoHash)>,
    opened: Vec<(LinkId, MemberId)>,
    closed: Vec<(LinkId, ChannelId)>,
}

impl Stage {
    fn new() -> Self {
        Stage {
            node: Node::new(Config::default(), 1, now(), None),
            swarms: BTreeMap::new(),
            heard: BTreeSet::new(),
            opened: Vec::new(),
            closed: Vec::new(),
        }
    }

    fn feed(&mut self, input: Input) {
        self.node.handle(now(), input);
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Link(link, LinkOutput::Send(message)) => self.hear(link, message),
                Output::Link(..) | Output::Event(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn hear(&mut self, link: LinkId, message: ClientMessage) {
        match message {
            ClientMessage::Announce(announce) => {
                let info_hash = announce.info_hash;
                self.heard.insert((link, info_hash));
                self.swarms.entry(link).or_default().insert(info_hash);
                self.say(link, &peers(info_hash, &[]));
            }
            ClientMessage::Leave { info_hash } => {
                let was_there = self.swarms.entry(link).or_default().remove(&info_hash);
                assert!(was_there, "{link:?} knew nothing of {info_hash}");
            }
            ClientMessage::Open(open) => self.opened.push((link, open.member)),
            ClientMessage::Close { channel, .. } => self.closed.push((link, channel)),
            _ => {}
        }
    }

    fn say(&mut self, link: LinkId, message: &ServerMessage) {
        self.feed(Input::Link(link, message.clone().into()));
    }

    fn connect(&mut self, link: LinkId) {
        self.feed(Input::Link(link, LinkInput::Up));
        let welcome = Welcome {
            max_channels: 64,
            max_payload: 1 << 18,
            max_credit: 1 << 20,
            max_swarms: 64,
            ..Welcome::of(MemberId(1))
        };
        self.say(link, &ServerMessage::Welcome(welcome));
    }

    fn add(&mut self, info_hash: InfoHash) {
        self.feed(Input::Command(Command::AddLink {
            info_hash,
            name: None,
            check: false,
            paused: false,
        }));
    }

    fn set(&mut self, info_hash: InfoHash, links: &[LinkId]) {
        let links = Some(links.iter().copied().collect());
        self.feed(Input::Links { info_hash, links });
    }

    fn knows(&self, link: LinkId) -> Vec<InfoHash> {
        let swarms = self.swarms.get(&link);
        swarms.map_or_else(Vec::new, |swarms| swarms.iter().copied().collect())
    }

    fn standings(&self, info_hash: InfoHash) -> Vec<(LinkId, TrackerView, Standing)> {
        let standings = self.node.standings(info_hash).into_iter();
        standings.map(|s| (s.link, s.state, s.standing)).collect()
    }
}

fn now() -> Time {
    Time::from_millis(1000)
}

fn peers(info_hash: InfoHash, members: &[u32]) -> ServerMessage {
    let member = |number: &u32| Member {
        member: MemberId(*number),
        peer_id: PeerId([u8::try_from(*number).unwrap(); 20]),
        have: 1,
        seed: false,
    };
    ServerMessage::Peers(Peers {
        info_hash,
        interval: 600,
        complete: 0,
        incomplete: 1,
        rtc: 0,
        members: members.iter().map(member).collect(),
    })
}

#[test]
fn a_torrent_is_told_to_its_own_trackers_whether_they_were_up_before_or_not() {
    let mut stage = Stage::new();
    stage.connect(FIRST);
    stage.set(PRIVATE, &[SECOND]);
    stage.add(PRIVATE);
    stage.add(PUBLIC);
    stage.connect(SECOND);
    stage.connect(THIRD);
    assert_eq!(stage.knows(FIRST), [PUBLIC]);
    assert_eq!(stage.knows(SECOND), [PUBLIC, PRIVATE]);
    assert_eq!(stage.knows(THIRD), [PUBLIC]);
    let member = |link| (link, TrackerView::Up, Standing::Member);
    assert_eq!(stage.standings(PRIVATE), [member(SECOND)]);
    assert_eq!(stage.standings(PUBLIC), [FIRST, SECOND, THIRD].map(member));

    // Also after everything was lost and came again.
    for link in [FIRST, SECOND] {
        stage.feed(Input::Link(link, LinkInput::Down));
        stage.swarms.remove(&link);
    }
    assert_eq!(stage.standings(PRIVATE), []);
    assert_eq!(stage.node.tracker(SECOND), TrackerView::Down);
    stage.connect(FIRST);
    stage.connect(SECOND);
    assert_eq!(stage.knows(FIRST), [PUBLIC]);
    assert_eq!(stage.knows(SECOND), [PUBLIC, PRIVATE]);
    let elsewhere = stage.heard.iter().filter(|(_, of)| *of == PRIVATE);
    assert_eq!(elsewhere.count(), 1);
}

#[test]
fn trackers_come_and_go_while_a_torrent_runs() {
    let mut stage = Stage::new();
    stage.set(PUBLIC, &[FIRST]);
    stage.connect(FIRST);
    stage.connect(SECOND);
    stage.add(PUBLIC);
    assert_eq!(stage.knows(SECOND), []);

    stage.set(PUBLIC, &[FIRST, SECOND]);
    assert_eq!(stage.knows(SECOND), [PUBLIC]);
    stage.say(SECOND, &peers(PUBLIC, &[7]));
    assert_eq!(stage.opened, [(SECOND, MemberId(7))]);

    stage.set(PUBLIC, &[FIRST]);
    assert_eq!(stage.knows(FIRST), [PUBLIC]);
    assert_eq!(stage.knows(SECOND), []);
    assert_eq!(stage.standings(PUBLIC).len(), 1);
    // Who is met there is none of ours any more, whoever says so.
    stage.say(SECOND, &peers(PUBLIC, &[8]));
    assert_eq!(stage.opened.len(), 1);

    stage.feed(Input::Links {
        info_hash: PUBLIC,
        links: None,
    });
    assert_eq!(stage.knows(SECOND), [PUBLIC]);
}

#[test]
fn a_paused_torrent_is_told_to_nobody_until_it_goes_on() {
    let mut stage = Stage::new();
    stage.set(PUBLIC, &[]);
    stage.connect(FIRST);
    stage.add(PUBLIC);
    stage.feed(Input::Command(Command::Pause(PUBLIC)));
    stage.set(PUBLIC, &[FIRST]);
    assert_eq!(stage.knows(FIRST), []);
    stage.feed(Input::Command(Command::Resume(PUBLIC)));
    assert_eq!(stage.knows(FIRST), [PUBLIC]);
}

#[test]
fn a_server_brings_nobody_for_a_torrent_that_it_was_not_told_of() {
    let mut stage = Stage::new();
    stage.set(PRIVATE, &[FIRST]);
    stage.connect(FIRST);
    stage.connect(SECOND);
    stage.add(PRIVATE);
    let offer = |channel| {
        ServerMessage::Incoming(Incoming {
            channel: ChannelId(channel),
            info_hash: PRIVATE,
            member: MemberId(9),
            peer_id: PeerId([9; 20]),
            credit: 1 << 16,
        })
    };
    stage.say(SECOND, &offer(5));
    assert_eq!(stage.closed, [(SECOND, ChannelId(5))]);
    stage.say(FIRST, &offer(6));
    assert_eq!(stage.closed.len(), 1);
}

#[test]
fn a_channel_that_was_asked_for_before_its_server_was_none_of_them_is_not_used() {
    let mut stage = Stage::new();
    stage.connect(FIRST);
    stage.connect(SECOND);
    stage.add(PUBLIC);
    stage.say(SECOND, &peers(PUBLIC, &[7]));
    assert_eq!(stage.opened, [(SECOND, MemberId(7))]);
    stage.set(PUBLIC, &[FIRST]);
    let accepted = ServerMessage::Accepted {
        request: 1,
        channel: ChannelId(5),
        credit: 1 << 16,
    };
    stage.say(SECOND, &accepted);
    assert_eq!(stage.closed, [(SECOND, ChannelId(5))]);
}

#[test]
fn a_connection_in_the_place_of_one_whose_end_nobody_saw_begins_anew() {
    let mut stage = Stage::new();
    stage.connect(FIRST);
    stage.add(PUBLIC);
    stage.say(FIRST, &peers(PUBLIC, &[7]));
    stage.connect(FIRST);
    stage.say(FIRST, &peers(PUBLIC, &[7]));
    assert_eq!(stage.opened, [(FIRST, MemberId(7)); 2]);
}
