//! One connection after the other, and what is said in each.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use swarm_core::net::Backoff;
use swarm_core::node::WebTorrentInput;
use swarm_core::rng::Rng;
use swarm_core::wire::relay::{MAX_MESSAGE, SUBPROTOCOL, ServerMessage, frame};
use swarm_core::wire::webtorrent::MessageLimits;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::Report;
use super::language::{self, Language, Manner};
use super::turns::Turns;
use crate::address::{TrackerAddress, Trackers};
use crate::backlog::Backlog;
use crate::text::plain;

/// An attempt to connect that takes longer has failed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// After this long without anything to send, a ping asks whether the tracker is there.
const PING_AFTER: Duration = Duration::from_secs(30);
/// A tracker that says nothing for this long, pings and all, is gone.
const SILENCE: Duration = Duration::from_secs(90);
/// How long one that does not read is given to take our goodbye.
const GOODBYE: Duration = Duration::from_secs(5);
/// Bytes that wait for the tracker to take them; beyond it the socket is not read either:
/// what comes may want an answer. Several times what the engine lets wait of its own accord
/// (`link_budget`, at most 2 MiB).
const BACKLOG: usize = 8 << 20;
/// What a message takes beside its bytes, roughly.
pub(super) const OVERHEAD: usize = 128;
/// Bytes that are gathered into one write, as the library does by default.
const WRITE_BUFFER: usize = 128 << 10;
/// What waits in the socket at most: one of our messages, and what is gathered. Answers to
/// pings beyond it replace each other.
const MAX_WRITE_BUFFER: usize = MAX_MESSAGE + 2 * WRITE_BUFFER;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects again and again, until nobody listens. Of several trackers (BEP 12) the next is
/// tried at once when one is not there; all in vain, after a while. One that was there is the
/// first to be tried again.
pub(super) async fn stay_connected(
    trackers: Trackers,
    mut rng: Rng,
    reports: mpsc::Sender<Report>,
    webtorrent: Arc<AtomicBool>,
) {
    let trackers = trackers.as_slice();
    let mut languages = vec![Language::Unknown; trackers.len()];
    let mut backoff = Backoff::default();
    let (mut current, mut in_vain) = (0, 0);
    loop {
        let address = &trackers[current];
        let mut call = Call {
            place: current,
            manner: languages[current].manner(),
            may_be_foreign: languages[current] == Language::Unknown
                && webtorrent.load(Ordering::Relaxed),
            reports: &reports,
            welcomed: None,
            foreign: false,
        };
        let mut reason = match timeout(CONNECT_TIMEOUT, connect(address, call.manner)).await {
            Ok(Ok(socket)) => call.talk(socket).await,
            Ok(Err(error)) => {
                call.foreign = language::is_foreign(&error);
                in_words(&error)
            }
            Err(_) => "it does not answer".to_owned(),
        };
        if trackers.len() > 1 {
            reason = format!("{address}: {reason}");
        }
        let Call {
            may_be_foreign,
            welcomed,
            foreign,
            ..
        } = call;
        let is_foreign = may_be_foreign && foreign;
        languages[current] = languages[current].after(welcomed.is_some(), is_foreign);
        if let Some(welcomed) = welcomed {
            backoff.worked_for(welcomed.elapsed());
            in_vain = 0;
        } else if !is_foreign {
            current = (current + 1) % trackers.len();
            in_vain += 1;
        }
        let mut retry_at = Instant::now();
        if welcomed.is_some() || !is_foreign && in_vain % trackers.len() == 0 {
            retry_at += backoff.next_delay(rng.unit());
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

async fn connect(address: &TrackerAddress, manner: Manner) -> Result<Socket, SocketError> {
    if address.as_str().starts_with("wss:") {
        // Fails when it is chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut request = address.as_str().into_client_request()?;
    if manner == Manner::Ours {
        request.headers_mut().insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER);
    let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

/// One connection, and what is learned of who is there.
struct Call<'a> {
    place: usize,
    manner: Manner,
    /// It never spoke to us, and may be a tracker of WebTorrent's kind.
    may_be_foreign: bool,
    reports: &'a mpsc::Sender<Report>,
    /// Since when it speaks as it was expected to.
    welcomed: Option<Instant>,
    /// Somebody is there, and does not speak our language.
    foreign: bool,
}

impl Call<'_> {
    /// Talks until it ends; says why.
    async fn talk(&mut self, socket: Socket) -> String {
        let (sender, outgoing) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::new(BACKLOG));
        let up = Report::Up {
            place: self.place,
            manner: self.manner,
            outgoing: sender,
            backlog: backlog.clone(),
        };
        let reports = self.reports;
        if reports.send(up).await.is_err() {
            return String::new();
        }
        let (sink, stream) = socket.split();
        // One task for both directions, but neither waits for the other.
        tokio::select! {
            reason = self.receive(stream, &backlog) => reason,
            result = transmit(sink, outgoing, reports, &backlog) => match result {
                Ok(()) => "closed".to_owned(),
                Err(error) => in_words(&error),
            },
        }
    }

    async fn receive(&mut self, mut stream: SplitStream<Socket>, backlog: &Backlog) -> String {
        let mut turns = Turns::new();
        loop {
            if timeout(SILENCE, backlog.room()).await.is_err() {
                return "it takes nothing of what it is sent".to_owned();
            }
            let patience = match self.may_be_foreign && self.welcomed.is_none() {
                true => language::SPEAKS_WITHIN,
                false => SILENCE,
            };
            let message = match timeout(patience, stream.next()).await {
                Err(_) => {
                    self.foreign = self.welcomed.is_none();
                    return "it fell silent".to_owned();
                }
                Ok(None) => return "the connection was closed".to_owned(),
                Ok(Some(Err(error))) => return in_words(&error),
                Ok(Some(Ok(message))) => message,
            };
            if !is_data(&message)
                && let Some(until) = turns.take(Instant::now(), message.len())
            {
                sleep_until(until).await;
            }
            let report = match (message, self.manner) {
                (Message::Binary(bytes), Manner::Ours) => match ServerMessage::decode(bytes) {
                    Ok(message) => {
                        if matches!(message, ServerMessage::Welcome(_)) {
                            self.welcomed.get_or_insert_with(Instant::now);
                        }
                        Report::Message(message)
                    }
                    Err(error) => {
                        self.foreign = true;
                        return format!("it does not speak Tabswarm's protocol: {error}");
                    }
                },
                (Message::Text(_), Manner::Ours) => {
                    self.foreign = true;
                    return "it does not speak Tabswarm's protocol".to_owned();
                }
                (Message::Text(text), Manner::WebTorrent) => {
                    let message = webtorrent_json::decode_server(&text, &MessageLimits::default());
                    // Trackers say more than we know of.
                    let Ok(message) = message else {
                        continue;
                    };
                    self.welcomed.get_or_insert_with(Instant::now);
                    Report::WebTorrent(WebTorrentInput::Message(message))
                }
                (Message::Close(Some(frame)), _) if !frame.reason.is_empty() => {
                    return format!("it closed the connection: {}", frame.reason);
                }
                (Message::Close(_), _) => return "it closed the connection".to_owned(),
                _ => continue,
            };
            if self.reports.send(report).await.is_err() {
                // The host is closing: what is queued may still go out.
                return std::future::pending().await;
            }
        }
    }
}

/// It is for a channel, and not of the tracker itself.
fn is_data(message: &Message) -> bool {
    matches!(message, Message::Binary(bytes) if bytes.first() == Some(&frame::DATA))
}

/// Writes until the host drops its end, then closes.
async fn transmit(
    mut sink: SplitSink<Socket, Message>,
    mut outgoing: mpsc::UnboundedReceiver<Message>,
    reports: &mpsc::Sender<Report>,
    backlog: &Backlog,
) -> Result<(), SocketError> {
    let mut batch = Vec::new();
    loop {
        match timeout(PING_AFTER, outgoing.recv_many(&mut batch, 64)).await {
            Err(_) => sink.send(Message::Ping(Bytes::new())).await?,
            Ok(0) => return timeout(GOODBYE, sink.close()).await.unwrap_or(Ok(())),
            Ok(count) => {
                let bytes: usize = batch.iter().map(Message::len).sum();
                for message in batch.drain(..) {
                    put(&mut sink, message).await?;
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
        SocketError::Http(response) => match response.status().as_u16() {
            busy @ (429 | 503) => format!("it is too busy (HTTP {busy})"),
            status => format!("no tracker is there, only a web server (HTTP {status})"),
        },
        SocketError::Io(error) if error.kind() == ErrorKind::InvalidData => {
            format!("no encrypted connection is possible: {error}")
        }
        SocketError::Io(error) => error.to_string(),
        SocketError::Protocol(error) => error.to_string(),
        error => error.to_string(),
    }
}
