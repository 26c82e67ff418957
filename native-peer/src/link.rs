//! The WebSocket to the tracker. It reconnects by itself, forever.

use std::io::ErrorKind;
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

use crate::address::TrackerAddress;
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
    Up(mpsc::UnboundedSender<Bytes>),
    Message(ServerMessage),
    Sent(usize),
    Down { reason: String, retry_at: Instant },
}

/// See the module. Must be made within a Tokio runtime.
#[derive(Debug)]
pub struct Link {
    reports: mpsc::Receiver<Report>,
    /// There while connected. Unbounded, because the engine bounds what it sends.
    outgoing: Option<mpsc::UnboundedSender<Bytes>>,
    status: LinkStatus,
    task: JoinHandle<()>,
}

impl Link {
    /// Begins to connect. `rng` spreads attempts, so that a tracker that comes back is not
    /// met by everybody at once.
    pub fn new(address: TrackerAddress, rng: Rng) -> Self {
        let (sender, reports) = mpsc::channel(INCOMING);
        let task = tokio::spawn(stay_connected(address, Backoff::new(rng), sender));
        Link {
            reports,
            outgoing: None,
            status: LinkStatus::Connecting,
            task,
        }
    }

    /// The next report. Dropping the future loses nothing.
    pub async fn next(&mut self) -> LinkEvent {
        let report = self
            .reports
            .recv()
            .await
            .expect("the task lives as long as the link");
        match report {
            Report::Up(outgoing) => {
                self.outgoing = Some(outgoing);
                self.status = LinkStatus::Up;
                LinkEvent::Up
            }
            Report::Message(message) => LinkEvent::Message(message),
            Report::Sent(bytes) => LinkEvent::Sent(bytes),
            Report::Down { reason, retry_at } => {
                self.outgoing = None;
                self.status = LinkStatus::Down { reason, retry_at };
                LinkEvent::Down
            }
        }
    }

    /// Sends a message; without a connection it is lost, as it would be a moment later.
    pub fn send(&mut self, message: Bytes) {
        if let Some(outgoing) = &self.outgoing {
            let _ = outgoing.send(message);
        }
    }

    /// Gives the connection up; the next attempt follows.
    pub fn reconnect(&mut self) {
        self.outgoing = None;
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

/// Connects again and again, until nobody listens.
async fn stay_connected(
    address: TrackerAddress,
    mut backoff: Backoff,
    reports: mpsc::Sender<Report>,
) {
    loop {
        let reason = match timeout(CONNECT_TIMEOUT, connect(&address)).await {
            Ok(Ok(socket)) => talk(socket, &reports, &mut backoff).await,
            Ok(Err(error)) => in_words(&error),
            Err(_) => "it does not answer".to_owned(),
        };
        let retry_at = Instant::now() + backoff.next_delay();
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
        .max_frame_size(Some(MAX_MESSAGE));
    let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

/// One connection, until it ends; says why.
async fn talk(socket: Socket, reports: &mpsc::Sender<Report>, backoff: &mut Backoff) -> String {
    let (sender, outgoing) = mpsc::unbounded_channel();
    if reports.send(Report::Up(sender)).await.is_err() {
        return String::new();
    }
    let (sink, stream) = socket.split();
    // One task for both directions, but neither waits for the other.
    tokio::select! {
        reason = receive(stream, reports, backoff) => reason,
        result = transmit(sink, outgoing, reports) => match result {
            Ok(()) => "closed".to_owned(),
            Err(error) => in_words(&error),
        },
    }
}

async fn receive(
    mut stream: SplitStream<Socket>,
    reports: &mpsc::Sender<Report>,
    backoff: &mut Backoff,
) -> String {
    loop {
        let message = match timeout(SILENCE, stream.next()).await {
            Err(_) => return "it fell silent".to_owned(),
            Ok(None) => return "the connection was closed".to_owned(),
            Ok(Some(Err(error))) => return in_words(&error),
            Ok(Some(Ok(message))) => message,
        };
        match message {
            Message::Binary(bytes) => match ServerMessage::decode(bytes) {
                Ok(message) => {
                    if matches!(message, ServerMessage::Welcome(_)) {
                        backoff.reset();
                    }
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
) -> Result<(), SocketError> {
    let mut batch = Vec::new();
    loop {
        match timeout(PING_AFTER, outgoing.recv_many(&mut batch, 64)).await {
            Err(_) => sink.send(Message::Ping(Bytes::new())).await?,
            Ok(0) => return sink.close().await,
            Ok(_) => {
                let bytes = batch.iter().map(Bytes::len).sum();
                for message in batch.drain(..) {
                    sink.feed(Message::Binary(message)).await?;
                }
                sink.flush().await?;
                // A host that is closing does not listen any more, but is to be served.
                let _ = reports.send(Report::Sent(bytes)).await;
            }
        }
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
