//! What is charged to whom, and what those hear who want too much.

use std::time::Duration;

use super::testing::{SWARM, Scene, announce, source};
use super::{ConnId, HubConfig, HubInput, HubOutput, Reading, Source, Visit};
use crate::id::InfoHash;
use crate::wire::relay::{Announce, ClientMessage, ServerMessage};

fn swarm(number: u8) -> Announce {
    Announce {
        info_hash: InfoHash([number; 20]),
        ..announce()
    }
}

/// Announces until the hub wants no more of it; how long that is.
fn flood(scene: &mut Scene, conn: u64) -> Duration {
    for _ in 0..1_000_000 {
        if let Some(until) = scene.hub.paused_until(scene.now, ConnId(conn)) {
            return until.saturating_since(scene.now);
        }
        scene.send(conn, ClientMessage::Announce(announce()));
    }
    panic!("it may announce for ever");
}

#[test]
fn who_asks_for_too_much_waits_and_is_told_once() {
    let mut scene = Scene::new(HubConfig::default());
    scene.join(1);
    scene.join(2);
    let pause = flood(&mut scene, 1);
    assert!(pause < Duration::from_secs(1), "{pause:?}");
    assert_eq!(scene.hub.stats().limited.work, 1);
    let told = scene.reasons(1);
    assert!(told.len() == 1 && told[0].contains("slow down"), "{told:?}");
    assert_eq!(scene.hub.paused_until(scene.now, ConnId(2)), None);
    scene.now += pause;
    assert_eq!(scene.hub.paused_until(scene.now, ConnId(1)), None);
    flood(&mut scene, 1);
    assert_eq!(scene.reasons(1), [""; 0]);
    assert_eq!(scene.hub.stats().connections, 2);
}

#[test]
fn a_flood_does_not_silence_others_behind_the_same_address() {
    let mut scene = Scene::new(HubConfig::default());
    for conn in 0..10 {
        scene.join_from(conn, source(0));
    }
    for _ in 0..100 {
        for conn in 1..10 {
            flood(&mut scene, conn);
        }
        scene.now += Duration::from_millis(10);
        // A hundred announces a second are a tenth of a third of a second, and more.
        scene.announce(0, announce());
        scene.told(0);
        let pause = scene.hub.paused_until(scene.now, ConnId(0));
        assert!(
            pause.is_none_or(|until| until.saturating_since(scene.now) < Duration::from_millis(10))
        );
    }
}

#[test]
fn connecting_anew_pays_no_debt() {
    let mut scene = Scene::new(HubConfig::default());
    scene.join(1);
    flood(&mut scene, 1);
    scene.disconnect(1);
    scene.told(1);
    scene.connect(1);
    assert!(scene.hub.paused_until(scene.now, ConnId(1)).is_some());
    scene.disconnect(1);
    scene.wait(10);
    assert_eq!(scene.hub.stats().sources, 0);
}

#[test]
fn what_is_no_message_is_charged_too() {
    let mut scene = Scene::new(HubConfig::default());
    scene.connect(1);
    let reading = Reading {
        framing: 100_000_000,
        control: 0,
    };
    scene.handle(HubInput::Read(ConnId(1), reading));
    assert_eq!(scene.hub.stats().limited.cut, 1);
    scene.assert_thrown_out(1, "far more than its share");
}

#[test]
fn one_address_leaves_swarms_and_memberships_for_others() {
    let mut scene = Scene::new(HubConfig {
        max_swarms: 10,
        max_memberships: 20,
        ..HubConfig::default()
    });
    let greedy = Source::V4([192, 0, 2, 1]);
    for conn in 0..4 {
        scene.connect_from(conn, greedy);
        for number in 0..10 {
            scene.send(conn, ClientMessage::Announce(swarm(number)));
        }
    }
    let stats = scene.hub.stats();
    assert_eq!((stats.swarms, stats.memberships), (5, 10));
    assert!(stats.limited.swarms > 0 && stats.limited.memberships > 0);
    let told = scene.reasons(3);
    assert!(told[0].contains("your address"), "{told:?}");
    scene.connect(50);
    scene.announce(50, swarm(50));
}

#[test]
fn a_swarm_is_charged_to_somebody_who_is_in_it() {
    let mut scene = Scene::new(HubConfig {
        max_swarms: 4,
        ..HubConfig::default()
    });
    scene.connect(1);
    scene.connect(2);
    for number in 0..2 {
        scene.announce(1, swarm(number));
        scene.announce(2, swarm(number));
    }
    // They are the other one's now.
    scene.disconnect(1);
    scene.send(2, ClientMessage::Announce(swarm(2)));
    assert!(scene.reasons(2)[0].contains("your address has as many swarms"));
    scene.connect(3);
    scene.announce(3, swarm(3));
}

#[test]
fn channels_that_one_address_opens_leave_places_for_others() {
    let config = HubConfig {
        max_channels_per_connection: 8,
        ..HubConfig::default()
    };
    let mut scene = Scene::new(config);
    let wanted = scene.join(0);
    let greedy = source(1000);
    let mut refusals = Vec::new();
    for conn in 1..10 {
        scene.join_from(conn, greedy);
        scene.open(conn, wanted, 10);
        refusals.extend(scene.reasons(conn));
    }
    assert_eq!(refusals.len(), 5, "it got more than half");
    assert!(refusals[0].contains("your address"), "{refusals:?}");
    assert_eq!(scene.hub.stats().limited.channels, 5);
    scene.told(0);
    scene.join(20);
    scene.channel(20, 0, wanted, [1, 1]);
}

#[test]
fn wishes_for_channels_are_limited_for_each_address_and_member() {
    let config = HubConfig {
        offer_burst: 3,
        offer_interval: Duration::from_secs(1),
        ..HubConfig::default()
    };
    let mut scene = Scene::new(config);
    let wanted = scene.join(0);
    scene.join(1);
    scene.join(2);
    let ask = |scene: &mut Scene, conn| {
        scene.open(conn, wanted, 10);
        for output in scene.told(0) {
            if let HubOutput::Send(ServerMessage::Incoming(incoming)) = output {
                scene.close(0, incoming.channel);
            }
        }
        scene.reasons(conn).pop().unwrap_or_default()
    };
    for _ in 0..3 {
        assert_eq!(ask(&mut scene, 1), "enough");
    }
    assert!(ask(&mut scene, 1).contains("too often"));
    assert_eq!(
        ask(&mut scene, 2),
        "enough",
        "another address is not in its way"
    );
    scene.wait(1);
    assert_eq!(ask(&mut scene, 1), "enough");
    assert!(ask(&mut scene, 1).contains("too often"));
    assert_eq!(scene.hub.stats().limited.offers, 2);
}

#[test]
fn a_channel_that_carries_nothing_ends() {
    let idle = Duration::from_secs(100);
    let mut scene = Scene::new(HubConfig {
        channel_idle: idle,
        ..HubConfig::default()
    });
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [10, 10]);
    scene.told(1);
    scene.wait(99);
    scene.data(1, channel, 1);
    scene.told(2);
    scene.wait(99);
    assert_eq!(scene.reasons(1), [""; 0]);
    scene.wait(1);
    for conn in [1, 2] {
        assert_eq!(
            scene.reasons(conn),
            ["the channel carried nothing for too long"]
        );
    }
    assert_eq!(scene.hub.stats().limited.idle, 1);
    assert_eq!(scene.hub.stats().channels, 0);
}

#[test]
fn a_have_does_not_make_a_bitfield_longer() {
    let mut scene = Scene::new(HubConfig::default());
    scene.join(1);
    scene.have(1, &[2_097_151, 5], 100);
    assert_eq!(scene.hub.stats().bitfield_bytes, 0);
    let bits = vec![0x80, 0].into();
    scene.announce(
        1,
        Announce {
            pieces: Some(bits),
            ..announce()
        },
    );
    scene.have(1, &[2_097_151, 5], 100);
    assert_eq!(scene.hub.stats().bitfield_bytes, 2);
    scene.connect(2);
    let peers = scene.announce(2, announce());
    assert_eq!(peers.info_hash, SWARM);
    assert_eq!(peers.members[0].have, 2);
}

#[test]
fn who_asks_for_too_much_over_http_waits_and_then_is_refused() {
    let mut scene = Scene::new(HubConfig::default());
    let (flooding, other) = (source(1), source(2));
    let visit = |scene: &mut Scene, source| scene.hub.visit(scene.now, source, Visit::Request);
    let mut waits = Vec::new();
    let refused = loop {
        match visit(&mut scene, flooding) {
            Ok(wait) => waits.push(wait),
            Err(wait) => break wait,
        }
    };
    let most = HubConfig::default().max_visit_wait;
    assert!(waits[0].is_zero() && waits.is_sorted() && waits.last() <= Some(&most));
    assert!(refused > most);
    // More often than any page asks.
    assert!(waits.iter().filter(|wait| wait.is_zero()).count() > 10_000);
    assert_eq!(visit(&mut scene, other), Ok(Duration::ZERO));
    assert_eq!(scene.hub.stats().limited.visits, 1);
    // Its sessions are none the worse for it.
    scene.join_from(1, flooding);
    scene.announce(1, announce());
    assert_eq!(scene.hub.paused_until(scene.now, ConnId(1)), None);
    scene.disconnect(1);
    // What was refused was charged nothing, and who is known for nothing else is forgotten.
    scene.now += refused;
    assert_eq!(visit(&mut scene, flooding), Ok(Duration::ZERO));
    scene.wait(60);
    assert_eq!(scene.hub.stats().sources, 0);
}
