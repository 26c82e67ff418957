//! What will happen, in order of time; what happens at the same time, in the order in
//! which it was scheduled.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use swarm_core::time::Time;

/// Virtual time since the start.
pub(crate) type Nanos = u64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Schedule<E> {
    /// Small entries that refer to `events`, because a heap moves its entries about.
    heap: BinaryHeap<Reverse<(Nanos, u64, usize)>>,
    events: Vec<Option<E>>,
    free: Vec<usize>,
    sequence: u64,
}

impl<E> Default for Schedule<E> {
    fn default() -> Self {
        Schedule {
            heap: BinaryHeap::new(),
            events: Vec::new(),
            free: Vec::new(),
            sequence: 0,
        }
    }
}

impl<E> Schedule<E> {
    pub(crate) fn push(&mut self, at: Nanos, event: E) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.events.push(None);
            self.events.len() - 1
        });
        self.events[slot] = Some(event);
        self.sequence += 1;
        self.heap.push(Reverse((at, self.sequence, slot)));
    }

    pub(crate) fn next_time(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<(Nanos, E)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        self.free.push(slot);
        let event = self.events[slot].take();
        Some((at, event.expect("an entry of the heap has its event")))
    }
}

pub(crate) fn nanos(seconds: f64) -> Nanos {
    (seconds * 1e9).round() as Nanos
}

pub(crate) fn seconds(time: Nanos) -> f64 {
    time as f64 / 1e9
}

pub(crate) fn time(nanos: Nanos) -> Time {
    Time::from_epoch(Duration::from_nanos(nanos))
}
