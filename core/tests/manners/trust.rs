//! Who ends a session, is banned, or loses a place, a slot or nothing.

use std::collections::BTreeSet;

use swarm_core::engine::{Config, Event};
use swarm_core::wire::peer::{Message, Reserved};

use crate::script::Stage;
use crate::{block, eager};

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
