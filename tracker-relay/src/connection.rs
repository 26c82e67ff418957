//! One WebSocket: carries messages between a client and the switchboard.
//!
//! Reading and writing go on independently in one task, so that a client that is slow
//! to read is still heard.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use swarm_core::hub::{ConnId, Source};
use swarm_core::wire::relay::MAX_MESSAGE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Interval, MissedTickBehavior};
use tracing::{debug, info};
use webtorrent_json::encode_server;

use self::close_code::CloseCode;
use self::frames::{Fault, FrameReader, Incoming};
use self::intake::{Intake, READ_BATCH};
use self::watch::Watch;
use self::writer::FrameWriter;
use crate::context;
use crate::socket::Socket;
use crate::switchboard::{Left, Outgoing, Protocol, Switchboard};

mod close_code;
mod frames;
mod intake;
mod watch;
mod writer;

/// Pings whose answers may wait for the client. While there are more it is not read from, so
/// that it can't pile up answers that it does not take.
const MAX_PENDING_PONGS: u32 = 16;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes that may be on their way here when a connection ends: as much as the system buffers.
const MAX_UNREAD: u64 = 8 << 20;

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
    let conn = context.switchboard.connect(source, protocol);
    // In boxes, because a task has room all the time for whatever it will ever hold, and for some
    // of it twice.
    let mut connection = Box::new(Connection::new(socket, conn, source, protocol, &context));
    let end = tokio::select! {
        end = poll_fn(|cx| connection.poll(cx)) => end,
        () = context.shutdown.cancelled() => {
            End::Close(CloseCode::GOING_AWAY, "the server is shutting down".to_owned())
        }
    };
    connection.switchboard.disconnect(conn);
    let (socket, writer) = connection.into_socket();
    Box::pin(leave(conn, end, socket, writer, &context)).await;
}

/// What is still said to a client that is served no longer.
async fn leave(
    conn: ConnId,
    end: End,
    mut socket: Socket,
    mut writer: FrameWriter,
    context: &context::Context,
) {
    match end {
        End::Gone(why) => debug!(conn = conn.0, why, "a client left"),
        End::Closed(code) => {
            debug!(conn = conn.0, "a client closed its connection");
            writer.close(code, "");
            let answer = poll_fn(|cx| writer.poll_flush(cx, &mut socket));
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
            writer.close(Some(code), &reason);
            // Whoever does not answer is dropped.
            let goodbye = say_goodbye(socket, writer);
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
        }
    }
}

async fn say_goodbye(mut socket: Socket, mut writer: FrameWriter) {
    let written = poll_fn(|cx| writer.poll_flush(cx, &mut socket)).await;
    if written.is_err() {
        return;
    }
    socket.allow(usize::MAX);
    // Dropping a socket with unread bytes resets it, and the client might never see why:
    // read on until it closes, though not for one who sends and sends.
    if socket.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut socket.take(MAX_UNREAD), &mut tokio::io::sink()).await;
    }
}

struct Connection {
    socket: Socket,
    reader: FrameReader,
    writer: FrameWriter,
    conn: ConnId,
    protocol: Protocol,
    switchboard: Arc<Switchboard>,
    batch: VecDeque<Outgoing>,
    /// Bytes of data that the writer holds and may not have written.
    fed: u64,
    /// Something was fed and not flushed.
    unflushed: bool,
    /// Pings since then, whose answers the writer holds.
    pongs: u32,
    check: Interval,
    watch: Watch,
    intake: Intake,
}

impl Connection {
    fn new(
        socket: Socket,
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
            writer: FrameWriter::default(),
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

    /// Gives back all that it holds but the socket, and what is still to be written.
    fn into_socket(self: Box<Self>) -> (Socket, FrameWriter) {
        let Connection { socket, writer, .. } = *self;
        (socket, writer)
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
                if self.writer.poll_ready(cx, &mut self.socket)?.is_pending() {
                    return Ok(());
                }
                match self.batch.pop_front() {
                    Some(Outgoing::Control(message)) => self.writer.binary(message.encode()),
                    Some(Outgoing::Data(message)) => {
                        self.fed += message.len() as u64;
                        self.writer.binary(message);
                    }
                    Some(Outgoing::WebTorrent(message)) => {
                        self.writer.text(encode_server(&message));
                    }
                    None => break,
                }
                self.unflushed = true;
            }
            if self.unflushed && self.writer.poll_flush(cx, &mut self.socket)?.is_pending() {
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
        self.socket.allow(READ_BATCH);
        let (mut messages, mut dry) = (0, false);
        let mut end = None;
        // With too many pongs, writing goes on first, and wakes us.
        while end.is_none() && self.intake.has_room() && self.pongs <= MAX_PENDING_PONGS {
            match self.reader.poll_next(cx, &mut self.socket) {
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
        let is_more = (messages > 0 && !dry) || self.socket.has_paused();
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
                self.writer.pong(payload);
                self.unflushed = true;
                Ok(())
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
            self.writer.ping();
            self.unflushed = true;
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
impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        End::Gone(error.to_string())
    }
}
