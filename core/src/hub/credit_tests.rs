//! Credit under pressure.

use super::HubConfig;
use super::testing::{Scene, source};
use crate::wire::relay::frame::HEADER;

#[test]
fn credit_that_does_not_fit_is_passed_on_later() {
    let config = HubConfig {
        max_credit: 100,
        ..HubConfig::default()
    };
    let mut scene = Scene::new(config);
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [0, 250]);
    let mut total = scene.granted(1);
    assert_eq!(total, 100);
    for _ in 0..5 {
        scene.data(1, channel, 50);
        total += scene.granted(1);
    }
    assert_eq!(total, 250);
}

#[test]
fn idle_holders_of_credit_cannot_starve_a_newcomer() {
    let config = HubConfig {
        max_inflight_per_connection: 10_000,
        max_channels_per_connection: 10,
        ..HubConfig::default()
    };
    let mut scene = Scene::new(config);
    let receiver = scene.join(0);
    for sender in 1..=10 {
        scene.join(sender);
        scene.channel(sender, 0, receiver, [0, u32::MAX]);
        assert!(scene.granted(sender) > 0, "sender {sender} got nothing");
    }
    assert!(scene.hub.stats().credit_bytes <= 10_000);
}

#[test]
fn a_slow_receiver_stops_its_senders_and_a_flush_starts_them_again() {
    let limit = 100_000;
    let config = HubConfig {
        max_inflight_per_connection: limit,
        max_channels_per_connection: 4,
        ..HubConfig::default()
    };
    let mut scene = Scene::new(config);
    let receiver = scene.join(0);
    let channels: Vec<_> = (1..=3)
        .map(|sender| {
            scene.join(sender);
            scene.channel(sender, 0, receiver, [0, u32::MAX])
        })
        .collect();
    let queued: u64 = (1..)
        .zip(&channels)
        .map(|(sender, &channel)| send_until_stopped(&mut scene, sender, channel))
        .sum();
    assert!(
        queued > limit / 3 && queued <= limit,
        "{queued} bytes queued"
    );
    // The receiver's socket takes everything: everybody may go on.
    scene.written(0, limit * 2);
    assert!((1..=3).all(|sender| scene.granted(sender) > 0));
    assert_eq!(scene.hub.stats().queued_bytes, 0);
}

#[test]
fn what_one_receiver_does_not_read_is_not_missing_to_others_for_long() {
    let limit = 100_000;
    let mut scene = Scene::new(HubConfig {
        max_inflight: limit,
        ..HubConfig::default()
    });
    let receivers = [scene.join(0), scene.join(1)];
    scene.join(2);
    let first = scene.channel(2, 0, receivers[0], [0, u32::MAX]);
    let unread = send_until_stopped(&mut scene, 2, first);
    assert!(unread > 10_000, "{unread} bytes for one who does not read");
    let second = scene.channel(2, 1, receivers[1], [0, u32::MAX]);
    let sent = send_until_stopped(&mut scene, 2, second);
    assert!(sent > 8000, "{sent} bytes for another");
    assert!(scene.hub.stats().queued_bytes <= limit);
    scene.disconnect(0);
    // The other one's channel has what is free as soon as it moves.
    scene.written(1, sent + 100);
    let more = scene.granted(2);
    assert!(more > sent, "{more} bytes of credit after {sent}");
}

#[test]
fn idle_channels_of_one_source_take_their_own_share_only() {
    let mut scene = Scene::new(HubConfig {
        max_inflight: 32 << 20,
        max_inflight_per_connection: 16 << 20,
        ..HubConfig::default()
    });
    let hoarder = source(100);
    let members: Vec<_> = (0..40).map(|conn| scene.join_from(conn, hoarder)).collect();
    for opener in 0..20 {
        let (acceptor, member) = (opener + 20, members[opener as usize + 20]);
        scene.channel(opener, acceptor, member, [u32::MAX, u32::MAX]);
    }
    let held = scene.hub.stats().credit_bytes;
    assert!(held > 5 << 20, "they hold {held} bytes");
    let honest = scene.join(50);
    scene.join(51);
    scene.channel(51, 50, honest, [0, u32::MAX]);
    let credit = scene.granted(51);
    assert!(credit > 1 << 20, "{credit} bytes for an honest pair");
}

#[test]
fn a_sender_that_leaves_a_little_unused_gets_more() {
    // So little that there is nothing beyond the reserve.
    let mut scene = Scene::new(HubConfig {
        max_inflight_per_connection: 9000,
        max_channels_per_connection: 1,
        ..HubConfig::default()
    });
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [0, 1_000_000]);
    let mut credit = scene.granted(1);
    for _ in 0..20 {
        let sent = credit - 16;
        assert!(sent > 0, "it is stuck with {credit} bytes");
        scene.data(1, channel, usize::try_from(sent).unwrap());
        scene.written(2, sent + HEADER as u64);
        credit = 16 + scene.granted(1);
    }
}

#[test]
fn many_small_grants_are_few_messages_while_bytes_are_on_their_way() {
    let mut scene = Scene::new(HubConfig::default());
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [0, 100_000]);
    scene.data(1, channel, 50_000);
    scene.told(1);
    for _ in 0..1000 {
        scene.credit(2, channel, 10);
    }
    assert_eq!(scene.told(1), []);
    scene.written(2, 60_000);
    assert_eq!(scene.granted(1), 10_000);
}

fn send_until_stopped(scene: &mut Scene, sender: u64, channel: crate::id::ChannelId) -> u64 {
    let mut sent = 0;
    loop {
        match scene.granted(sender) {
            0 => return sent,
            credit => {
                scene.data(sender, channel, usize::try_from(credit).unwrap());
                sent += credit;
            }
        }
    }
}
