//! Peers that send what leads to nothing, or take nothing, and honest ones that look like it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use script::{BLOCK, Stage};
use swarm_core::engine::Config;
use swarm_core::wire::peer::{BlockRef, Message, Reserved};

fn block(piece: u32, begin: u32) -> BlockRef {
    BlockRef {
        piece,
        begin,
        length: BLOCK,
    }
}

#[test]
fn who_asks_on_and_takes_no_answers_is_let_go() {
    let config = Config::default();
    let most = config.max_waiting.0;
    let mut stage = Stage::new(config, 4, &[0, 1, 2, 3]);
    let greedy = stage.remote_with_credit(Reserved::FAST, 0);
    stage.say(greedy, &Message::HaveNone);
    let mut asked = 0;
    while stage.closed(greedy).is_none() {
        stage.say(greedy, &Message::Request(block(0, 0)));
        asked += 1;
        assert!(asked < most, "its refusals pile up");
    }
    let reason = stage.closed(greedy).unwrap();
    assert!(reason.contains("takes no answers"), "{reason}");
}

#[test]
fn a_flood_of_what_leads_to_nothing_ends_the_session() {
    let extended = Message::Extended {
        id: 0,
        payload: b"d1:mdee".to_vec().into(),
    };
    for message in [
        Message::KeepAlive,
        Message::Have(0),
        Message::HaveNone,
        Message::HaveAll,
        Message::Bitfield(vec![0b1000_0000].into()),
        Message::Unknown(77),
        Message::Interested,
        Message::NotInterested,
        Message::Choke,
        Message::SuggestPiece(1),
        Message::Request(block(0, 0)),
        extended,
    ] {
        let mut stage = Stage::new(Config::default(), 4, &[0, 1, 2, 3]);
        let flooder = stage.remote(Reserved::FAST.with(Reserved::EXTENSION));
        stage.say(flooder, &Message::HaveNone);
        let mut bytes = Vec::new();
        for _ in 0..1000 {
            message.encode(&mut bytes);
        }
        let mut frames = 0;
        while stage.closed(flooder).is_none() {
            frames += 1;
            assert!(frames < 100, "{message:?} for as long as it likes");
            stage.send_bytes(flooder, &bytes);
        }
        let reason = stage.closed(flooder).unwrap();
        assert!(reason.contains("leads to nothing"), "{message:?}: {reason}");
    }
}

#[test]
fn a_peer_that_finishes_many_pieces_is_no_flooder() {
    let mut config = Config::default();
    config.work.burst = 50;
    let pieces = 500;
    let mut stage = Stage::new(config, pieces, &[]);
    let peer = stage.remote(Reserved::FAST);
    stage.say(peer, &Message::HaveNone);
    for piece in 0..pieces {
        // Each in a frame of its own, all in one moment.
        stage.say(peer, &Message::Have(piece));
    }
    assert_eq!(stage.closed(peer), None);
    for piece in 0..pieces {
        // The second time it is no news.
        stage.say(peer, &Message::Have(piece));
    }
    assert!(stage.closed(peer).unwrap().contains("leads to nothing"));
}

#[test]
fn blocks_pay_for_the_messages_that_they_take() {
    let mut config = Config::default();
    config.work.burst = 200;
    let all: Vec<u32> = (0..200).collect();
    let mut stage = Stage::new(config, 200, &all);
    let leecher = stage.leecher();
    for piece in 0..200 {
        for begin in [0, BLOCK] {
            stage.say(leecher, &Message::Request(block(piece, begin)));
            stage.say(leecher, &Message::NotInterested);
            stage.say(leecher, &Message::Interested);
        }
    }
    assert_eq!(stage.closed(leecher), None);
}

#[test]
fn nobody_keeps_us_waiting_for_a_message_that_is_longer_than_any_use() {
    let mut stage = Stage::new(Config::default(), 4, &[]);
    let slow = stage.seed();
    // The first byte of a message, and the length that it claims.
    let mut begun = vec![0, 0, 0, 0, 7];
    begun[..4].copy_from_slice(&(100_u32 << 10).to_be_bytes());
    stage.send_bytes(slow, &begun);
    assert!(stage.closed(slow).is_some());
}
