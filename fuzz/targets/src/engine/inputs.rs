//! What happens next.

use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use swarm_core::engine::{Command, Job, Resume, Work};
use swarm_core::id::LinkId;
use swarm_core::node::{Input, LinkInput};
use swarm_core::pieces::{Bitfield, PieceIndex, Priority, Strategy};

use super::fixtures::{Fixture, any_torrent};
use super::{LINK, LINKS, World, network, relay, store, talk};

/// One input, or a few that belong together.
pub(super) fn next(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let kinds = if world.model.wide { 63 } else { 31 };
    match u.int_in_range(0..=kinds)? {
        0..=3 => command(world, u)?,
        4..=7 => {
            let link = some_link(world, u)?;
            if world.model.servers.contains_key(&link) {
                relay::offer(world, link, u)?;
            } else {
                relay::link_up(world, link, u)?;
            }
        }
        8 => {
            let link = some_link(world, u)?;
            match u.int_in_range(0..=3)? {
                0 => relay::link_down(world, link),
                _ => relay::link_up(world, link, u)?,
            }
        }
        9 | 10 => {
            let link = some_link(world, u)?;
            relay::peers(world, link, u)?;
        }
        11 | 12 => {
            let link = some_link(world, u)?;
            relay::answer_open(world, link, u)?;
        }
        13 => relay::credit(world, u)?,
        14 => relay::close(world, u)?,
        15 | 16 => {
            let link = some_link(world, u)?;
            let bytes = u.int_in_range(0..=100_000)?;
            world.model.sent(link, bytes);
            world.handle(Input::Link(link, LinkInput::Sent(bytes)));
        }
        17..=22 => talk::talk(world, u)?,
        23..=28 => store::work(world, u)?,
        29 => store::unasked(world, u)?,
        30 => wait(world, u)?,
        31 => {
            let link = some_link(world, u)?;
            relay::noise(world, link, u)?;
        }
        kind => network::next(world, kind - 32, u)?,
    }
    Ok(())
}

/// One of the servers.
fn some_link(world: &World, u: &mut Unstructured<'_>) -> Result<LinkId> {
    if !world.model.wide {
        return Ok(LINK);
    }
    Ok(LinkId(u.int_in_range(0..=LINKS - 1)?))
}

fn wait(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
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
    Ok(())
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
            // What is under way may be too late to stop; what comes of it is for nobody.
            let late = |(job, work): &(Job, Work)| {
                job.info_hash == info_hash && !matches!(work, Work::Read { .. })
            };
            let late = world.jobs.extract_if(.., |it| late(it));
            world.late.extend(late);
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
