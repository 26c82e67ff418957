//! Nobody waits for what nothing will bring.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use script::{BLOCK, Stage};
use swarm_core::engine::{Config, DirectWork};
use swarm_core::id::{InfoHash, LinkId, MemberId, PeerId};
use swarm_core::node::{DirectInput, Input};
use swarm_core::rng::Rng;
use swarm_core::wire::direct::Signal;
use swarm_core::wire::extension::{ExtensionHandshake, HANDSHAKE_ID};
use swarm_core::wire::peer::{BlockRef, Message, Reserved};
use swarm_core::wire::relay::{Incoming, ServerMessage};

fn block(piece: u32, begin: u32) -> BlockRef {
    BlockRef {
        piece,
        begin,
        length: BLOCK,
    }
}

#[test]
fn blocks_leave_whatever_order_the_store_answers_in() {
    let all: Vec<u32> = (0..64).collect();
    let mut rng = Rng::new(1);
    for round in 0..30 {
        // Also with a store that does little at once, and with hardly any memory.
        let config = Config {
            max_reads: [8, 2, 1][round % 3],
            read_cache: [16 << 20, 64 << 10][round % 2],
            ..Config::default()
        };
        let mut stage = Stage::new(config, 64, &all);
        stage.hold_reads();
        let leecher = stage.leecher();
        stage.heard(leecher);
        let mut pieces = all.clone();
        rng.shuffle(&mut pieces);
        pieces.truncate(20);
        for &piece in &pieces {
            stage.say(leecher, &Message::Request(block(piece, 0)));
        }
        while let Some(&piece) = rng.choose(&stage.reads()) {
            stage.answer_read(piece);
        }
        let sent: Vec<u32> = stage
            .heard(leecher)
            .iter()
            .filter_map(|message| match message {
                Message::Piece { piece, .. } => Some(*piece),
                _ => None,
            })
            .collect();
        assert_eq!(
            sent, pieces,
            "round {round}: nothing is read, and blocks wait"
        );
    }
}

#[test]
fn a_piece_is_read_that_was_not_foreseen_when_the_frame_was_begun() {
    let mut stage = Stage::new(Config::default(), 8, &(0..8).collect::<Vec<_>>());
    stage.hold_reads();
    let leecher = stage.leecher();
    for piece in [0, 2, 4, 6, 1] {
        stage.say(leecher, &Message::Request(block(piece, 0)));
    }
    let ahead = stage.reads();
    assert!(
        !ahead.contains(&1),
        "the test needs a piece that is not read ahead"
    );
    // The first comes last, and everything behind it leaves with it.
    for &piece in ahead.iter().rev() {
        stage.answer_read(piece);
    }
    assert_eq!(stage.reads(), [1]);
    stage.answer_read(1);
    let heard = stage.heard(leecher);
    let blocks = heard.iter().filter(|m| matches!(m, Message::Piece { .. }));
    assert_eq!(blocks.count(), 5);
}

#[test]
fn who_took_nothing_is_asked_once_it_does() {
    let mut config = Config::default();
    config.max_waiting.0 = 10;
    let mut stage = Stage::new(config, 4, &[]);
    // It can't even be sent our handshake.
    let slow = stage.remote_with_credit(Reserved::FAST, 0);
    stage.say(slow, &Message::HaveAll);
    stage.say(slow, &Message::Unchoke);
    assert_eq!(stage.requests(slow), []);
    stage.give_credit(slow, 1 << 20);
    assert_eq!(stage.requests(slow).len(), 4);
}

#[test]
fn a_channel_is_over_when_its_number_is_given_to_another() {
    let mut config = Config::default();
    config.paths.channels = 2;
    config.paths.direct.at_once = 4;
    let mut stage = Stage::new(config, 4, &[]);
    let channel = stage.remote(Reserved::FAST.with(Reserved::EXTENSION));
    let links = ExtensionHandshake {
        ts_direct: Some(5),
        token: Some([1; 16]),
        ..ExtensionHandshake::default()
    };
    let offer = Signal::Offer {
        attempt: 1,
        description: "v=0".to_owned(),
    };
    // The id under which the engine takes such messages is 2.
    for (id, payload) in [(HANDSHAKE_ID, links.encode()), (2, offer.encode())] {
        stage.say(channel, &Message::Extended { id, payload });
    }
    let mut begun = stage.directs.drain(..);
    let (link, work) = begun.next().unwrap();
    assert_eq!(work, DirectWork::Answer("v=0".to_owned()));
    drop(begun);

    // The link was agreed on through the first of the two, of which nobody will hear again.
    stage.give_number_twice(channel);
    assert_eq!(stage.directs, [(link, DirectWork::Drop)]);
    assert_eq!(stage.torrent().peers.len(), 1);
    assert_eq!(stage.closed(channel), None, "the second goes on");
    // The host had something to say before it heard of that.
    stage.feed(Input::Direct(link, DirectInput::Failed));
    stage.wait(60);
    assert_eq!(stage.directs.len(), 1, "it is given up once");

    // The same where the second one is of no use.
    let incoming = Incoming {
        channel,
        info_hash: InfoHash([7; 20]),
        member: MemberId(100),
        peer_id: PeerId([100; 20]),
        credit: 1 << 20,
    };
    let incoming = ServerMessage::Incoming(incoming);
    stage.feed(Input::Link(LinkId(0), incoming.into()));
    assert_eq!(
        stage.closed(channel),
        Some("not taking part in this torrent")
    );
    assert!(stage.torrent().peers.is_empty());
}
