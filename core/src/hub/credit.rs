//! Who may send how much: the arithmetic of credit.
//!
//! A receiver grants credit to the sender at the other end of its channel. The hub
//! passes a grant on only as far as its own bounds allow, and withholds the rest until
//! there is room. Two budgets bound it: that of the receiving connection and that of
//! the whole hub. Each counts the bytes that are *outstanding* (a sender may send them
//! at any moment) and *queued* (sent, and not yet written to the receiver's socket).
//!
//! Outstanding credit can't be taken back, so idle senders could hold all of it for
//! ever. Therefore half of every budget is set apart: each direction of each channel
//! has a *reserve* there that nobody else can use, and there are never more channels
//! than reserves. Credit beyond the reserve comes from the other half, the pool, and
//! a direction may hold no more of the pool than it leaves free (dynamic thresholds,
//! Choudhury and Hahne 1998): a few channels get large windows, many get small ones,
//! with nothing to tune.

use std::collections::VecDeque;

use super::share;
use crate::wire::relay::frame;

/// One direction of a channel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// Bytes that the sender may still send.
    pub(super) outstanding: u32,
    /// Bytes that the receiver granted and the sender does not know of yet.
    pub(super) withheld: u64,
    /// It stands in its receiver's line for more room.
    pub(super) waiting: bool,
}

/// Bytes that are promised or queued, and how many may be.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    reserve: u64,
    outstanding: u64,
    /// The part of `outstanding` that is beyond reserves.
    pooled: u64,
    queued: u64,
    /// Bytes freed since waiting directions were last looked at.
    freed: u64,
}

impl Budget {
    /// At most `limit` bytes, of which `reserve` are set apart for each direction.
    pub(super) fn new(limit: u64, reserve: u32) -> Self {
        Budget {
            limit,
            reserve: reserve.into(),
            outstanding: 0,
            pooled: 0,
            queued: 0,
            freed: 0,
        }
    }

    /// How much more credit a direction that holds `outstanding` may get.
    pub(super) fn room(&self, outstanding: u32) -> u64 {
        let outstanding = u64::from(outstanding);
        let reserved = self.reserve.saturating_sub(outstanding);
        let own = outstanding.saturating_sub(self.reserve);
        let free = (self.limit / 2).saturating_sub(self.pooled);
        let unused = self.limit.saturating_sub(self.outstanding + self.queued);
        (reserved + share::room(own, free)).min(unused)
    }

    /// A direction's outstanding credit went from `before` to `after`.
    pub(super) fn change(&mut self, before: u32, after: u32) {
        let pooled = |bytes: u32| u64::from(bytes).saturating_sub(self.reserve);
        self.pooled = self.pooled - pooled(before) + pooled(after);
        self.outstanding = self.outstanding - u64::from(before) + u64::from(after);
    }

    /// A direction is gone, and its outstanding credit with it.
    pub(super) fn forget(&mut self, outstanding: u32) {
        self.change(outstanding, 0);
        self.freed += u64::from(outstanding);
    }

    /// Bytes came from a sender; [`Budget::change`] tells of the credit that they used.
    pub(super) fn enqueue(&mut self, bytes: u64) {
        self.queued += bytes;
    }

    /// Bytes left the queue.
    pub(super) fn dequeue(&mut self, bytes: u64) {
        self.queued -= bytes;
        self.freed += bytes;
    }

    /// Whether it is time to look at waiting directions again: enough was freed to be
    /// worth it, or nothing is queued whose flushing could free more.
    pub(super) fn take_worthwhile(&mut self, share: u64) -> bool {
        let worthwhile = self.freed > 0 && (self.queued == 0 || self.freed >= self.limit / share);
        if worthwhile {
            self.freed = 0;
        }
        worthwhile
    }

    /// Bytes that senders may still send.
    pub(super) fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// Bytes that were not yet written.
    pub(super) fn queued(&self) -> u64 {
        self.queued
    }
}

/// The lengths of the data frames that wait to be written to one connection.
#[derive(Debug, Default)]
pub(super) struct Queue {
    payloads: VecDeque<u32>,
    /// Bytes written of the first of them, its header included.
    written: u64,
}

impl Queue {
    /// How many frames wait.
    pub(super) fn frames(&self) -> usize {
        self.payloads.len()
    }

    /// A frame with this much payload was queued.
    pub(super) fn push(&mut self, payload: u32) {
        self.payloads.push_back(payload);
    }

    /// This many bytes of frames were written; returns the payload of those frames
    /// that are through.
    pub(super) fn flushed(&mut self, bytes: u64) -> u64 {
        self.written = self.written.saturating_add(bytes);
        let mut payload = 0;
        while let Some(&first) = self.payloads.front() {
            let frame = u64::from(first) + frame::HEADER as u64;
            if self.written < frame {
                return payload;
            }
            self.written -= frame;
            payload += u64::from(first);
            self.payloads.pop_front();
        }
        self.written = 0;
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_direction_gets_half_the_pool_and_others_still_find_some() {
        let mut budget = Budget::new(32 << 20, 4096);
        let first = u32::try_from(budget.room(0)).unwrap();
        assert_eq!(first, 4096 + (8 << 20));
        budget.change(0, first);
        let second = budget.room(0);
        assert_eq!(second, 4096 + (4 << 20));
        assert_eq!(
            budget.room(first),
            0,
            "who holds as much as is free gets no more"
        );
    }

    #[test]
    fn a_reserve_is_there_even_when_the_pool_is_empty() {
        let mut budget = Budget::new(1000, 10);
        budget.change(0, 510);
        assert_eq!(budget.room(0), 10);
        budget.enqueue(485);
        assert_eq!(budget.room(0), 5, "the limit is a limit");
    }

    #[test]
    fn frames_are_through_when_their_last_byte_is_written() {
        let mut queue = Queue::default();
        queue.push(10);
        queue.push(20);
        assert_eq!(queue.flushed(14), 0);
        assert_eq!(queue.flushed(1), 10);
        assert_eq!(queue.flushed(25), 20);
        assert_eq!(queue.flushed(99), 0);
        queue.push(1);
        assert_eq!(
            queue.flushed(5),
            0,
            "bytes reported too many don't count later"
        );
    }
}
