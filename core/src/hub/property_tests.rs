//! Whatever clients send, in any order: bounds hold, nothing is lost, nothing stays.

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::{Result, Unstructured};

use super::testing::{Scene, announce, source};
use super::{ConnId, HubConfig, HubInput, HubOutput, HubStats};
use crate::id::{ChannelId, InfoHash, MemberId};
use crate::wire::relay::frame::HEADER;
use crate::wire::relay::{Announce, ClientMessage, DataFrame, Have, Open, ServerMessage};

const CONNS: u64 = 4;

/// Bounds so narrow that small inputs meet all of them.
fn narrow(u: &mut Unstructured<'_>) -> Result<HubConfig> {
    Ok(HubConfig {
        max_connections: 3,
        max_swarms: 2,
        max_swarms_per_connection: 2,
        max_channels_per_connection: 3,
        max_bitfield: 4,
        max_bitfields: 6,
        max_payload: 300,
        max_credit: u.int_in_range(0..=400)?,
        max_inflight_per_connection: u.int_in_range(0..=1000)?,
        max_inflight: u.int_in_range(0..=2000)?,
        max_memberships: 6,
        max_queued_frames: 8,
        max_queued_frames_everywhere: 20,
        offer_burst: u.int_in_range(0..=4)?,
        work_per_source: Duration::from_micros(u.int_in_range(100..=2000)?),
        work_burst: Duration::from_micros(u.int_in_range(0..=2000)?),
        max_work_debt: Duration::from_micros(u.int_in_range(500..=2000)?),
        ..HubConfig::default()
    })
}

#[test]
fn nothing_that_clients_send_breaks_a_bound_or_leaves_a_trace() {
    arbtest::arbtest(|u| {
        let config = narrow(u)?;
        let mut scene = Scene::new(config.clone());
        if u.ratio(3, 4)? {
            connect_a_ring(&mut scene);
        }
        while !u.is_empty() {
            let conn = u.int_in_range(0..=CONNS)?;
            match u.int_in_range(0..=9)? {
                0 => scene.disconnect(conn),
                1 | 2 => scene.handle(HubInput::Connected(ConnId(conn), source(conn))),
                3 => scene.written(conn, u.int_in_range(0..=500)?),
                4 => scene.wait(u.int_in_range(0..=40)?),
                _ => scene.send(conn, any_message(u)?),
            }
            assert_bounds(&scene, &config);
        }
        (0..=CONNS).for_each(|conn| scene.disconnect(conn));
        // What they owe is made up for.
        scene.wait(60);
        let HubStats {
            relayed_bytes,
            limited,
            ..
        } = scene.hub.stats();
        assert_eq!(
            scene.hub.stats(),
            HubStats {
                relayed_bytes,
                limited,
                ..HubStats::default()
            }
        );
        assert_eq!(scene.hub.poll_timeout(), None);
        assert_eq!(scene.hub.door.members().count(), 0);
        Ok(())
    });
}

/// Three members with channels between them and more credit than fits, where the bounds
/// allow it: random messages alone seldom get that far.
fn connect_a_ring(scene: &mut Scene) {
    let members = [0, 1, 2].map(|conn| scene.join(conn));
    for (opener, acceptor) in [(0, 1), (1, 2), (2, 0_u64)] {
        scene.open(opener, members[acceptor as usize], 1000);
        let channel = ChannelId(u32::try_from(opener).unwrap() + 1);
        let credit = 1000;
        scene.send(acceptor, ClientMessage::Accept { channel, credit });
    }
}

fn assert_bounds(scene: &Scene, config: &HubConfig) {
    let stats = scene.hub.stats();
    assert!(stats.queued_bytes + stats.credit_bytes <= config.max_inflight);
    assert!(stats.connections <= config.max_connections && stats.swarms <= config.max_swarms);
    assert!(stats.bitfield_bytes <= config.max_bitfields);
    for member in scene.hub.door.members() {
        let (inflight, channels) = scene.hub.relay.load(member);
        assert!(inflight <= config.max_inflight_per_connection);
        assert!(channels <= config.max_channels_per_connection);
    }
}

pub(super) fn any_message(u: &mut Unstructured<'_>) -> Result<ClientMessage> {
    let info_hash = InfoHash([u.int_in_range(0..=2)?; 20]);
    let channel = ChannelId(u.int_in_range(0..=6)?);
    let bytes = if u.ratio(1, 10)? {
        u32::MAX
    } else {
        u.int_in_range(0..=300)?
    };
    Ok(match u.int_in_range(0..=9)? {
        0 | 1 => {
            let pieces = u.arbitrary::<Option<[u8; 3]>>()?.map(|p| p.to_vec().into());
            ClientMessage::Announce(Announce {
                info_hash,
                left: u.arbitrary()?,
                pieces,
                ..announce()
            })
        }
        2 => ClientMessage::Have(Have {
            info_hash,
            pieces: vec![bytes],
            left: u.int_in_range(0..=1)?,
        }),
        3 => ClientMessage::Leave { info_hash },
        4 | 5 => {
            let member = MemberId(u.int_in_range(0..=5)?);
            ClientMessage::Open(Open {
                request: bytes,
                info_hash,
                member,
                credit: bytes,
            })
        }
        6 => ClientMessage::Accept {
            channel,
            credit: bytes,
        },
        7 => ClientMessage::Credit { channel, bytes },
        8 => ClientMessage::Close {
            channel,
            reason: String::new(),
        },
        _ => ClientMessage::Data(DataFrame::new(channel, &vec![0; u.int_in_range(1..=301)?])),
    })
}

/// What the ends of a channel know, by the connection of the sender.
#[derive(Default)]
struct Ledger {
    /// Credit that receivers gave.
    granted: BTreeMap<(u64, ChannelId), u64>,
    /// Credit that reached the senders.
    passed: BTreeMap<(u64, ChannelId), u64>,
    spent: BTreeMap<(u64, ChannelId), u64>,
    /// Bytes for a receiver's socket.
    unwritten: BTreeMap<u64, u64>,
}

#[test]
fn credit_is_never_lost_and_never_stuck() {
    arbtest::arbtest(|u| {
        let config = HubConfig {
            max_channels_per_connection: 8,
            max_credit: u.int_in_range(1..=400)?,
            max_inflight_per_connection: u.int_in_range(20..=1000)?,
            max_inflight: u.int_in_range(1300..=3000)?,
            // No time passes.
            work_burst: Duration::from_secs(1000),
            ..HubConfig::default()
        };
        let mut scene = Scene::new(config.clone());
        let members: Vec<_> = (0..CONNS).map(|conn| scene.join(conn)).collect();
        let mut ledger = Ledger::default();
        let mut pipes = Vec::new();
        for (from, to) in [(0, 1), (1, 2), (2, 0), (0, 3), (3, 1)] {
            let channel = scene.channel(from, to, members[usize::try_from(to).unwrap()], [0, 0]);
            pipes.extend([(from, to, channel), (to, from, channel)]);
        }
        while !u.is_empty() {
            let &(from, to, channel) = u.choose(&pipes)?;
            match u.int_in_range(0..=2)? {
                0 => {
                    let bytes = u.int_in_range(0..=3000)?;
                    *ledger.granted.entry((from, channel)).or_default() += u64::from(bytes);
                    scene.credit(to, channel, bytes);
                }
                1 => ledger.send(&mut scene, from, channel, u.int_in_range(1..=500)?),
                _ => ledger.write(&mut scene, to, u.int_in_range(1..=600)?),
            }
            ledger.hear(&mut scene);
            assert_bounds(&scene, &config);
        }
        // With senders that send and sockets that take, everything granted arrives.
        for _ in 0..100_000 {
            let before = ledger.passed.clone();
            for &(from, to, channel) in &pipes {
                ledger.send(&mut scene, from, channel, u64::MAX);
                ledger.hear(&mut scene);
                ledger.write(&mut scene, to, u64::MAX);
                ledger.hear(&mut scene);
            }
            if ledger.passed == before {
                break;
            }
        }
        ledger.granted.retain(|_, bytes| *bytes > 0);
        ledger.passed.retain(|_, bytes| *bytes > 0);
        assert_eq!(ledger.passed, ledger.granted);
        Ok(())
    });
}

impl Ledger {
    fn send(&mut self, scene: &mut Scene, from: u64, channel: ChannelId, at_most: u64) {
        let passed = self
            .passed
            .get(&(from, channel))
            .copied()
            .unwrap_or_default();
        let spent = self.spent.entry((from, channel)).or_default();
        let bytes = (passed - *spent).min(at_most);
        if bytes > 0 {
            *spent += bytes;
            scene.data(from, channel, usize::try_from(bytes).unwrap());
        }
    }

    fn write(&mut self, scene: &mut Scene, to: u64, at_most: u64) {
        let unwritten = self.unwritten.entry(to).or_default();
        let bytes = at_most.min(*unwritten);
        *unwritten -= bytes;
        scene.written(to, bytes);
    }

    fn hear(&mut self, scene: &mut Scene) {
        for conn in 0..CONNS {
            for output in scene.told(conn) {
                match output {
                    HubOutput::Forward(message) => {
                        assert!(message.len() > HEADER);
                        *self.unwritten.entry(conn).or_default() += message.len() as u64;
                    }
                    HubOutput::Send(ServerMessage::Credit { channel, bytes }) => {
                        *self.passed.entry((conn, channel)).or_default() += u64::from(bytes);
                    }
                    HubOutput::Send(
                        ServerMessage::Incoming(_) | ServerMessage::Accepted { .. },
                    ) => {}
                    other => panic!("an honest client was told {other:?}"),
                }
            }
        }
    }
}
