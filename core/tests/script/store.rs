//! The store of the engine under test: it answers at once, or when a test says so.

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{Done, Job, StoreError, Work};
use swarm_core::node::Input;
use swarm_core::pieces::PieceIndex;

use super::{PIECE, Stage};

impl Stage {
    /// From now on the store answers only to [`Stage::answer_read`].
    pub(crate) fn hold_reads(&mut self) {
        self.reads = Some(Vec::new());
    }

    /// Pieces that the engine waits for.
    pub(crate) fn reads(&self) -> Vec<u32> {
        let reads = self.reads.iter().flatten();
        reads.map(|job| job.piece.get()).collect()
    }

    /// The store has read a piece.
    pub(crate) fn answer_read(&mut self, piece: u32) {
        let reads = self.reads.as_mut().unwrap();
        let asked = |job: &Job| job.piece.get() == piece;
        let place = reads.iter().position(asked).unwrap();
        let job = reads.remove(place);
        let input = self.piece_read(job);
        self.feed(input);
    }

    fn piece_read(&self, job: Job) -> Input {
        let piece = job.piece.get();
        let begin = (piece * PIECE) as usize;
        let data = self.bytes.slice(begin..begin + PIECE as usize);
        let spoilt = self.unreadable.contains(&piece);
        let result = match spoilt {
            true => Err(StoreError::Unreadable("it changed".to_owned())),
            false => Ok(data),
        };
        Input::Store(job, Done::Read(result))
    }

    /// From now on a piece can't be read any more.
    pub(crate) fn spoil(&mut self, piece: u32) {
        self.unreadable.insert(piece);
    }

    /// The pieces that a store holds, by their indices.
    pub(crate) fn pieces(&self, indices: &[u32]) -> Vec<PieceIndex> {
        let layout = self.metainfo.layout();
        indices
            .iter()
            .map(|index| layout.piece(*index).unwrap())
            .collect()
    }

    /// Does what a store does with pieces in parts.
    pub(crate) fn with_parts(&mut self, job: Job, work: &Work) -> Input {
        let bytes = self.bytes.clone();
        let piece = job.piece.get();
        let begin = job.part.unwrap_or(0);
        let here = |begin: u32, length: u32| {
            let begin = (piece * PIECE + begin) as usize;
            bytes.slice(begin..begin + length as usize)
        };
        let done = match work {
            Work::Read { length } => {
                assert!(self.store.contains(&piece), "reads what it has");
                self.parts_read += 1;
                Done::Read(Ok(here(begin, *length)))
            }
            Work::Write { data } => {
                assert!(!self.store.contains(&piece), "it is here already");
                Done::Written(if self.full {
                    Err(StoreError::Full("the disk".to_owned()))
                } else {
                    let place = self.parts.entry(piece);
                    let place = place.or_insert_with(|| vec![0; PIECE as usize]);
                    place[begin as usize..][..data.len()].copy_from_slice(data);
                    Ok(())
                })
            }
            Work::Verify => {
                let data = match self.parts.get(&piece) {
                    Some(written) => Some(Bytes::copy_from_slice(written)),
                    None => self.store.contains(&piece).then(|| here(0, PIECE)),
                };
                if data.as_ref() == Some(&here(0, PIECE)) {
                    self.store.insert(piece);
                }
                let digest = data.map(|data| Sha1::digest(&data).into());
                Done::Verified(digest.ok_or(StoreError::Missing))
            }
            Work::Hash { .. } => panic!("nothing about parts: {work:?}"),
        };
        Input::Store(job, done)
    }

    pub(super) fn work(&mut self, job: Job, work: Work) -> Option<Input> {
        if job.part.is_some() || matches!(work, Work::Verify) {
            if let Some(held) = &mut self.held_parts {
                held.push((job, work));
                return None;
            }
            return Some(self.with_parts(job, &work));
        }
        if let Some(held) = &mut self.held {
            held.push((job, work));
            return None;
        }
        let piece = job.piece.get();
        let done = match work {
            Work::Read { .. } => {
                assert!(self.store.contains(&piece), "reads what it has");
                if let Some(reads) = &mut self.reads {
                    reads.push(job);
                    return None;
                }
                return Some(self.piece_read(job));
            }
            Work::Write { data } => {
                let begin = (piece * PIECE) as usize;
                assert_eq!(data, self.bytes[begin..begin + PIECE as usize]);
                self.store.insert(piece);
                self.unreadable.remove(&piece);
                Done::Written(Ok(()))
            }
            Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
            Work::Verify => unreachable!("see above"),
        };
        Some(Input::Store(job, done))
    }
}
