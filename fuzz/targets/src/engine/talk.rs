//! What peers say arrives, whatever carries it.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::id::ChannelKey;
use swarm_core::node::{Input, WireInput};
use swarm_core::pieces::Bitfield;
use swarm_core::wire::extension::{Begin, ExtensionHandshake, HANDSHAKE_ID};
use swarm_core::wire::peer::Message;
use swarm_core::wire::relay::{DataFrame, ServerMessage};

use super::World;
use super::fixtures::fixture;
use super::model::token_of;
use super::remote::{say_hello, say_something};

/// The other end of a new channel mostly sends its handshake at once.
pub(super) fn hello(
    world: &mut World,
    channel: ChannelKey,
    u: &mut Unstructured<'_>,
) -> Result<()> {
    if u.ratio(1, 16)? {
        return Ok(());
    }
    let us = world.engine.peer_id();
    if let Some(state) = world.model.channels.get_mut(&channel) {
        let fixture = fixture(state.info_hash).expect("channels are for known torrents");
        say_hello(state, fixture, us, token_of(channel), u)?;
        deliver(world, channel, u)?;
    }
    Ok(())
}

/// A channel that is open.
pub(super) fn open_channel(world: &World, u: &mut Unstructured<'_>) -> Result<Option<ChannelKey>> {
    let open: Vec<ChannelKey> = world.model.channels.keys().copied().collect();
    if open.is_empty() {
        return Ok(None);
    }
    Ok(Some(*u.choose(&open)?))
}

/// A peer says something.
pub(super) fn talk(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(channel) = open_channel(world, u)? else {
        return Ok(());
    };
    let us = world.engine.peer_id();
    let who = world.model.shows(channel, u)?;
    let state = world.model.channels.get_mut(&channel);
    let state = state.expect("a channel that is open");
    let fixture = fixture(state.info_hash).expect("channels are for known torrents");
    if !state.said_hello {
        say_hello(state, fixture, us, token_of(channel), u)?;
    }
    for _ in 0..u.int_in_range(1..=3)? {
        say_something(state, fixture, &who, u)?;
    }
    deliver(world, channel, u)
}

/// Somebody shows that it is behind another channel, too, and mostly goes on talking through
/// this one.
pub(super) fn take_over(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(channel) = open_channel(world, u)? else {
        return Ok(());
    };
    let info_hash = world.model.channels[&channel].info_hash;
    let may =
        |key: &ChannelKey| *key != channel && world.model.torrents.get(key) == Some(&info_hash);
    let others: Vec<ChannelKey> = world.model.tokens.keys().copied().filter(may).collect();
    if others.is_empty() {
        return Ok(());
    }
    // The newest is the likeliest to be of use.
    let index = others.len() - 1 - u.int_in_range(0..=others.len() - 1)?;
    let proof = world.model.proof(others[index], channel);
    let begins = match u.int_in_range(0..=3)? {
        0 => None,
        1 => Some(Begin::Answers),
        _ => Some(Begin::Asks),
    };
    say_who(world, channel, proof, begins);
    deliver(world, channel, u)
}

/// Somebody talks through a channel from now on.
pub(super) fn begin(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(channel) = open_channel(world, u)? else {
        return Ok(());
    };
    let begin = *u.choose(&[Begin::Asks, Begin::Answers])?;
    say_who(world, channel, None, Some(begin));
    deliver(world, channel, u)
}

fn say_who(world: &mut World, channel: ChannelKey, proof: Option<[u8; 20]>, begin: Option<Begin>) {
    let Some(state) = world.model.channels.get_mut(&channel) else {
        return;
    };
    let proof = ExtensionHandshake {
        proof,
        ..ExtensionHandshake::default()
    };
    let beginning = ExtensionHandshake {
        begin,
        ..ExtensionHandshake::default()
    };
    for said in [proof, beginning] {
        if said != ExtensionHandshake::default() {
            let payload = said.encode();
            let id = HANDSHAKE_ID;
            Message::Extended { id, payload }.encode(&mut state.backlog);
        }
    }
    if begin.is_some() {
        // Whoever begins says everything again.
        let fixture = fixture(state.info_hash).expect("channels are for known torrents");
        let pieces = Bitfield::full(fixture.pieces());
        let pieces = Bytes::copy_from_slice(pieces.as_bytes());
        for message in [Message::Bitfield(pieces), Message::Unchoke] {
            message.encode(&mut state.backlog);
        }
    }
}

/// What a peer has said travels, all of it.
pub(super) fn deliver_all(world: &mut World, channel: ChannelKey) {
    travel(world, channel, usize::MAX);
}

/// What a peer has said travels, mostly all of it, in one frame or in several.
pub(super) fn deliver(
    world: &mut World,
    channel: ChannelKey,
    u: &mut Unstructured<'_>,
) -> Result<()> {
    let until = match u.int_in_range(0..=3)? {
        0 => usize::from(u.arbitrary::<u16>()?),
        _ => usize::MAX,
    };
    travel(world, channel, until);
    Ok(())
}

fn travel(world: &mut World, channel: ChannelKey, until: usize) {
    let Some(state) = world.model.channels.get_mut(&channel) else {
        return;
    };
    let until = until.min(state.backlog.len());
    let bytes: Vec<u8> = state.backlog.drain(..until).collect();
    for chunk in bytes.chunks(1 << 16) {
        if let Some(state) = world.model.channels.get_mut(&channel) {
            state.deliver(&Bytes::copy_from_slice(chunk));
            data(world, channel, chunk);
        }
    }
}

pub(super) fn data(world: &mut World, key: ChannelKey, payload: &[u8]) {
    if world.model.is_wire(key.link) {
        let bytes = Bytes::copy_from_slice(payload);
        return world.handle(Input::Wire(key.link, WireInput::Received(bytes)));
    }
    let frame = DataFrame::new(key.channel, payload);
    world.hear(key.link, ServerMessage::Data(frame));
}
