//! What a peer does when pieces that it had are gone: a file was changed or deleted.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use script::{BLOCK, Stage};
use swarm_core::engine::{Command, Config, Event, TorrentState};
use swarm_core::node::Input;
use swarm_core::pieces::Priority;
use swarm_core::wire::peer::{BlockRef, Message};

fn block(piece: u32, begin: u32) -> BlockRef {
    BlockRef {
        piece,
        begin,
        length: BLOCK,
    }
}

fn lost(stage: &Stage, pieces: &[u32]) -> Input {
    Input::Lost {
        info_hash: stage.info_hash(),
        pieces: stage.pieces(pieces),
    }
}

fn pieces_heard(heard: &[Message]) -> Vec<u32> {
    heard
        .iter()
        .filter_map(|message| match message {
            Message::Piece { piece, .. } => Some(*piece),
            _ => None,
        })
        .collect()
}

#[test]
fn a_piece_that_cannot_be_read_is_lost_and_the_others_are_shared_on() {
    let mut stage = Stage::new(Config::default(), 4, &[0, 1, 2, 3]);
    stage.command(Command::SetPriorities(
        stage.info_hash(),
        vec![Priority::Skip],
    ));
    stage.spoil(1);
    let leecher = stage.leecher();
    stage.heard(leecher);
    stage.say(leecher, &Message::Request(block(1, 0)));
    assert!(pieces_heard(&stage.heard(leecher)).is_empty());
    assert!(
        stage.events.iter().any(
            |event| matches!(event, Event::Lost { piece, reason, .. } if piece.get() == 1 && reason.to_string().contains("it changed"))
        ),
        "{:?}",
        stage.events
    );
    // It believed that we have it: it meets us again and hears better.
    assert!(stage.closed(leecher).unwrap().contains("lost"));
    assert_eq!(stage.announced(), [0b1011_0000]);
    let again = stage.again(leecher);
    assert_eq!(
        stage.heard(again)[0],
        Message::Bitfield(vec![0b1011_0000].into())
    );
    stage.say(again, &Message::HaveNone);
    stage.say(again, &Message::Interested);
    stage.say(again, &Message::Request(block(2, 0)));
    stage.say(again, &Message::Request(block(1, 0)));
    let heard = stage.heard(again);
    assert_eq!(pieces_heard(&heard), [2]);
    assert!(heard.contains(&Message::RejectRequest(block(1, 0))));
    assert_eq!(stage.torrent().state, TorrentState::Seeding);
    assert_eq!(stage.known().have, [0b1011_0000]);
}

#[test]
fn what_is_lost_and_wanted_is_fetched_again() {
    let mut stage = Stage::new(Config::default(), 4, &[0, 1, 2, 3]);
    let seed = stage.seed();
    assert!(stage.requests(seed).is_empty());
    let input = lost(&stage, &[2]);
    stage.feed(input);
    // It needs nothing of us, but takes us for a seed, and gives nothing to one.
    assert!(stage.closed(seed).unwrap().contains("lost"));
    assert_eq!(stage.torrent().state, TorrentState::Downloading);
    let again = stage.again(seed);
    let heard = stage.heard(again);
    assert_eq!(heard[0], Message::Bitfield(vec![0b1101_0000].into()));
    stage.say(again, &Message::HaveAll);
    stage.say(again, &Message::Unchoke);
    for _ in 0..2 {
        for asked in stage.requests(again) {
            assert_eq!(asked.piece, 2);
            stage.send_block(again, asked, true);
        }
    }
    assert!(stage.is_seeding());
    assert_eq!(stage.known().have, [0b1111_0000]);
    assert!(matches!(stage.events.last(), Some(Event::Completed(_))));
}

#[test]
fn requests_that_wait_for_a_lost_piece_end() {
    // Nothing is read, so that requests wait.
    let config = Config {
        max_reads: 0,
        ..Config::default()
    };
    let mut stage = Stage::new(config, 4, &[0, 1, 2, 3]);
    stage.command(Command::SetPriorities(
        stage.info_hash(),
        vec![Priority::Skip],
    ));
    let holder = stage.leecher();
    stage.say(holder, &Message::Request(block(3, 0)));
    stage.say(holder, &Message::Have(3));
    stage.heard(holder);
    let input = lost(&stage, &[3, 3]);
    stage.feed(input);
    assert_eq!(stage.closed(holder), None, "it has the piece itself");
    assert!(
        stage
            .heard(holder)
            .contains(&Message::RejectRequest(block(3, 0)))
    );
    // Once more is no news.
    let input = lost(&stage, &[3]);
    stage.feed(input);
    assert!(stage.heard(holder).is_empty());
}
