//! What is on its way: the frames that wait for each member's socket, and the bytes that are
//! queued or may be sent at any moment, for a member, for its source, and for all.

use std::collections::BTreeMap;

use super::super::{HubConfig, HubStats, Source, share};
use super::credit::{self, Budget, Flow, Queue, Reserves};
use super::refusal::Refusal;
use crate::id::{ChannelId, MemberId};

/// See the module.
#[derive(Debug)]
pub(super) struct Transit {
    config: HubConfig,
    reserve: u32,
    receivers: BTreeMap<MemberId, Receiver>,
    /// Of sources that have clients.
    sources: BTreeMap<Source, Group>,
    all: Group,
}

/// A client to which bytes go.
#[derive(Debug)]
struct Receiver {
    /// Whom it is charged to.
    source: Source,
    budget: Budget,
    queue: Queue,
}

/// Several receivers.
#[derive(Debug, Default)]
struct Group {
    receivers: usize,
    budget: Budget,
    /// Frames that wait for them.
    frames: usize,
}

impl Transit {
    pub(super) fn new(config: HubConfig, reserves: Reserves) -> Self {
        Transit {
            config,
            reserve: reserves.each,
            receivers: BTreeMap::new(),
            sources: BTreeMap::new(),
            all: Group::default(),
        }
    }

    pub(super) fn connect(&mut self, member: MemberId, source: Source) {
        let receiver = Receiver {
            source,
            budget: Budget::default(),
            queue: Queue::default(),
        };
        self.receivers.insert(member, receiver);
        self.sources.entry(source).or_default().receivers += 1;
        self.all.receivers += 1;
    }

    /// A client is gone, all of whose channels are: nothing that waits for it will be written.
    pub(super) fn disconnect(&mut self, member: MemberId) {
        let Some(receiver) = self.receivers.remove(&member) else {
            return;
        };
        let group = group(&mut self.sources, receiver.source);
        for group in [&mut *group, &mut self.all] {
            group.receivers -= 1;
            group.budget.forget(receiver.budget.queued);
            group.frames -= receiver.queue.frames();
        }
        if group.receivers == 0 {
            self.sources.remove(&receiver.source);
        }
    }

    /// Whether one more channel of a client has its reserve, when there are so many at the
    /// client and everywhere: what is left of channels that are gone and was not read yet may
    /// be in its way.
    pub(super) fn check_reserve(
        &self,
        member: MemberId,
        here: usize,
        everywhere: usize,
    ) -> Result<(), Refusal> {
        let reserve = u64::from(self.reserve);
        let here = (here as u64 + 1) * reserve + self.receivers[&member].budget.pooled;
        let everywhere = (everywhere as u64 + 1) * 2 * reserve + self.all.budget.pooled;
        let (limit_here, limit) = self.limits();
        if here <= limit_here && everywhere <= limit {
            Ok(())
        } else {
            Err(Refusal::Channels(
                "too much waits to be read by an end of the channel",
            ))
        }
    }

    /// Turns withheld credit of a direction into outstanding credit, as far as there is room
    /// and it is worth a message; returns how much.
    pub(super) fn grant(&mut self, receiver: MemberId, flow: &mut Flow) -> u32 {
        let before = *flow;
        let client = &self.receivers[&receiver];
        let pools = credit::room(
            self.limits(),
            before.pooled(self.reserve),
            &client.budget,
            &self.sources[&client.source].budget,
            &self.all.budget,
        );
        let max_credit = self.config.max_credit;
        let own = u64::from(max_credit.saturating_sub(before.outstanding));
        let room = own.min(before.reserved(self.reserve) + pools);
        let bytes = before.withheld.min(room);
        // One that has nothing to send with gets it sooner. One of which nothing waits to be
        // written gets all there is, because nothing else will remind us of it.
        let worthwhile = if before.outstanding == 0 {
            self.reserve.div_ceil(2)
        } else {
            self.config.worthwhile_credit.min(max_credit / 4)
        };
        if before.queued > 0 && bytes < worthwhile.into() {
            return 0;
        }
        let bytes = u32::try_from(bytes).expect("it is at most max_credit");
        flow.withheld -= u64::from(bytes);
        flow.outstanding += bytes;
        self.change(receiver, &before, flow);
        bytes
    }

    /// A frame of a direction waits to be written: so many bytes of its credit.
    pub(super) fn push(
        &mut self,
        receiver: MemberId,
        id: ChannelId,
        flow: &mut Flow,
        payload: u32,
    ) {
        let before = *flow;
        flow.outstanding -= payload;
        flow.queued += u64::from(payload);
        flow.frames += 1;
        self.change(receiver, &before, flow);
        let client = client(&mut self.receivers, receiver);
        client.queue.push(id, payload);
        group(&mut self.sources, client.source).frames += 1;
        self.all.frames += 1;
    }

    /// Whether a direction that had so many frames waiting, before the last, has its share of
    /// those that may wait for the receiver, or the receiver's source has its own.
    pub(super) fn is_crowded(&self, receiver: MemberId, frames: usize) -> bool {
        let client = &self.receivers[&receiver];
        let group = &self.sources[&client.source];
        let here = self.config.max_queued_frames;
        let everywhere = self.config.max_queued_frames_everywhere;
        // Without the frame that was just queued.
        !share::allows(frames, client.queue.frames() - 1, here)
            || !share::allows(group.frames - 1, self.all.frames - 1, everywhere)
    }

    /// So many more bytes of frames were written to a client's socket: take what is through
    /// with [`Transit::pop`].
    pub(super) fn written(&mut self, receiver: MemberId, bytes: u64) {
        client(&mut self.receivers, receiver).queue.written(bytes);
    }

    /// The channel and the payload of the next frame that is through.
    pub(super) fn pop(&mut self, receiver: MemberId) -> Option<(ChannelId, u64)> {
        let client = client(&mut self.receivers, receiver);
        let popped = client.queue.pop()?;
        group(&mut self.sources, client.source).frames -= 1;
        self.all.frames -= 1;
        Some(popped)
    }

    /// A frame with this payload is through; `flow` is its direction, if that is still there.
    pub(super) fn settle(&mut self, receiver: MemberId, flow: Option<&mut Flow>, payload: u64) {
        match flow.filter(|flow| flow.queued >= payload && flow.frames > 0) {
            Some(flow) => {
                let before = *flow;
                flow.queued -= payload;
                flow.frames -= 1;
                self.change(receiver, &before, flow);
            }
            // The channel is gone.
            None => self.each_budget(receiver, |budget| budget.forget(payload)),
        }
    }

    /// A direction is gone.
    pub(super) fn orphan(&mut self, receiver: MemberId, flow: &Flow) {
        let reserve = self.reserve;
        self.each_budget(receiver, |budget| budget.orphan(reserve, flow));
    }

    /// Fills in what it knows.
    pub(super) fn count(&self, stats: &mut HubStats) {
        stats.queued_bytes = self.all.budget.queued;
        stats.queued_frames = self.all.frames;
        stats.credit_bytes = self.all.budget.outstanding;
    }

    /// Bytes that are on their way to a client, or may be sent at any moment.
    #[cfg(test)]
    pub(super) fn load(&self, receiver: MemberId) -> u64 {
        let budget = &self.receivers[&receiver].budget;
        budget.queued + budget.outstanding
    }

    /// Bytes that may be queued or on credit, for one client and for all.
    fn limits(&self) -> (u64, u64) {
        (
            self.config.max_inflight_per_connection,
            self.config.max_inflight,
        )
    }

    fn change(&mut self, receiver: MemberId, before: &Flow, after: &Flow) {
        let reserve = self.reserve;
        self.each_budget(receiver, |budget| budget.change(reserve, before, after));
    }

    /// The budgets that bytes towards a client count in: its own, its source's, and that of
    /// all.
    fn each_budget(&mut self, receiver: MemberId, mut f: impl FnMut(&mut Budget)) {
        let client = client(&mut self.receivers, receiver);
        f(&mut client.budget);
        f(&mut group(&mut self.sources, client.source).budget);
        f(&mut self.all.budget);
    }
}

fn client(receivers: &mut BTreeMap<MemberId, Receiver>, member: MemberId) -> &mut Receiver {
    receivers
        .get_mut(&member)
        .expect("bytes go to clients that are there")
}

fn group(sources: &mut BTreeMap<Source, Group>, source: Source) -> &mut Group {
    sources
        .get_mut(&source)
        .expect("a source with clients is counted")
}
