//! A queue that channels share, such as one WebSocket: how much may wait in it.
//!
//! The host keeps what it is handed until the link has taken it, in order, and reports how
//! much has left. Blocks are held back until there is room, so that small messages are never
//! stuck behind many of them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// What a link takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneLimits {
    /// Channels at once, those counted that are asked for. None at all: it carries a single
    /// one, which is there already.
    pub max_channels: usize,
    /// The longest stretch of a channel that leaves at once, in bytes.
    pub max_payload: usize,
}

/// How much may wait in a lane.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    /// Bytes at least and at most.
    pub budget: (usize, usize),
    /// Bytes at most in a link that carries a single channel ([`LaneLimits::max_channels`]).
    pub alone: usize,
    /// Bytes until it is known how fast the link is.
    pub first_budget: usize,
    /// How long what is handed over may wait there.
    pub delay: Duration,
}

/// See the module.
#[derive(Debug)]
pub struct Lane {
    limits: LaneLimits,
    /// Channels that are open or asked for.
    channels: usize,
    /// Bytes handed to the host and not yet reported as sent.
    unsent: usize,
    /// How much may wait in the host's hands; none until the first report.
    budget: Option<usize>,
    /// Bytes handed to the host in all.
    handed: u64,
    /// Those of them that are reported as sent.
    reported: u64,
    /// Up to which byte had been handed over at what time, for what waits.
    marks: VecDeque<(u64, Time)>,
}

impl Lane {
    /// A lane with nothing in it.
    pub fn new(limits: LaneLimits) -> Self {
        Lane {
            limits,
            channels: 0,
            unsent: 0,
            budget: None,
            handed: 0,
            reported: 0,
            marks: VecDeque::new(),
        }
    }

    /// It takes something else from now on.
    pub fn limit(&mut self, limits: LaneLimits) {
        self.limits = limits;
    }

    /// The longest stretch of a channel that leaves at once, in bytes.
    pub fn max_payload(&self) -> usize {
        self.limits.max_payload
    }

    /// There is room for one more channel.
    pub fn has_room(&self) -> bool {
        self.channels < self.limits.max_channels
    }

    /// A channel was opened, or asked for.
    pub fn opened(&mut self) {
        self.channels += 1;
    }

    /// One is open, or asked for, no more.
    pub fn closed(&mut self) {
        self.channels = self.channels.saturating_sub(1);
    }

    /// The host got so many bytes.
    pub fn hand(&mut self, now: Time, bytes: usize) {
        self.unsent += bytes;
        self.handed += bytes as u64;
        self.marks.push_back((self.handed, now));
    }

    /// The host has sent this much. What is not counted as handed may be in the sum, so the
    /// count may run a little low, never high.
    pub fn sent(&mut self, now: Time, pacing: Pacing, bytes: usize) {
        self.unsent = self.unsent.saturating_sub(bytes);
        self.reported = self.handed.min(self.reported.saturating_add(bytes as u64));
        let mut handed = None;
        while let Some(&(end, at)) = self.marks.front()
            && end <= self.reported
        {
            handed = Some(at);
            self.marks.pop_front();
        }
        if let Some(at) = handed {
            self.adapt(now - at, pacing);
        }
    }

    /// Something waited in the host's hands for this long: more may wait there, or less.
    fn adapt(&mut self, waited: Duration, pacing: Pacing) {
        let (least, most) = self.bounds(pacing);
        let (waited, wanted) = (waited.as_millis(), pacing.delay.as_millis());
        let budget = self.budget(pacing);
        let next = if waited > wanted {
            let shorter = budget as u128 * wanted / waited;
            usize::try_from(shorter).unwrap_or(least).max(budget / 2)
        } else if waited < wanted / 2 {
            budget * 2
        } else {
            budget
        };
        self.budget = Some(next.clamp(least, most));
    }

    /// How much may wait in the host's hands: about what the link takes in [`Pacing::delay`].
    pub fn budget(&self, pacing: Pacing) -> usize {
        let (least, most) = self.bounds(pacing);
        self.budget
            .unwrap_or(pacing.first_budget)
            .clamp(least, most)
    }

    fn bounds(&self, pacing: Pacing) -> (usize, usize) {
        let (least, most) = pacing.budget;
        match self.limits.max_channels {
            0 => (least, most.min(pacing.alone).max(least)),
            _ => (least, most),
        }
    }

    /// Bytes in the host's hands.
    pub fn unsent(&self) -> usize {
        self.unsent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACING: Pacing = Pacing {
        budget: (10, 1000),
        alone: 100,
        first_budget: 50,
        delay: Duration::from_millis(100),
    };

    /// How much may wait in a lane of so many channels, however fast everything leaves.
    fn most(max_channels: usize) -> usize {
        let mut lane = Lane::new(LaneLimits {
            max_channels,
            max_payload: 10,
        });
        for _ in 0..10 {
            lane.hand(Time::ZERO, 10);
            lane.sent(Time::ZERO, PACING, 10);
        }
        lane.budget(PACING)
    }

    #[test]
    fn less_waits_where_a_single_channel_has_it_for_itself() {
        assert_eq!((most(8), most(0)), (1000, 100));
    }
}
