//! One WebSocket: carries messages between a client and the switchboard.
//!
//! Reading and writing go on independently in one task, so that a client that is slow
//! to read is still heard.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use swarm_core::hub::{ConnId, Reading, Source};
use swarm_core::wire::relay::{ClientMessage, MAX_MESSAGE};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::config::Config;
use crate::pace::Pace;
use crate::socket::Socket;
use crate::switchboard::{Outgoing, Switchboard, Turn};

/// Bytes of messages that are read before the hub hears of them: large enough to take
/// the lock seldom, small enough not to keep a receiver waiting.
const READ_BATCH: usize = 64 << 10;

/// What one system call reads at most. Each read clears this much memory first, and what
/// it reads beyond a message is copied once more, so more is not better.
const READ_BUFFER: usize = 64 << 10;

/// How many times its own size a waiting message may keep in memory.
const MAX_WASTE: usize = 8;

/// Small messages are gathered until there is this much to write.
const WRITE_BUFFER: usize = 64 << 10;

/// How often silence and progress are looked at, as a part of the shorter timeout.
const CHECKS_PER_TIMEOUT: u32 = 4;

/// What the WebSocket adds to a message: a header with its mask, at the least
/// (RFC 6455 §5.2).
const HEADER: u64 = 6;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest reason that fits into a close frame (RFC 6455 §5.5).
const MAX_CLOSE_REASON: usize = 123;

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// We close it, and say why.
    Close(CloseCode, String),
    /// The client closed it, or it broke.
    Gone(String),
}

/// Serves a client until either side has enough; what it takes is charged to `source`.
pub(crate) async fn run(
    stream: TcpStream,
    source: Source,
    already_read: Bytes,
    switchboard: Arc<Switchboard>,
    config: &Config,
    shutdown: CancellationToken,
) {
    let limits = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(usize::MAX)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let socket = Socket::new(stream);
    let socket = WebSocketStream::from_partially_read(
        socket,
        already_read.into(),
        Role::Server,
        Some(limits),
    )
    .await;
    let conn = switchboard.connect(source);
    let mut connection = Connection::new(socket, conn, switchboard, config);
    let end = tokio::select! {
        end = poll_fn(|cx| connection.poll(cx)) => end,
        () = shutdown.cancelled() => End::Close(CloseCode::Away, "the server is shutting down".to_owned()),
    };
    connection.switchboard.disconnect(conn);
    match end {
        End::Gone(why) => debug!(conn = conn.0, why, "a client left"),
        End::Close(code, reason) => {
            if code == CloseCode::Policy {
                info!(conn = conn.0, reason, "closing a client's connection");
            }
            // Whoever does not answer is dropped.
            let _ = tokio::time::timeout(
                CLOSE_TIMEOUT,
                say_goodbye(&mut connection.socket, code, reason),
            )
            .await;
        }
    }
}

async fn say_goodbye(socket: &mut WebSocketStream<Socket>, code: CloseCode, reason: String) {
    let cut = reason.floor_char_boundary(MAX_CLOSE_REASON);
    let frame = CloseFrame {
        code,
        reason: reason[..cut].into(),
    };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.next().await {}
    }
    // Dropping a socket with unread bytes resets it, and the client might never see why:
    // read on until it closes.
    let stream = socket.get_mut();
    if stream.shutdown().await.is_ok() {
        let _ = tokio::io::copy(stream, &mut tokio::io::sink()).await;
    }
}

struct Connection {
    socket: WebSocketStream<Socket>,
    conn: ConnId,
    switchboard: Arc<Switchboard>,
    inbox: VecDeque<ClientMessage>,
    /// What reading it cost, since the hub last heard of that.
    reading: Reading,
    pace: Pace,
    batch: VecDeque<Outgoing>,
    /// Bytes of the largest message that came.
    largest: usize,
    /// Bytes of data that the WebSocket holds and may not have written.
    fed: u64,
    /// Something was fed and not flushed.
    unflushed: bool,
    check: Interval,
    watch: Watch,
}

/// How long nothing has come, and how long nothing could be sent, in checks.
#[derive(Debug)]
struct Watch {
    silent: u32,
    ping_after: u32,
    stuck: u32,
    give_up_after: u32,
    written: u64,
}

impl Connection {
    fn new(
        socket: WebSocketStream<Socket>,
        conn: ConnId,
        switchboard: Arc<Switchboard>,
        config: &Config,
    ) -> Self {
        let shorter = config.ping_interval.min(config.write_timeout);
        let period = (shorter / CHECKS_PER_TIMEOUT).max(Duration::from_millis(10));
        let checks = |timeout: Duration| {
            u32::try_from(timeout.as_millis() / period.as_millis()).unwrap_or(u32::MAX)
        };
        let watch = Watch {
            silent: 0,
            ping_after: checks(config.ping_interval),
            stuck: 0,
            give_up_after: checks(config.write_timeout),
            written: 0,
        };
        let mut check = tokio::time::interval(period);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (inbox, batch) = (VecDeque::new(), VecDeque::new());
        Connection {
            socket,
            conn,
            switchboard,
            inbox,
            reading: Reading::default(),
            pace: Pace::default(),
            batch,
            largest: 0,
            fed: 0,
            unflushed: false,
            check,
            watch,
        }
    }

    /// Ready when the connection is to end.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.progress(cx) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    /// Does what can be done now; what can't be has registered the task's waker.
    fn progress(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while self.poll_check(cx)?.is_ready() {}
        self.write(cx)?;
        if self.poll_read(cx)?.is_ready() {
            // The receiver's task stands behind ours in this thread's queue: without a pause
            // we would read all that the sender may send before any of it is passed on.
            cx.waker().wake_by_ref();
        }
        Ok(())
    }

    /// Feeds what waits for the client, then flushes it all at once, until nothing waits
    /// or the socket takes no more.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            while !self.batch.is_empty() {
                if Pin::new(&mut self.socket).poll_ready(cx)?.is_pending() {
                    return Ok(());
                }
                let message = match self.batch.pop_front() {
                    Some(Outgoing::Control(message)) => message.encode(),
                    Some(Outgoing::Data(message)) => {
                        self.fed += message.len() as u64;
                        message
                    }
                    None => break,
                };
                self.feed(Message::Binary(message))?;
            }
            if self.unflushed && Pin::new(&mut self.socket).poll_flush(cx)?.is_pending() {
                return Ok(());
            }
            self.unflushed = false;
            let flushed = std::mem::take(&mut self.fed);
            match self
                .switchboard
                .poll_take(cx, self.conn, flushed, &mut self.batch)
            {
                Poll::Pending => return Ok(()),
                Poll::Ready(taken) => {
                    taken.map_err(|reason| End::Close(CloseCode::Policy, reason))?;
                }
            }
        }
    }

    fn feed(&mut self, message: Message) -> Result<(), End> {
        self.unflushed = true;
        Ok(Pin::new(&mut self.socket).start_send(message)?)
    }

    /// Reads what is there, up to a batch, and hands it to the hub. Ready if there was
    /// something.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, End> {
        if self.pace.poll_turn(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        if !self.inbox.is_empty() && self.hand_over(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        let mut bytes = 0;
        let mut end = None;
        while bytes < READ_BATCH && end.is_none() {
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Pending => break,
                Poll::Ready(next) => {
                    self.watch.silent = 0;
                    match understand(next, &mut self.largest) {
                        Ok(Some((length, message))) => {
                            bytes += length;
                            if !matches!(message, ClientMessage::Data(_)) {
                                self.reading.control += length as u64;
                            }
                            self.reading.framing += HEADER;
                            self.inbox.push_back(message);
                        }
                        // A ping counts too, or many of them would keep us here.
                        Ok(None) => {
                            bytes += 1;
                            self.reading.framing += HEADER;
                        }
                        Err(reason) => end = Some(reason),
                    }
                }
            }
        }
        let turn = self.hand_over(cx);
        let Some(end) = end else {
            return Ok(if bytes > 0 { turn } else { Poll::Pending });
        };
        // What it said before it left counts, as far as it may say so much.
        while !self.inbox.is_empty() && self.tell_hub() == Turn::Yield {}
        Err(end)
    }

    /// Gives the hub what was read. Ready when more may be read; else the task will be woken.
    fn hand_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let turn = self.tell_hub();
        self.pace.poll_next(cx, turn)
    }

    fn tell_hub(&mut self) -> Turn {
        let reading = std::mem::take(&mut self.reading);
        self.switchboard.handle(self.conn, &mut self.inbox, reading)
    }

    /// Pings a silent client, gives up on one that is gone.
    fn poll_check(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, End> {
        if self.check.poll_tick(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        // A socket that takes nothing keeps us from taking, and so from hearing of it.
        self.switchboard
            .check(self.conn)
            .map_err(|reason| End::Close(CloseCode::Policy, reason))?;
        let watch = &mut self.watch;
        let written = self.socket.get_ref().written();
        if !self.unflushed {
            (watch.silent, watch.stuck) = (watch.silent + 1, 0);
        } else if written == watch.written {
            watch.stuck += 1;
        } else {
            watch.stuck = 0;
        }
        watch.written = written;
        if watch.stuck >= watch.give_up_after {
            return Err(End::Gone("it takes nothing any more".to_owned()));
        }
        if watch.silent >= watch.ping_after.saturating_mul(3) {
            return Err(End::Gone("it says nothing any more".to_owned()));
        }
        let ping = watch.silent.is_multiple_of(watch.ping_after) && !self.unflushed;
        if ping {
            self.feed(Message::Ping(Bytes::new()))?;
        }
        Ok(Poll::Ready(()))
    }
}

type Received = Option<Result<Message, tungstenite::Error>>;

/// A message of the protocol and its length; none for the WebSocket's own. `largest` is
/// the length of the largest so far.
fn understand(
    received: Received,
    largest: &mut usize,
) -> Result<Option<(usize, ClientMessage)>, End> {
    let bad = |code, error: &dyn std::fmt::Display| End::Close(code, error.to_string());
    match received {
        None => Err(End::Gone("it closed the connection".to_owned())),
        Some(Err(error @ tungstenite::Error::Capacity(_))) => Err(bad(CloseCode::Size, &error)),
        Some(Err(error @ tungstenite::Error::Protocol(_))) => Err(bad(CloseCode::Protocol, &error)),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(Message::Binary(message))) => {
            let length = message.len();
            *largest = length.max(*largest);
            // A message shares the read buffer, which is as large as the largest message: a
            // small one that waits for a slow receiver must not keep all of that.
            let keeps = READ_BUFFER.max(*largest);
            let small = length < keeps / MAX_WASTE;
            let message = if small {
                Bytes::copy_from_slice(&message)
            } else {
                message
            };
            let message = ClientMessage::decode(message).map_err(|e| bad(CloseCode::Policy, &e))?;
            Ok(Some((length, message)))
        }
        Some(Ok(Message::Text(_))) => Err(bad(CloseCode::Unsupported, &"text is not spoken here")),
        Some(Ok(_)) => Ok(None),
    }
}

impl From<tungstenite::Error> for End {
    fn from(error: tungstenite::Error) -> Self {
        End::Gone(error.to_string())
    }
}
