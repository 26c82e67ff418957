//! One connection: what comes is reported in stretches, what is to go is written as it lies.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use swarm_core::id::LinkId;
use swarm_core::net::{Part, Parts};
use swarm_core::node::WireUp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::Report;
use crate::backlog::Backlog;

/// Bytes that are read at once, at most: four blocks.
pub(super) const READ: usize = 64 << 10;
/// Room that is not worth reading into: the buffer is exchanged for a new one.
const SCANT: usize = 16 << 10;
/// Bytes that wait for the other end to take them; beyond it nothing is read: what comes may
/// want an answer. Above what the engine lets wait of its own accord (`link_budget`, 2 MiB).
const BACKLOG: usize = 4 << 20;
/// What a stretch takes beside its bytes, roughly.
const OVERHEAD: usize = 64;
/// Stretches that are written by one call.
const SLICES: usize = 64;
/// What was given to a wire before it was closed has this long to leave.
const FAREWELL: Duration = Duration::from_secs(5);

/// The host's end. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Outgoing {
    parts: mpsc::UnboundedSender<Parts>,
    backlog: Arc<Backlog>,
    /// Tells by its end.
    _open: oneshot::Sender<()>,
}

impl Outgoing {
    /// Unbounded, because the engine bounds what it sends, and nothing is read that wants an
    /// answer while much waits.
    pub(super) fn send(&self, parts: Parts) {
        self.backlog.add(cost(&parts));
        let _ = self.parts.send(parts);
    }
}

fn cost(parts: &Parts) -> usize {
    parts.len() + OVERHEAD
}

/// Moves bytes until the connection ends, or is ended.
pub(super) async fn run(
    wire: LinkId,
    up: WireUp,
    stream: TcpStream,
    reports: &mpsc::Sender<Report>,
) {
    let (sender, parts) = mpsc::unbounded_channel();
    let (open, closed) = oneshot::channel();
    let backlog = Arc::new(Backlog::new(BACKLOG));
    let outgoing = Outgoing {
        parts: sender,
        backlog: Arc::clone(&backlog),
        _open: open,
    };
    if reports.send(Report::Up(wire, up, outgoing)).await.is_err() {
        return;
    }
    let (reader, writer) = stream.into_split();
    // One task for both directions, but neither waits for the other. How it ended is the same
    // to everybody.
    let _: io::Result<()> = tokio::select! {
        result = receive(wire, reader, reports, &backlog) => result,
        result = transmit(wire, writer, parts, reports, &backlog) => result,
        () = overdue(closed) => Ok(()),
    };
    let _ = reports.send(Report::Down(wire)).await;
}

/// The host closed it, and what was to leave had the time to.
async fn overdue(closed: oneshot::Receiver<()>) {
    let _ = closed.await;
    sleep(FAREWELL).await;
}

async fn receive(
    wire: LinkId,
    mut reader: OwnedReadHalf,
    reports: &mpsc::Sender<Report>,
    backlog: &Backlog,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        backlog.room().await;
        if buffer.capacity() < SCANT {
            buffer = BytesMut::with_capacity(READ);
        }
        if reader.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let bytes = buffer.split().freeze();
        if reports.send(Report::Received(wire, bytes)).await.is_err() {
            // The host is closing: what is queued may still go out.
            return std::future::pending().await;
        }
    }
}

/// Writes until the host drops its end.
async fn transmit(
    wire: LinkId,
    mut writer: OwnedWriteHalf,
    mut parts: mpsc::UnboundedReceiver<Parts>,
    reports: &mpsc::Sender<Report>,
    backlog: &Backlog,
) -> io::Result<()> {
    let mut queue = VecDeque::new();
    loop {
        if queue.is_empty() {
            match parts.recv().await {
                Some(parts) => put(&mut queue, parts, backlog),
                None => return writer.shutdown().await,
            }
        }
        while queue.len() < SLICES
            && let Ok(parts) = parts.try_recv()
        {
            put(&mut queue, parts, backlog);
        }
        let slices: Vec<IoSlice<'_>> = queue.iter().take(SLICES).map(|b| IoSlice::new(b)).collect();
        let written = writer.write_vectored(&slices).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        take(&mut queue, written);
        backlog.remove(written);
        // A host that is closing does not listen any more, but is to be served.
        let _ = reports.send(Report::Sent(wire, written)).await;
    }
}

fn put(queue: &mut VecDeque<Bytes>, parts: Parts, backlog: &Backlog) {
    backlog.remove(OVERHEAD);
    queue.extend(parts.into_iter().map(|part| match part {
        Part::Head(bytes) => Bytes::from(bytes),
        Part::Payload(bytes) => bytes,
    }));
}

/// So many bytes of it have left.
fn take(queue: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(first) = queue.front_mut() {
        let length = first.len().min(written);
        first.advance(length);
        written -= length;
        if !first.is_empty() {
            return;
        }
        queue.pop_front();
    }
}
