//! What came and what went, and when anything that came was of use.

use std::time::Duration;

use crate::peer::Meter;
use crate::time::Time;

/// See the module. Payload alone is counted, as with each remote peer.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    down: Meter,
    up: Meter,
    gained: Time,
}

impl Traffic {
    /// So many bytes came.
    pub(super) fn came(&mut self, now: Time, bytes: u64) {
        self.down.add(now, bytes);
    }

    /// So many bytes went.
    pub(super) fn went(&mut self, now: Time, bytes: u64) {
        self.up.add(now, bytes);
    }

    pub(super) fn down(&self) -> &Meter {
        &self.down
    }

    pub(super) fn up(&self) -> &Meter {
        &self.up
    }

    /// We got something that we lacked, or can't have got anything until now.
    pub(super) fn gain(&mut self, now: Time) {
        self.gained = now;
    }

    /// For how long we got nothing that we lacked.
    pub(super) fn in_vain(&self, now: Time) -> Duration {
        now - self.gained
    }
}
