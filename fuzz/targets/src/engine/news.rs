//! Trackers that are asked, and what peers tell of trackers, of peers, and of direct links.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::find::announcer::{AnnounceError, Reply};
use swarm_core::id::Fingerprint;
use swarm_core::node::Input;
use swarm_core::overlay::{BRIDGES, ITSELF, id_of, topic_of};
use swarm_core::wire::direct::Signal;
use swarm_core::wire::introduce::{Introduction, Step, Unlinked};
use swarm_core::wire::overlay::{Answer, OverlayMessage, Question};
use swarm_core::wire::peer::Message;
use swarm_core::wire::pex::{Added, PexMessage};
use swarm_core::wire::tracker::http::{Announced, Peer};
use swarm_core::wire::trackers::TrackersMessage;

use super::fixtures::any_torrent;
use super::network::{address, addresses, description, fingerprint};
use super::{World, talk};

/// The id under which the engine takes `ts_direct` messages.
const THEIR_TS_DIRECT: u8 = 2;
/// The same for `ut_pex`.
const THEIR_UT_PEX: u8 = 3;
/// The same for `ts_trackers`.
const THEIR_TS_TRACKERS: u8 = 4;
/// The same for `ts_introduce`.
const THEIR_TS_INTRODUCE: u8 = 5;
/// The same for `ts_overlay`.
const THEIR_TS_OVERLAY: u8 = 6;

/// A torrent's trackers are known.
pub(super) fn trackers(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let info_hash = any_torrent(u)?.info_hash();
    let mut tiers = Vec::new();
    for _ in 0..u.int_in_range(0..=2)? {
        let mut tier = Vec::new();
        for _ in 0..u.int_in_range(0..=2)? {
            tier.push(tracker(u)?);
        }
        tiers.push(tier);
    }
    if u.ratio(1, 4)? {
        let addresses = tiers.into_iter().flatten().collect();
        world.handle(Input::TellTrackers {
            info_hash,
            addresses,
        });
    } else if world.model.verified.contains_key(&info_hash) {
        world.handle(Input::Trackers { info_hash, tiers });
    }
    Ok(())
}

fn tracker(u: &mut Unstructured<'_>) -> Result<String> {
    let scheme = u.choose(&["http", "udp", "wss"])?;
    let number = u.int_in_range(0..=3)?;
    Ok(format!("{scheme}://tracker{number}.example:80/announce"))
}

/// A tracker answers, or something is wrong with it.
pub(super) fn answer_question(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let asked = &mut world.model.network.asked;
    let number = match asked.len() {
        0 if u.ratio(7, 8)? => return Ok(()),
        0 => u.int_in_range(0..=20)?,
        count => asked.swap_remove(u.int_in_range(0..=count - 1)?),
    };
    let answer = match u.int_in_range(0..=7)? {
        0 => Err(AnnounceError::Silent),
        1 => Err(AnnounceError::Refused("no".to_owned())),
        _ => Ok(Reply {
            from: address(u)?.ip(),
            announced: announced(u)?,
        }),
    };
    world.handle(Input::Answered { number, answer });
    Ok(())
}

fn announced(u: &mut Unstructured<'_>) -> Result<Announced> {
    let peers = addresses(u)?.into_iter();
    Ok(Announced {
        interval: u.arbitrary::<u16>()?.into(),
        min_interval: u.arbitrary()?,
        complete: u.arbitrary()?,
        incomplete: u.arbitrary()?,
        peers: peers
            .map(|address| Peer {
                address,
                peer_id: None,
            })
            .collect(),
        tracker_id: u.arbitrary::<Option<u8>>()?.map(|byte| vec![byte]),
        warning: u.ratio(1, 8)?.then(|| "old".to_owned()),
        ..Announced::default()
    })
}

/// A peer tells of itself and others what belongs to no torrent's data.
pub(super) fn say_more(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let mut offered = world.model.channels.iter();
    let offered = offered.find(|(_, channel)| !channel.offered.is_empty());
    let offered = offered.map(|(key, _)| *key);
    let channel = match offered {
        Some(channel) if u.arbitrary()? => Some(channel),
        _ => talk::open_channel(world, u)?,
    };
    let Some(channel) = channel else {
        return Ok(());
    };
    let state = world.model.channels.get_mut(&channel);
    let state = state.expect("a channel that is open");
    let (id, payload) = match u.int_in_range(0..=9)? {
        8 | 9 => (THEIR_TS_OVERLAY, overlay(&mut state.asked_by_overlay, u)?),
        0 => (THEIR_UT_PEX, pex(u)?),
        1 => {
            let addresses = vec![tracker(u)?, tracker(u)?];
            (THEIR_TS_TRACKERS, TrackersMessage { addresses }.encode())
        }
        2..=4 => (THEIR_TS_INTRODUCE, introduction(&mut state.carried, u)?),
        _ => {
            let attempt = match state.offered.pop() {
                Some(attempt) if u.ratio(3, 4)? => attempt,
                _ => u.int_in_range(0..=3)?,
            };
            let description = description(channel.link.0.wrapping_add(channel.channel.0));
            let signal = match u.int_in_range(0..=4)? {
                0 => Signal::End { attempt },
                1 | 2 => Signal::Answer {
                    attempt,
                    description,
                },
                _ => Signal::Offer {
                    attempt,
                    description,
                },
            };
            (THEIR_TS_DIRECT, signal.encode())
        }
    };
    Message::Extended { id, payload }.encode(&mut state.backlog);
    talk::deliver(world, channel, u)
}

/// Something about introductions, mostly what fits what was heard.
fn introduction(carried: &mut Vec<(Fingerprint, u32)>, u: &mut Unstructured<'_>) -> Result<Bytes> {
    if u.ratio(1, 3)? {
        let mut added = Vec::new();
        for _ in 0..u.int_in_range(0..=3)? {
            added.push((fingerprint(u.arbitrary()?), u.arbitrary()?));
        }
        let dropped = vec![fingerprint(u.arbitrary()?)];
        return Ok(Introduction::Peers { added, dropped }.encode());
    }
    let of = u.int_in_range(0..=3)?;
    let (peer, attempt) = match carried.pop() {
        Some(known) if u.ratio(3, 4)? => known,
        _ => (fingerprint(of), u.int_in_range(0..=3)?),
    };
    let description = match u.ratio(3, 4)? {
        true => description(peer.0[0].into()),
        false => description(of),
    };
    let message = Introduction::Step {
        carried: u.arbitrary()?,
        peer,
        attempt,
        step: match u.int_in_range(0..=4)? {
            0 => Step::End(*u.choose(&[Unlinked::Busy, Unlinked::NoSuchPeer])?),
            1 | 2 => Step::Answer(description),
            _ => Step::Offer(description),
        },
    };
    Ok(message.encode())
}

/// Something that the overlay says: a question, or an answer that mostly fits.
fn overlay(asked: &mut Vec<u32>, u: &mut Unstructured<'_>) -> Result<Bytes> {
    let target = match u.int_in_range(0..=3)? {
        0 => id_of(fingerprint(u.arbitrary()?)).0,
        1 => BRIDGES,
        2 => topic_of(any_torrent(u)?.info_hash()),
        _ => any_torrent(u)?.info_hash().0,
    };
    let description = description(u.int_in_range(0..=3)?);
    let message = if u.arbitrary()? {
        OverlayMessage::Question {
            number: u.int_in_range(0..=3)?,
            hops: u.int_in_range(0..=2)?,
            origin: u
                .arbitrary::<Option<u8>>()?
                .map(|of| fingerprint(of.into())),
            target,
            question: match u.int_in_range(0..=4)? {
                0 => Question::Find,
                1 => Question::Get,
                2 => Question::Announce,
                3 => Question::Carry,
                _ => Question::Offer {
                    way: target,
                    topic: match u.arbitrary()? {
                        true => ITSELF,
                        false => topic_of(any_torrent(u)?.info_hash()),
                    },
                    description,
                },
            },
        }
    } else {
        let named = vec![fingerprint(u.arbitrary()?), fingerprint(u.arbitrary()?)];
        OverlayMessage::Answer {
            number: match asked.pop() {
                Some(number) => number,
                None => u.int_in_range(0..=3)?,
            },
            answer: match u.int_in_range(0..=4)? {
                0 => Answer::Nodes(named),
                1 => Answer::Peers(named),
                2 => Answer::Noted,
                3 => Answer::Linked(description),
                _ => Answer::End(Unlinked::NoSuchPeer),
            },
        }
    };
    Ok(message.encode())
}

fn pex(u: &mut Unstructured<'_>) -> Result<Bytes> {
    let added = addresses(u)?.into_iter().map(|address| Added {
        address,
        seed: false,
        reachable: true,
    });
    let message = PexMessage {
        added: added.collect(),
        dropped: addresses(u)?,
    };
    Ok(message.encode())
}
