//! One node and trackers by HTTP and UDP that answer what a test says: who is told what, when.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod content;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use swarm_core::engine::{Command, Config, Done, Resume, Work};
use swarm_core::find::announcer::{AnnounceError, Ask, Reply, SourceState};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{Input, Node, Output, WireOutput};
use swarm_core::pieces::Bitfield;
use swarm_core::time::Time;
use swarm_core::wire::tracker::Event;
use swarm_core::wire::tracker::http::{Announced, Peer};

const PIECE: u32 = 32 << 10;

struct Stage {
    now: Time,
    node: Node,
    metainfo: Metainfo,
    bytes: Bytes,
    /// What trackers were asked, and when.
    asked: Vec<(Time, Ask)>,
    /// What each of them answers; nothing comes of those that are not named.
    answers: BTreeMap<String, Result<Announced, AnnounceError>>,
    troubles: Vec<(String, String)>,
    dialled: Vec<String>,
}

fn announced(interval: u32) -> Announced {
    Announced {
        interval,
        ..Announced::default()
    }
}

impl Stage {
    fn new(have: bool, tiers: &[&[&str]]) -> Self {
        let (metainfo, bytes) = content::of_one("file", 4 * u64::from(PIECE), PIECE, 3);
        let config = Config {
            listen_port: Some(6881),
            ..Config::default()
        };
        let now = Time::from_millis(1000);
        let mut stage = Stage {
            now,
            node: Node::new(config, 1, now, None),
            metainfo,
            bytes,
            asked: Vec::new(),
            answers: BTreeMap::new(),
            troubles: Vec::new(),
            dialled: Vec::new(),
        };
        let tiers = tiers
            .iter()
            .map(|tier| tier.iter().map(|url| (*url).to_owned()).collect());
        let tiers = Input::Trackers {
            info_hash: stage.info_hash(),
            tiers: tiers.collect(),
        };
        stage.feed(Input::Network { dials: 8 });
        stage.feed(tiers);
        let pieces = stage.metainfo.layout().piece_count();
        let resume = match have {
            true => Bitfield::full(pieces),
            false => Bitfield::empty(pieces),
        };
        let metainfo = stage.metainfo.clone();
        stage.feed(Input::Command(Command::AddTorrent {
            metainfo,
            resume: Resume::Pieces(resume),
            paused: false,
        }));
        stage
    }

    fn info_hash(&self) -> InfoHash {
        self.metainfo.info_hash()
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.node.handle(self.now, input);
            while let Some(output) = self.node.poll_output() {
                match output {
                    Output::Ask(ask) => self.asked.push((self.now, ask)),
                    Output::Trouble { url, trouble, .. } => {
                        self.troubles.push((url, trouble.to_string()));
                    }
                    Output::Wire(WireOutput::Dial { address, .. }) => {
                        self.dialled.push(address.to_string());
                    }
                    Output::Store(job, Work::Read { .. }) => {
                        let begin = (job.piece.get() * PIECE) as usize;
                        let bytes = self.bytes.slice(begin..begin + PIECE as usize);
                        inputs.push(Input::Store(job, Done::Read(Ok(bytes))));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Trackers answer what they were asked and have an answer for.
    fn answer(&mut self) {
        let asked: Vec<Ask> = self.asked.iter().map(|(_, ask)| ask.clone()).collect();
        for ask in asked {
            if let Some(answer) = self.answers.get(&ask.url) {
                let from = "9.9.9.9".parse().unwrap();
                let answer = answer.clone().map(|announced| Reply { from, announced });
                self.feed(Input::Answered {
                    number: ask.number,
                    answer,
                });
            }
        }
    }

    /// So much time passes, and trackers answer at once.
    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.answer();
            let due = self.node.poll_timeout().map(|(due, _)| due.max(self.now));
            match due.filter(|due| *due <= until) {
                Some(due) => self.now = due,
                None => break,
            }
            self.feed(Input::Tick);
        }
        self.now = until;
    }

    /// Who was told what, in order.
    fn told(&self) -> Vec<(&str, Event)> {
        let asked = self.asked.iter();
        let told = asked.map(|(_, ask)| (ask.url.as_str(), ask.query.announce.event));
        told.collect()
    }
}

#[test]
fn a_tracker_hears_that_we_come_stay_and_go() {
    let mut stage = Stage::new(true, &[&["http://a/announce"]]);
    stage
        .answers
        .insert("http://a/announce".to_owned(), Ok(announced(600)));
    stage.wait(Duration::from_secs(1300));
    let info_hash = stage.info_hash();
    stage.feed(Input::Command(Command::Remove(info_hash)));
    stage.wait(Duration::from_secs(4000));
    let a = "http://a/announce";
    let events = [Event::Started, Event::Update, Event::Update, Event::Stopped];
    assert_eq!(stage.told(), events.map(|event| (a, event)));
    let first = &stage.asked[0].1.query.announce;
    assert_eq!((first.port, first.left), (6881, Some(0)));
    assert_eq!(first.info_hash, info_hash);
    let times: Vec<u128> = stage
        .asked
        .iter()
        .map(|(at, _)| at.since_epoch().as_millis())
        .collect();
    assert_eq!(times, [1000, 601_000, 1_201_000, 1_301_000]);
    let last = &stage.asked[3].1.query.announce;
    assert_eq!((last.left, last.numwant), (Some(0), Some(0)));
}

#[test]
fn one_of_each_tier_is_announced_to_the_first_that_answers() {
    let tiers: &[&[&str]] = &[
        &["http://a", "http://b", "udp://c"],
        &["udp://d"],
        &["http://a"],
    ];
    let mut stage = Stage::new(true, tiers);
    for url in ["http://a", "http://b"] {
        let dead = Err(AnnounceError::Unreachable("no route".to_owned()));
        stage.answers.insert(url.to_owned(), dead);
    }
    for url in ["udp://c", "udp://d"] {
        stage.answers.insert(url.to_owned(), Ok(announced(1800)));
    }
    stage.wait(Duration::from_secs(2000));
    let c = stage
        .told()
        .iter()
        .filter(|(url, _)| *url == "udp://c")
        .count();
    let d = stage
        .told()
        .iter()
        .filter(|(url, _)| *url == "udp://d")
        .count();
    assert_eq!((c, d), (2, 2));
    // Those before it in its tier were tried once, and are not while it answers.
    assert!(stage.asked.len() <= 6, "{:?}", stage.told());
    let states: Vec<_> = stage.node.trackers(stage.info_hash());
    assert_eq!(states.len(), 4);
    let members = states
        .iter()
        .filter(|view| view.state == SourceState::Member);
    assert_eq!(members.count(), 2);
}

#[test]
fn a_tracker_that_fails_is_tried_after_growing_pauses_and_named_once() {
    let mut stage = Stage::new(true, &[&["http://a"]]);
    let refused = Err(AnnounceError::Refused("no such torrent".to_owned()));
    stage.answers.insert("http://a".to_owned(), refused);
    stage.wait(Duration::from_secs(130));
    let times: Vec<u128> = stage
        .asked
        .iter()
        .map(|(at, _)| at.since_epoch().as_millis() / 1000)
        .collect();
    assert_eq!(times, [1, 16, 46, 106]);
    let said = ("http://a".to_owned(), "it says: no such torrent".to_owned());
    assert_eq!(stage.troubles, [said]);
    // It never took us in: there is nothing to leave.
    let info_hash = stage.info_hash();
    stage.feed(Input::Command(Command::Pause(info_hash)));
    assert!(
        stage
            .told()
            .iter()
            .all(|(_, event)| *event == Event::Started)
    );
}

#[test]
fn one_that_says_nothing_has_failed_after_a_while() {
    let mut stage = Stage::new(true, &[&["http://a", "http://b"]]);
    stage.wait(Duration::from_secs(125));
    let told: Vec<&str> = stage.told().iter().map(|(url, _)| *url).collect();
    assert_eq!(told.len(), 2);
    assert_ne!(told[0], told[1]);
    assert_eq!(stage.troubles[0].1, "it does not answer");
    // Too late.
    let number = stage.asked[0].1.number;
    let peer = Peer {
        address: "9.9.9.9:1".parse().unwrap(),
        peer_id: None,
    };
    let announced = Announced {
        peers: vec![peer],
        ..announced(600)
    };
    let from = "9.9.9.9".parse().unwrap();
    stage.feed(Input::Answered {
        number,
        answer: Ok(Reply { from, announced }),
    });
    assert!(stage.dialled.is_empty());
}

#[test]
fn whom_a_tracker_names_is_called_if_it_can_know_of_them() {
    let mut stage = Stage::new(false, &[&["http://a"]]);
    let peers = [
        "8.8.8.8:51413",
        "127.0.0.1:22",
        "192.168.1.1:80",
        "8.8.4.4:0",
        "[2001:db8::1]:6881",
    ];
    let peers = peers.map(|address| Peer {
        address: address.parse().unwrap(),
        peer_id: None,
    });
    let answer = Announced {
        peers: peers.to_vec(),
        complete: Some(3),
        ..announced(600)
    };
    stage.answers.insert("http://a".to_owned(), Ok(answer));
    stage.wait(Duration::from_millis(10));
    stage.dialled.sort();
    stage.dialled.dedup();
    assert_eq!(stage.dialled, ["8.8.8.8:51413", "[2001:db8::1]:6881"]);
    assert_eq!(stage.node.view(stage.now).torrents[0].complete, 3);
}

#[test]
fn a_peer_that_is_alone_asks_again_but_not_all_the_time() {
    let mut stage = Stage::new(false, &[&["http://a"]]);
    stage
        .answers
        .insert("http://a".to_owned(), Ok(announced(1800)));
    stage.wait(Duration::from_secs(600));
    let asked = stage.asked.len();
    assert!((2..=11).contains(&asked), "{asked} times");
    let pauses = stage.asked.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(pauses.min().unwrap() >= Duration::from_secs(60));
}

#[test]
fn what_a_tracker_wants_to_be_sent_along_is() {
    let mut stage = Stage::new(true, &[&["http://a"]]);
    let answer = Announced {
        tracker_id: Some(b"x7".to_vec()),
        warning: Some("slow today".to_owned()),
        ..announced(60)
    };
    stage.answers.insert("http://a".to_owned(), Ok(answer));
    stage.wait(Duration::from_secs(61));
    let ids: Vec<_> = stage
        .asked
        .iter()
        .map(|(_, ask)| ask.query.tracker_id.clone())
        .collect();
    assert_eq!(ids, [None, Some(b"x7".to_vec())]);
    assert_eq!(
        stage.troubles,
        [("http://a".to_owned(), "it warns: slow today".to_owned())]
    );
}
