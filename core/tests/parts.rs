//! Pieces that are too long to be held in memory: here whatever is longer than a block. They
//! are written part by part as they arrive, and count once they were hashed where they lie.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod script;

use script::{BLOCK, Stage};
use swarm_core::engine::{
    Command, Config, Done, Event, Failure, Resume, StoreError, TorrentState, Work,
};
use swarm_core::id::ChannelId;
use swarm_core::node::Input;
use swarm_core::pieces::Priority;
use swarm_core::wire::peer::{BlockRef, Message};

/// A piece is two parts of a block each.
fn config() -> Config {
    let mut config = Config {
        whole_piece: BLOCK,
        part: BLOCK,
        ..Config::default()
    };
    config.requests.random_first = 0;
    config
}

/// A peer answers all that it is asked, the last request first, until it is asked no more.
fn answer_all(stage: &mut Stage, remote: ChannelId, lie: impl Fn(BlockRef) -> bool) {
    loop {
        let mut asked = stage.requests(remote);
        if asked.is_empty() {
            return;
        }
        asked.reverse();
        for block in asked {
            if stage.closed(remote).is_some() {
                return;
            }
            stage.send_block(remote, block, !lie(block));
        }
    }
}

#[test]
fn a_torrent_is_completed_though_no_piece_of_it_fits_into_memory() {
    let mut stage = Stage::new(config(), 5, &[]);
    let seed = stage.seed();
    answer_all(&mut stage, seed, |_| false);
    assert!(stage.is_seeding());
    assert_eq!(stage.parts.len(), 5, "all of it came through the store");
    assert!(matches!(stage.events.last(), Some(Event::Completed(_))));
}

#[test]
fn nothing_counts_before_all_of_a_piece_was_hashed() {
    let mut stage = Stage::new(config(), 1, &[]);
    let seed = stage.seed();
    let watcher = stage.leecher();
    stage.held_parts = Some(Vec::new());
    let asked = stage.requests(seed);
    for block in asked {
        stage.send_block(seed, block, true);
    }
    for held in ["its parts", "its hash"] {
        let heard = stage.heard(watcher);
        assert!(!heard.contains(&Message::Have(0)), "{held} is waited for");
        assert!(stage.known().have.iter().all(|byte| *byte == 0));
        let jobs = stage.held_parts.replace(Vec::new()).unwrap();
        assert!(!jobs.is_empty(), "{held} is waited for");
        for (job, work) in jobs {
            let answer = stage.with_parts(job, &work);
            stage.feed(answer);
        }
    }
    assert!(stage.heard(watcher).contains(&Message::Have(0)));
    assert!(stage.is_seeding());
}

#[test]
fn who_spoils_a_piece_alone_is_banned_and_it_is_fetched_from_another() {
    let mut stage = Stage::new(config(), 2, &[]);
    let liar = stage.seed();
    answer_all(&mut stage, liar, |block| block.begin > 0);
    assert_eq!(stage.closed(liar), Some("sent corrupt data"));
    assert!(stage.known().have.iter().all(|byte| *byte == 0));
    let honest = stage.seed();
    answer_all(&mut stage, honest, |_| false);
    assert!(stage.is_seeding());
    assert_eq!(stage.closed(honest), None);
}

#[test]
fn who_of_several_spoilt_a_piece_shows_when_it_is_right() {
    let mut stage = Stage::new(config(), 1, &[]);
    let honest = stage.seed();
    let asked = stage.requests(honest);
    stage.send_block(honest, asked[0], true);
    // It leaves the rest to another.
    stage.say(honest, &Message::Choke);
    let liar = stage.seed();
    let asked = stage.requests(liar);
    stage.send_block(liar, asked[0], false);
    assert_eq!(stage.closed(liar), None, "nobody knows yet who it was");
    stage.say(honest, &Message::Unchoke);
    stage.wait(1);
    for remote in [honest, liar] {
        answer_all(&mut stage, remote, |_| false);
    }
    assert!(stage.is_seeding());
    assert_eq!(stage.closed(honest), None);
    assert_eq!(stage.closed(liar), Some("sent corrupt data"));
}

#[test]
fn a_full_disk_stops_the_torrent_and_it_goes_on_when_there_is_room() {
    let mut stage = Stage::new(config(), 3, &[]);
    stage.full = true;
    let seed = stage.seed();
    let asked = stage.requests(seed);
    stage.send_block(seed, asked[0], true);
    assert_eq!(stage.torrent().state, TorrentState::Error);
    let Some(Event::Failed { reason, .. }) = stage.events.last() else {
        panic!("nobody was told: {:?}", stage.events);
    };
    let full = StoreError::Full("the disk".to_owned());
    assert_eq!(stage.torrent().error, Some(full.to_string()));
    assert_eq!(*reason, Failure::Store(full));
    stage.full = false;
    let info_hash = stage.info_hash();
    stage.command(Command::Resume(info_hash));
    let seed = stage.seed();
    answer_all(&mut stage, seed, |_| false);
    assert!(stage.is_seeding());
}

#[test]
fn parts_that_the_store_lost_before_they_were_hashed_are_fetched_again() {
    let mut stage = Stage::new(config(), 1, &[]);
    let seed = stage.seed();
    stage.held_parts = Some(Vec::new());
    for block in stage.requests(seed) {
        stage.send_block(seed, block, true);
    }
    for (job, work) in stage.held_parts.replace(Vec::new()).unwrap() {
        let answer = stage.with_parts(job, &work);
        stage.feed(answer);
    }
    let hashing = stage.held_parts.take().unwrap();
    let [(job, Work::Verify)] = hashing[..] else {
        panic!("all of it is to be hashed: {hashing:?}");
    };
    stage.parts.clear();
    let lost = Done::Verified(Err(StoreError::Missing));
    stage.feed(Input::Store(job, lost));
    assert_eq!(stage.torrent().state, TorrentState::Downloading);
    answer_all(&mut stage, seed, |_| false);
    assert!(stage.is_seeding());
    assert_eq!(stage.closed(seed), None, "nobody is to blame");
}

#[test]
fn skipped_files_are_not_fetched() {
    let mut stage = Stage::with_files(config(), &[2, 1, 2]);
    let info_hash = stage.info_hash();
    let priorities = vec![Priority::Skip, Priority::Normal, Priority::Skip];
    stage.command(Command::SetPriorities(info_hash, priorities));
    let seed = stage.seed();
    answer_all(&mut stage, seed, |_| false);
    assert_eq!(stage.parts.keys().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(stage.known().have, [0b0010_0000]);
}

#[test]
fn a_piece_that_is_skipped_and_wanted_again_comes_whole() {
    let mut stage = Stage::with_files(config(), &[1, 1]);
    let info_hash = stage.info_hash();
    stage.held_parts = Some(Vec::new());
    let seed = stage.seed();
    let asked = stage.requests(seed);
    stage.send_block(seed, asked[0], false);
    let skip = vec![Priority::Skip, Priority::Skip];
    stage.command(Command::SetPriorities(info_hash, skip));
    stage.say(seed, &Message::Choke);
    stage.command(Command::SetPriorities(info_hash, Vec::new()));
    stage.say(seed, &Message::Unchoke);
    let jobs = stage.held_parts.take().unwrap();
    for (job, work) in jobs {
        let answer = stage.with_parts(job, &work);
        stage.feed(answer);
    }
    stage.wait(1);
    answer_all(&mut stage, seed, |_| false);
    stage.wait(1);
    let honest = stage.seed();
    answer_all(&mut stage, honest, |_| false);
    assert!(stage.is_seeding());
}

#[test]
fn blocks_are_served_from_the_parts_that_have_them() {
    let mut stage = Stage::new(config(), 2, &[0, 1]);
    let leecher = stage.leecher();
    for (begin, length, parts) in [
        (0, BLOCK, 1),
        (BLOCK - 10, 20, 2),
        (0, 2 * BLOCK, 2),
        (BLOCK, BLOCK, 2),
    ] {
        let block = BlockRef {
            piece: 1,
            begin,
            length,
        };
        stage.heard(leecher);
        stage.say(leecher, &Message::Request(block));
        let right = stage.bytes_of(block);
        let served = stage.heard(leecher).into_iter().any(|message| {
            message
                == Message::Piece {
                    piece: 1,
                    begin,
                    data: right.clone(),
                }
        });
        assert!(served, "{begin}, {length}");
        assert_eq!(stage.parts_read, parts, "each part is read once");
    }
}

#[test]
fn what_is_on_disk_is_found_by_hashing_it_there() {
    let mut stage = Stage::new(config(), 3, &[0, 2]);
    let info_hash = stage.info_hash();
    let metainfo = stage.metainfo().clone();
    stage.command(Command::Remove(info_hash));
    stage.held_parts = Some(Vec::new());
    stage.command(Command::AddTorrent {
        metainfo,
        resume: Resume::Check,
        paused: false,
    });
    let jobs = stage.held_parts.take().unwrap();
    assert!(jobs.iter().all(|(_, work)| matches!(work, Work::Verify)));
    for (job, work) in jobs {
        let answer = stage.with_parts(job, &work);
        stage.feed(answer);
    }
    let found = stage.events.iter().find_map(|event| match event {
        Event::Checked(_, have) => Some(have.iter().map(|piece| piece.get()).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(found, Some(vec![0, 2]));
}

#[test]
fn a_host_may_refuse_pieces_that_it_cannot_hold() {
    let config = Config {
        max_piece: BLOCK,
        ..config()
    };
    let stage = Stage::new(config, 2, &[]);
    let Some(Event::Failed { reason, .. }) = stage.events.last() else {
        panic!("it was taken on: {:?}", stage.events);
    };
    assert!(matches!(reason, Failure::LongPieces { .. }), "{reason}");
    assert_eq!(stage.torrent().state, TorrentState::Error);
}
