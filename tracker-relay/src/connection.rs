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

use futures_util::{Sink, SinkExt};
use swarm_core::hub::{ConnId, Source};
use swarm_core::wire::relay::MAX_MESSAGE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_websockets::{CloseCode, Error, Message, ServerBuilder, WebSocketStream};
use tracing::{debug, info};
use webtorrent_json::encode_server;

use self::frames::{Fault, FrameReader, Incoming};
use self::intake::{Intake, READ_BATCH};
use self::watch::Watch;
use crate::context;
use crate::socket::Socket;
use crate::switchboard::{Left, Outgoing, Protocol, Switchboard};

mod frames;
mod intake;
mod watch;

/// Messages are gathered until there is this much to write, then the client's socket has to
/// take some. What is gathered is memory that a client holds who reads nothing.
const WRITE_BATCH: usize = 16 << 10;

/// Pings whose answers may wait for the client. While there are more it is not read from, so
/// that it can't pile up answers that it does not take.
const MAX_PENDING_PONGS: u32 = 16;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes that may be on their way here when a connection ends: as much as the system buffers.
const MAX_UNREAD: u64 = 8 << 20;

/// The longest reason that fits into a close frame (RFC 6455 §5.5).
const MAX_CLOSE_REASON: usize = 123;

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// We close it, and say why.
    Close(CloseCode, String),
    /// The client closes it, and hears that we heard.
    Closed(Option<CloseCode>),
    /// The client closed it, or it broke.
    Gone(String),
}

/// Serves a client until either side has enough; what it takes is charged to `source`.
pub(crate) async fn run(
    socket: Socket,
    source: Source,
    protocol: Protocol,
    context: Arc<context::Context>,
) {
    let socket = ServerBuilder::new()
        .config(tokio_websockets::Config::default().flush_threshold(WRITE_BATCH))
        .serve(socket);
    let conn = context.switchboard.connect(source, protocol);
    let mut connection = Connection::new(socket, conn, source, protocol, &context);
    let end = tokio::select! {
        end = poll_fn(|cx| connection.poll(cx)) => end,
        () = context.shutdown.cancelled() => {
            End::Close(CloseCode::GOING_AWAY, "the server is shutting down".to_owned())
        }
    };
    connection.switchboard.disconnect(conn);
    match end {
        End::Gone(why) => debug!(conn = conn.0, why, "a client left"),
        End::Closed(code) => {
            debug!(conn = conn.0, "a client closed its connection");
            let mut socket = connection.into_socket();
            let answer = socket.send(Message::close(code, ""));
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, answer).await;
        }
        End::Close(code, reason) => {
            if code == CloseCode::POLICY_VIOLATION {
                info!(conn = conn.0, reason, "closing a client's connection");
            }
            // Only so many at once: what leaves must not use up what newcomers need.
            let Ok(_leaving) = context.leaving.try_acquire() else {
                return;
            };
            // Whoever does not answer is dropped.
            let goodbye = say_goodbye(connection.into_socket(), code, &reason);
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
        }
    }
}

async fn say_goodbye(mut socket: WebSocketStream<Socket>, code: CloseCode, reason: &str) {
    let cut = reason.floor_char_boundary(MAX_CLOSE_REASON);
    let close = Message::close(Some(code), &reason[..cut]);
    if socket.send(close).await.is_err() {
        return;
    }
    let mut stream = socket.into_inner();
    stream.allow(usize::MAX);
    // Dropping a socket with unread bytes resets it, and the client might never see why:
    // read on until it closes, though not for one who sends and sends.
    if stream.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut stream.take(MAX_UNREAD), &mut tokio::io::sink()).await;
    }
}

struct Connection {
    /// For writing only.
    socket: WebSocketStream<Socket>,
    reader: FrameReader,
    conn: ConnId,
    protocol: Protocol,
    switchboard: Arc<Switchboard>,
    batch: VecDeque<Outgoing>,
    /// Bytes of data that the WebSocket holds and may not have written.
    fed: u64,
    /// Something was fed and not flushed.
    unflushed: bool,
    /// Pings since then, whose answers the WebSocket holds.
    pongs: u32,
    check: Interval,
    watch: Watch,
    intake: Intake,
}

impl Connection {
    fn new(
        socket: WebSocketStream<Socket>,
        conn: ConnId,
        source: Source,
        protocol: Protocol,
        context: &Arc<context::Context>,
    ) -> Self {
        let (period, watch) = Watch::new(&context.config, context.counters.clone());
        let mut check = tokio::time::interval(period);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Connection {
            socket,
            reader: FrameReader::new(match protocol {
                Protocol::Tabswarm => MAX_MESSAGE,
                Protocol::WebTorrent => context.config.webtorrent_limits.message,
            }),
            conn,
            protocol,
            switchboard: context.switchboard.clone(),
            batch: VecDeque::new(),
            fed: 0,
            unflushed: false,
            pongs: 0,
            check,
            watch,
            intake: Intake::new(source, context.clone()),
        }
    }

    /// Gives back all that it holds but the socket.
    fn into_socket(self) -> WebSocketStream<Socket> {
        self.socket
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
        } else if (1..=MAX_PENDING_PONGS).contains(&self.pongs) {
            // Who has to wait for its turn need not wait for an answer to a ping. With more of
            // them something may be left to read, which is looked at once writing went on.
            self.write(cx)?;
        }
        Ok(())
    }

    /// Feeds what waits for the client, then flushes it all at once, until nothing waits
    /// or the socket takes no more.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let mut left = Left::More;
        loop {
            while !self.batch.is_empty() {
                if Pin::new(&mut self.socket).poll_ready(cx)?.is_pending() {
                    return Ok(());
                }
                let message = match self.batch.pop_front() {
                    Some(Outgoing::Control(message)) => Message::binary(message.encode()),
                    Some(Outgoing::Data(message)) => {
                        self.fed += message.len() as u64;
                        Message::binary(message)
                    }
                    Some(Outgoing::WebTorrent(message)) => Message::text(encode_server(&message)),
                    None => break,
                };
                self.feed(message)?;
            }
            if self.unflushed && Pin::new(&mut self.socket).poll_flush(cx)?.is_pending() {
                return Ok(());
            }
            (self.unflushed, self.pongs) = (false, 0);
            let flushed = std::mem::take(&mut self.fed);
            let taken = match (left, flushed) {
                // It has been said, and need not be asked again.
                (Left::Nothing, 0) => Poll::Pending,
                _ => self
                    .switchboard
                    .poll_take(cx, self.conn, flushed, &mut self.batch),
            };
            let Poll::Ready(taken) = taken else {
                // Room for a rush that is over.
                self.batch = VecDeque::new();
                return Ok(());
            };
            left = taken.map_err(|reason| End::Close(CloseCode::POLICY_VIOLATION, reason))?;
        }
    }

    fn feed(&mut self, message: Message) -> Result<(), End> {
        self.unflushed = true;
        Ok(Pin::new(&mut self.socket).start_send(message)?)
    }

    /// Reads what is there, up to a batch, and hands it to the hub. Ready if there was
    /// something, and more may be read.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, End> {
        self.intake.poll_taken_back(cx)?;
        let turn = self.intake.poll_turn(cx, &self.switchboard, self.conn);
        if turn.is_pending() {
            // It may have said something; we don't listen.
            self.watch.heard();
            return Ok(Poll::Pending);
        }
        self.socket.get_mut().allow(READ_BATCH);
        let (mut messages, mut dry) = (0, false);
        let mut end = None;
        // With too many pongs, writing goes on first, and wakes us.
        while end.is_none() && self.intake.has_room() && self.pongs <= MAX_PENDING_PONGS {
            match self.reader.poll_next(cx, self.socket.get_mut()) {
                Poll::Pending => {
                    dry = true;
                    break;
                }
                Poll::Ready(next) => {
                    messages += 1;
                    self.watch.heard();
                    end = self.take_in(next).err();
                }
            }
        }
        let turn = self.intake.hand_over(cx, &self.switchboard, self.conn);
        if let Some(end) = end {
            self.intake.hand_over_last(&self.switchboard, self.conn);
            return Err(end);
        }
        self.intake.account(cx, self.reader.unfinished())?;
        // A socket that has nothing more wakes us when it has.
        let is_more = (messages > 0 && !dry) || self.socket.get_ref().has_paused();
        if is_more && turn.is_ready() {
            Ok(Poll::Ready(()))
        } else {
            Ok(Poll::Pending)
        }
    }

    /// One message, or the end.
    fn take_in(&mut self, next: Result<Option<Incoming>, Fault>) -> Result<(), End> {
        match next? {
            Some(Incoming::Text(text)) if self.protocol == Protocol::WebTorrent => {
                self.intake.take_webtorrent(&text)
            }
            // Some clients send their JSON as bytes.
            Some(Incoming::Binary(message)) if self.protocol == Protocol::WebTorrent => {
                self.intake.take_webtorrent_bytes(&message)
            }
            Some(Incoming::Binary(message)) => self.intake.take(message),
            Some(Incoming::Ping(payload)) => {
                self.watch.pinged()?;
                self.intake.took_control(payload.len());
                self.pongs += 1;
                self.feed(Message::pong(payload))
            }
            Some(Incoming::Pong(payload)) => {
                self.intake.took_control(payload.len());
                Ok(())
            }
            Some(Incoming::Text(_)) => {
                let words = "text is not spoken here";
                Err(End::Close(CloseCode::UNSUPPORTED_DATA, words.to_owned()))
            }
            Some(Incoming::Close(code)) => Err(End::Closed(code)),
            None => Err(End::Gone("it closed the connection".to_owned())),
        }
    }

    /// Pings a silent client, gives up on one that is gone.
    fn poll_check(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, End> {
        if self.check.poll_tick(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        // A socket that takes nothing keeps us from taking, and so from hearing of it.
        self.switchboard
            .check(self.conn)
            .map_err(|reason| End::Close(CloseCode::POLICY_VIOLATION, reason))?;
        // What is stuck is given up by the socket.
        if self.watch.check(self.unflushed)? {
            self.feed(Message::ping(""))?;
        }
        Ok(Poll::Ready(()))
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        let code = match fault {
            Fault::Protocol(_) => CloseCode::PROTOCOL_ERROR,
            Fault::Utf8 => CloseCode::INVALID_FRAME_PAYLOAD_DATA,
            Fault::TooLong { .. } => CloseCode::MESSAGE_TOO_BIG,
            Fault::Io(error) => return End::Gone(error.to_string()),
        };
        End::Close(code, fault.to_string())
    }
}

/// What fails in writing.
impl From<Error> for End {
    fn from(error: Error) -> Self {
        End::Gone(error.to_string())
    }
}
