//! What servers do: they come and go, tell of members, and carry channels.

use arbitrary::{Result, Unstructured};
use swarm_core::id::{ChannelId, ChannelKey, InfoHash, LinkId, MemberId, PeerId};
use swarm_core::node::{Input, LinkInput};
use swarm_core::wire::relay::{Incoming, Member, Peers, RelayUse, ServerMessage, Welcome};

use super::World;
use super::fixtures::any_torrent;
use super::model::{Channel, Server};
use super::talk::{data, hello};

/// Channels have numbers below this.
const CHANNELS: u32 = 8;

impl World {
    /// A server says something.
    pub(super) fn hear(&mut self, link: LinkId, message: ServerMessage) {
        self.handle(Input::Link(link, message.into()));
    }
}

/// A server is there, and welcomes us.
pub(super) fn link_up(world: &mut World, link: LinkId, u: &mut Unstructured<'_>) -> Result<()> {
    if world.model.servers.contains_key(&link) {
        if !world.model.wide || u.ratio(3, 4)? {
            return Ok(());
        }
        // The connection is another one, and nobody saw the end of the first.
        world.model.down(link);
    }
    world.handle(Input::Link(link, LinkInput::Up));
    let member = MemberId(u.int_in_range(0..=4)?);
    let mut welcome = Welcome {
        // Without a choice of its own, so that the corpus goes on meaning what it means.
        max_swarms: if member.0 == 4 { 1 } else { 100 },
        max_channels: if u.ratio(1, 8)? { 1 } else { 6 },
        max_payload: if u.ratio(1, 8)? { 100 } else { 1 << 16 },
        max_credit: if u.ratio(1, 8)? { 1000 } else { 1 << 20 },
        ..Welcome::of(member)
    };
    if world.model.wide {
        match u.int_in_range(0..=3)? {
            0 => welcome.relay = RelayUse::Spare,
            1 => welcome.relay_only = u.arbitrary()?,
            _ => {}
        }
    }
    let server = Server::new(welcome.clone());
    world.model.servers.insert(link, server);
    world.hear(link, ServerMessage::Welcome(welcome));
    Ok(())
}

/// A server is gone.
pub(super) fn link_down(world: &mut World, link: LinkId) {
    world.model.down(link);
    world.handle(Input::Link(link, LinkInput::Down));
}

/// Small enough to run out, or plenty.
fn some_credit(u: &mut Unstructured<'_>) -> Result<u32> {
    Ok(match u.int_in_range(0..=7)? {
        0 => 0,
        1 => u.int_in_range(0..=1000)?,
        2 => u.int_in_range(0..=100_000)?,
        _ => 1 << 30,
    })
}

/// A channel's number that is mostly free.
fn some_channel(world: &World, link: LinkId, u: &mut Unstructured<'_>) -> Result<ChannelKey> {
    let number = u.int_in_range(0..=CHANNELS)?;
    let key = |number| ChannelKey {
        link,
        channel: ChannelId(number),
    };
    if u.ratio(31, 32)? {
        let free = (0..CHANNELS).map(|n| key((number + n) % CHANNELS));
        let model = &world.model;
        let mut free = free.filter(|c| !model.channels.contains_key(c));
        if let Some(free) = free.next() {
            return Ok(free);
        }
    }
    Ok(key(number))
}

/// Notes that a number is given out; if it is in use, the channel that has it is over.
fn give_out(world: &mut World, channel: ChannelKey) {
    world.model.channels.remove(&channel);
}

/// Somebody wants a channel to the engine, and mostly begins to talk.
pub(super) fn offer(world: &mut World, link: LinkId, u: &mut Unstructured<'_>) -> Result<()> {
    let fixture = any_torrent(u)?;
    let key = some_channel(world, link, u)?;
    let credit = some_credit(u)?;
    let member = MemberId(u.int_in_range(0..=4)?);
    give_out(world, key);
    let info_hash = fixture.info_hash();
    world.model.met(key, member);
    if let Some(server) = world.model.servers.get_mut(&link) {
        server.offers.insert(key.channel, (info_hash, credit));
    }
    world.hear(
        link,
        ServerMessage::Incoming(Incoming {
            channel: key.channel,
            info_hash,
            member,
            peer_id: PeerId([member.0 as u8; 20]),
            credit,
        }),
    );
    hello(world, key, u)
}

/// The engine hears of others.
pub(super) fn peers(world: &mut World, link: LinkId, u: &mut Unstructured<'_>) -> Result<()> {
    if !world.model.servers.contains_key(&link) {
        return Ok(());
    }
    let mut members = Vec::new();
    for _ in 0..u.int_in_range(0..=4)? {
        let member = u.int_in_range(0..=4)?;
        members.push(Member {
            member: MemberId(member),
            peer_id: PeerId([member as u8; 20]),
            have: u.int_in_range(0..=10)?,
            seed: u.arbitrary()?,
        });
    }
    let peers = Peers {
        rtc: 0,
        info_hash: any_torrent(u)?.info_hash(),
        interval: u.arbitrary::<u16>()?.into(),
        complete: u.arbitrary()?,
        incomplete: u.arbitrary()?,
        members,
    };
    world.hear(link, ServerMessage::Peers(peers));
    Ok(())
}

/// A wish for a channel is carried out or refused.
pub(super) fn answer_open(world: &mut World, link: LinkId, u: &mut Unstructured<'_>) -> Result<()> {
    let server = world.model.servers.get_mut(&link);
    let open = server.and_then(|server| server.opening.pop_first());
    let Some((request, open)) = open else {
        return Ok(());
    };
    if u.ratio(1, 8)? {
        let reason = "no".to_owned();
        world.hear(link, ServerMessage::Refused { request, reason });
        return Ok(());
    }
    let key = some_channel(world, link, u)?;
    let credit = some_credit(u)?;
    give_out(world, key);
    world.model.met(key, open.member);
    let channel = Channel::new(open.info_hash, credit, open.credit);
    world.model.open(key, channel);
    let channel = key.channel;
    world.hear(
        link,
        ServerMessage::Accepted {
            request,
            channel,
            credit,
        },
    );
    hello(world, key, u)
}

/// A channel that is open, through a server.
fn through_server(world: &World, u: &mut Unstructured<'_>) -> Result<Option<ChannelKey>> {
    let open = world.model.channels.keys().copied();
    let open: Vec<ChannelKey> = open.filter(|key| !world.model.is_wire(key.link)).collect();
    if open.is_empty() {
        return Ok(None);
    }
    Ok(Some(*u.choose(&open)?))
}

pub(super) fn credit(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(key) = through_server(world, u)? else {
        return Ok(());
    };
    let bytes = some_credit(u)?;
    if let Some(state) = world.model.channels.get_mut(&key) {
        state.send_credit += u64::from(bytes);
    }
    let channel = key.channel;
    world.hear(key.link, ServerMessage::Credit { channel, bytes });
    Ok(())
}

pub(super) fn close(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    if let Some(key) = through_server(world, u)? {
        world.model.channels.remove(&key);
        let channel = key.channel;
        let reason = "the other end is gone".to_owned();
        world.hear(key.link, ServerMessage::Close { channel, reason });
    }
    Ok(())
}

/// A server says what makes no sense, or what comes too late.
pub(super) fn noise(world: &mut World, link: LinkId, u: &mut Unstructured<'_>) -> Result<()> {
    if !world.model.servers.contains_key(&link) {
        return Ok(());
    }
    let channel = ChannelId(CHANNELS + u.int_in_range(1..=3)?);
    let reason = String::new();
    let message = match u.int_in_range(0..=6)? {
        0 => ServerMessage::Accepted {
            request: u.arbitrary::<u32>()? | 1 << 31,
            channel,
            credit: u.arbitrary()?,
        },
        1 => ServerMessage::Refused {
            request: u.arbitrary::<u32>()? | 1 << 31,
            reason,
        },
        2 => ServerMessage::Close { channel, reason },
        3 => ServerMessage::Credit {
            channel,
            bytes: u.arbitrary()?,
        },
        4 => ServerMessage::Error {
            info_hash: some_swarm(world, u)?,
            reason,
        },
        5 => ServerMessage::Incoming(Incoming {
            channel,
            info_hash: InfoHash([7; 20]),
            member: MemberId(1),
            peer_id: PeerId([1; 20]),
            credit: u.arbitrary()?,
        }),
        _ => {
            data(world, ChannelKey { link, channel }, &[0, 0, 0, 1, 0]);
            return Ok(());
        }
    };
    world.hear(link, message);
    Ok(())
}

/// What an error is about.
fn some_swarm(world: &World, u: &mut Unstructured<'_>) -> Result<Option<InfoHash>> {
    if !world.model.wide || u.arbitrary()? {
        return Ok(None);
    }
    Ok(Some(any_torrent(u)?.info_hash()))
}
