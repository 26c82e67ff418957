//! The WebSocket to the tracker. It reconnects by itself, forever.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use swarm_core::node::WebTorrentInput;
use swarm_core::rng::Rng;
use swarm_core::wire::relay::ServerMessage;
use swarm_core::wire::webtorrent::ClientMessage;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::address::{TrackerAddress, Trackers};
use crate::backlog::Backlog;

mod call;
mod language;
mod turns;

use call::{OVERHEAD, stay_connected};
use language::Manner;

/// Messages that came and were not handled yet; beyond it the socket is not read.
const INCOMING: usize = 16;

/// What the link reports.
#[derive(Debug)]
pub enum LinkEvent {
    /// Connected.
    Up,
    /// The tracker sent a message.
    Message(ServerMessage),
    /// This many bytes of what it was given were written to the socket.
    Sent(usize),
    /// Connected to a tracker of WebTorrent's kind, or it said something.
    WebTorrent(WebTorrentInput),
    /// Not connected, or not any more; the next attempt follows.
    Down,
}

/// How the link is, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// The first attempt is under way.
    Connecting,
    /// Connected.
    Up,
    /// Not connected.
    Down {
        /// Why, in words.
        reason: String,
        /// When it is tried again.
        retry_at: Instant,
    },
}

enum Report {
    Up {
        /// Which of the trackers it is, and how it is spoken to.
        place: usize,
        manner: Manner,
        outgoing: mpsc::UnboundedSender<Message>,
        backlog: Arc<Backlog>,
    },
    Message(ServerMessage),
    WebTorrent(WebTorrentInput),
    Sent(usize),
    Down {
        reason: String,
        retry_at: Instant,
    },
}

/// See the module. Must be made within a Tokio runtime.
#[derive(Debug)]
pub struct Link {
    trackers: Trackers,
    /// The one it is connected to, and how it is spoken to.
    place: Option<(usize, Manner)>,
    reports: mpsc::Receiver<Report>,
    /// There while connected. Unbounded, because the engine bounds what it sends, and
    /// nothing is read that wants an answer while much waits.
    outgoing: Option<(mpsc::UnboundedSender<Message>, Arc<Backlog>)>,
    status: LinkStatus,
    /// Trackers of WebTorrent's kind are spoken to as such.
    webtorrent: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Link {
    /// Begins to connect to the first of these trackers that is there. `rng` spreads
    /// attempts, so that a tracker that comes back is not met by everybody at once.
    pub fn new(trackers: impl Into<Trackers>, rng: Rng) -> Self {
        let trackers = trackers.into();
        let (sender, reports) = mpsc::channel(INCOMING);
        let webtorrent = Arc::new(AtomicBool::new(false));
        let may = Arc::clone(&webtorrent);
        let task = stay_connected(trackers.clone(), rng, sender, may);
        let task = tokio::spawn(task);
        Link {
            trackers,
            place: None,
            reports,
            outgoing: None,
            status: LinkStatus::Connecting,
            webtorrent,
            task,
        }
    }

    /// Speaks WebTorrent's protocol from now on with trackers that don't know ours.
    pub fn speak_webtorrent(&self) {
        self.webtorrent.store(true, Ordering::Relaxed);
    }

    /// The next report. Dropping the future loses nothing.
    pub async fn next(&mut self) -> LinkEvent {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`Link::next`], for whoever waits for several.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        let report = ready!(self.reports.poll_recv(context));
        Poll::Ready(self.hear(report.expect("the task lives as long as the link")))
    }

    fn hear(&mut self, report: Report) -> LinkEvent {
        match report {
            Report::Up {
                place,
                manner,
                outgoing,
                backlog,
            } => {
                self.place = Some((place, manner));
                self.outgoing = Some((outgoing, backlog));
                self.status = LinkStatus::Up;
                match manner {
                    Manner::Ours => LinkEvent::Up,
                    Manner::WebTorrent => LinkEvent::WebTorrent(WebTorrentInput::Up),
                }
            }
            Report::Message(message) => LinkEvent::Message(message),
            Report::WebTorrent(input) => LinkEvent::WebTorrent(input),
            Report::Sent(bytes) => LinkEvent::Sent(bytes),
            Report::Down { reason, retry_at } => {
                self.place = None;
                self.outgoing = None;
                self.status = LinkStatus::Down { reason, retry_at };
                LinkEvent::Down
            }
        }
    }

    /// Sends a message; without a connection it is lost, as it would be a moment later.
    pub fn send(&mut self, message: Bytes) {
        self.say(Message::Binary(message));
    }

    /// The same to a tracker of WebTorrent's kind.
    pub fn send_webtorrent(&mut self, message: &ClientMessage) {
        self.say(Message::text(webtorrent_json::encode_client(message)));
    }

    fn say(&mut self, message: Message) {
        if let Some((outgoing, backlog)) = &self.outgoing {
            backlog.add(message.len() + OVERHEAD);
            let _ = outgoing.send(message);
        }
    }

    /// Gives the connection up; the next attempt follows.
    pub fn reconnect(&mut self) {
        self.outgoing = None;
    }

    /// Those that it may be connected to.
    pub(crate) fn trackers(&self) -> &Trackers {
        &self.trackers
    }

    /// The one that it is connected to.
    pub(crate) fn address(&self) -> Option<&TrackerAddress> {
        let (place, _) = self.place?;
        self.trackers.as_slice().get(place)
    }

    /// It is connected to a tracker of WebTorrent's kind.
    pub(crate) fn is_webtorrent(&self) -> bool {
        matches!(self.place, Some((_, Manner::WebTorrent)))
    }

    /// How the link is.
    pub fn status(&self) -> &LinkStatus {
        &self.status
    }

    /// Sends what was queued and says goodbye, for at most `patience`.
    pub async fn close(self, patience: Duration) {
        let Link {
            reports,
            outgoing,
            mut task,
            ..
        } = self;
        let connected = outgoing.is_some();
        drop((reports, outgoing));
        if !connected || timeout(patience, &mut task).await.is_err() {
            task.abort();
        }
    }
}
