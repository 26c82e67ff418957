//! Credit under pressure.

use super::HubConfig;
use super::testing::Scene;

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
    let mut queued = 0;
    let send_all = |scene: &mut Scene| {
        let mut sent = 0;
        for (sender, &channel) in (1..).zip(&channels) {
            let credit = scene.granted(sender);
            if credit > 0 {
                scene.data(sender, channel, usize::try_from(credit).unwrap());
                sent += credit;
            }
        }
        sent
    };
    loop {
        let sent = send_all(&mut scene);
        queued += sent;
        if sent == 0 {
            break;
        }
    }
    assert!(
        queued > limit / 2 && queued <= limit,
        "{queued} bytes queued"
    );
    // The receiver's socket takes everything: everybody may go on.
    scene.flushed(0, limit * 2);
    assert!((1..=3).all(|sender| scene.granted(sender) > 0));
    assert_eq!(scene.hub.stats().queued_bytes, 0);
}

#[test]
fn room_in_the_hub_reaches_those_who_wait_for_it() {
    let mut scene = Scene::new(HubConfig {
        max_inflight: 40_000,
        ..HubConfig::default()
    });
    let receivers = [scene.join(0), scene.join(1)];
    scene.join(2);
    let first = scene.channel(2, 0, receivers[0], [0, u32::MAX]);
    send_until_stopped(&mut scene, 2, first);
    assert!(
        scene.hub.stats().queued_bytes > 30_000,
        "a receiver that does not read fills the hub"
    );
    let second = scene.channel(2, 1, receivers[1], [0, u32::MAX]);
    send_until_stopped(&mut scene, 2, second);
    assert_eq!(scene.hub.stats().queued_bytes, 40_000);
    scene.disconnect(0);
    assert!(
        scene.granted(2) > 0,
        "the other receiver's credit was forgotten"
    );
}

fn send_until_stopped(scene: &mut Scene, sender: u64, channel: crate::id::ChannelId) {
    loop {
        match scene.granted(sender) {
            0 => return,
            credit => scene.data(sender, channel, usize::try_from(credit).unwrap()),
        }
    }
}
