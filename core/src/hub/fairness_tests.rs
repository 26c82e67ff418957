//! Whatever others send, from however many connections of their addresses: an honest pair
//! finds its places, and what it sends arrives.

use arbitrary::Unstructured;

use super::property_tests::any_message;
use super::testing::{Scene, announce, source};
use super::{ConnId, HubConfig, HubInput, HubOutput, Source};
use crate::id::{ChannelId, InfoHash, MemberId};
use crate::wire::relay::{Announce, ClientMessage, DataFrame, Open, ServerMessage};

const HOSTILE: u64 = 8;
const SOURCES: u64 = 2;
/// The connections of the honest pair; each has an address of its own.
const SENDER: u64 = 100;
const RECEIVER: u64 = 101;
/// One of the swarms that hostile members join too.
const SWARM: InfoHash = InfoHash([0; 20]);

/// Bounds that the hostile ones meet.
fn narrow() -> HubConfig {
    HubConfig {
        max_connections: 12,
        max_swarms: 6,
        max_swarms_per_connection: 3,
        max_memberships: 24,
        max_channels_per_connection: 16,
        max_bitfield: 4,
        max_bitfields: 40,
        max_payload: 300,
        max_credit: 400,
        max_inflight_per_connection: 4000,
        max_inflight: 20_000,
        max_queued_frames: 64,
        max_queued_frames_everywhere: 200,
        offer_burst: 8,
        ..HubConfig::default()
    }
}

fn address(hostile: u64) -> Source {
    source(hostile % SOURCES)
}

#[test]
fn an_honest_pair_always_makes_progress() {
    arbtest::arbtest(|u| {
        let mut scene = Scene::new(narrow());
        if u.ratio(3, 4)? {
            take_everything(&mut scene);
        }
        while u.len() > 100 {
            hostile_step(&mut scene, u)?;
        }
        let mut pair = Pair::arrive(&mut scene);
        while !u.is_empty() {
            for _ in 0..u.int_in_range(0..=3)? {
                hostile_step(&mut scene, u)?;
            }
            pair.round(&mut scene);
        }
        Ok(())
    });
}

/// Hostile ones join all swarms and open all channels that they get, and grant all credit.
fn take_everything(scene: &mut Scene) {
    let mut members = Vec::new();
    for conn in 0..HOSTILE {
        scene.handle(HubInput::Connected(ConnId(conn), address(conn)));
        for output in scene.told(conn) {
            if let HubOutput::Send(ServerMessage::Welcome(welcome)) = output {
                members.push((conn, welcome.member));
            }
        }
        for info_hash in [0, 1, 2].map(|byte| InfoHash([byte; 20])) {
            let message = Announce {
                info_hash,
                ..announce()
            };
            scene.send(conn, ClientMessage::Announce(message));
        }
    }
    for &(opener, _) in &members {
        for &(acceptor, member) in &members {
            for info_hash in [0, 1, 2].map(|byte| InfoHash([byte; 20])) {
                let request = 1;
                let credit = u32::MAX;
                let open = Open {
                    request,
                    info_hash,
                    member,
                    credit,
                };
                scene.send(opener, ClientMessage::Open(open));
                accept_all(scene, acceptor);
            }
        }
    }
}

fn accept_all(scene: &mut Scene, conn: u64) {
    for output in scene.told(conn) {
        if let HubOutput::Send(ServerMessage::Incoming(incoming)) = output {
            let (channel, credit) = (incoming.channel, u32::MAX);
            scene.send(conn, ClientMessage::Accept { channel, credit });
        }
    }
}

fn hostile_step(scene: &mut Scene, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let conn = u.int_in_range(0..=HOSTILE - 1)?;
    match u.int_in_range(0..=9)? {
        0 => scene.handle(HubInput::Connected(ConnId(conn), address(conn))),
        1 => scene.written(conn, u.int_in_range(0..=500)?),
        2 => accept_all(scene, conn),
        // To those who are in the honest pair's swarm.
        3 => {
            let member = MemberId(u.int_in_range(0..=12)?);
            let credit = u.arbitrary()?;
            let open = Open {
                request: 1,
                info_hash: SWARM,
                member,
                credit,
            };
            scene.send(conn, ClientMessage::Open(open));
        }
        // Again and again.
        4 => {
            let message = any_message(u)?;
            for _ in 0..u.int_in_range(0..=40)? {
                scene.send(conn, message.clone());
            }
        }
        _ => scene.send(conn, any_message(u)?),
    }
    Ok(())
}

/// Two clients that do as they should.
struct Pair {
    channel: ChannelId,
    /// What the sender may send.
    credit: u64,
}

impl Pair {
    fn arrive(scene: &mut Scene) -> Self {
        let announce = || Announce {
            info_hash: SWARM,
            ..announce()
        };
        scene.connect(SENDER);
        scene.announce(SENDER, announce());
        let receiver = scene.connect(RECEIVER);
        scene.announce(RECEIVER, announce());
        let open = Open {
            request: 1,
            info_hash: SWARM,
            member: receiver,
            credit: 0,
        };
        scene.send(SENDER, ClientMessage::Open(open));
        let offered = scene
            .told(RECEIVER)
            .into_iter()
            .find_map(|output| match output {
                HubOutput::Send(ServerMessage::Incoming(incoming)) => Some(incoming.channel),
                _ => None,
            });
        let channel = offered.unwrap_or_else(|| panic!("{:?}", scene.reasons(SENDER)));
        let credit = 1000;
        scene.send(RECEIVER, ClientMessage::Accept { channel, credit });
        Pair { channel, credit: 0 }
    }

    /// All that may be sent is sent, arrives, and is asked for again.
    fn round(&mut self, scene: &mut Scene) {
        scene.wait(1);
        for conn in [SENDER, RECEIVER] {
            let message = Announce {
                info_hash: SWARM,
                numwant: 0,
                ..announce()
            };
            scene.send(conn, ClientMessage::Announce(message));
            assert_eq!(scene.hub.paused_until(scene.now, ConnId(conn)), None);
        }
        self.hear(scene, SENDER);
        assert!(self.credit > 0, "the sender may send nothing");
        while self.credit > 0 {
            let bytes = self.credit.min(300);
            self.credit -= bytes;
            let payload = vec![7; usize::try_from(bytes).unwrap()];
            let frame = DataFrame::new(self.channel, &payload);
            scene.send(SENDER, ClientMessage::Data(frame));
        }
        let arrived = self.hear(scene, RECEIVER);
        assert!(arrived > 0, "nothing arrived");
        scene.written(RECEIVER, arrived);
        scene.credit(RECEIVER, self.channel, 1000);
    }

    /// Bytes of frames that came.
    fn hear(&mut self, scene: &mut Scene, conn: u64) -> u64 {
        let mut bytes = 0;
        for output in scene.told(conn) {
            match output {
                HubOutput::Forward(message) => bytes += message.len() as u64,
                HubOutput::Send(ServerMessage::Incoming(incoming)) => {
                    scene.close(conn, incoming.channel);
                }
                HubOutput::Send(ServerMessage::Accepted { credit, .. }) => {
                    self.credit += u64::from(credit);
                }
                HubOutput::Send(ServerMessage::Credit { channel, bytes }) => {
                    assert_eq!(channel, self.channel);
                    self.credit += u64::from(bytes);
                }
                // Of channels that were declined.
                HubOutput::Send(ServerMessage::Close { channel, .. }) => {
                    assert_ne!(channel, self.channel);
                }
                HubOutput::Send(ServerMessage::Peers(_)) => {}
                other => panic!("an honest client was told {other:?}"),
            }
        }
        bytes
    }
}
