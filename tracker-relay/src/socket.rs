//! A TCP stream that gives up on who takes nothing, and pauses when enough was read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

use crate::counters::{Counters, ServerLimit};

/// Who takes less than this within the timeout while more waits for it counts as one that
/// takes nothing: a byte now and then would hold its memory here for ever.
const PROGRESS: u64 = 16 << 10;

/// Under HTTP and under WebSockets alike.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// Read from the stream already, in the same segment as the handshake.
    ahead: Bytes,
    written: u64,
    /// How long nothing may be taken.
    timeout: Duration,
    counters: Arc<Counters>,
    /// Since when, and from where on, too little is taken; none while all is.
    stuck: Option<Stuck>,
    /// One of as many as there may be.
    _place: OwnedSemaphorePermit,
    /// Bytes that it gives out before it pauses; none: as many as there are.
    allowance: Option<usize>,
}

#[derive(Debug)]
struct Stuck {
    /// Bytes that were written when it began.
    written: u64,
    deadline: Pin<Box<Sleep>>,
}

impl Socket {
    pub(crate) fn new(
        stream: TcpStream,
        timeout: Duration,
        counters: Arc<Counters>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Socket {
            stream,
            ahead: Bytes::new(),
            written: 0,
            timeout,
            counters,
            stuck: None,
            _place: place,
            allowance: None,
        }
    }

    /// Puts back what was read too far. It is copied, because it is a part of a buffer that is
    /// larger by far.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        debug_assert!(self.ahead.is_empty(), "nothing was put back before");
        self.ahead = Bytes::copy_from_slice(bytes);
    }

    /// Lets about `bytes` more through, and then pauses as if there were none, so that one
    /// who sends without a pause does not keep a thread for itself.
    pub(crate) fn allow(&mut self, bytes: usize) {
        self.allowance = Some(bytes);
    }

    /// It paused though there may be more to read. No task will be woken for that.
    pub(crate) fn has_paused(&self) -> bool {
        self.allowance == Some(0)
    }

    fn took(&mut self, taken: usize, offered: usize) {
        self.written += taken as u64;
        let enough = |stuck: &Stuck| self.written - stuck.written >= PROGRESS;
        if taken == offered || self.stuck.as_ref().is_some_and(enough) {
            self.stuck = None;
        }
    }

    /// Nothing was taken: pending, or an error if that has been so for too long.
    fn poll_stuck<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let (written, timeout) = (self.written, self.timeout);
        let stuck = self.stuck.get_or_insert_with(|| Stuck {
            written,
            deadline: Box::pin(tokio::time::sleep(timeout)),
        });
        ready!(stuck.deadline.as_mut().poll(cx));
        self.counters.count(ServerLimit::Slow);
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "it takes nothing any more",
        )))
    }
}

impl Drop for Socket {
    /// What still waits here is lost in any case. What the system holds for one who does not
    /// read would stay with it for minutes after an orderly end, megabytes for each of them.
    fn drop(&mut self) {
        if self.stuck.is_some() {
            // The connection is gone already if this fails.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.has_paused() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        if self.ahead.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        } else {
            let length = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..length]);
            self.ahead.advance(length);
            if self.ahead.is_empty() {
                self.ahead = Bytes::new();
            }
        }
        let length = buf.filled().len() - before;
        if let Some(allowance) = &mut self.allowance {
            *allowance = allowance.saturating_sub(length);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Ready(taken) => {
                let taken = taken?;
                self.took(taken, buf.len());
                Poll::Ready(Ok(taken))
            }
            Poll::Pending => self.poll_stuck(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(cx, bufs) {
            Poll::Ready(taken) => {
                let taken = taken?;
                self.took(taken, bufs.iter().map(|buf| buf.len()).sum());
                Poll::Ready(Ok(taken))
            }
            Poll::Pending => self.poll_stuck(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;

    use super::*;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let timeout = Duration::from_secs(3600);
        let socket = Socket::new(accepted.unwrap().0, timeout, Arc::default(), place);
        (socket, client.unwrap())
    }

    /// Writes until the system takes no more.
    async fn fill(socket: &mut Socket) {
        let bytes = [0; 64 << 10];
        std::future::poll_fn(|cx| {
            while let Poll::Ready(taken) = Pin::new(&mut *socket).poll_write(cx, &bytes) {
                taken.unwrap();
            }
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn nothing_is_kept_for_one_who_did_not_read() {
        let (mut socket, mut client) = pair().await;
        fill(&mut socket).await;
        drop(socket);
        let end = client.read_to_end(&mut Vec::new()).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn what_was_sent_arrives_though_it_is_read_after_the_end() {
        let (mut socket, mut client) = pair().await;
        socket.write_all(b"all of it").await.unwrap();
        drop(socket);
        let mut came = Vec::new();
        client.read_to_end(&mut came).await.unwrap();
        assert_eq!(came, b"all of it");
    }
}
