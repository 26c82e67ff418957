//! Fetching the info dictionary beside peers that are slow, silent, or lie.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use bytes::Bytes;
use script::{BLOCK, PIECE, Stage};
use swarm_core::engine::{Command, Config, TorrentState};
use swarm_core::id::ChannelId;
use swarm_core::node::Input;
use swarm_core::pieces::Priority;
use swarm_core::wire::extension::{
    ExtensionHandshake, HANDSHAKE_ID, METADATA_PIECE, MetadataMessage,
};
use swarm_core::wire::peer::{BlockRef, Message, Reserved};

/// The id under which the engine takes `ut_metadata` messages, and that of the peers.
const OURS: u8 = 1;
const THEIRS: u8 = 3;

/// A peer that offers a dictionary of so many bytes.
fn source(stage: &mut Stage, size: usize) -> ChannelId {
    let remote = stage.remote(Reserved::FAST.with(Reserved::EXTENSION));
    stage.say(remote, &Message::HaveAll);
    offer(stage, remote, size);
    remote
}

/// A peer offers a dictionary of so many bytes.
fn offer(stage: &mut Stage, remote: ChannelId, size: usize) {
    let handshake = ExtensionHandshake {
        ut_metadata: Some(THEIRS),
        metadata_size: Some(u32::try_from(size).unwrap()),
        ..ExtensionHandshake::default()
    };
    let payload = handshake.encode();
    stage.say(
        remote,
        &Message::Extended {
            id: HANDSHAKE_ID,
            payload,
        },
    );
}

/// The pieces of the dictionary that a peer is asked for since this was last looked at.
fn asked(stage: &mut Stage, remote: ChannelId) -> Vec<u32> {
    let requests = stage.heard(remote).into_iter().filter_map(|message| {
        let Message::Extended {
            id: THEIRS,
            payload,
        } = message
        else {
            return None;
        };
        match MetadataMessage::decode(&payload).unwrap() {
            Some(MetadataMessage::Request { piece }) => Some(piece),
            _ => None,
        }
    });
    requests.collect()
}

fn send(stage: &mut Stage, remote: ChannelId, info: &Bytes, piece: u32) {
    let begin = (piece * METADATA_PIECE) as usize;
    let end = info.len().min(begin + METADATA_PIECE as usize);
    let message = MetadataMessage::Data {
        piece,
        total_size: u32::try_from(info.len()).unwrap(),
        data: info.slice(begin..end),
    };
    let payload = message.encode();
    stage.say(remote, &Message::Extended { id: OURS, payload });
}

/// An honest peer answers all that it was asked; true if there was something.
fn answer(stage: &mut Stage, remote: ChannelId) -> bool {
    let info = stage.info();
    let pieces = asked(stage, remote);
    for &piece in &pieces {
        send(stage, remote, &info, piece);
    }
    !pieces.is_empty()
}

fn is_known(stage: &Stage) -> bool {
    stage.torrent().state != TorrentState::Metadata
}

/// Seconds until the dictionary is here, with an honest peer that answers at once, and
/// others that say something once in a while.
fn seconds(stage: &mut Stage, honest: ChannelId, mut others: impl FnMut(&mut Stage, u64)) -> u64 {
    for second in 0..60 {
        while answer(stage, honest) {}
        if is_known(stage) {
            return second;
        }
        stage.wait(1);
        others(stage, second + 1);
    }
    panic!("the honest peer was not asked for a minute");
}

#[test]
fn one_peer_is_enough() {
    let mut stage = Stage::from_link(Config::default());
    let size = stage.info().len();
    assert!(size > 8 * METADATA_PIECE as usize, "{size}");
    let honest = source(&mut stage, size);
    assert_eq!(seconds(&mut stage, honest, |_, _| {}), 0);
}

#[test]
fn peers_that_answer_nothing_cost_no_time() {
    let mut stage = Stage::from_link(Config::default());
    let size = stage.info().len();
    for _ in 0..7 {
        source(&mut stage, size);
    }
    let honest = source(&mut stage, size);
    assert_eq!(seconds(&mut stage, honest, |_, _| {}), 0);
}

#[test]
fn more_silent_peers_than_are_asked_at_once_cost_little() {
    let mut stage = Stage::from_link(Config::default());
    let size = stage.info().len();
    for _ in 0..20 {
        source(&mut stage, size);
    }
    let honest = source(&mut stage, size);
    let took = seconds(&mut stage, honest, |_, _| {});
    assert!(took <= 4, "{took} seconds");
}

#[test]
fn peers_that_drip_lose_their_turn() {
    // Each claims the longest dictionary, sends its first piece at once, and then one in so
    // many seconds.
    for every in [1, 2, 8] {
        let mut stage = Stage::from_link(Config::default());
        let longest = Bytes::from(vec![b'x'; 16 << 20]);
        let drippers: Vec<ChannelId> = (0..5).map(|_| source(&mut stage, 16 << 20)).collect();
        let mut next = 0;
        let mut drip = |stage: &mut Stage, second: u64| {
            if second.is_multiple_of(every) {
                for dripper in &drippers {
                    send(stage, *dripper, &longest, next);
                }
                next += 1;
            }
        };
        drip(&mut stage, 0);
        let size = stage.info().len();
        let honest = source(&mut stage, size);
        let took = seconds(&mut stage, honest, drip);
        assert!(
            took <= 3,
            "{took} seconds beside a piece in {every} seconds"
        );
    }
}

#[test]
fn a_slow_peer_is_not_given_up_while_there_is_no_better_one() {
    let mut stage = Stage::from_link(Config::default());
    let info = stage.info();
    let slow = source(&mut stage, info.len());
    let mut pieces = asked(&mut stage, slow);
    let mut sent = 0;
    while !is_known(&stage) {
        stage.wait(5);
        assert!(!pieces.is_empty(), "it is not asked any more");
        send(&mut stage, slow, &info, pieces.remove(0));
        sent += 1;
        pieces.extend(asked(&mut stage, slow));
    }
    assert_eq!(sent, info.len().div_ceil(METADATA_PIECE as usize));
    assert_eq!(stage.closed(slow), None);
}

#[test]
fn who_sends_another_dictionary_is_banned_alone() {
    let mut stage = Stage::from_link(Config::default());
    let mut wrong = stage.info().to_vec();
    wrong[100] ^= 1;
    let wrong = Bytes::from(wrong);
    let liar = source(&mut stage, wrong.len());
    let honest = source(&mut stage, wrong.len());
    let mut pieces = asked(&mut stage, liar);
    while !pieces.is_empty() {
        send(&mut stage, liar, &wrong, pieces.remove(0));
        pieces.extend(asked(&mut stage, liar));
    }
    assert_eq!(stage.closed(liar), Some("sent wrong metadata"));
    assert_eq!(seconds(&mut stage, honest, |_, _| {}), 0);
    assert_eq!(stage.closed(honest), None);
}

#[test]
fn unfinished_dictionaries_take_bounded_memory() {
    let mut config = Config::default();
    let most = 30;
    config.metadata.bytes = most * METADATA_PIECE as usize;
    let mut stage = Stage::from_link(config);
    let longest = Bytes::from(vec![b'x'; 16 << 20]);
    let junk = [0, 1, 2].map(|_| source(&mut stage, longest.len()));
    let mut sent = [0; 3];
    for _ in 0..100 {
        for (remote, sent) in junk.iter().zip(&mut sent) {
            for piece in asked(&mut stage, *remote) {
                send(&mut stage, *remote, &longest, piece);
                *sent += 1;
            }
        }
    }
    // One goes on, the copies of the others are gone, and nothing more is asked of them.
    sent.sort_unstable();
    assert!(sent[2] > most, "{sent:?}");
    assert!(sent[0] + sent[1] <= 2 * most, "{sent:?}");
}

/// A peer that says this of what it has, and lets us have the metadata.
fn source_with(stage: &mut Stage, has: &Message) -> ChannelId {
    let remote = stage.remote(Reserved::FAST.with(Reserved::EXTENSION));
    stage.say(remote, has);
    let size = stage.info().len();
    offer(stage, remote, size);
    remote
}

#[test]
fn a_slot_is_asked_for_while_the_metadata_is_on_its_way() {
    let something = Bytes::from_static(&[0b0100_0000]);
    let nothing = Bytes::from_static(&[0]);
    for (has, check, wanted) in [
        (Message::HaveAll, false, true),
        (Message::Bitfield(something), false, true),
        (Message::Have(3), false, true),
        (Message::Bitfield(nothing), false, false),
        (Message::HaveNone, false, false),
        // All of it may be here.
        (Message::HaveAll, true, false),
    ] {
        let mut stage = Stage::from_link_to(Config::default(), 8, check);
        let remote = source_with(&mut stage, &has);
        let heard = stage.heard(remote);
        assert_eq!(
            heard.contains(&Message::Interested),
            wanted,
            "{has:?}, {check}: {heard:?}"
        );
        assert!(!is_known(&stage));
    }
}

#[test]
fn nothing_is_asked_for_in_haste_where_some_of_it_is_not_wanted() {
    let mut stage = Stage::from_link_to(Config::default(), 8, false);
    let info_hash = stage.info_hash();
    let wish = |stage: &mut Stage, priority| {
        let priorities = Command::SetPriorities(info_hash, vec![priority]);
        stage.feed(Input::Command(priorities));
    };
    wish(&mut stage, Priority::Skip);
    let remote = source_with(&mut stage, &Message::HaveAll);
    stage.say(remote, &Message::Unchoke);
    let info = stage.info();
    send(&mut stage, remote, &info, 0);
    assert!(is_known(&stage));
    let heard = stage.heard(remote);
    assert!(!heard.contains(&Message::Interested), "{heard:?}");
    wish(&mut stage, Priority::Normal);
    let heard = stage.heard(remote);
    assert!(heard.contains(&Message::Interested), "{heard:?}");
}

#[test]
fn what_a_peer_advised_before_the_metadata_came_is_heeded() {
    let mut stage = Stage::from_link_to(Config::default(), 8, false);
    let remote = source_with(&mut stage, &Message::HaveAll);
    stage.say(remote, &Message::Unchoke);
    stage.say(remote, &Message::SuggestPiece(5));
    assert_eq!(stage.requests(remote), []);
    let info = stage.info();
    send(&mut stage, remote, &info, 0);
    let asked = stage.requests(remote);
    let block = |begin| BlockRef {
        piece: 5,
        begin,
        length: BLOCK,
    };
    assert_eq!(asked[..2], [block(0), block(PIECE - BLOCK)]);
}

#[test]
fn pieces_that_the_choked_may_ask_for_are_known_by_the_time_of_the_metadata() {
    let mut stage = Stage::from_link_to(Config::default(), 8, false);
    let remote = source_with(&mut stage, &Message::HaveAll);
    stage.say(remote, &Message::AllowedFast(6));
    let info = stage.info();
    send(&mut stage, remote, &info, 0);
    let asked = stage.requests(remote);
    let pieces: Vec<u32> = asked.iter().map(|block| block.piece).collect();
    assert_eq!(pieces, [6, 6]);
}

#[test]
fn advice_about_a_piece_that_there_is_not_is_a_fault_as_soon_as_that_is_known() {
    for advice in [Message::SuggestPiece(8), Message::AllowedFast(8)] {
        let mut stage = Stage::from_link_to(Config::default(), 8, false);
        let remote = source_with(&mut stage, &Message::HaveAll);
        stage.say(remote, &advice);
        assert_eq!(stage.closed(remote), None);
        let info = stage.info();
        send(&mut stage, remote, &info, 0);
        assert!(stage.closed(remote).is_some(), "{advice:?}");
    }
}
