//! Peers tell each other of trackers: when, and how much of it is taken.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use script::Stage;
use swarm_core::engine::Config;
use swarm_core::id::{ChannelId, InfoHash};
use swarm_core::node::Input;
use swarm_core::wire::extension::ExtensionHandshake;
use swarm_core::wire::peer::{Message, Reserved};
use swarm_core::wire::trackers::TrackersMessage;

const OURS: &str = "wss://ours.example/swarm";

/// The extended id under which an engine takes such messages.
const TS_TRACKERS: u8 = 4;

fn config() -> Config {
    let mut config = Config::default();
    config.exchange.known = 8;
    config
}

fn use_tracker(info_hash: InfoHash, address: &str) -> Input {
    Input::TellTrackers {
        info_hash,
        addresses: vec![address.to_owned()],
    }
}

/// A scripted peer that takes such messages.
fn partner(stage: &mut Stage) -> ChannelId {
    let remote = stage.remote(Reserved::EXTENSION.with(Reserved::FAST));
    stage.say(remote, &Message::HaveNone);
    let handshake = ExtensionHandshake {
        ts_trackers: Some(9),
        ..ExtensionHandshake::default()
    };
    let payload = handshake.encode();
    stage.say(remote, &Message::Extended { id: 0, payload });
    remote
}

fn tell(stage: &mut Stage, remote: ChannelId, addresses: &[&str]) {
    let addresses = addresses.iter().map(|text| (*text).to_owned()).collect();
    let payload = TrackersMessage { addresses }.encode();
    stage.say(
        remote,
        &Message::Extended {
            id: TS_TRACKERS,
            payload,
        },
    );
}

fn told(stage: &mut Stage, remote: ChannelId) -> Vec<Vec<String>> {
    let heard = stage.heard(remote).into_iter();
    let told = heard.filter_map(|message| match message {
        Message::Extended { id: 9, payload } => Some(TrackersMessage::decode(&payload).unwrap()),
        _ => None,
    });
    told.map(|message| message.addresses).collect()
}

#[test]
fn no_peer_fills_the_list_and_nothing_that_is_no_address_is_in_it() {
    let mut stage = Stage::new(config(), 4, &[0]);
    let info_hash = stage.info_hash();
    let known = |stage: &Stage| stage.engine.heard_trackers(info_hash).to_vec();
    let first = partner(&mut stage);
    tell(
        &mut stage,
        first,
        &[
            "udp://x.example:1",
            "ws://127.1/",
            "WSS://A.example:443",
            "wss://a.example/",
            "ws://b.example/x",
            "ws://c.example/",
        ],
    );
    assert_eq!(known(&stage), ["wss://a.example/", "ws://b.example/x"]);
    for number in 0..6 {
        let other = partner(&mut stage);
        let told = [0, 1].map(|n| format!("ws://{number}-{n}.example/"));
        tell(&mut stage, other, &[&told[0], &told[1]]);
    }
    assert_eq!(known(&stage).len(), 8);
    assert_eq!(stage.closed(first), None);
    stage.say(
        first,
        &Message::Extended {
            id: TS_TRACKERS,
            payload: b"d1:ai1ee"[..].into(),
        },
    );
    let closed = stage.closed(first).unwrap();
    assert!(closed.starts_with("bad trackers message: "), "{closed}");
}

#[test]
fn a_peer_is_told_once_and_again_only_of_what_is_new_and_not_at_once() {
    let mut stage = Stage::new(config(), 4, &[0]);
    let info_hash = stage.info_hash();
    let remote = partner(&mut stage);
    stage.wait(5);
    assert!(told(&mut stage, remote).is_empty());
    stage.feed(use_tracker(info_hash, OURS));
    stage.wait(5);
    assert_eq!(told(&mut stage, remote), [[OURS]]);
    stage.feed(use_tracker(info_hash, "ws://new.example/"));
    stage.wait(30);
    assert!(told(&mut stage, remote).is_empty());
    stage.wait(40);
    assert_eq!(told(&mut stage, remote), [["ws://new.example/"]]);
    stage.feed(use_tracker(info_hash, "ws://new.example/"));
    stage.wait(80);
    assert!(told(&mut stage, remote).is_empty());
}
