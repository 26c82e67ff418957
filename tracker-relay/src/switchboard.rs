//! The hub behind a lock, and what waits to be sent to each client.
//!
//! Messages go from the hub into the outboxes under the same lock, so that every client
//! gets them in the hub's order. The lock is held for map look-ups only: messages are
//! decoded before and encoded after. Nobody holds it for more than a few messages at a time,
//! and whoever used more of the hub's time than its share is told to wait ([`Turn`]).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use swarm_core::hub::{
    ClientOutbox, ConnId, Hub, HubConfig, HubInput, HubOutput, HubStats, Reading, Source,
    TrackerQuestion, TrackerReply, Visit,
};
use swarm_core::time::Time;
use swarm_core::wire::relay::ClientMessage;
use swarm_core::wire::webtorrent;
use tokio_util::sync::CancellationToken;

pub(crate) use outgoing::Outgoing;

mod outgoing;

/// Messages that the hub handles before others have their turn.
const MESSAGES_PER_TURN: usize = 128;

/// Bytes, about, that a client's task takes from its outbox at once. What is there still can
/// be merged with what comes.
const TAKEN_AT_ONCE: usize = 64 << 10;

/// See the module.
#[derive(Debug)]
pub(crate) struct Switchboard {
    started: Instant,
    /// Bytes of answers that may wait for a client before it is not listened to.
    max_answers: usize,
    /// Bytes of WebRTC offers and answers that may.
    max_signals: usize,
    state: Mutex<State>,
    broken: CancellationToken,
}

#[derive(Debug)]
struct State {
    hub: Hub,
    clients: HashMap<ConnId, Client>,
    next: u64,
    /// The answer to whoever asks just now.
    reply: Option<TrackerReply>,
}

/// What waits for one client.
#[derive(Debug)]
struct Client {
    outbox: ClientOutbox,
    /// The connection is to be closed, for this reason.
    closing: Option<String>,
    waker: Option<Waker>,
    /// Whether what waits may wait until other clients had their turn: what they say meanwhile
    /// leaves in the same write.
    gathers: bool,
    /// They had it, since something began to wait.
    gathered: bool,
}

/// What is left for a client after its task has taken something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing; the task will be woken when there is something.
    Nothing,
    /// Maybe more.
    More,
}

/// What a client's task is to do after it handed messages over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Read on.
    Read,
    /// Let others have their turn, then hand over what is left.
    Yield,
    /// Wait so long, then hand over what is left: the client used more of the hub's time than
    /// its share.
    Wait(Duration),
    /// Hand over what is left when the client has taken some of its answers.
    Write,
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Ours.
    Tabswarm,
    /// That of WebTorrent's trackers.
    WebTorrent,
}

/// A message from a client.
#[derive(Debug)]
pub(crate) enum Spoken {
    Tabswarm(ClientMessage),
    WebTorrent(webtorrent::ClientMessage),
}

impl Switchboard {
    pub(crate) fn new(config: HubConfig, seed: u64, max_answers: usize) -> Self {
        let max_signals = config.max_signals;
        let state = State {
            hub: Hub::new(config, seed),
            clients: HashMap::new(),
            next: 0,
            reply: None,
        };
        Switchboard {
            started: Instant::now(),
            max_answers,
            max_signals,
            state: Mutex::new(state),
            broken: CancellationToken::new(),
        }
    }

    /// A client is here, and what it takes is charged to `source`; the number to call it by.
    pub(crate) fn connect(&self, source: Source, protocol: Protocol) -> ConnId {
        let (now, mut state) = self.lock();
        let conn = state.number();
        let client = Client {
            outbox: ClientOutbox::new(self.max_signals),
            closing: None,
            waker: None,
            gathers: protocol == Protocol::WebTorrent,
            gathered: false,
        };
        state.clients.insert(conn, client);
        state.handle(
            now,
            match protocol {
                Protocol::Tabswarm => HubInput::Connected(conn, source),
                Protocol::WebTorrent => HubInput::ConnectedWebTorrent(conn, source),
            },
        );
        conn
    }

    /// An ordinary client at this address asks.
    pub(crate) fn ask(&self, from: IpAddr, question: TrackerQuestion) -> TrackerReply {
        let (now, mut state) = self.lock();
        let conn = state.number();
        state.handle(now, HubInput::Asked(conn, from, question));
        state.reply.take().expect("who asks is answered at once")
    }

    /// A client made us work over HTTP: how long it is to wait, or when to try again if that is
    /// too long.
    pub(crate) fn visit(&self, source: Source, visit: Visit) -> Result<Duration, Duration> {
        let (now, mut state) = self.lock();
        state.hub.visit(now, source, visit)
    }

    /// The hub's time.
    pub(crate) fn now(&self) -> Time {
        Time::from_epoch(self.started.elapsed())
    }

    /// The client is gone.
    pub(crate) fn disconnect(&self, conn: ConnId) {
        let (now, mut state) = self.lock();
        state.clients.remove(&conn);
        state.handle(now, HubInput::Disconnected(conn));
    }

    /// The client sent these messages, and `reading` beside them since the last time. Takes
    /// those out that were handled.
    pub(crate) fn handle(
        &self,
        conn: ConnId,
        messages: &mut VecDeque<Spoken>,
        reading: Reading,
    ) -> Turn {
        let (now, mut state) = self.lock();
        state.handle(now, HubInput::Read(conn, reading));
        let mut turn = Turn::Yield;
        for _ in 0..MESSAGES_PER_TURN {
            if let Some(until) = state.hub.paused_until(now, conn) {
                turn = Turn::Wait(until.saturating_since(now));
                break;
            }
            let answers = state.clients.get(&conn).map_or(0, |c| c.outbox.answers());
            if answers > self.max_answers {
                turn = Turn::Write;
                break;
            }
            let Some(message) = messages.pop_front() else {
                turn = Turn::Read;
                break;
            };
            state.handle(now, message.into_input(conn));
        }
        turn
    }

    /// Reports `flushed` bytes of data as written to the client's socket, and takes
    /// what waits for the client; when nothing does, the task will be woken.
    /// An error is the reason to close the connection.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        conn: ConnId,
        flushed: u64,
        batch: &mut VecDeque<Outgoing>,
    ) -> Poll<Result<Left, String>> {
        let (now, mut state) = self.lock();
        if flushed > 0 {
            state.handle(now, HubInput::Written(conn, flushed));
        }
        let client = state
            .clients
            .get_mut(&conn)
            .expect("a connection has an outbox while it lives");
        if let Some(reason) = client.closing.take() {
            return Poll::Ready(Err(reason));
        }
        if client.gathers && !client.outbox.is_empty() {
            client.gathered = !client.gathered;
            if client.gathered {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let mut taken = 0;
        while taken < TAKEN_AT_ONCE
            && let Some(output) = client.outbox.pop()
        {
            let message = match output {
                HubOutput::Forward(frame) => Outgoing::Data(frame.into_message()),
                HubOutput::Send(message) => Outgoing::Control(message),
                HubOutput::WebTorrent(message) => Outgoing::WebTorrent(message),
                HubOutput::Reply(_) | HubOutput::Close { .. } => continue,
            };
            taken += message.size();
            batch.push_back(message);
        }
        let left = match client.outbox.is_empty() {
            true => Left::Nothing,
            false => Left::More,
        };
        if left == Left::Nothing {
            match &mut client.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        match batch.is_empty() {
            true => Poll::Pending,
            false => Poll::Ready(Ok(left)),
        }
    }

    /// An error is the reason to close the connection.
    pub(crate) fn check(&self, conn: ConnId) -> Result<(), String> {
        let (_, mut state) = self.lock();
        let closing = state
            .clients
            .get_mut(&conn)
            .and_then(|client| client.closing.take());
        closing.map_or(Ok(()), Err)
    }

    /// Does what is due by now.
    pub(crate) fn tick(&self) {
        let (now, mut state) = self.lock();
        if state.hub.poll_timeout().is_some_and(|due| due <= now) {
            state.handle(now, HubInput::Tick);
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
    fn lock(&self) -> (Time, Locked<'_>) {
        let state = self
            .state
            .lock()
            .expect("nobody is served any more once this panicked");
        let locked = Locked {
            state,
            broken: &self.broken,
        };
        (Time::from_epoch(self.started.elapsed()), locked)
    }
}

/// The state, and whoever panics while it has it says so: half of a change may have been made.
struct Locked<'a> {
    state: MutexGuard<'a, State>,
    broken: &'a CancellationToken,
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.broken.cancel();
        }
    }
}

impl Spoken {
    fn into_input(self, conn: ConnId) -> HubInput {
        match self {
            Spoken::Tabswarm(message) => HubInput::Message(conn, message),
            Spoken::WebTorrent(message) => HubInput::WebTorrent(conn, message),
        }
    }
}

impl State {
    fn number(&mut self) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        conn
    }

    /// Tells the hub, and every client what the hub says to that.
    fn handle(&mut self, now: Time, input: HubInput) {
        self.hub.handle(now, input);
        while let Some((conn, output)) = self.hub.poll_output() {
            if let HubOutput::Reply(reply) = output {
                self.reply = Some(reply);
                continue;
            }
            // None: it disconnected a moment ago.
            let Some(client) = self.clients.get_mut(&conn) else {
                continue;
            };
            if let HubOutput::Close { reason } = output {
                client.outbox.clear();
                client.closing = Some(reason);
            } else {
                client.outbox.push(output);
            }
            if let Some(waker) = client.waker.take() {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_under_the_lock_is_noticed() {
        let switchboard = Switchboard::new(HubConfig::default(), 0, 1);
        std::thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                let _held = switchboard.lock();
                panic!("as if the hub had");
            });
            assert!(panicking.join().is_err());
        });
        switchboard.broken().await;
    }
}
