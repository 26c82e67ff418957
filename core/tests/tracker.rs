//! One engine and a tracker that does exactly what a test says: signs of life, turns,
//! refusals.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::time::Duration;

use swarm_core::engine::{Command, Config, Standing, TrackerView};
use swarm_core::id::{ChannelId, InfoHash, LinkId, MemberId, PeerId};
use swarm_core::node::{Input, LinkInput, LinkOutput, Node, Output};
use swarm_core::time::Time;
use swarm_core::wire::relay::{ClientMessage, DataFrame, Incoming, Peers, ServerMessage, Welcome};

/// The only server.
const LINK: LinkId = LinkId(0);

/// The engine, and what its tracker knows.
struct Stage {
    now: Time,
    engine: Node,
    /// The tracker takes messages and answers them.
    answers: bool,
    max_swarms: u32,
    swarms: BTreeSet<InfoHash>,
    /// Who was ever announced.
    seen: BTreeSet<InfoHash>,
    refuses: Option<&'static str>,
    announces: u32,
    reconnects: u32,
    /// What it refused, and of what torrent.
    refusals: Vec<(Option<InfoHash>, String)>,
}

impl Stage {
    fn new(max_swarms: u32) -> Self {
        let now = Time::from_millis(1000);
        let mut stage = Stage {
            now,
            engine: Node::new(Config::default(), 1, now, None),
            answers: true,
            max_swarms,
            swarms: BTreeSet::new(),
            seen: BTreeSet::new(),
            refuses: None,
            announces: 0,
            reconnects: 0,
            refusals: Vec::new(),
        };
        stage.connect();
        stage
    }

    fn connect(&mut self) {
        self.feed(Input::Link(LINK, LinkInput::Up));
        if self.answers {
            self.feed(Input::Link(
                LINK,
                ServerMessage::Welcome(Welcome {
                    max_channels: 64,
                    max_payload: 1 << 18,
                    max_credit: 1 << 20,
                    max_swarms: self.max_swarms,
                    ..Welcome::of(MemberId(1))
                })
                .into(),
            ));
        }
    }

    fn add(&mut self, number: u8) -> InfoHash {
        let info_hash = InfoHash([number; 20]);
        self.feed(Input::Command(Command::AddLink {
            info_hash,
            name: None,
            check: false,
            paused: false,
        }));
        info_hash
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.engine.handle(self.now, input);
            while let Some(output) = self.engine.poll_output() {
                match output {
                    Output::Link(_, LinkOutput::Send(message)) if self.answers => {
                        let answer = self.answer(message);
                        inputs.extend(answer.map(|answer| Input::Link(LINK, answer.into())));
                    }
                    Output::Link(_, LinkOutput::Reconnect) => {
                        self.reconnects += 1;
                        self.swarms.clear();
                        inputs.push(Input::Link(LINK, LinkInput::Down));
                    }
                    Output::Refused {
                        info_hash, reason, ..
                    } => self.refusals.push((info_hash, reason)),
                    _ => {}
                }
            }
        }
    }

    fn answer(&mut self, message: ClientMessage) -> Option<ServerMessage> {
        match message {
            ClientMessage::Ping => Some(ServerMessage::Pong),
            ClientMessage::Announce(announce) => {
                let info_hash = announce.info_hash;
                self.announces += 1;
                if let Some(reason) = self.refuses {
                    return Some(ServerMessage::Error {
                        info_hash: Some(info_hash),
                        reason: reason.to_owned(),
                    });
                }
                self.seen.insert(info_hash);
                self.swarms.insert(info_hash);
                assert!(
                    self.swarms.len() <= self.max_swarms as usize,
                    "never in more swarms than the tracker takes"
                );
                Some(ServerMessage::Peers(Peers {
                    rtc: 0,
                    info_hash,
                    interval: 120,
                    complete: 0,
                    incomplete: 1,
                    members: Vec::new(),
                }))
            }
            ClientMessage::Leave { info_hash } => {
                self.swarms.remove(&info_hash);
                None
            }
            _ => None,
        }
    }

    /// Lets time pass from timer to timer, as a host does.
    fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some((due, _)) = self.engine.poll_timeout().filter(|(due, _)| *due <= end) {
            assert!(due >= self.now, "no timer is in the past");
            self.now = due;
            self.feed(Input::Tick);
        }
        self.now = end;
    }

    fn standings(&self) -> Vec<Standing> {
        let torrents = self.engine.view(self.now).torrents.into_iter();
        torrents.map(|torrent| torrent.standing).collect()
    }
}

#[test]
fn a_tracker_that_answers_stays_however_long_nothing_happens() {
    let mut stage = Stage::new(100);
    stage.wait(24 * 3600);
    assert_eq!(stage.reconnects, 0);
    assert_eq!(stage.engine.view(stage.now).tracker, TrackerView::Up);
}

#[test]
fn a_connection_that_died_without_a_word_is_replaced_within_a_minute() {
    let mut stage = Stage::new(100);
    stage.add(1);
    stage.answers = false;
    stage.wait(60);
    assert_eq!(stage.reconnects, 1);
    assert_eq!(stage.engine.view(stage.now).tracker, TrackerView::Down);
    stage.answers = true;
    stage.connect();
    assert_eq!(stage.standings(), [Standing::Member]);
    assert_eq!(stage.announces, 2, "the new connection was told everything");
}

#[test]
fn a_tracker_that_never_says_welcome_is_given_up() {
    let mut stage = Stage::new(100);
    stage.feed(Input::Link(LINK, LinkInput::Down));
    stage.answers = false;
    stage.connect();
    stage.wait(30);
    assert_eq!(stage.reconnects, 1);
}

#[test]
fn whoever_slept_does_not_drop_a_connection_that_is_well() {
    let mut stage = Stage::new(100);
    // Asked, and asleep before the answer could be read; then it is there.
    stage.answers = false;
    stage.wait(31);
    stage.answers = true;
    stage.now += Duration::from_secs(3600);
    stage.feed(Input::Tick);
    stage.feed(Input::Link(LINK, ServerMessage::Pong.into()));
    stage.wait(3600);
    assert_eq!(stage.reconnects, 0);
}

#[test]
fn more_torrents_than_the_tracker_takes_have_their_turns() {
    let mut stage = Stage::new(3);
    let all: BTreeSet<InfoHash> = (0..8).map(|number| stage.add(number)).collect();
    assert_eq!(stage.swarms.len(), 3);
    let waiting = stage.standings().into_iter();
    assert_eq!(waiting.filter(|s| *s == Standing::Waiting).count(), 5);
    stage.wait(61);
    assert_eq!(stage.seen, all, "everybody had a turn");
    assert_eq!(stage.swarms.len(), 3);
    // And again, for as long as it takes.
    stage.seen.clear();
    stage.wait(91);
    assert_eq!(stage.seen, all);
}

#[test]
fn a_torrent_that_is_new_comes_before_those_that_had_a_turn() {
    let mut stage = Stage::new(2);
    for number in 0..4 {
        stage.add(number);
    }
    stage.wait(600);
    let new = stage.add(9);
    stage.wait(30);
    assert!(stage.seen.contains(&new));
}

#[test]
fn a_place_that_is_given_back_is_taken_at_once() {
    let mut stage = Stage::new(2);
    let first = stage.add(1);
    stage.add(2);
    let third = stage.add(3);
    assert!(!stage.swarms.contains(&third));
    stage.feed(Input::Command(Command::Pause(first)));
    assert!(stage.swarms.contains(&third));
    // And nobody waits any longer when there are places for all.
    let fourth = stage.add(4);
    stage.feed(Input::Command(Command::Remove(first)));
    stage.feed(Input::Command(Command::Remove(third)));
    assert!(stage.swarms.contains(&fourth));
    assert_eq!(stage.standings(), [Standing::Member, Standing::Member]);
}

#[test]
fn what_the_tracker_refuses_is_said_at_the_torrent_once_and_tried_again() {
    let mut stage = Stage::new(100);
    let fine = stage.add(1);
    stage.refuses = Some("too many swarms");
    let refused = stage.add(2);
    stage.wait(150);
    let said = Standing::Refused("too many swarms".to_owned());
    assert_eq!(stage.standings()[1], said);
    let told = stage
        .refusals
        .iter()
        .filter(|(info_hash, _)| *info_hash == Some(refused));
    assert_eq!(told.count(), 1);
    stage.refuses = None;
    stage.wait(60);
    assert_eq!(stage.standings(), [Standing::Member, Standing::Member]);
    assert!(stage.swarms.contains(&fine) && stage.swarms.contains(&refused));
}

#[test]
fn a_tracker_that_goes_on_about_nothing_is_given_up() {
    let (ours, another) = (InfoHash([1; 20]), InfoHash([2; 20]));
    let incoming = |info_hash| {
        ServerMessage::Incoming(Incoming {
            channel: ChannelId(7),
            info_hash,
            member: MemberId(9),
            peer_id: PeerId([9; 20]),
            credit: 0,
        })
    };
    let error = |info_hash, reason: &str| ServerMessage::Error {
        info_hash,
        reason: reason.to_owned(),
    };
    let peers = ServerMessage::Peers(Peers {
        rtc: 0,
        info_hash: ours,
        interval: 120,
        complete: 0,
        incomplete: 1,
        members: Vec::new(),
    });
    let channel = ChannelId(1);
    let repeated: [(_, Vec<ServerMessage>); 12] = [
        (20_001, vec![ServerMessage::Pong]),
        (20_001, vec![error(None, "no"); 2]),
        (20_001, vec![error(Some(ours), "no")]),
        (25, vec![error(Some(ours), "no"), error(Some(ours), "yes")]),
        (25, vec![error(None, "no"), error(None, "yes")]),
        (20_001, vec![peers]),
        (
            20_001,
            vec![ServerMessage::Welcome(Welcome::of(MemberId(1)))],
        ),
        (20_001, vec![incoming(another)]),
        (20_001, vec![ServerMessage::Credit { channel, bytes: 1 }]),
        (
            20_001,
            vec![ServerMessage::Data(DataFrame::new(channel, b"tiny"))],
        ),
        (
            3_000,
            vec![ServerMessage::Data(DataFrame::new(
                channel,
                &[0; 256 << 10],
            ))],
        ),
        (
            20_001,
            vec![ServerMessage::Close {
                channel,
                reason: String::new(),
            }],
        ),
    ];
    for (most, messages) in repeated {
        let mut stage = Stage::new(100);
        stage.add(1);
        let mut said = 0;
        for message in messages.iter().cycle() {
            stage.feed(Input::Link(LINK, message.clone().into()));
            said += 1;
            assert!(said <= most, "{message:?} is borne for ever");
            if stage.reconnects > 0 {
                break;
            }
        }
        // And it is asked again.
        stage.connect();
        assert_eq!(stage.standings(), [Standing::Member], "{messages:?}");
    }
}

#[test]
fn what_is_slow_or_was_on_its_way_is_borne() {
    let mut stage = Stage::new(100);
    stage.add(1);
    for second in 0..3_000 {
        let reason = format!("maintenance in {second} seconds");
        let info_hash = None;
        let error = ServerMessage::Error { info_hash, reason };
        stage.feed(Input::Link(LINK, error.into()));
        stage.wait(2);
    }
    stage.wait(60);
    // What was on its way when we closed sixty channels.
    for _ in 0..15_000 {
        let frame = DataFrame::new(ChannelId(1), &[0; 16 << 10]);
        stage.feed(Input::Link(LINK, ServerMessage::Data(frame).into()));
    }
    assert_eq!(stage.reconnects, 0);
}
