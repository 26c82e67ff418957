//! One engine, and a peer to whom there are several channels: what the peer shows, and what
//! becomes of the talk.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod channels;

use std::time::Duration;

use channels::{BLOCK, Table, block};
use swarm_core::engine::{Config, DirectWork, PeerPath};
use swarm_core::wire::direct::Signal;
use swarm_core::wire::extension::{Begin, ExtensionHandshake, HANDSHAKE_ID};
use swarm_core::wire::peer::Message;

const NAME: u8 = 7;

fn two() -> Config {
    let mut config = Config::default();
    config.paths.channels = 2;
    config
}

/// Everything that a peer says that has everything.
fn offer(table: &mut Table, channel: usize) {
    table.say(channel, &Message::HaveAll);
    table.say(channel, &Message::Unchoke);
}

#[test]
fn a_better_channel_takes_the_talk_over_in_mid_piece() {
    let mut table = Table::new(two(), 8, &[]);
    let relay = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, relay);
    let asked = table.requests(relay);
    assert!(asked.len() >= 2, "{asked:?}");
    table.send_block(relay, asked[0]);
    // The next has half arrived when the other channel opens.
    let message = table.block_message(asked[1]);
    let (first, rest) = message.split_at(5000);
    table.send_bytes(relay, first);
    table.requests(relay);
    let direct = table.open(1, PeerPath::Direct, NAME);
    table.prove(direct, relay);
    assert_eq!(table.begins(direct), [Begin::Asks]);
    assert!(table.shown(direct, relay), "it proves itself, too");
    assert_eq!(table.peers().len(), 1);
    assert_eq!(table.peers()[0].path, PeerPath::Direct);
    // Nothing is asked through either, until the peer talks here as well.
    assert_eq!(
        (table.requests(relay), table.requests(direct)),
        (vec![], vec![])
    );
    table.begin(direct, Begin::Answers);
    offer(&mut table, direct);
    // What has begun to leave arrives, and is as good as any.
    table.send_bytes(relay, rest);
    table.serve_all(direct);
    assert!(table.is_seeding());
    let torrent = table.torrent();
    assert_eq!(torrent.waste.total(), 0, "{:?}", torrent.waste);
    assert_eq!(torrent.peers[0].down, table.length());
    assert_eq!((table.closed(relay), table.closed(direct)), (None, None));
}

#[test]
fn who_asks_gets_whole_messages_through_both_channels() {
    let mut table = Table::new(two(), 8, &[0, 1, 2, 3, 4, 5, 6, 7]);
    // Room for the greeting and half a block.
    let relay = table.open_with(0, PeerPath::Relay, NAME, 8 << 10);
    table.say(relay, &Message::HaveNone);
    table.say(relay, &Message::Interested);
    for begin in [0, BLOCK] {
        table.say(relay, &Message::Request(block(0, begin)));
    }
    assert_eq!(table.blocks(relay), [], "half of one");
    let direct = table.open(1, PeerPath::Direct, NAME);
    table.prove(direct, relay);
    table.begin(direct, Begin::Answers);
    table.say(direct, &Message::HaveNone);
    table.say(direct, &Message::Interested);
    table.say(direct, &Message::Request(block(0, BLOCK)));
    table.say(direct, &Message::Request(block(1, 0)));
    assert_eq!(table.blocks(direct), [block(0, BLOCK), block(1, 0)]);
    assert_eq!(table.blocks(relay), []);
    // The half that waited, and nothing of what had not begun to leave.
    table.grant(relay, 1 << 20);
    assert_eq!(table.blocks(relay), [block(0, 0)]);
    // It holds the slot that it had.
    assert!(table.peers()[0].unchoked);
}

#[test]
fn a_wrong_proof_is_a_session_of_its_own() {
    let mut table = Table::new(two(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, first);
    let second = table.open(1, PeerPath::Direct, NAME);
    table.show(second, [9; 20]);
    // The engine's own proof sent back, the tokens themselves, nothing at all.
    let its_own = table.proof_heard(second).unwrap();
    table.show(second, its_own);
    assert_eq!(table.begins(second), []);
    assert_eq!(table.peers().len(), 2);
    offer(&mut table, second);
    table.serve_all(second);
    table.serve_all(first);
    assert!(table.is_seeding());
    assert_eq!((table.closed(first), table.closed(second)), (None, None));
}

#[test]
fn a_proof_is_of_no_use_to_a_third() {
    let mut table = Table::new(two(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, first);
    let second = table.open(1, PeerPath::Relay, NAME);
    let proof = table.proof(second, first);
    table.show(second, proof);
    assert_eq!(table.peers().len(), 1);
    // Somebody who saw all that, and calls itself the same.
    let third = table.open(2, PeerPath::Direct, NAME);
    table.show(third, proof);
    assert_eq!(table.begins(third), []);
    assert_eq!(table.peers().len(), 2);
    assert_eq!(table.peers().iter().filter(|p| p.down > 0).count(), 0);
    // Or who knows its name alone, and has the engine's proof for somebody else.
    let fourth = table.open(3, PeerPath::Direct, NAME);
    let overheard = table.proof_heard(third);
    table.show(fourth, overheard.unwrap_or_default());
    assert_eq!(table.peers().len(), 3);
    table.serve_all(first);
    assert!(table.is_seeding());
}

#[test]
fn somebody_in_the_middle_can_not_stand_for_the_other_end() {
    let mut table = Table::new(two(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, first);
    // It passes on to the engine what the peer said on a channel to it, tokens included: but
    // the peer proved itself as the member that it is.
    let middle = table.open(1, PeerPath::Direct, NAME);
    let proof = table.proof_as(middle, first, 99);
    table.show(middle, proof);
    assert_eq!(table.peers().len(), 2);
    assert_eq!(table.begins(middle), []);
}

#[test]
fn a_peer_whose_channel_broke_is_the_same_when_it_comes_back_in_time() {
    for (seconds, same) in [(10, true), (40, false)] {
        let mut table = Table::new(two(), 8, &[]);
        let first = table.open(0, PeerPath::Relay, NAME);
        offer(&mut table, first);
        let asked = table.requests(first);
        table.send_block(first, asked[0]);
        table.break_channel(first);
        assert_eq!(table.peers().len(), 0);
        assert_eq!(table.torrent().copies, 0, "its pieces don't count");
        table.wait(Duration::from_secs(seconds));
        let second = table.open(1, PeerPath::Relay, NAME);
        table.prove(second, first);
        assert_eq!(table.peers().len(), 1);
        assert_eq!(table.peers()[0].down > 0, same, "after {seconds} s");
        if same {
            assert_eq!(table.begins(second), [Begin::Asks]);
            table.begin(second, Begin::Answers);
        }
        offer(&mut table, second);
        table.serve_all(second);
        assert!(table.is_seeding(), "after {seconds} s");
        assert_eq!(table.torrent().waste.total(), 0);
    }
}

#[test]
fn when_the_better_channel_ends_the_talk_goes_back() {
    let mut table = Table::new(two(), 8, &[]);
    let relay = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, relay);
    let direct = table.open(1, PeerPath::Direct, NAME);
    table.prove(direct, relay);
    table.begin(direct, Begin::Answers);
    offer(&mut table, direct);
    let asked = table.requests(direct);
    // A piece and a half.
    for &block in &asked[..3] {
        table.send_block(direct, block);
    }
    let had = table.torrent().progress;
    assert!(had > 0.0);
    table.requests(relay);
    table.break_channel(direct);
    assert_eq!(table.begins(relay), [Begin::Asks]);
    assert_eq!(table.peers()[0].path, PeerPath::Relay);
    table.begin(relay, Begin::Answers);
    offer(&mut table, relay);
    table.serve_all(relay);
    assert!(table.is_seeding());
    let torrent = table.torrent();
    assert_eq!(
        torrent.waste.total(),
        0,
        "no block was asked for twice in vain"
    );
    assert_eq!(torrent.peers[0].down, table.length());
    assert_eq!(table.closed(relay), None);
}

#[test]
fn an_equal_channel_stands_by_and_takes_over_when_the_first_ends() {
    let mut table = Table::new(two(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, first);
    let second = table.open(1, PeerPath::Relay, NAME);
    table.prove(second, first);
    assert_eq!(table.begins(second), []);
    assert_eq!(table.peers().len(), 1);
    // What is said through it does not count.
    offer(&mut table, second);
    assert_eq!(table.requests(second), []);
    table.break_channel(first);
    assert_eq!(table.begins(second), [Begin::Asks]);
    table.begin(second, Begin::Answers);
    offer(&mut table, second);
    table.serve_all(second);
    assert!(table.is_seeding());
}

#[test]
fn the_peer_may_change_over_first() {
    let mut table = Table::new(two(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, first);
    let second = table.open(1, PeerPath::Relay, NAME);
    table.prove(second, first);
    table.begin(second, Begin::Asks);
    assert_eq!(table.begins(second), [Begin::Answers]);
    offer(&mut table, second);
    table.serve_all(second);
    assert!(table.is_seeding());
}

#[test]
fn a_third_channel_is_one_too_many() {
    let mut table = Table::new(two(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    let second = table.open(1, PeerPath::Relay, NAME);
    table.prove(second, first);
    let third = table.open(2, PeerPath::Relay, NAME);
    table.prove(third, first);
    assert_eq!(table.closed(third), Some("enough channels to one peer"));
    // But a better one is welcome, and the one that stood by goes.
    let direct = table.open(3, PeerPath::Direct, NAME);
    table.prove(direct, first);
    assert_eq!(table.begins(direct), [Begin::Asks]);
    assert_eq!(table.closed(second), Some("enough channels to one peer"));
    assert_eq!(table.closed(first), None);
}

#[test]
fn a_hundred_channels_that_prove_nothing_take_few_places() {
    let mut config = two();
    config.max_peers = 4;
    let guests = config.paths.guests;
    let mut table = Table::new(config, 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, first);
    let crowd: Vec<_> = (0..100)
        .map(|_| table.open(1, PeerPath::Direct, NAME))
        .collect();
    assert!(table.peers().len() <= 4 + guests);
    // Somebody among them is who it says, and finds a place.
    let refused = crowd.iter().filter(|c| table.closed(**c).is_some());
    assert!(refused.count() >= 100 - 3 - guests);
    table.wait(Duration::from_secs(5));
    assert!(table.peers().len() <= 4, "guests go");
    let direct = table.open(2, PeerPath::Direct, NAME);
    table.prove(direct, first);
    assert_eq!(table.begins(direct), [Begin::Asks]);
    assert_eq!(table.closed(first), None);
}

#[test]
fn two_channels_flood_no_more_than_one() {
    let config = two();
    let most = config.work.burst as usize;
    let mut table = Table::new(config, 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    let second = table.open(1, PeerPath::Relay, NAME);
    table.prove(second, first);
    let mut said = 0;
    while table.closed(first).is_none() {
        table.say(first, &Message::Unknown(99));
        table.say(second, &Message::Unknown(99));
        said += 2;
        assert!(said <= most, "each has an allowance of its own");
    }
    assert!(table.closed(second).is_some(), "both end");
    assert_eq!(table.peers().len(), 0);
    // And it is known for it, wherever it comes from.
    let again = table.open_as(1, PeerPath::Relay, NAME, second);
    assert_eq!(table.closed(again), Some("misbehaved a moment ago"));
}

#[test]
fn to_begin_again_and_again_is_a_flood() {
    let mut table = Table::new(two(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    offer(&mut table, first);
    let mut begins = 0;
    while table.closed(first).is_none() {
        table.begin(first, Begin::Asks);
        begins += 1;
        assert!(begins < 1000);
    }
}

#[test]
fn where_there_is_one_link_nothing_is_said_or_heard_of_it() {
    let mut table = Table::new(Config::default(), 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    assert!(table.token(first).is_none());
    offer(&mut table, first);
    let asked = table.requests(first);
    table.begin(first, Begin::Asks);
    assert_eq!(table.begins(first), []);
    table.send_block(first, asked[0]);
    let second = table.open(1, PeerPath::Direct, NAME);
    table.show(second, [1; 20]);
    assert_eq!(table.peers().len(), 2);
    table.break_channel(first);
    table.serve_all(second);
    offer(&mut table, second);
    table.serve_all(second);
    assert!(table.is_seeding());
}

#[test]
fn a_direct_link_is_given_up_with_the_channel_that_it_was_agreed_on_through() {
    let mut config = two();
    config.paths.direct.at_once = 1;
    let mut table = Table::new(config, 8, &[]);
    let first = table.open(0, PeerPath::Relay, NAME);
    let links = ExtensionHandshake {
        ts_direct: Some(5),
        ..ExtensionHandshake::default()
    };
    let offer = Signal::Offer {
        attempt: 1,
        description: "v=0".to_owned(),
    };
    // The id under which the engine takes such messages is 2.
    for (id, payload) in [(HANDSHAKE_ID, links.encode()), (2, offer.encode())] {
        table.say(first, &Message::Extended { id, payload });
    }
    let begun = table.directs();
    assert_eq!(begun, [DirectWork::Answer("v=0".to_owned())]);
    let second = table.open(1, PeerPath::Relay, NAME);
    table.prove(second, first);
    assert_eq!((table.peers().len(), table.directs()), (1, vec![]));
    table.break_channel(first);
    assert_eq!(table.peers().len(), 1, "the session goes on");
    assert_eq!(table.directs(), [DirectWork::Drop]);
}
