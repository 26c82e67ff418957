//! What members of a swarm notice of the hub.

use bytes::Bytes;

use super::testing::{SWARM, Scene, announce, announce_seed, source};
use super::{HubConfig, HubInput, HubOutput, HubStats};
use crate::id::{ChannelId, InfoHash, MemberId};
use crate::wire::relay::{Announce, ClientMessage, DataFrame, MAX_REASON, ServerMessage};

fn scene() -> Scene {
    Scene::new(HubConfig::default())
}

fn sent(message: ServerMessage) -> HubOutput {
    HubOutput::Send(message)
}

#[test]
fn members_hear_of_each_other_but_not_of_themselves() {
    let mut scene = scene();
    let first = scene.join(1);
    let second = scene.connect(2);
    let peers = scene.announce(2, announce());
    assert_eq!((peers.complete, peers.incomplete), (0, 2));
    assert_eq!(
        peers.members.iter().map(|m| m.member).collect::<Vec<_>>(),
        [first]
    );
    let peers = scene.announce(1, announce());
    assert_eq!(
        peers.members.iter().map(|m| m.member).collect::<Vec<_>>(),
        [second]
    );
    assert_eq!(peers.interval, 120);
}

#[test]
fn seeds_hear_of_leechers_only() {
    let mut scene = scene();
    for conn in 1..=3 {
        scene.connect(conn);
        scene.announce(conn, announce_seed());
    }
    let leecher = scene.join(4);
    let to_seed = scene.announce(1, announce_seed());
    assert_eq!(
        to_seed.members.iter().map(|m| m.member).collect::<Vec<_>>(),
        [leecher]
    );
    assert_eq!((to_seed.complete, to_seed.incomplete), (3, 1));
    let to_leecher = scene.announce(4, announce());
    assert_eq!(to_leecher.members.len(), 3);
    assert!(to_leecher.members.iter().all(|m| m.seed && m.have == 9));
}

#[test]
fn members_are_drawn_at_random_and_without_repeats() {
    let mut scene = scene();
    for conn in 0..100 {
        scene.join(conn);
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let drawn = scene.announce(
            0,
            Announce {
                numwant: 10,
                ..announce()
            },
        );
        let members: std::collections::BTreeSet<_> =
            drawn.members.iter().map(|m| m.member).collect();
        assert_eq!(members.len(), 10);
        seen.extend(members);
    }
    assert!(
        seen.len() > 90,
        "only {} of 99 members ever drawn",
        seen.len()
    );
    let all = scene.announce(
        0,
        Announce {
            numwant: u32::MAX,
            ..announce()
        },
    );
    assert_eq!(all.members.len(), HubConfig::default().max_numwant);
}

#[test]
fn have_moves_a_member_on_until_it_is_a_seed() {
    let mut scene = scene();
    scene.connect(1);
    scene.announce(
        1,
        Announce {
            pieces: Some(Bytes::from_static(&[0b1000_0000, 0])),
            ..announce()
        },
    );
    scene.have(1, &[0, 1, 1, 9], 100);
    scene.connect(2);
    let peers = scene.announce(2, announce());
    assert_eq!((peers.members[0].have, peers.members[0].seed), (3, false));
    scene.have(1, &[2], 0);
    let peers = scene.announce(2, announce());
    assert_eq!((peers.members[0].have, peers.members[0].seed), (4, true));
    assert_eq!((peers.complete, peers.incomplete), (1, 1));
    assert_eq!(
        scene.hub.stats().bitfield_bytes,
        0,
        "a seed's pieces need no bitfield"
    );
}

#[test]
fn bitfields_beyond_the_bound_leave_only_a_count() {
    let mut scene = Scene::new(HubConfig {
        max_bitfields: 3,
        ..HubConfig::default()
    });
    for conn in [1, 2] {
        scene.connect(conn);
        scene.announce(
            conn,
            Announce {
                pieces: Some(Bytes::from_static(&[0xf0, 0])),
                ..announce()
            },
        );
    }
    assert_eq!(scene.hub.stats().bitfield_bytes, 2);
    scene.have(2, &[8], 1);
    scene.have(1, &[8, u32::MAX], 1);
    scene.connect(3);
    let peers = scene.announce(3, announce());
    assert!(peers.members.iter().all(|m| m.have == 5), "{peers:?}");
}

#[test]
fn limits_on_swarms_are_told_and_the_connection_goes_on() {
    let config = HubConfig {
        max_swarms: 2,
        max_swarms_per_connection: 1,
        max_bitfield: 4,
        ..HubConfig::default()
    };
    let mut scene = Scene::new(config);
    scene.join(1);
    let other = |byte| Announce {
        info_hash: InfoHash([byte; 20]),
        ..announce()
    };
    scene.send(1, ClientMessage::Announce(other(1)));
    assert!(scene.reasons(1)[0].contains("as many swarms"));
    scene.connect(2);
    scene.announce(2, other(2));
    scene.connect(3);
    scene.send(3, ClientMessage::Announce(other(3)));
    assert!(scene.reasons(3)[0].contains("as many swarms"));
    scene.send(
        3,
        ClientMessage::Announce(Announce {
            pieces: Some(vec![0; 5].into()),
            ..announce()
        }),
    );
    assert!(scene.reasons(3)[0].contains("more pieces"));
    scene.announce(3, announce());
}

#[test]
fn who_does_not_announce_leaves() {
    let mut scene = scene();
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [10, 10]);
    scene.wait(200);
    scene.announce(1, announce());
    scene.told(1);
    scene.wait(99);
    assert_eq!(scene.reasons(2), [""; 0]);
    scene.wait(1);
    assert!(
        matches!(&scene.told(1)[..], [HubOutput::Send(ServerMessage::Close { channel: c, .. })] if *c == channel)
    );
    let reasons = scene.reasons(2);
    assert!(
        reasons.iter().any(|r| r.contains("left the swarm")),
        "{reasons:?}"
    );
    assert_eq!(scene.announce(1, announce()).incomplete, 1);
    scene.wait(300);
    assert_eq!(scene.hub.stats().swarms, 0);
    assert_eq!(scene.hub.poll_timeout(), None);
}

#[test]
fn too_many_connections_are_turned_away() {
    let mut scene = Scene::new(HubConfig {
        max_connections: 1,
        ..HubConfig::default()
    });
    scene.connect(1);
    let input = HubInput::Connected(super::ConnId(2), source(2));
    scene.handle(input);
    scene.assert_thrown_out(2, "as many connections");
    scene.send(2, ClientMessage::Announce(announce()));
    assert_eq!(scene.told(2), []);
    scene.disconnect(1);
    scene.connect(3);
}

#[test]
fn a_channel_carries_bytes_untouched_both_ways() {
    let mut scene = scene();
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [100, 200]);
    assert_eq!(
        scene.told(1),
        [sent(ServerMessage::Accepted {
            request: 5,
            channel,
            credit: 200
        })]
    );
    let message = DataFrame::new(channel, b"hello").into_message();
    scene.send(
        1,
        ClientMessage::Data(DataFrame::parse(message.clone()).unwrap()),
    );
    let told = scene.told(2);
    assert_eq!(told, [HubOutput::Forward(message.clone())]);
    let [HubOutput::Forward(forwarded)] = &told[..] else {
        unreachable!()
    };
    assert_eq!(forwarded.as_ptr(), message.as_ptr(), "nothing is copied");
    scene.data(2, channel, 100);
    assert!(matches!(&scene.told(1)[..], [HubOutput::Forward(_)]));
    scene.written(1, 105);
    scene.credit(1, channel, 50);
    assert_eq!(
        scene.told(2),
        [sent(ServerMessage::Credit { channel, bytes: 50 })]
    );
    assert_eq!(scene.hub.stats().relayed_bytes, 105);
}

#[test]
fn an_offer_can_be_declined_and_runs_out() {
    let mut scene = scene();
    scene.join(1);
    let second = scene.join(2);
    scene.open(1, second, 10);
    let [HubOutput::Send(ServerMessage::Incoming(incoming))] = &scene.told(2)[..] else {
        panic!()
    };
    assert_eq!(incoming.credit, 10);
    let channel = incoming.channel;
    scene.close(2, channel);
    assert_eq!(
        scene.told(1),
        [sent(ServerMessage::Refused {
            request: 5,
            reason: "enough".to_owned()
        })]
    );
    assert_eq!(scene.told(2), []);

    scene.open(1, second, 10);
    scene.told(2);
    scene.wait(30);
    assert_eq!(scene.reasons(1), ["no answer"]);
    assert_eq!(scene.reasons(2), ["no answer"]);
    let late = ChannelId(channel.0 + 1);
    scene.send(
        2,
        ClientMessage::Accept {
            channel: late,
            credit: 1,
        },
    );
    assert_eq!(
        scene.told(2),
        [],
        "an answer that crosses the refusal is no fault"
    );
}

#[test]
fn what_cannot_be_opened_is_refused_in_words() {
    let config = HubConfig {
        max_channels_per_connection: 3,
        ..HubConfig::default()
    };
    let mut scene = Scene::new(config);
    let outsider = scene.connect(1);
    let members: Vec<_> = (2..=5).map(|conn| scene.join(conn)).collect();
    let mut refusal = |conn: u64, member: MemberId| {
        scene.open(conn, member, 1);
        scene.reasons(conn).pop().unwrap_or_default()
    };
    assert!(refusal(1, members[0]).contains("announce"));
    assert!(refusal(2, outsider).contains("not in the swarm"));
    assert!(refusal(2, MemberId(99)).contains("not in the swarm"));
    assert!(refusal(2, members[0]).contains("oneself"));
    assert_eq!(refusal(2, members[1]), "");
    assert_eq!(refusal(3, members[0]), "", "wishes may cross");
    assert!(refusal(2, members[1]).contains("already"));
    assert_eq!(refusal(2, members[2]), "");
    assert!(refusal(2, members[3]).contains("the connection has as many channels"));
    assert!(refusal(5, members[0]).contains("the member has as many channels"));
}

#[test]
fn messages_that_cross_a_close_are_ignored() {
    let mut scene = scene();
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [100, 100]);
    scene.told(1);
    scene.close(1, channel);
    assert_eq!(
        scene.told(2),
        [sent(ServerMessage::Close {
            channel,
            reason: "enough".to_owned()
        })]
    );
    scene.data(2, channel, 50);
    scene.credit(2, channel, 50);
    scene.close(2, channel);
    assert_eq!((scene.told(1), scene.told(2)), (vec![], vec![]));
    assert_eq!(scene.hub.stats().credit_bytes, 0);
}

#[test]
fn leaving_and_disconnecting_close_channels() {
    let mut scene = scene();
    let first = scene.join(1);
    let second = scene.join(2);
    scene.channel(1, 2, second, [10, 10]);
    scene.send(1, ClientMessage::Leave { info_hash: SWARM });
    assert!(scene.reasons(2)[0].contains("left"));
    scene.announce(1, announce());
    scene.channel(2, 1, first, [10, 10]);
    scene.open(2, first, 10);
    scene.told(2);
    scene.disconnect(1);
    let told = scene.told(2);
    assert!(
        matches!(told[0], HubOutput::Send(ServerMessage::Close { .. })),
        "{told:?}"
    );
    assert!(
        matches!(told[1], HubOutput::Send(ServerMessage::Refused { .. })),
        "{told:?}"
    );
    scene.disconnect(2);
    // What they asked of the hub is made up for.
    scene.wait(1);
    assert_eq!(scene.hub.stats(), HubStats::default());
}

#[test]
fn breaking_the_rules_costs_the_connection_and_the_others_are_told() {
    type Offence = fn(&mut Scene, ChannelId);
    let offences: [(&str, Offence); 6] = [
        ("credit", |scene, channel| scene.data(1, channel, 101)),
        ("not yours", |scene, channel| scene.data(3, channel, 1)),
        ("no channel", |scene, _| scene.data(1, ChannelId(1000), 1)),
        ("at most", |scene, channel| {
            scene.data(1, channel, (512 << 10) + 1);
        }),
        ("open already", |scene, channel| {
            scene.send(1, ClientMessage::Accept { channel, credit: 1 });
        }),
        ("not yours", |scene, channel| scene.close(3, channel)),
    ];
    for (why, offence) in offences {
        let mut scene = scene();
        scene.join(1);
        let second = scene.join(2);
        scene.join(3);
        let channel = scene.channel(1, 2, second, [10, 100]);
        scene.told(1);
        offence(&mut scene, channel);
        if why == "not yours" {
            scene.assert_thrown_out(3, why);
            assert_eq!(scene.told(2), []);
        } else {
            scene.assert_thrown_out(1, why);
            assert_eq!(scene.reasons(2), ["the other end broke the relay's rules"]);
        }
        assert_eq!(scene.hub.stats().connections, 2);
    }
}

#[test]
fn an_offer_is_not_a_channel_yet() {
    for offence in [
        ClientMessage::Data(DataFrame::new(ChannelId(1), b"early")),
        ClientMessage::Credit {
            channel: ChannelId(1),
            bytes: 1,
        },
    ] {
        let mut scene = scene();
        scene.join(1);
        let second = scene.join(2);
        scene.open(1, second, 100);
        scene.send(2, offence);
        scene.assert_thrown_out(2, "not accepted");
        assert_eq!(scene.reasons(1).len(), 1, "the wish is refused");
    }
}

#[test]
fn long_reasons_are_cut_between_characters() {
    let mut scene = scene();
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [1, 1]);
    scene.send(
        1,
        ClientMessage::Close {
            channel,
            reason: "x".to_owned() + &"é".repeat(MAX_REASON),
        },
    );
    assert_eq!(scene.reasons(2)[0].len(), MAX_REASON - 1);
}

#[test]
fn tiny_frames_for_a_slow_receiver_close_their_channel() {
    let mut scene = Scene::new(HubConfig {
        max_queued_frames: 20,
        ..HubConfig::default()
    });
    scene.join(1);
    let second = scene.join(2);
    let channel = scene.channel(1, 2, second, [0, 100_000]);
    for _ in 0..10 {
        scene.data(1, channel, 1);
    }
    scene.data(1, channel, 5000);
    assert_eq!(scene.reasons(2), [""; 0]);
    scene.data(1, channel, 1);
    assert!(scene.reasons(1)[0].contains("tiny"));
    assert_eq!(scene.hub.stats().connections, 2);
}
