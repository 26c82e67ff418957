//! Stores and hashing, on threads that may block, some at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use sha1::{Digest, Sha1};
use swarm_core::engine::{Done, Job, Work};
use swarm_core::node::Input;
use tokio::task::JoinSet;

use crate::store::Store;

/// What the engine wants of a store.
#[derive(Debug)]
struct Task {
    job: Job,
    work: Work,
    /// None where nothing is stored.
    store: Option<Arc<dyn Store>>,
}

impl Task {
    fn run(self) -> Input {
        let Task { job, work, store } = self;
        Input::Store(job, do_it(job, work, store.as_deref()))
    }
}

fn do_it(job: Job, work: Work, store: Option<&dyn Store>) -> Done {
    if let Work::Hash { data } = work {
        return Done::Hashed(Sha1::digest(&data).into());
    }
    let store = store.expect("what is to be stored has a store");
    let piece = job.piece;
    match (work, job.part) {
        (Work::Read { .. }, None) => Done::Read(store.read(piece)),
        (Work::Read { length }, Some(begin)) => Done::Read(store.read_part(piece, begin, length)),
        (Work::Write { data }, None) => Done::Written(store.write(piece, &data)),
        (Work::Write { data }, Some(begin)) => Done::Written(store.write_part(piece, begin, &data)),
        (Work::Verify, _) => Done::Verified(store.verify(piece)),
        (Work::Hash { .. }, _) => unreachable!("see above"),
    }
}

/// The jobs under way and waiting. The engine bounds how many it asks for; this bounds
/// how many threads work on them.
#[derive(Debug)]
pub(crate) struct Disk {
    running: JoinSet<Input>,
    waiting: VecDeque<Task>,
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

    /// Has something hashed.
    pub(crate) fn hash(&mut self, job: Job, work: Work) {
        self.start(job, work, None);
    }

    /// Has a store do something.
    pub(crate) fn store(&mut self, job: Job, work: Work, store: Arc<dyn Store>) {
        self.start(job, work, Some(store));
    }

    fn start(&mut self, job: Job, work: Work, store: Option<Arc<dyn Store>>) {
        self.waiting.push_back(Task { job, work, store });
        self.fill();
    }

    fn fill(&mut self) {
        while self.running.len() < self.limit
            && let Some(task) = self.waiting.pop_front()
        {
            self.running.spawn_blocking(move || task.run());
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
