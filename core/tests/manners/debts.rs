//! Who owes blocks, and of whom they are asked instead; what is asked for at all.

use std::collections::BTreeSet;

use swarm_core::engine::{Command, Config, Event};
use swarm_core::pieces::{Priority, Strategy};
use swarm_core::wire::peer::Message;

use crate::eager;
use crate::script::{PIECE, Stage};

#[test]
fn blocks_that_are_owed_for_too_long_are_asked_of_others() {
    let mut stage = Stage::new(eager(), 4, &[]);
    let silent = stage.seed();
    assert_eq!(stage.requests(silent).len(), 8);
    let other = stage.seed();
    for _ in 0..30 {
        for block in stage.requests(other) {
            stage.send_block(other, block, true);
        }
        stage.wait(1);
    }
    assert!(stage.is_seeding());
    assert_eq!(stage.closed(silent), None);
}

#[test]
fn who_claims_pieces_and_never_delivers_loses_its_place() {
    let mut stage = Stage::new(Config::default(), 64, &[]);
    let silent = stage.seed();
    stage.wait(119);
    assert_eq!(stage.closed(silent), None);
    stage.wait(30);
    let reason = stage.closed(silent).unwrap();
    assert!(reason.contains("does not deliver"), "{reason}");
}

#[test]
fn who_rejects_everything_that_it_claims_loses_its_place() {
    let config = Config::default();
    let most = config.trust.max_broken_promises;
    let mut stage = Stage::new(config, 64, &[]);
    let fickle = stage.seed();
    let mut rejected = 0;
    while stage.closed(fickle).is_none() && rejected < 4 * most {
        for block in stage.requests(fickle) {
            stage.say(fickle, &Message::RejectRequest(block));
            rejected += 1;
        }
        stage.wait(1);
    }
    let reason = stage.closed(fickle).unwrap();
    assert!(reason.contains("does not deliver"), "{reason}");
}

#[test]
fn a_download_does_not_wait_for_those_who_only_promise() {
    let mut stage = Stage::new(Config::default(), 24, &[]);
    // Ten that are there first, and take all that they are asked for.
    let silent: Vec<_> = (0..10).map(|_| stage.seed()).collect();
    let honest = stage.seed();
    let mut seconds = 0;
    while !stage.is_seeding() {
        loop {
            let asked = stage.requests(honest);
            if asked.is_empty() {
                break;
            }
            for block in asked {
                stage.send_block(honest, block, true);
            }
        }
        stage.wait(1);
        seconds += 1;
        assert!(seconds < 5, "{} of 24 pieces", stage.torrent().progress);
    }
    let asked: usize = silent.iter().map(|&s| stage.requests(s).len()).sum();
    assert!(asked <= 10 * 7, "{asked} requests to those who answer none");
}

#[test]
fn who_owes_is_asked_for_little_and_then_for_nothing() {
    let mut stage = Stage::new(Config::default(), 64, &[]);
    let silent = stage.seed();
    let mut asked = Vec::new();
    for _ in 0..30 {
        asked.extend(stage.requests(silent));
        stage.wait(1);
    }
    assert_eq!(asked.len(), 4 + 2 + 1);
    // It was only slow: what it sends is taken, and it is asked for more.
    stage.send_block(silent, asked[0], true);
    assert!(!stage.requests(silent).is_empty());
}

#[test]
fn who_was_cut_off_may_answer_everything_that_it_was_asked() {
    let mut config = eager();
    config.requests.start = 256;
    let mut stage = Stage::new(config, 256, &[]);
    let cut_off = stage.seed();
    let mut asked = Vec::new();
    for _ in 0..45 {
        asked.extend(stage.requests(cut_off));
        stage.wait(1);
    }
    assert!(
        asked.len() > 256,
        "what was owed was given up, and asked for again"
    );
    // Everything arrives at once now, and so does what it is asked meanwhile, again and again.
    let mut answered = 0;
    while let Some(block) = asked.get(answered) {
        stage.send_block(cut_off, *block, true);
        asked.extend(stage.requests(cut_off));
        answered += 1;
    }
    assert_eq!(stage.closed(cut_off), None);
    assert!(stage.is_seeding());
    let different: BTreeSet<_> = asked
        .iter()
        .map(|block| (block.piece, block.begin))
        .collect();
    assert!(
        asked.len() > different.len() + 64,
        "{} answers",
        asked.len()
    );
}

#[test]
fn skipped_pieces_are_not_asked_for_until_they_are_wanted() {
    let mut stage = Stage::with_files(eager(), &[2, 3, 1]);
    let info_hash = stage.info_hash();
    let priorities = vec![Priority::Skip, Priority::Normal, Priority::High];
    stage.command(Command::SetPriorities(info_hash, priorities));
    let seed = stage.seed();
    let asked = stage.requests(seed);
    assert_eq!(asked[0].piece, 5, "the highest first");
    let pieces: BTreeSet<u32> = asked.iter().map(|block| block.piece).collect();
    assert_eq!(pieces, BTreeSet::from([2, 3, 4, 5]));
    for block in asked {
        stage.send_block(seed, block, true);
    }
    assert!(stage.is_seeding());
    assert_eq!(stage.torrent().progress, 1.0);
    assert!(matches!(stage.events[..], [Event::Completed(_)]));
    // Somebody changes their mind.
    stage.command(Command::SetPriorities(info_hash, Vec::new()));
    assert!(!stage.is_seeding());
    for block in stage.requests(seed) {
        stage.send_block(seed, block, true);
    }
    assert!(stage.is_seeding());
    assert!(matches!(
        stage.events[..],
        [Event::Completed(_), Event::Completed(_)]
    ));
}

#[test]
fn streaming_goes_on_from_where_somebody_watches() {
    let mut stage = Stage::new(Config::default(), 64, &[]);
    let info_hash = stage.info_hash();
    stage.command(Command::SetStrategy(info_hash, Strategy::Streaming));
    stage.command(Command::SetPlayPosition(
        info_hash,
        u64::from(40 * PIECE + 1),
    ));
    let seed = stage.seed();
    let asked = stage.requests(seed);
    let pieces: Vec<u32> = asked.iter().step_by(2).map(|block| block.piece).collect();
    let ahead: Vec<u32> = (40..).take(pieces.len()).collect();
    assert_eq!(pieces, ahead);
}
