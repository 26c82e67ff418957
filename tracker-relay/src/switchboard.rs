//! The hub behind a lock, and what waits to be sent to each client.
//!
//! Messages go from the hub into the outboxes under the same lock, so that every client
//! gets them in the hub's order. The lock is held for map look-ups only: messages are
//! decoded before and encoded after.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use swarm_core::hub::{ConnId, Hub, HubConfig, HubOutput, HubStats, Source};
use swarm_core::time::Time;
use swarm_core::wire::relay::{ClientMessage, ServerMessage};
use tokio_util::sync::CancellationToken;

/// See the module.
#[derive(Debug)]
pub(crate) struct Switchboard {
    started: Instant,
    max_queued_messages: usize,
    state: Mutex<State>,
    broken: CancellationToken,
}

#[derive(Debug)]
struct State {
    hub: Hub,
    outboxes: HashMap<ConnId, Outbox>,
    next: u64,
}

/// What waits for one client.
#[derive(Debug, Default)]
struct Outbox {
    messages: VecDeque<Outgoing>,
    /// How many of them are control messages. Data is bounded by the hub's credit.
    control: usize,
    /// The connection is to be closed, for this reason.
    closing: Option<String>,
    waker: Option<Waker>,
}

/// A message to a client.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Not encoded yet.
    Control(ServerMessage),
    /// A data frame as it came.
    Data(Bytes),
}

impl Switchboard {
    pub(crate) fn new(config: HubConfig, seed: u64, max_queued_messages: usize) -> Self {
        let state = State {
            hub: Hub::new(config, seed),
            outboxes: HashMap::new(),
            next: 0,
        };
        Switchboard {
            started: Instant::now(),
            max_queued_messages,
            state: Mutex::new(state),
            broken: CancellationToken::new(),
        }
    }

    /// A client is here, and what it takes is charged to `source`; the number to call it by.
    pub(crate) fn connect(&self, source: Source) -> ConnId {
        let (now, mut state) = self.lock();
        let conn = ConnId(state.next);
        state.next += 1;
        state.outboxes.insert(conn, Outbox::default());
        state.hub.connect(now, conn, source);
        state.distribute(now, self.max_queued_messages);
        conn
    }

    /// The client is gone.
    pub(crate) fn disconnect(&self, conn: ConnId) {
        let (now, mut state) = self.lock();
        state.outboxes.remove(&conn);
        state.hub.disconnect(now, conn);
        state.distribute(now, self.max_queued_messages);
    }

    /// The client sent these messages.
    pub(crate) fn handle(&self, conn: ConnId, messages: impl Iterator<Item = ClientMessage>) {
        let (now, mut state) = self.lock();
        for message in messages {
            state.hub.handle(now, conn, message);
        }
        state.distribute(now, self.max_queued_messages);
    }

    /// Reports `flushed` bytes of data as written to the client's socket, and takes
    /// everything that waits for the client; when nothing does, the task will be woken.
    /// An error is the reason to close the connection.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        conn: ConnId,
        flushed: u64,
        batch: &mut VecDeque<Outgoing>,
    ) -> Poll<Result<(), String>> {
        let (now, mut state) = self.lock();
        if flushed > 0 {
            state.hub.flushed(now, conn, flushed);
            state.distribute(now, self.max_queued_messages);
        }
        let outbox = state
            .outboxes
            .get_mut(&conn)
            .expect("a connection has an outbox while it lives");
        if let Some(reason) = outbox.closing.take() {
            Poll::Ready(Err(reason))
        } else if outbox.messages.is_empty() {
            match &mut outbox.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            Poll::Pending
        } else {
            std::mem::swap(&mut outbox.messages, batch);
            outbox.control = 0;
            Poll::Ready(Ok(()))
        }
    }

    /// An error is the reason to close the connection.
    pub(crate) fn check(&self, conn: ConnId) -> Result<(), String> {
        let (_, mut state) = self.lock();
        let closing = state
            .outboxes
            .get_mut(&conn)
            .and_then(|outbox| outbox.closing.take());
        closing.map_or(Ok(()), Err)
    }

    /// Does what is due by now.
    pub(crate) fn tick(&self) {
        let (now, mut state) = self.lock();
        if state.hub.poll_timeout().is_some_and(|due| due <= now) {
            state.hub.handle_timeout(now);
            state.distribute(now, self.max_queued_messages);
        }
    }

    pub(crate) fn stats(&self) -> HubStats {
        self.lock().1.hub.stats()
    }

    /// Completes once something panicked while it held the lock.
    pub(crate) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Time is read under the lock, so that it never runs backwards for the hub.
    fn lock(&self) -> (Time, MutexGuard<'_, State>) {
        let state = self.state.lock().unwrap_or_else(|_| {
            // Half of a change may have been made. `tick` comes by every second.
            self.broken.cancel();
            panic!("the tracker and relay panicked before");
        });
        (Time::from_epoch(self.started.elapsed()), state)
    }
}

impl State {
    fn distribute(&mut self, now: Time, max_control: usize) {
        while let Some((conn, output)) = self.hub.poll_output() {
            // None: it disconnected a moment ago.
            let Some(outbox) = self.outboxes.get_mut(&conn) else {
                continue;
            };
            match output {
                HubOutput::Forward(message) => outbox.messages.push_back(Outgoing::Data(message)),
                HubOutput::Send(message) => {
                    outbox.messages.push_back(Outgoing::Control(message));
                    outbox.control += 1;
                    if outbox.control > max_control {
                        outbox.close("too many messages wait for it".to_owned());
                        self.hub.disconnect(now, conn);
                    }
                }
                HubOutput::Close { reason } => outbox.close(reason),
            }
            if let Some(waker) = outbox.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Outbox {
    fn close(&mut self, reason: String) {
        self.messages.clear();
        self.closing = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_under_the_lock_is_noticed_by_whoever_comes_next() {
        let switchboard = Switchboard::new(HubConfig::default(), 0, 1);
        std::thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                let _held = switchboard.lock();
                panic!("as if the hub had");
            });
            assert!(panicking.join().is_err());
            let next = scope.spawn(|| switchboard.tick());
            assert!(next.join().is_err());
        });
        switchboard.broken().await;
    }
}
