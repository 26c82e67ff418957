//! Stores and hashing, on threads that may block, some at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::Input;
use swarm_core::id::InfoHash;
use swarm_core::pieces::PieceIndex;
use tokio::task::JoinSet;

use crate::store::Store;

/// Something that takes time, and the engine's input that it ends in.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) info_hash: InfoHash,
    pub(crate) piece: PieceIndex,
    pub(crate) work: Work,
}

#[derive(Debug)]
pub(crate) enum Work {
    Read(Arc<dyn Store>),
    /// From this byte on, so many.
    ReadPart(Arc<dyn Store>, u32, u32),
    /// From this byte on.
    WritePart(Arc<dyn Store>, u32, Bytes),
    Verify(Arc<dyn Store>),
    Write(Arc<dyn Store>, Bytes),
    Hash(Bytes),
}

impl Job {
    fn run(self) -> Input {
        let Job {
            info_hash,
            piece,
            work,
        } = self;
        match work {
            Work::Read(store) => Input::Read {
                info_hash,
                piece,
                result: store.read(piece),
            },
            Work::Write(store, data) => Input::Written {
                info_hash,
                piece,
                result: store.write(piece, &data),
            },
            Work::ReadPart(store, begin, length) => Input::PartRead {
                info_hash,
                piece,
                begin,
                result: store.read_part(piece, begin, length),
            },
            Work::WritePart(store, begin, data) => Input::PartWritten {
                info_hash,
                piece,
                begin,
                result: store.write_part(piece, begin, &data),
            },
            Work::Verify(store) => Input::Verified {
                info_hash,
                piece,
                result: store.verify(piece),
            },
            Work::Hash(data) => Input::Hashed {
                info_hash,
                piece,
                digest: Sha1::digest(&data).into(),
            },
        }
    }
}

/// The jobs under way and waiting. The engine bounds how many it asks for; this bounds
/// how many threads work on them.
#[derive(Debug)]
pub(crate) struct Disk {
    running: JoinSet<Input>,
    waiting: VecDeque<Job>,
    limit: usize,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // Some jobs wait for the disk while others hash.
        Disk {
            running: JoinSet::new(),
            waiting: VecDeque::new(),
            limit: (2 * cores).max(4),
        }
    }

    pub(crate) fn start(&mut self, job: Job) {
        self.waiting.push_back(job);
        self.fill();
    }

    fn fill(&mut self) {
        while self.running.len() < self.limit
            && let Some(job) = self.waiting.pop_front()
        {
            self.running.spawn_blocking(move || job.run());
        }
    }

    /// What the next job to end ends in; waits forever while there is none. Dropping the
    /// future loses nothing.
    pub(crate) async fn next(&mut self) -> Input {
        let Some(ended) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        self.fill();
        match ended {
            Ok(input) => input,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Lets what was begun come to its end, and forgets the rest.
    pub(crate) async fn finish(mut self) {
        self.waiting.clear();
        while self.running.join_next().await.is_some() {}
    }
}
