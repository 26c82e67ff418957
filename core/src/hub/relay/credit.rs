//! Who may send how much: the arithmetic of credit.
//!
//! A receiver grants credit to the sender at the other end of its channel. The hub
//! passes a grant on only as far as its own bounds allow, and withholds the rest until
//! there is room. Bounds are for the receiving connection, and for the whole hub. Each
//! counts the bytes that are *outstanding* (a sender may send them at any moment) and
//! *queued* (sent, and not yet written to the receiver's socket).
//!
//! Outstanding credit can't be taken back, so idle senders could hold all of it for
//! ever. Therefore half of every budget is set apart: each direction of each channel
//! has a *reserve* there that nobody else can use, and there are never more channels
//! than reserves. Credit beyond the reserve comes from the other half, the pool, which is
//! shared out (see `hub/share.rs`): of the hub's pool a source may have as much as is left free,
//! of that each of its connections, and of a connection's own pool each direction of a
//! channel. So what idle channels hold is missing to those whose channels they are.
//!
//! What a direction lacks it asks for again whenever it moves: when its sender sends, and
//! when something of it is written. A direction that does not move has its reserve to send,
//! or bytes that will be written, so nobody has to be looked for who might be waiting, and
//! every step costs the same however many channels there are.

use std::collections::VecDeque;

use super::super::{HubConfig, share};
use crate::id::ChannelId;
use crate::wire::relay::frame;

/// Credit that is set apart, and how many channels have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserves {
    /// For each direction of each channel, in bytes.
    pub(super) each: u32,
    /// Channels of one connection, so that each has its reserve.
    pub(super) per_connection: usize,
    /// Channels of the whole hub, so that each has its two reserves.
    pub(super) everywhere: usize,
}

impl Reserves {
    /// What follows from a configuration.
    pub(super) fn of(config: &HubConfig) -> Self {
        let wanted = config.max_channels_per_connection;
        let share = config.max_inflight_per_connection / 2 / (wanted.max(1) as u64);
        let most = config.channel_reserve.min(config.max_credit);
        let each = u64::from(most).min(share).max(1);
        let fitting =
            |bytes: u64, each: u64| usize::try_from(bytes / 2 / each).unwrap_or(usize::MAX);
        Reserves {
            each: u32::try_from(each).expect("it is at most `most`, or one"),
            per_connection: wanted.min(fitting(config.max_inflight_per_connection, each)),
            everywhere: fitting(config.max_inflight, 2 * each),
        }
    }
}

/// One direction of a channel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// Bytes that the sender may still send.
    pub(super) outstanding: u32,
    /// Bytes that the receiver granted and the sender does not know of yet.
    pub(super) withheld: u64,
    /// Bytes that were sent and are not yet written to the receiver's socket.
    pub(super) queued: u64,
    /// The frames that those came in.
    pub(super) frames: usize,
}

impl Flow {
    fn used(&self) -> u64 {
        u64::from(self.outstanding) + self.queued
    }

    /// The part of what it uses that is beyond its reserve.
    pub(super) fn pooled(&self, reserve: u32) -> u64 {
        self.used().saturating_sub(reserve.into())
    }

    /// What of its reserve it does not use.
    pub(super) fn reserved(&self, reserve: u32) -> u64 {
        u64::from(reserve).saturating_sub(self.used())
    }
}

/// Bytes that are promised or queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) outstanding: u64,
    pub(super) queued: u64,
    /// The part of both that is beyond the reserves of channels that exist.
    pub(super) pooled: u64,
}

impl Budget {
    /// A direction went from `before` to `after`.
    pub(super) fn change(&mut self, reserve: u32, before: &Flow, after: &Flow) {
        self.outstanding =
            self.outstanding - u64::from(before.outstanding) + u64::from(after.outstanding);
        self.queued = self.queued - before.queued + after.queued;
        self.pooled = self.pooled - before.pooled(reserve) + after.pooled(reserve);
    }

    /// A direction is gone; what is queued of it stays until it is written, and has no
    /// reserve any more.
    pub(super) fn orphan(&mut self, reserve: u32, flow: &Flow) {
        self.change(reserve, flow, &Flow::default());
        self.queued += flow.queued;
        self.pooled += flow.queued;
    }

    /// Bytes of a direction that is gone are out of the queue.
    pub(super) fn forget(&mut self, bytes: u64) {
        self.queued -= bytes;
        self.pooled -= bytes;
    }
}

/// What one direction may have of the pools, beyond what it has: `own` is what it has of
/// them, `connection` and `source` what its receiver and its receiver's source have, and
/// `everywhere` what all have.
pub(super) fn room(
    limits: (u64, u64),
    own: u64,
    connection: &Budget,
    source: &Budget,
    everywhere: &Budget,
) -> u64 {
    let free = |limit: u64, used: u64| (limit / 2).saturating_sub(used);
    let here = share::room(own, free(limits.0, connection.pooled));
    let for_source = free(limits.1, everywhere.pooled).saturating_sub(source.pooled);
    here.min(share::room(connection.pooled, for_source))
}

/// The data frames that wait to be written to one connection.
#[derive(Debug, Default)]
pub(super) struct Queue {
    frames: VecDeque<Queued>,
    /// Bytes written of the first of them, its header included.
    written: u64,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    channel: ChannelId,
    payload: u32,
}

impl Queue {
    /// How many frames wait.
    pub(super) fn frames(&self) -> usize {
        self.frames.len()
    }

    /// A frame with this much payload was queued.
    pub(super) fn push(&mut self, channel: ChannelId, payload: u32) {
        self.frames.push_back(Queued { channel, payload });
    }

    /// This many more bytes of frames were written: take what is through with
    /// [`Queue::pop`].
    pub(super) fn written(&mut self, bytes: u64) {
        self.written = self.written.saturating_add(bytes);
    }

    /// The channel and the payload of the next frame that is through.
    pub(super) fn pop(&mut self) -> Option<(ChannelId, u64)> {
        let Some(&Queued { channel, payload }) = self.frames.front() else {
            // Bytes reported too many don't count later.
            self.written = 0;
            return None;
        };
        let payload = u64::from(payload);
        self.written = self.written.checked_sub(payload + frame::HEADER as u64)?;
        self.frames.pop_front();
        Some((channel, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(outstanding: u32, queued: u64) -> Flow {
        Flow {
            outstanding,
            queued,
            ..Flow::default()
        }
    }

    #[test]
    fn a_direction_uses_its_reserve_before_the_pool() {
        let mut budget = Budget::default();
        budget.change(10, &flow(0, 0), &flow(4, 5));
        assert_eq!(
            (budget.outstanding, budget.queued, budget.pooled),
            (4, 5, 0)
        );
        budget.change(10, &flow(4, 5), &flow(4, 8));
        assert_eq!(budget.pooled, 2);
        budget.orphan(10, &flow(4, 8));
        assert_eq!(
            (budget.outstanding, budget.queued, budget.pooled),
            (0, 8, 8)
        );
        budget.forget(8);
        assert_eq!(budget, Budget::default());
    }

    #[test]
    fn what_one_source_holds_is_missing_to_itself_first() {
        let limits = (32 << 20, 1 << 30);
        let mut hoarder = Budget::default();
        // Connections of its own, each of which takes all it can.
        loop {
            let connection = Budget::default();
            let more = room(limits, 0, &connection, &hoarder, &hoarder);
            if more < 1 << 10 {
                break;
            }
            hoarder.pooled += more;
        }
        let other = Budget::default();
        let left = room(limits, 0, &Budget::default(), &other, &hoarder);
        assert_eq!(left, 8 << 20, "as much as if nobody else was there");
    }

    #[test]
    fn frames_are_through_when_their_last_byte_is_written() {
        let mut queue = Queue::default();
        let channel = ChannelId(1);
        queue.push(channel, 10);
        queue.push(channel, 20);
        queue.written(14);
        assert_eq!(queue.pop(), None);
        queue.written(1);
        assert_eq!(queue.pop(), Some((channel, 10)));
        queue.written(25);
        assert_eq!(queue.pop(), Some((channel, 20)));
        queue.written(99);
        assert_eq!(queue.pop(), None);
        queue.push(channel, 1);
        queue.written(5);
        assert_eq!(
            queue.pop(),
            None,
            "bytes reported too many don't count later"
        );
    }
}
