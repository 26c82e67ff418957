//! Whatever has happened, it does not take much to go on: one honest peer that has
//! everything completes a download, and one that has nothing gets all of it.

use std::time::Duration;

use bytes::Bytes;
use swarm_core::engine::{Command, TorrentState};
use swarm_core::id::{ChannelId, ChannelKey, InfoHash, LinkId, MemberId, PeerId};
use swarm_core::net::Rates;
use swarm_core::node::{Input, LinkInput, WireInput};
use swarm_core::wire::extension::{
    ExtensionHandshake, HANDSHAKE_ID, METADATA_PIECE, MetadataMessage,
};
use swarm_core::wire::peer::{BlockRef, Handshake, Message, Reserved};
use swarm_core::wire::relay::{Incoming, ServerMessage, Welcome};

use super::fixtures::{Fixture, fixture};
use super::model::Server;
use super::relay::link_down;
use super::store::finish;
use super::talk::deliver_all;
use super::{LINK, LINKS, World, network};

/// Seconds in which it must be done: long enough for what is owed by those who are gone, and
/// for every slot to be given out anew. The network takes no time here.
const PATIENCE: u64 = 60;
/// The id under which the engine takes `ut_metadata` messages.
const THEIR_UT_METADATA: u8 = 1;
/// Requests of the honest leecher at once, no more than the engine allows.
const REQUESTS: usize = 8;

/// Everybody is gone, and for each torrent two honest peers come.
pub(super) fn rescue(world: &mut World) {
    work_off(world);
    network::leave(world);
    world.handle(Input::SetRates(Rates::default()));
    world.handle(Input::SetMaxPeers(None));
    for link in (0..LINKS).map(LinkId) {
        if world.model.servers.contains_key(&link) {
            link_down(world, link);
        }
    }
    world.handle(Input::Link(LINK, LinkInput::Up));
    let welcome = Welcome {
        max_channels: 6,
        max_payload: 1 << 16,
        max_credit: 1 << 20,
        max_swarms: 100,
        ..Welcome::of(MemberId(50))
    };
    let server = Server::new(welcome.clone());
    world.model.servers.insert(LINK, server);
    world.hear(LINK, ServerMessage::Welcome(welcome));
    let torrents: Vec<InfoHash> = world.model.verified.keys().copied().collect();
    for (number, info_hash) in (0..).zip(torrents) {
        let fixture = fixture(info_hash).expect("only known torrents are added");
        world.handle(Input::Command(Command::Resume(info_hash)));
        world.handle(Input::Command(Command::SetPriorities(
            info_hash,
            Vec::new(),
        )));
        work_off(world);
        complete(world, fixture, ChannelId(2 * number));
        serve(world, fixture, ChannelId(2 * number + 1));
    }
}

/// The host does everything that it was asked, rightly.
fn work_off(world: &mut World) {
    while !world.jobs.is_empty() {
        let (job, work) = world.jobs.remove(0);
        finish(world, job, work, None);
    }
    for (link, sent) in world.model.take_unsent() {
        if sent > 0 && world.model.is_wire(link) {
            world.handle(Input::Wire(link, WireInput::Sent(sent)));
        } else if sent > 0 {
            world.handle(Input::Link(link, LinkInput::Sent(sent)));
        }
    }
}

fn meet(world: &mut World, fixture: &Fixture, channel: ChannelId, messages: &[Message]) {
    let peer_id = PeerId([100 + channel.0 as u8; 20]);
    let info_hash = fixture.info_hash();
    let credit = 1 << 30;
    let link = LINK;
    let key = ChannelKey { link, channel };
    if let Some(server) = world.model.servers.get_mut(&link) {
        server.offers.insert(channel, (info_hash, credit));
    }
    world.hear(
        link,
        ServerMessage::Incoming(Incoming {
            channel,
            info_hash,
            member: MemberId(100 + channel.0),
            peer_id,
            credit,
        }),
    );
    let state = world.model.channels.get_mut(&key);
    let state = state.expect("an honest peer is welcome when nobody else is there");
    let handshake = Handshake {
        reserved: Reserved::EXTENSION.with(Reserved::FAST),
        info_hash,
        peer_id,
    };
    state.backlog.extend_from_slice(&handshake.encode());
    for message in messages {
        message.encode(&mut state.backlog);
    }
    deliver_all(world, key);
}

/// A seeder answers whatever it is asked, at once.
fn complete(world: &mut World, fixture: &Fixture, channel: ChannelId) {
    let info = fixture.metainfo.info();
    let handshake = ExtensionHandshake {
        ut_metadata: Some(super::remote::UT_METADATA),
        metadata_size: Some(u32::try_from(info.len()).expect("a short dictionary")),
        ..ExtensionHandshake::default()
    };
    let hello = [
        Message::HaveAll,
        Message::Extended {
            id: HANDSHAKE_ID,
            payload: handshake.encode(),
        },
        Message::Unchoke,
    ];
    meet(world, fixture, channel, &hello);
    let link = LINK;
    let channel = ChannelKey { link, channel };
    let end = world.now + Duration::from_secs(PATIENCE);
    while world.state(fixture.info_hash()) != Some(TorrentState::Seeding) {
        assert!(world.now < end, "an honest seeder does not help");
        work_off(world);
        let Some(state) = world.model.channels.get_mut(&channel) else {
            panic!("an honest seeder is sent away");
        };
        for block in std::mem::take(&mut state.wanted) {
            let data = whole_block(fixture, block);
            let (piece, begin) = (block.piece, block.begin);
            Message::Piece { piece, begin, data }.encode(&mut state.backlog);
        }
        for piece in std::mem::take(&mut state.metadata_asked) {
            let begin = (piece * METADATA_PIECE) as usize;
            let end = info.len().min(begin + METADATA_PIECE as usize);
            let total_size = u32::try_from(info.len()).expect("a short dictionary");
            let data = info.slice(begin..end);
            let payload = MetadataMessage::Data {
                piece,
                total_size,
                data,
            };
            let payload = payload.encode();
            let id = THEIR_UT_METADATA;
            Message::Extended { id, payload }.encode(&mut state.backlog);
        }
        if state.backlog.is_empty() && world.jobs.is_empty() {
            world.wait(Duration::from_secs(1));
        } else {
            deliver_all(world, channel);
        }
    }
}

/// A leecher asks for every block, in an order that jumps from piece to piece.
fn serve(world: &mut World, fixture: &Fixture, channel: ChannelId) {
    meet(
        world,
        fixture,
        channel,
        &[Message::HaveNone, Message::Interested],
    );
    let link = LINK;
    let channel = ChannelKey { link, channel };
    let layout = fixture.metainfo.layout();
    let mut missing: Vec<BlockRef> = layout
        .pieces()
        .flat_map(|piece| (0..layout.block_count(piece)).map(move |n| layout.block(piece, n)))
        .map(|block| block.to_ref())
        .collect();
    missing.sort_by_key(|block| (block.piece % 3, block.begin, block.piece));
    let mut asked: Vec<BlockRef> = Vec::new();
    let end = world.now + Duration::from_secs(PATIENCE);
    while !(missing.is_empty() && asked.is_empty()) {
        assert!(world.now < end, "an honest leecher gets nothing");
        work_off(world);
        let Some(state) = world.model.channels.get_mut(&channel) else {
            panic!("an honest leecher is sent away");
        };
        for (block, given) in std::mem::take(&mut state.answered) {
            let known = asked.iter().position(|other| *other == block);
            asked.remove(known.expect("only what was asked for is answered"));
            if !given {
                missing.push(block);
            }
        }
        while state.unchoked && asked.len() < REQUESTS && !missing.is_empty() {
            let block = missing.remove(0);
            Message::Request(block).encode(&mut state.backlog);
            asked.push(block);
        }
        if state.backlog.is_empty() && world.jobs.is_empty() {
            world.wait(Duration::from_secs(1));
        } else {
            deliver_all(world, channel);
        }
    }
}

fn whole_block(fixture: &Fixture, block: BlockRef) -> Bytes {
    let layout = fixture.metainfo.layout();
    let piece = layout.piece(block.piece).expect("asked for what exists");
    let begin = block.begin as usize;
    fixture
        .piece(piece)
        .slice(begin..begin + block.length as usize)
}
