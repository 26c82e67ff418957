//! A torrent that is removed and added again while its store works: the answers to the first are
//! not the second's.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use bytes::Bytes;
use script::{BLOCK, PIECE, Stage};
use swarm_core::engine::{self, Command, Config, Done, Engine, Job, Output, Resume, Work};
use swarm_core::id::ChannelId;
use swarm_core::node::Input;
use swarm_core::pieces::{Bitfield, Priority};
use swarm_core::record::{Header, Reader, Recorder, Replay, Sink as _};
use swarm_core::time::Time;
use swarm_core::wire::peer::{BlockRef, Message};

/// Removed, and added again with all of its pieces or none of them.
fn add_again(stage: &mut Stage, full: bool) {
    let (info_hash, metainfo) = (stage.info_hash(), stage.metainfo().clone());
    let pieces = metainfo.layout().piece_count();
    stage.command(Command::Remove(info_hash));
    let resume = if full {
        Resume::Pieces(Bitfield::full(pieces))
    } else {
        Resume::Nothing
    };
    stage.command(Command::AddTorrent {
        metainfo,
        resume,
        paused: false,
    });
}

/// A seed gives all that it is asked for, and the store is asked for something.
fn fetch(stage: &mut Stage, right: bool) -> (ChannelId, Job, Work) {
    let seed = stage.seed();
    for asked in stage.requests(seed) {
        stage.send_block(seed, asked, right);
    }
    let (job, work) = held(stage);
    (seed, job, work)
}

/// What the store was asked for since, one thing.
fn held(stage: &mut Stage) -> (Job, Work) {
    let mut held = stage.held.replace(Vec::new()).unwrap();
    assert_eq!(held.len(), 1, "{held:?}");
    held.remove(0)
}

fn one_piece() -> Stage {
    let mut stage = Stage::new(Config::default(), 1, &[]);
    stage.held = Some(Vec::new());
    stage
}

fn right_hash(stage: &Stage, job: Job) -> Done {
    Done::Hashed(stage.metainfo().piece_hash(job.piece))
}

#[test]
fn a_hash_of_before_does_not_make_other_bytes_right() {
    let mut stage = one_piece();
    let (_, before, _) = fetch(&mut stage, true);
    add_again(&mut stage, false);
    let (liar, now, work) = fetch(&mut stage, false);
    assert!(matches!(work, Work::Hash { .. }));
    let done = right_hash(&stage, before);
    stage.feed(Input::Store(before, done));
    assert!(
        stage.held.as_ref().unwrap().is_empty(),
        "nothing is written"
    );
    stage.feed(Input::Store(now, Done::Hashed([0; 20])));
    assert!(stage.closed(liar).is_some(), "its own hash counts");
}

#[test]
fn what_was_written_before_is_not_what_is_written_now() {
    let mut stage = one_piece();
    let (_, job, _) = fetch(&mut stage, true);
    let done = right_hash(&stage, job);
    stage.feed(Input::Store(job, done));
    let (before, work) = held(&mut stage);
    assert!(matches!(work, Work::Write { .. }));
    add_again(&mut stage, false);
    let (_, job, _) = fetch(&mut stage, true);
    let done = right_hash(&stage, job);
    stage.feed(Input::Store(job, done));
    let (now, _) = held(&mut stage);
    stage.feed(Input::Store(before, Done::Written(Ok(()))));
    assert!(!stage.is_seeding());
    stage.feed(Input::Store(now, Done::Written(Ok(()))));
    assert!(stage.is_seeding());
}

#[test]
fn what_is_read_is_read_anew() {
    let mut stage = Stage::new(Config::default(), 1, &[0]);
    stage.held = Some(Vec::new());
    let block = BlockRef {
        piece: 0,
        begin: 0,
        length: BLOCK,
    };
    let ask = |stage: &mut Stage| {
        let info_hash = stage.info_hash();
        stage.command(Command::SetPriorities(info_hash, vec![Priority::Skip]));
        let leecher = stage.leecher();
        stage.say(leecher, &Message::Request(block));
        (leecher, held(stage).0)
    };
    let (_, before) = ask(&mut stage);
    add_again(&mut stage, true);
    let (leecher, now) = ask(&mut stage);
    let pieces = |heard: Vec<Message>| {
        let mut pieces = heard.into_iter().filter_map(|message| match message {
            Message::Piece { data, .. } => Some(data),
            _ => None,
        });
        pieces.next()
    };
    let stale = Bytes::from(vec![0; PIECE as usize]);
    stage.feed(Input::Store(before, Done::Read(Ok(stale))));
    assert_eq!(pieces(stage.heard(leecher)), None);
    let all = stage.bytes_of(BlockRef {
        length: PIECE,
        ..block
    });
    stage.feed(Input::Store(now, Done::Read(Ok(all.clone()))));
    let sent = pieces(stage.heard(leecher)).unwrap();
    assert_eq!(sent, all[..BLOCK as usize]);
}

/// An engine that its host drives and records by itself, without a node.
struct Alone {
    engine: Engine,
    recorder: Recorder,
    recording: Vec<u8>,
}

impl Alone {
    fn new() -> Self {
        let header = Header::new(Config::default(), 1, Time::ZERO);
        let (recorder, begin) = Recorder::begin(&header);
        let mut alone = Alone {
            engine: Engine::new(header.config, header.seed, Time::ZERO),
            recorder,
            recording: Vec::new(),
        };
        alone.recording.record(begin);
        alone
    }

    /// What the store is asked for then.
    fn feed(&mut self, input: engine::Input) -> Vec<(Job, Work)> {
        let entry = self.recorder.input(Time::ZERO, &input);
        self.recording.record(entry);
        self.engine.handle(Time::ZERO, input);
        let mut asked = Vec::new();
        loop {
            let output = self.engine.poll_output();
            self.recorder.polled(output.as_ref());
            match output {
                Some(Output::Store(job, work)) => asked.push((job, work)),
                Some(_) => {}
                None => return asked,
            }
        }
    }
}

#[test]
fn an_engine_without_a_node_tells_them_apart_and_so_does_its_replay() {
    let stage = one_piece();
    let whole = BlockRef {
        piece: 0,
        begin: 0,
        length: PIECE,
    };
    let right = stage.bytes_of(whole);
    let add = || {
        engine::Input::Command(Command::AddTorrent {
            metainfo: stage.metainfo().clone(),
            resume: Resume::Check,
            paused: false,
        })
    };
    let mut alone = Alone::new();
    let asked = alone.feed(add());
    let [(before, Work::Read { .. })] = asked[..] else {
        panic!("{asked:?}")
    };
    let remove = Command::Remove(stage.info_hash());
    assert_eq!(alone.feed(engine::Input::Command(remove)).len(), 0);
    let asked = alone.feed(add());
    let [(now, Work::Read { .. })] = asked[..] else {
        panic!("{asked:?}")
    };
    let read = |job, bytes: &Bytes| engine::Input::Store(job, Done::Read(Ok(bytes.clone())));
    let stale = Bytes::from(vec![0; PIECE as usize]);
    let asked = alone.feed(read(before, &stale));
    assert_eq!(asked.len(), 0, "those are other bytes: {asked:?}");
    let asked = alone.feed(read(now, &right));
    assert!(
        matches!(&asked[..], [(job, Work::Hash { data })] if (*job, data) == (now, &right)),
        "{asked:?}"
    );

    alone.recording.record(alone.recorder.end(Time::ZERO));
    let mut reader = Reader::default();
    reader.push(&alone.recording);
    let mut replay = Replay::new(reader.header().unwrap().unwrap());
    while let Some(entry) = reader.next_entry().unwrap() {
        replay.step(entry).unwrap();
    }
    assert!(reader.is_complete());
    assert_eq!(replay.inputs(), 5);
}
