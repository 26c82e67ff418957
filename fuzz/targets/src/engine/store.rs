//! What a store does, or fails to do.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::engine::{Done, Job, StoreError, TorrentState, Work};
use swarm_core::id::InfoHash;
use swarm_core::node::Input;
use swarm_core::pieces::PieceIndex;

use super::World;
use super::fixtures::{Fixture, any_torrent, fixture, sha1};

/// The host has done what it was asked, or has failed to.
pub(super) fn work(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    finish_late(world);
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

/// What was begun for a torrent that was removed since goes well, and is nobody's.
fn finish_late(world: &mut World) {
    for (job, work) in std::mem::take(&mut world.late) {
        let fixture = fixture(job.info_hash).expect("jobs are for known torrents");
        let hash = fixture.metainfo.piece_hash(job.piece);
        let done = match work {
            Work::Read { .. } => continue,
            Work::Write { .. } => Done::Written(Ok(())),
            Work::Hash { .. } => Done::Hashed(hash),
            Work::Verify => Done::Verified(Ok(hash)),
        };
        world.handle(Input::Store(job, done));
    }
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
pub(super) fn unasked(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
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
        added: world.added.1.get(&info_hash).copied().unwrap_or_default(),
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
