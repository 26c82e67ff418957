//! What was given to a connection and has not left: bounded by reading nothing meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// See the module.
#[derive(Debug)]
pub(crate) struct Backlog {
    bytes: AtomicUsize,
    less: Notify,
    most: usize,
}

impl Backlog {
    /// Nothing waits. Beyond `most` bytes nothing is to be read.
    pub(crate) fn new(most: usize) -> Self {
        Backlog {
            bytes: AtomicUsize::new(0),
            less: Notify::new(),
            most,
        }
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.less.notify_one();
    }

    /// Waits until there is room.
    pub(crate) async fn room(&self) {
        while self.bytes.load(Ordering::Relaxed) > self.most {
            self.less.notified().await;
        }
    }
}
