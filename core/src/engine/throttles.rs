//! How fast pieces may be given and taken, by all torrents together.

use super::view::Held;
use crate::net::throttle::Throttle;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    /// Blocks that are sent.
    pub(super) up: Throttle,
    /// Blocks that are asked for: what is on its way can't be held back any more.
    pub(super) down: Throttle,
}

impl Throttles {
    /// Nobody waits, as far as is known.
    pub(super) fn begin_turn(&mut self) {
        self.up.begin_turn();
        self.down.begin_turn();
    }

    /// When somebody who waits may go on.
    pub(super) fn due(&self) -> Option<Time> {
        [self.up.due(), self.down.due()].into_iter().flatten().min()
    }

    /// Who waited lately.
    pub(super) fn held(&self, now: Time) -> Held {
        Held {
            up: self.up.holds_back(now),
            down: self.down.holds_back(now),
        }
    }
}
