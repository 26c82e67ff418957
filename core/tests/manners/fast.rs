//! The Fast extension (BEP 6), and what a choke means with it.

use std::collections::BTreeSet;

use swarm_core::engine::Config;
use swarm_core::wire::peer::{BlockRef, Message, Reserved};

use crate::script::{BLOCK, Stage};
use crate::{block, eager};

/// The pieces that a peer was told of one by one.
fn suggestions(heard: &[Message]) -> Vec<u32> {
    heard
        .iter()
        .filter_map(|message| match message {
            Message::SuggestPiece(piece) => Some(*piece),
            _ => None,
        })
        .collect()
}

#[test]
fn fast_peers_hear_all_or_none_others_a_bitfield() {
    for (have, expected) in [
        (vec![0, 1, 2, 3], Message::HaveAll),
        (vec![], Message::HaveNone),
        (vec![1], Message::Bitfield(vec![0x40].into())),
    ] {
        let mut stage = Stage::new(Config::default(), 4, &have);
        let fast = stage.remote(Reserved::FAST);
        assert_eq!(stage.heard(fast)[0], expected);
    }
    let mut stage = Stage::new(Config::default(), 4, &[0, 1, 2, 3]);
    let plain = stage.remote(Reserved::default());
    assert_eq!(stage.heard(plain), [Message::Bitfield(vec![0xf0].into())]);
    let mut stage = Stage::new(Config::default(), 4, &[]);
    let plain = stage.remote(Reserved::default());
    assert_eq!(stage.heard(plain), []);
}

#[test]
fn a_request_of_the_choked_or_of_what_is_not_here_is_rejected_in_words() {
    let mut stage = Stage::new(Config::default(), 4, &[0]);
    let fast = stage.remote(Reserved::FAST);
    stage.say(fast, &Message::HaveNone);
    stage.heard(fast);
    stage.say(fast, &Message::Request(block(0, 0)));
    assert_eq!(stage.heard(fast), [Message::RejectRequest(block(0, 0))]);
    stage.say(fast, &Message::Interested);
    assert_eq!(stage.heard(fast), [Message::Unchoke]);
    stage.say(fast, &Message::Request(block(3, 0)));
    assert_eq!(stage.heard(fast), [Message::RejectRequest(block(3, 0))]);
    stage.say(fast, &Message::Request(block(0, BLOCK)));
    assert!(matches!(
        stage.heard(fast)[..],
        [Message::Piece {
            piece: 0,
            begin: BLOCK,
            ..
        }]
    ));
}

#[test]
fn a_seeder_suggests_each_piece_to_one_peer() {
    let all: Vec<u32> = (0..12).collect();
    let mut stage = Stage::new(Config::default(), 12, &all);
    // As many as a new peer asks for at once, and two more.
    let leechers = [stage.leecher(), stage.leecher()];
    let mut suggested = Vec::new();
    for leecher in leechers {
        let heard = stage.heard(leecher);
        let pieces = suggestions(&heard);
        assert_eq!(pieces.len(), 4);
        suggested.extend(pieces);
    }
    // Whoever has a piece is advised to take another.
    let taken = suggested[0];
    stage.say(leechers[0], &Message::Have(taken));
    let heard = stage.heard(leechers[0]);
    suggested.extend(suggestions(&heard));
    let different: BTreeSet<u32> = suggested.iter().copied().collect();
    assert_eq!((suggested.len(), different.len()), (9, 9), "{suggested:?}");
}

#[test]
fn a_peer_that_is_choked_in_the_middle_of_a_rare_piece_may_finish_it() {
    let mut config = Config::default();
    config.choke.slots = (1, 1);
    // It is asked for, and does not leave yet.
    config.max_reads = 0;
    let mut stage = Stage::new(config, 4, &[0, 1, 2, 3]);
    let first = stage.leecher();
    let heard = stage.heard(first);
    let piece = suggestions(&heard)[0];
    stage.say(first, &Message::Request(block(piece, 0)));
    // Others wait: sooner or later it is their turn.
    let others = [stage.leecher(), stage.leecher(), stage.leecher()];
    let mut heard = Vec::new();
    while !heard.contains(&Message::Choke) {
        stage.wait(1);
        heard.extend(stage.heard(first));
    }
    assert_eq!(heard, [Message::AllowedFast(piece), Message::Choke]);
    stage.say(first, &Message::Request(block(piece, BLOCK)));
    stage.say(first, &Message::Request(block((piece + 1) % 4, 0)));
    assert_eq!(
        stage.heard(first),
        [Message::RejectRequest(block((piece + 1) % 4, 0))]
    );
    assert!(
        others
            .iter()
            .any(|&other| stage.heard(other).contains(&Message::Unchoke))
    );
}

#[test]
fn a_suggestion_decides_among_equals() {
    let mut stage = Stage::new(Config::default(), 64, &[]);
    let seed = stage.remote(Reserved::FAST);
    stage.say(seed, &Message::HaveAll);
    stage.say(seed, &Message::SuggestPiece(42));
    stage.say(seed, &Message::Unchoke);
    assert_eq!(stage.requests(seed)[0], block(42, 0));
}

#[test]
fn a_choke_of_a_fast_peer_waits_for_its_rejections() {
    let mut stage = Stage::new(eager(), 4, &[]);
    let seed = stage.seed();
    let asked = stage.requests(seed);
    assert_eq!(asked.len(), 8);
    stage.say(seed, &Message::Choke);
    // What was on its way counts.
    stage.send_block(seed, asked[0], true);
    for &block in &asked[1..] {
        stage.say(seed, &Message::RejectRequest(block));
    }
    assert_eq!(stage.torrent().wasted, 0);
    stage.say(seed, &Message::Unchoke);
    let again: BTreeSet<BlockRef> = stage.requests(seed).into_iter().collect();
    assert_eq!(again, asked[1..].iter().copied().collect());
}

#[test]
fn a_choked_peer_takes_its_allowed_fast_pieces() {
    let mut stage = Stage::new(Config::default(), 8, &[]);
    let seed = stage.remote(Reserved::FAST);
    stage.say(seed, &Message::HaveAll);
    assert_eq!(stage.requests(seed), []);
    stage.say(seed, &Message::AllowedFast(3));
    let asked = stage.requests(seed);
    assert_eq!(asked, [block(3, 0), block(3, BLOCK)]);
    for block in asked {
        stage.send_block(seed, block, true);
    }
    assert_eq!(stage.requests(seed), []);
    assert_eq!(stage.known().have, [0b0001_0000]);
}

#[test]
fn a_poor_peer_may_take_its_allowed_fast_pieces_while_it_is_choked() {
    let config = Config {
        allowed_fast: 3,
        ..Config::default()
    };
    let all: Vec<u32> = (0..40).collect();
    let mut stage = Stage::new(config, 40, &all);
    let poor = stage.remote(Reserved::FAST);
    stage.say(poor, &Message::HaveNone);
    let heard = stage.heard(poor);
    let allowed: BTreeSet<u32> = heard
        .iter()
        .filter_map(|message| match message {
            Message::AllowedFast(piece) => Some(*piece),
            _ => None,
        })
        .collect();
    assert_eq!(allowed.len(), 3, "{heard:?}");
    for piece in 0..40 {
        stage.say(poor, &Message::Request(block(piece, 0)));
        let answer = stage.heard(poor);
        let served = matches!(answer[..], [Message::Piece { .. }]);
        assert_eq!(served, allowed.contains(&piece), "{piece}: {answer:?}");
    }
}
