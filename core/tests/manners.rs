//! What one peer does to another, message by message: the Fast extension, debts, trust.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use std::collections::BTreeSet;

use script::{BLOCK, PIECE, Stage};
use swarm_core::engine::{Command, Config, Event};
use swarm_core::pieces::{Priority, Strategy};
use swarm_core::wire::peer::{BlockRef, Message, Reserved};

fn block(piece: u32, begin: u32) -> BlockRef {
    BlockRef {
        piece,
        begin,
        length: BLOCK,
    }
}

/// Asks for much at once, so that tests need not wait for the slow start.
fn eager() -> Config {
    let mut config = Config::default();
    config.requests.start = 16;
    config
}

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
fn a_rejection_of_what_nobody_asked_for_ends_the_session() {
    let mut stage = Stage::new(Config::default(), 4, &[0, 1, 2, 3]);
    let remote = stage.remote(Reserved::FAST);
    stage.say(remote, &Message::HaveNone);
    stage.say(remote, &Message::RejectRequest(block(0, 0)));
    assert!(stage.closed(remote).unwrap().contains("nobody asked for"));
}

#[test]
fn a_flood_of_requests_ends_the_session() {
    // Nothing is ever read, so nothing leaves.
    let config = Config {
        max_reads: 0,
        ..Config::default()
    };
    let mut stage = Stage::new(config, 64, &(0..64).collect::<Vec<_>>());
    let greedy = stage.leecher();
    for piece in (0..64).cycle().take(600) {
        stage.say(greedy, &Message::Request(block(piece, 0)));
    }
    assert_eq!(stage.closed(greedy), Some("too many requests at once"));
}

#[test]
fn what_a_peer_has_may_be_said_late_and_again() {
    let bits = |bits: u8| Message::Bitfield(vec![bits].into());
    for said in [
        // aria2 says all of it again instead of many new pieces.
        vec![bits(0x00), bits(0xf0)],
        vec![bits(0x80), bits(0xf0)],
        vec![Message::HaveNone, bits(0xf0)],
        vec![Message::HaveNone, Message::HaveNone, Message::HaveAll],
        vec![Message::Have(0), bits(0x70)],
        vec![Message::Have(3), Message::HaveAll],
        vec![bits(0xf0), bits(0x00)],
    ] {
        let mut stage = Stage::new(eager(), 4, &[]);
        let remote = stage.remote(Reserved::FAST);
        for message in &said {
            stage.say(remote, message);
            assert_eq!(stage.closed(remote), None, "{said:?}");
        }
        stage.say(remote, &Message::Unchoke);
        let mut asked: Vec<u32> = stage.requests(remote).iter().map(|b| b.piece).collect();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked, [0, 1, 2, 3], "{said:?}");
    }
}

#[test]
fn blocks_that_nobody_asked_for_end_the_session() {
    let mut stage = Stage::new(Config::default(), 64, &[]);
    let pushy = stage.remote(Reserved::FAST);
    stage.say(pushy, &Message::HaveAll);
    for _ in 0..100 {
        stage.send_block(pushy, block(0, 0), true);
    }
    let reason = stage.closed(pushy).unwrap();
    assert!(reason.contains("nobody asked for"), "{reason}");
}

#[test]
fn a_peer_that_lost_its_place_does_not_come_back_at_once() {
    let mut stage = Stage::new(Config::default(), 4, &[0, 1, 2, 3]);
    let remote = stage.remote(Reserved::FAST);
    stage.say(remote, &Message::HaveNone);
    stage.say(remote, &Message::RejectRequest(block(0, 0)));
    assert!(stage.closed(remote).is_some());
    let again = stage.again(remote);
    let reason = stage.closed(again).unwrap();
    assert!(reason.contains("misbehaved"), "{reason}");
    stage.wait(300);
    let later = stage.again(remote);
    assert_eq!(stage.closed(later), None);
}

#[test]
fn whoever_misbehaves_under_a_borrowed_name_harms_nobody_else() {
    let mut stage = Stage::new(eager(), 4, &[]);
    let honest = stage.seed();
    let asked = stage.requests(honest);
    // While the honest one is here: a fault, and corrupt data.
    let rude = stage.namesake(honest);
    stage.say(rude, &Message::RejectRequest(block(0, 0)));
    assert!(stage.closed(rude).is_some());
    let liar = stage.namesake(honest);
    stage.say(liar, &Message::HaveAll);
    stage.say(liar, &Message::Unchoke);
    while stage.closed(liar).is_none() {
        for block in stage.requests(liar) {
            stage.send_block(liar, block, false);
        }
        // The honest one is asked for what the liar spoiled.
        for block in stage.requests(honest) {
            stage.send_block(honest, block, true);
        }
        stage.wait(1);
    }
    assert_eq!(stage.closed(liar), Some("sent corrupt data"));
    assert_eq!(stage.closed(honest), None);
    for block in asked {
        stage.send_block(honest, block, true);
    }
    // And when it comes after them.
    let other = stage.namesake(honest);
    assert_eq!(stage.closed(other), None);
    while !stage.is_seeding() {
        for block in stage.requests(honest) {
            stage.send_block(honest, block, true);
        }
        stage.wait(1);
    }
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
fn of_two_who_sent_a_bad_piece_only_the_liar_is_banned() {
    let mut stage = Stage::new(Config::default(), 1, &[]);
    let honest = stage.seed();
    let asked = stage.requests(honest);
    assert_eq!(asked.len(), 2);
    stage.send_block(honest, asked[0], true);
    let liar = stage.seed();
    // The endgame asks the other too.
    assert_eq!(stage.requests(liar), [asked[1]]);
    stage.send_block(liar, asked[1], false);
    // Whoever is asked now is asked alone.
    let mut alone = 0;
    for remote in [honest, liar] {
        let requests = stage.requests(remote);
        alone += requests.len();
        for request in requests {
            stage.send_block(remote, request, remote == honest);
        }
    }
    assert_eq!(alone, 2);
    while !stage.is_seeding() {
        for request in stage.requests(honest) {
            stage.send_block(honest, request, true);
        }
        stage.wait(1);
    }
    let banned: Vec<&Event> = stage
        .events
        .iter()
        .filter(|event| matches!(event, Event::Banned { .. }))
        .collect();
    assert_eq!(banned.len(), 1, "{banned:?}");
    assert_eq!(stage.closed(liar), Some("sent corrupt data"));
    assert_eq!(stage.closed(honest), None);
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

#[test]
fn places_go_from_those_who_ask_for_nothing_to_those_who_come() {
    let config = Config {
        max_peers: 8,
        ..Config::default()
    };
    let mut stage = Stage::new(config, 16, &(0..16).collect::<Vec<_>>());
    let mut idle: Vec<_> = (0..8).map(|_| stage.leecher()).collect();
    let early = stage.leecher();
    assert_eq!(stage.closed(early), Some("enough peers"));
    stage.wait(5);
    let newcomer = stage.leecher();
    assert_eq!(stage.closed(newcomer), None);
    assert!(stage.heard(newcomer).contains(&Message::Unchoke));
    let lost = idle.iter().filter(|idle| stage.closed(**idle).is_some());
    assert_eq!(lost.count(), 1);
    // Whoever takes something keeps its place.
    idle.retain(|idle| stage.closed(*idle).is_none());
    for number in 0..60 {
        stage.say(newcomer, &Message::Request(block(number % 16, 0)));
        stage.leecher();
        stage.wait(1);
    }
    assert_eq!(stage.closed(newcomer), None);
    assert!(idle.iter().all(|idle| stage.closed(*idle).is_some()));
}

#[test]
fn an_upload_slot_goes_from_those_who_ask_for_nothing_to_those_who_wait() {
    let mut stage = Stage::new(Config::default(), 16, &(0..16).collect::<Vec<_>>());
    let idle: Vec<_> = (0..20).map(|_| stage.leecher()).collect();
    stage.wait(10);
    for idle in idle {
        assert!(
            stage.heard(idle).contains(&Message::Unchoke),
            "it was tried"
        );
    }
    let newcomer = stage.leecher();
    assert!(stage.heard(newcomer).contains(&Message::Unchoke), "at once");
    // And it keeps the slot, whoever else is there.
    for second in 0..40 {
        stage.say(newcomer, &Message::Request(block(second % 16, 0)));
        stage.wait(1);
        assert!(!stage.heard(newcomer).contains(&Message::Choke));
    }
}

#[test]
fn who_refused_is_asked_again_and_those_who_have_more_come_first() {
    let config = Config {
        target_peers: 3,
        ..Config::default()
    };
    let mut stage = Stage::new(config, 16, &[]);
    stage.tell_of(50, &[7]);
    assert_eq!(stage.opened().len(), 3);
    let mut asked = Vec::new();
    for _ in 0..40 {
        for member in stage.opened() {
            asked.push(member);
        }
        stage.refuse_all();
        stage.wait(1);
    }
    // All of them, and none in a hurry.
    let different: BTreeSet<u32> = asked.iter().copied().collect();
    assert_eq!(different.len(), 50);
    assert!(asked[..12].contains(&7), "{asked:?}");
    let tries = asked.iter().filter(|asked| **asked == 7).count();
    assert!((3..=8).contains(&tries), "{tries}");
}
