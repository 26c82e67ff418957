//! What happens next.

use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::engine::{Command, Done, Job, Resume, StoreError, TorrentState, Work};
use swarm_core::id::{ChannelId, InfoHash, MemberId, PeerId};
use swarm_core::node::{Input, LinkInput};
use swarm_core::pieces::{Bitfield, PieceIndex, Priority, Strategy};
use swarm_core::wire::relay::{DataFrame, Incoming, Member, Peers, ServerMessage, Welcome};

use super::fixtures::{FIXTURES, Fixture, fixture, sha1};
use super::model::{Channel, token_of};
use super::remote::{say_hello, say_something};
use super::{LINK, World};

/// Channels have numbers below this.
const CHANNELS: u32 = 8;

/// One input, or a few that belong together.
pub(super) fn next(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=31)? {
        0..=3 => command(world, u)?,
        4..=7 => {
            if world.model.welcome.is_none() {
                link_up(world, u)?;
            } else {
                offer(world, u)?;
            }
        }
        8 => match u.int_in_range(0..=3)? {
            0 => {
                world.model.down();
                world.handle(Input::Link(LINK, LinkInput::Down));
            }
            _ => link_up(world, u)?,
        },
        9 | 10 => peers(world, u)?,
        11 | 12 => answer_open(world, u)?,
        13 => credit(world, u)?,
        14 => close(world, u)?,
        15 | 16 => {
            let bytes = u.int_in_range(0..=100_000)?;
            world.model.unsent = world.model.unsent.saturating_sub(bytes);
            world.handle(Input::Link(LINK, LinkInput::Sent(bytes)));
        }
        17..=22 => talk(world, u)?,
        23..=28 => work(world, u)?,
        29 => unasked(world, u)?,
        30 => {
            let millis = match u.int_in_range(0..=3)? {
                0 => u.int_in_range(0..=1000)?,
                1 => u.int_in_range(0..=20_000)?,
                2 => u.int_in_range(0..=300_000)?,
                _ => match world.engine.poll_timeout() {
                    Some((due, _)) => {
                        world.wait(due - world.now);
                        return Ok(());
                    }
                    None => 500,
                },
            };
            world.wait(Duration::from_millis(millis));
        }
        _ => noise(world, u)?,
    }
    Ok(())
}

fn any_torrent(u: &mut Unstructured<'_>) -> Result<&'static Fixture> {
    Ok(&FIXTURES[usize::from(u.ratio(1, 3)?)])
}

fn command(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let fixture = any_torrent(u)?;
    let info_hash = fixture.info_hash();
    let paused = u.ratio(1, 16)?;
    let command = match u.int_in_range(0..=15)? {
        0..=5 => {
            let resume = match u.int_in_range(0..=5)? {
                0..=2 => Resume::Nothing,
                3 => Resume::Check,
                4 => Resume::Pieces(Bitfield::full(fixture.pieces())),
                _ => Resume::Pieces(some_pieces(fixture, u)?),
            };
            let begins_with: BTreeSet<u32> = match &resume {
                Resume::Pieces(have) => have.iter().map(PieceIndex::get).collect(),
                Resume::Nothing | Resume::Check => BTreeSet::new(),
            };
            // What is in the list already stays as it is.
            world.model.verified.entry(info_hash).or_insert(begins_with);
            Command::AddTorrent {
                metainfo: fixture.metainfo.clone(),
                resume,
                paused,
            }
        }
        6..=9 => {
            world.model.verified.entry(info_hash).or_default();
            Command::AddLink {
                info_hash,
                name: None,
                check: u.ratio(1, 3)?,
                paused,
            }
        }
        10 => Command::Pause(info_hash),
        11 | 12 => Command::Resume(info_hash),
        13 => {
            world.model.verified.remove(&info_hash);
            // Whoever removes a torrent stops working for it; reads may be too late to stop.
            let stopped = |job: &Job, work: &Work| {
                job.info_hash == info_hash && !matches!(work, Work::Read { .. })
            };
            world.jobs.retain(|(job, work)| !stopped(job, work));
            world.parts.retain(|(of, _), _| *of != info_hash);
            Command::Remove(info_hash)
        }
        _ => how_to_pick(fixture, u)?,
    };
    world.handle(Input::Command(command));
    Ok(())
}

fn how_to_pick(fixture: &Fixture, u: &mut Unstructured<'_>) -> Result<Command> {
    let info_hash = fixture.info_hash();
    Ok(match u.int_in_range(0..=3)? {
        0 => {
            let priorities = [
                Priority::Skip,
                Priority::Low,
                Priority::Normal,
                Priority::High,
            ];
            let mut each = Vec::new();
            for _ in 0..u.int_in_range(0..=fixture.metainfo.files().len())? {
                each.push(*u.choose(&priorities)?);
            }
            Command::SetPriorities(info_hash, each)
        }
        1 => Command::SetPlayPosition(info_hash, u.arbitrary::<u32>()?.into()),
        _ => {
            let strategies = [
                Strategy::RarestFirst,
                Strategy::Sequential,
                Strategy::Streaming,
            ];
            Command::SetStrategy(info_hash, *u.choose(&strategies)?)
        }
    })
}

fn some_pieces(fixture: &Fixture, u: &mut Unstructured<'_>) -> Result<Bitfield> {
    let mut have = Bitfield::empty(fixture.pieces());
    let bits: u16 = u.arbitrary()?;
    for piece in fixture.metainfo.layout().pieces() {
        if bits >> (piece.get() % 16) & 1 == 1 {
            have.insert(piece);
        }
    }
    Ok(have)
}

fn link_up(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    if world.model.welcome.is_some() {
        return Ok(());
    }
    world.handle(Input::Link(LINK, LinkInput::Up));
    let member = MemberId(u.int_in_range(0..=4)?);
    let welcome = Welcome {
        // Without a choice of its own, so that the corpus goes on meaning what it means.
        max_swarms: if member.0 == 4 { 1 } else { 100 },
        max_channels: if u.ratio(1, 8)? { 1 } else { 6 },
        max_payload: if u.ratio(1, 8)? { 100 } else { 1 << 16 },
        max_credit: if u.ratio(1, 8)? { 1000 } else { 1 << 20 },
        ..Welcome::of(member)
    };
    world.model.welcome = Some(welcome.clone());
    world.handle(Input::Link(LINK, ServerMessage::Welcome(welcome).into()));
    Ok(())
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
fn some_channel(world: &World, u: &mut Unstructured<'_>) -> Result<ChannelId> {
    let number = u.int_in_range(0..=CHANNELS)?;
    if u.ratio(31, 32)? {
        let free = (0..CHANNELS).map(|n| ChannelId((number + n) % CHANNELS));
        let model = &world.model;
        let mut free = free.filter(|c| !model.channels.contains_key(c));
        if let Some(free) = free.next() {
            return Ok(free);
        }
    }
    Ok(ChannelId(number))
}

/// Notes that a number is given out; if it is in use, nothing is promised of it any more.
fn give_out(world: &mut World, channel: ChannelId) {
    if world.model.channels.contains_key(&channel) {
        world.model.tainted.insert(channel);
    }
}

/// Somebody wants a channel to the engine, and mostly begins to talk.
fn offer(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let fixture = any_torrent(u)?;
    let channel = some_channel(world, u)?;
    let credit = some_credit(u)?;
    let member = MemberId(u.int_in_range(0..=4)?);
    give_out(world, channel);
    let info_hash = fixture.info_hash();
    world.model.offers.insert(channel, (info_hash, credit));
    world.model.members.insert(channel, member);
    world.handle(Input::Link(
        LINK,
        ServerMessage::Incoming(Incoming {
            channel,
            info_hash,
            member,
            peer_id: PeerId([member.0 as u8; 20]),
            credit,
        })
        .into(),
    ));
    hello(world, channel, u)
}

/// The engine hears of others.
fn peers(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    if world.model.welcome.is_none() {
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
    world.handle(Input::Link(LINK, ServerMessage::Peers(peers).into()));
    Ok(())
}

/// A wish for a channel is carried out or refused.
fn answer_open(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let Some((&request, &(info_hash, granted))) = world.model.opening.first_key_value() else {
        return Ok(());
    };
    world.model.opening.remove(&request);
    let member = world.model.asked_for.remove(&request);
    if u.ratio(1, 8)? {
        let reason = "no".to_owned();
        world.handle(Input::Link(
            LINK,
            ServerMessage::Refused { request, reason }.into(),
        ));
        return Ok(());
    }
    let channel = some_channel(world, u)?;
    let credit = some_credit(u)?;
    give_out(world, channel);
    world.model.members.extend(member.map(|of| (channel, of)));
    world
        .model
        .open(channel, Channel::new(info_hash, credit, granted));
    world.handle(Input::Link(
        LINK,
        ServerMessage::Accepted {
            request,
            channel,
            credit,
        }
        .into(),
    ));
    hello(world, channel, u)
}

/// The other end of a new channel mostly sends its handshake at once.
fn hello(world: &mut World, channel: ChannelId, u: &mut Unstructured<'_>) -> Result<()> {
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

fn open_channel(world: &World, u: &mut Unstructured<'_>) -> Result<Option<ChannelId>> {
    let open: Vec<ChannelId> = world.model.channels.keys().copied().collect();
    if open.is_empty() {
        return Ok(None);
    }
    Ok(Some(*u.choose(&open)?))
}

fn credit(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(channel) = open_channel(world, u)? else {
        return Ok(());
    };
    let bytes = some_credit(u)?;
    if let Some(state) = world.model.channels.get_mut(&channel) {
        state.send_credit += u64::from(bytes);
    }
    world.handle(Input::Link(
        LINK,
        ServerMessage::Credit { channel, bytes }.into(),
    ));
    Ok(())
}

fn close(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(channel) = open_channel(world, u)? else {
        return Ok(());
    };
    world.model.channels.remove(&channel);
    let reason = "the other end is gone".to_owned();
    world.handle(Input::Link(
        LINK,
        ServerMessage::Close { channel, reason }.into(),
    ));
    Ok(())
}

/// A peer says something.
fn talk(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
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

/// What a peer has said travels, all of it.
pub(super) fn deliver_all(world: &mut World, channel: ChannelId) {
    let Some(state) = world.model.channels.get_mut(&channel) else {
        return;
    };
    let bytes = std::mem::take(&mut state.backlog);
    for chunk in bytes.chunks(1 << 16) {
        if let Some(state) = world.model.channels.get_mut(&channel) {
            state.deliver(&Bytes::copy_from_slice(chunk));
            data(world, channel, chunk);
        }
    }
}

/// What a peer has said travels, mostly all of it, in one frame or in several.
fn deliver(world: &mut World, channel: ChannelId, u: &mut Unstructured<'_>) -> Result<()> {
    let cut = match u.int_in_range(0..=3)? {
        0 => Some(usize::from(u.arbitrary::<u16>()?)),
        _ => None,
    };
    let Some(state) = world.model.channels.get_mut(&channel) else {
        return Ok(());
    };
    let until = cut.map_or(state.backlog.len(), |cut| cut.min(state.backlog.len()));
    let bytes: Vec<u8> = state.backlog.drain(..until).collect();
    for chunk in bytes.chunks(1 << 16) {
        if let Some(state) = world.model.channels.get_mut(&channel) {
            state.deliver(&Bytes::copy_from_slice(chunk));
            data(world, channel, chunk);
        }
    }
    Ok(())
}

fn data(world: &mut World, channel: ChannelId, payload: &[u8]) {
    let frame = DataFrame::new(channel, payload);
    world.handle(Input::Link(LINK, ServerMessage::Data(frame).into()));
}

/// The tracker says what makes no sense, or what comes too late.
fn noise(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    if world.model.welcome.is_none() {
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
            info_hash: None,
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
            data(world, channel, &[0, 0, 0, 1, 0]);
            return Ok(());
        }
    };
    world.handle(Input::Link(LINK, message.into()));
    Ok(())
}

/// The host has done what it was asked, or has failed to.
fn work(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..u.int_in_range(1..=4)? {
        if world.jobs.is_empty() {
            return Ok(());
        }
        let last = world.jobs.len() - 1;
        // A store answers in any order.
        let index = if u.ratio(1, 2)? {
            0
        } else {
            u.int_in_range(0..=last)?
        };
        let (job, work) = world.jobs.remove(index);
        let failure = match (u.ratio(1, 16)?, &work) {
            (false, _) => None,
            (true, Work::Read { .. }) if job.part.is_none() => {
                let fixture = fixture(job.info_hash).expect("jobs are for known torrents");
                Some(some_failure(fixture, job.piece, u)?)
            }
            (true, _) => Some(Err(StoreError::Full("no room".to_owned()))),
        };
        finish(world, job, work, failure);
    }
    Ok(())
}

/// What a store answers to a read.
type ReadResult = std::result::Result<Bytes, StoreError>;

/// The host has done what it was asked; `failure` says otherwise, for a hash by being there.
pub(super) fn finish(world: &mut World, job: Job, work: Work, failure: Option<ReadResult>) {
    let (info_hash, piece) = (job.info_hash, job.piece);
    let fixture = fixture(info_hash).expect("jobs are for known torrents");
    let fails = failure.is_some();
    let checking = world.state(info_hash) == Some(TorrentState::Hashing);
    let hash = fixture.metainfo.piece_hash(piece);
    let done = match work {
        Work::Read { length } => {
            let begin = job.part.unwrap_or(0);
            let part = begin as usize..(begin + length) as usize;
            let right = fixture.piece(piece).slice(part);
            Done::Read(failure.unwrap_or(Ok(right)))
        }
        Work::Write { data } => {
            if let Some(begin) = job.part
                && !fails
            {
                let place = world.parts.entry((info_hash, piece.get()));
                let place = place.or_insert_with(|| vec![0; fixture.piece(piece).len()]);
                place[begin as usize..][..data.len()].copy_from_slice(&data);
            }
            if job.part.is_none() && !fails {
                note_verified(world, info_hash, piece);
            }
            Done::Written(failure.map_or(Ok(()), |result| result.map(|_| ())))
        }
        Work::Verify => {
            let written = world.parts.get(&(info_hash, piece.get()));
            let digest = match written {
                Some(written) if !checking => sha1(written),
                _ => sha1(&fixture.piece(piece)),
            };
            if !fails && digest == hash {
                note_verified(world, info_hash, piece);
            }
            Done::Verified(failure.map_or(Ok(digest), |result| result.map(|_| digest)))
        }
        Work::Hash { data } => {
            let digest = if fails { [0; 20] } else { sha1(&data) };
            if digest == hash && checking {
                note_verified(world, info_hash, piece);
            }
            Done::Hashed(digest)
        }
    };
    world.handle(Input::Store(job, done));
}

fn note_verified(world: &mut World, info_hash: InfoHash, piece: PieceIndex) {
    if let Some(verified) = world.model.verified.get_mut(&info_hash) {
        verified.insert(piece.get());
    }
}

/// What a store answers that is not what it was asked for.
fn some_failure(
    fixture: &Fixture,
    piece: PieceIndex,
    u: &mut Unstructured<'_>,
) -> Result<ReadResult> {
    let reason = "broken".to_owned();
    let right = fixture.piece(piece);
    Ok(match u.int_in_range(0..=3)? {
        0 => Err(StoreError::Missing),
        1 => Err(StoreError::Unreadable(reason)),
        2 => Err(StoreError::Failed(reason)),
        _ => Ok(right.slice(..usize::from(u.arbitrary::<u8>()?).min(right.len()))),
    })
}

/// The host answers what nobody asked.
fn unasked(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let fixture = any_torrent(u)?;
    let info_hash = fixture.info_hash();
    let index = u.int_in_range(0..=fixture.pieces() - 1)?;
    let piece = fixture.metainfo.layout().piece(index).expect("in range");
    let asked = |job: &Job| (job.info_hash, job.piece) == (info_hash, piece);
    if world.jobs.iter().any(|(job, _)| asked(job)) {
        return Ok(());
    }
    let whole = Job {
        info_hash,
        piece,
        part: None,
    };
    let first = Job {
        part: Some(0),
        ..whole
    };
    let hash = fixture.metainfo.piece_hash(piece);
    let right = fixture.piece(piece);
    let input = match u.int_in_range(0..=7)? {
        5 => Input::Store(first, Done::Read(Ok(right))),
        6 => Input::Store(first, Done::Written(Ok(()))),
        7 => Input::Store(whole, Done::Verified(Ok(hash))),
        4 => {
            if let Some(verified) = world.model.verified.get_mut(&info_hash) {
                verified.remove(&index);
            }
            Input::Lost {
                info_hash,
                pieces: vec![piece],
            }
        }
        0 => Input::Store(whole, Done::Read(Ok(right))),
        1 => Input::Store(whole, Done::Read(Err(StoreError::Missing))),
        2 => Input::Store(whole, Done::Hashed(hash)),
        _ => Input::Store(whole, Done::Written(Ok(()))),
    };
    world.handle(input);
    Ok(())
}
