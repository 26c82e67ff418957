//! The WebSocket to the tracker. It reconnects by itself, forever.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use swarm_core::rng::Rng;
use swarm_core::wire::relay::{MAX_MESSAGE, SUBPROTOCOL, ServerMessage};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::address::{TrackerAddress, Trackers};
use crate::backlog::Backlog;
use crate::text::plain;

pub mod backoff;

use backoff::Backoff;

/// An attempt to connect that takes longer has failed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// After this long without anything to send, a ping asks whether the tracker is there.
const PING_AFTER: Duration = Duration::from_secs(30);
/// A tracker that says nothing for this long, pings and all, is gone.
const SILENCE: Duration = Duration::from_secs(90);
/// Messages that came and were not handled yet; beyond it the socket is not read.
const INCOMING: usize = 16;
/// Bytes that wait for the tracker to take them; beyond it the socket is not read either:
/// what comes may want an answer. Several times what the engine lets wait of its own accord
/// (`link_budget`, at most 2 MiB).
const BACKLOG: usize = 8 << 20;
/// What a message takes beside its bytes, roughly.
const OVERHEAD: usize = 128;
/// Bytes that are gathered into one write, as the library does by default.
const WRITE_BUFFER: usize = 128 << 10;
/// What waits in the socket at most: one of our messages, and what is gathered. Answers to
/// pings beyond it replace each other.
const MAX_WRITE_BUFFER: usize = MAX_MESSAGE + 2 * WRITE_BUFFER;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the link reports.
#[derive(Debug)]
pub enum LinkEvent {
    /// Connected.
    Up,
    /// The tracker sent a message.
    Message(ServerMessage),
    /// This many bytes of [`Link::send`]'s messages were written to the socket.
    Sent(usize),
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
        /// Which of the trackers it is.
        place: usize,
        outgoing: mpsc::UnboundedSender<Bytes>,
        backlog: Arc<Backlog>,
    },
    Message(ServerMessage),
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
    /// The one it is connected to.
    place: Option<usize>,
    reports: mpsc::Receiver<Report>,
    /// There while connected. Unbounded, because the engine bounds what it sends, and
    /// nothing is read that wants an answer while much waits.
    outgoing: Option<(mpsc::UnboundedSender<Bytes>, Arc<Backlog>)>,
    status: LinkStatus,
    task: JoinHandle<()>,
}

impl Link {
    /// Begins to connect to the first of these trackers that is there. `rng` spreads
    /// attempts, so that a tracker that comes back is not met by everybody at once.
    pub fn new(trackers: impl Into<Trackers>, rng: Rng) -> Self {
        let trackers = trackers.into();
        let (sender, reports) = mpsc::channel(INCOMING);
        let task = stay_connected(trackers.clone(), Backoff::new(rng), sender);
        let task = tokio::spawn(task);
        Link {
            trackers,
            place: None,
            reports,
            outgoing: None,
            status: LinkStatus::Connecting,
            task,
        }
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
                outgoing,
                backlog,
            } => {
                self.place = Some(place);
                self.outgoing = Some((outgoing, backlog));
                self.status = LinkStatus::Up;
                LinkEvent::Up
            }
            Report::Message(message) => LinkEvent::Message(message),
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
        self.trackers.as_slice().get(self.place?)
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

/// Connects again and again, until nobody listens. Of several trackers (BEP 12) the next is
/// tried at once when one is not there; all in vain, after a while. One that was there is the
/// first to be tried again.
async fn stay_connected(trackers: Trackers, mut backoff: Backoff, reports: mpsc::Sender<Report>) {
    let trackers = trackers.as_slice();
    let (mut current, mut in_vain) = (0, 0);
    loop {
        let address = &trackers[current];
        let mut welcomed = false;
        let mut reason = match timeout(CONNECT_TIMEOUT, connect(address)).await {
            Ok(Ok(socket)) => talk(socket, current, &reports, &mut welcomed).await,
            Ok(Err(error)) => in_words(&error),
            Err(_) => "it does not answer".to_owned(),
        };
        if trackers.len() > 1 {
            reason = format!("{address}: {reason}");
        }
        if welcomed {
            backoff.reset();
            in_vain = 0;
        } else {
            current = (current + 1) % trackers.len();
            in_vain += 1;
        }
        let mut retry_at = Instant::now();
        if welcomed || in_vain % trackers.len() == 0 {
            retry_at += backoff.next_delay();
        }
        let report = Report::Down {
            reason: plain(&reason),
            retry_at,
        };
        if reports.send(report).await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(retry_at - Instant::now()) => {}
            () = reports.closed() => return,
        }
    }
}

async fn connect(address: &TrackerAddress) -> Result<Socket, SocketError> {
    if address.as_str().starts_with("wss:") {
        // Fails when it is chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut request = address.as_str().into_client_request()?;
    request.headers_mut().insert(
        SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(SUBPROTOCOL),
    );
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER);
    let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

/// One connection, until it ends; says why, and whether the tracker was one.
async fn talk(
    socket: Socket,
    place: usize,
    reports: &mpsc::Sender<Report>,
    welcomed: &mut bool,
) -> String {
    let (sender, outgoing) = mpsc::unbounded_channel();
    let backlog = Arc::new(Backlog::new(BACKLOG));
    let up = Report::Up {
        place,
        outgoing: sender,
        backlog: backlog.clone(),
    };
    if reports.send(up).await.is_err() {
        return String::new();
    }
    let (sink, stream) = socket.split();
    // One task for both directions, but neither waits for the other.
    tokio::select! {
        reason = receive(stream, reports, &backlog, welcomed) => reason,
        result = transmit(sink, outgoing, reports, &backlog) => match result {
            Ok(()) => "closed".to_owned(),
            Err(error) => in_words(&error),
        },
    }
}

async fn receive(
    mut stream: SplitStream<Socket>,
    reports: &mpsc::Sender<Report>,
    backlog: &Backlog,
    welcomed: &mut bool,
) -> String {
    loop {
        if timeout(SILENCE, backlog.room()).await.is_err() {
            return "it takes nothing of what it is sent".to_owned();
        }
        let message = match timeout(SILENCE, stream.next()).await {
            Err(_) => return "it fell silent".to_owned(),
            Ok(None) => return "the connection was closed".to_owned(),
            Ok(Some(Err(error))) => return in_words(&error),
            Ok(Some(Ok(message))) => message,
        };
        match message {
            Message::Binary(bytes) => match ServerMessage::decode(bytes) {
                Ok(message) => {
                    *welcomed |= matches!(message, ServerMessage::Welcome(_));
                    if reports.send(Report::Message(message)).await.is_err() {
                        // The host is closing: what is queued may still go out.
                        return std::future::pending().await;
                    }
                }
                Err(error) => return format!("it does not speak Tabswarm's protocol: {error}"),
            },
            Message::Text(_) => return "it does not speak Tabswarm's protocol".to_owned(),
            Message::Close(Some(frame)) if !frame.reason.is_empty() => {
                return format!("it closed the connection: {}", frame.reason);
            }
            Message::Close(_) => return "it closed the connection".to_owned(),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

/// Writes until the host drops its end, then closes.
async fn transmit(
    mut sink: SplitSink<Socket, Message>,
    mut outgoing: mpsc::UnboundedReceiver<Bytes>,
    reports: &mpsc::Sender<Report>,
    backlog: &Backlog,
) -> Result<(), SocketError> {
    let mut batch = Vec::new();
    loop {
        match timeout(PING_AFTER, outgoing.recv_many(&mut batch, 64)).await {
            Err(_) => sink.send(Message::Ping(Bytes::new())).await?,
            Ok(0) => return sink.close().await,
            Ok(count) => {
                let bytes: usize = batch.iter().map(Bytes::len).sum();
                for message in batch.drain(..) {
                    put(&mut sink, Message::Binary(message)).await?;
                }
                sink.flush().await?;
                backlog.remove(bytes + count * OVERHEAD);
                // A host that is closing does not listen any more, but is to be served.
                let _ = reports.send(Report::Sent(bytes)).await;
            }
        }
    }
}

/// Queues a message, once there is room for it between the answers to pings.
async fn put(
    sink: &mut SplitSink<Socket, Message>,
    mut message: Message,
) -> Result<(), SocketError> {
    loop {
        match sink.feed(message).await {
            Err(SocketError::WriteBufferFull(again)) => message = *again,
            result => return result,
        }
        sink.flush().await?;
    }
}

fn in_words(error: &SocketError) -> String {
    match error {
        SocketError::Http(response) => {
            format!(
                "no tracker is there, only a web server (HTTP {})",
                response.status().as_u16()
            )
        }
        SocketError::Io(error) if error.kind() == ErrorKind::InvalidData => {
            format!("no encrypted connection is possible: {error}")
        }
        SocketError::Io(error) => error.to_string(),
        SocketError::Protocol(error) => error.to_string(),
        error => error.to_string(),
    }
}
