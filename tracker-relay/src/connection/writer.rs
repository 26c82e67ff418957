//! Frames that leave for a client, each a whole message (RFC 6455 §5).
//!
//! A library's WebSocket has 8 KiB from the start for what it reads, which is done in `frames`:
//! half of what a client costs. Here an idle one costs nothing, and payloads are not copied.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;
use tokio_util::io::poll_write_buf;

use super::close_code::CloseCode;
use super::frames::{BINARY, CLOSE, PING, PONG, TEXT};

/// Messages are gathered until there is this much to write, what they are kept in included, then the client's socket has to
/// take some. What is gathered is memory that a client holds who reads nothing.
const WRITE_BATCH: usize = 16 << 10;

/// The longest header of a frame without a mask (RFC 6455 §5.2).
const MAX_HEAD: usize = 10;

/// The longest reason that fits into a close frame (RFC 6455 §5.5).
const MAX_CLOSE_REASON: usize = 123;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FrameWriter {
    frames: VecDeque<Frame>,
    /// Bytes of the first frame that are written.
    written: usize,
    /// Bytes of all that are not.
    left: usize,
}

#[derive(Debug)]
struct Frame {
    head: [u8; MAX_HEAD],
    head_length: usize,
    payload: Bytes,
}

impl FrameWriter {
    pub(super) fn binary(&mut self, message: impl Into<Bytes>) {
        self.push(BINARY, message.into());
    }

    pub(super) fn text(&mut self, message: String) {
        self.push(TEXT, message.into());
    }

    pub(super) fn ping(&mut self) {
        self.push(PING, Bytes::new());
    }

    /// The payload is that of the ping.
    pub(super) fn pong(&mut self, payload: Bytes) {
        self.push(PONG, payload);
    }

    /// The reason is cut to what fits, and is nothing without a code.
    pub(super) fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        let payload = code.map_or_else(Vec::new, |code| {
            let reason = &reason[..reason.floor_char_boundary(MAX_CLOSE_REASON)];
            [&code.to_wire(), reason.as_bytes()].concat()
        });
        self.push(CLOSE, payload.into());
    }

    fn push(&mut self, opcode: u8, payload: Bytes) {
        let frame = Frame::new(opcode, payload);
        self.left += frame.len();
        self.frames.push_back(frame);
    }

    /// Ready when there is room for more messages.
    pub(super) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        if self.left + self.frames.len() * size_of::<Frame>() < WRITE_BATCH {
            return Poll::Ready(Ok(()));
        }
        self.poll_flush(cx, stream)
    }

    /// Ready when all is written.
    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while self.left > 0 {
            if ready!(poll_write_buf(Pin::new(&mut *stream), cx, self))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        // Room for a rush that is over.
        self.frames = VecDeque::new();
        Pin::new(stream).poll_flush(cx)
    }
}

impl Frame {
    fn new(opcode: u8, payload: Bytes) -> Self {
        const LAST: u8 = 0x80;
        let length = payload.len();
        let mut head = [0; MAX_HEAD];
        head[0] = LAST | opcode;
        let head_length = if let Ok(short @ ..126) = u8::try_from(length) {
            head[1] = short;
            2
        } else if let Ok(medium) = u16::try_from(length) {
            head[1] = 126;
            head[2..4].copy_from_slice(&medium.to_be_bytes());
            4
        } else {
            head[1] = 127;
            head[2..].copy_from_slice(&(length as u64).to_be_bytes());
            MAX_HEAD
        };
        Frame {
            head,
            head_length,
            payload,
        }
    }

    fn len(&self) -> usize {
        self.head_length + self.payload.len()
    }

    /// What is left of it, without as many bytes.
    fn without(&self, written: usize) -> [&[u8]; 2] {
        let head = &self.head[..self.head_length];
        match head.get(written..) {
            Some(head) => [head, &self.payload],
            None => [&[], &self.payload[written - self.head_length..]],
        }
    }
}

/// What is left, for one vectored write.
impl Buf for FrameWriter {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        let first = self.frames.front();
        let parts = first.map(|frame| frame.without(self.written));
        let [head, payload] = parts.unwrap_or_default();
        if head.is_empty() { payload } else { head }
    }

    fn advance(&mut self, count: usize) {
        self.left -= count;
        self.written += count;
        while let Some(frame) = self.frames.pop_front_if(|it| it.len() <= self.written) {
            self.written -= frame.len();
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let written = [self.written].into_iter().chain(std::iter::repeat(0));
        let parts = self.frames.iter().zip(written);
        let parts = parts.flat_map(|(frame, written)| frame.without(written));
        let parts = parts.filter(|part| !part.is_empty());
        let mut count = 0;
        for (slice, part) in slices.iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

    use std::future::poll_fn;

    use super::*;

    /// A stream that takes so many bytes at a time.
    struct Stretches {
        taken: Vec<u8>,
        length: usize,
    }

    impl AsyncWrite for Stretches {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.length);
            self.taken.extend_from_slice(&bytes[..taken]);
            Poll::Ready(Ok(taken))
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
            let bytes: Vec<u8> = bytes.take(self.length).collect();
            self.poll_write(cx, &bytes)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// What arrives where so many bytes are taken at a time.
    async fn written(mut writer: FrameWriter, length: usize) -> Vec<u8> {
        let taken = Vec::new();
        let mut stream = Stretches { taken, length };
        let flushed = poll_fn(|cx| writer.poll_flush(cx, &mut stream));
        flushed.await.unwrap();
        assert_eq!(writer.remaining(), 0);
        stream.taken
    }

    #[tokio::test]
    async fn frames_are_as_the_rfc_has_them() {
        let mut writer = FrameWriter::default();
        writer.text("Hello".to_owned());
        writer.pong(Bytes::from_static(b"Hello"));
        writer.ping();
        writer.close(Some(CloseCode::GOING_AWAY), "bye");
        writer.close(None, "nothing");
        let mut expected =
            b"\x81\x05Hello\x8A\x05Hello\x89\x00\x88\x05\x03\xE9bye\x88\x00".to_vec();
        for (length, head) in [
            (125, &[0x82, 125][..]),
            (126, &[0x82, 126, 0, 126]),
            (0xFFFF, &[0x82, 126, 0xFF, 0xFF]),
            (0x1_0000, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let message = vec![7; length];
            expected.extend_from_slice(head);
            expected.extend_from_slice(&message);
            writer.binary(message);
        }
        assert_eq!(written(writer, usize::MAX).await, expected);
    }

    #[tokio::test]
    async fn a_reason_is_cut_between_characters() {
        let mut writer = FrameWriter::default();
        writer.close(Some(CloseCode::POLICY_VIOLATION), &"ä".repeat(100));
        let frame = written(writer, usize::MAX).await;
        assert_eq!(frame[..4], [0x88, 124, 0x03, 0xF0]);
        assert_eq!(std::str::from_utf8(&frame[4..]).unwrap(), "ä".repeat(61));
    }

    #[tokio::test]
    async fn a_stream_may_take_as_little_as_it_wants() {
        let writer = || {
            let mut writer = FrameWriter::default();
            for length in [0, 1, 125, 0, 126, 3, 0x1_0000, 0] {
                writer.binary(vec![u8::try_from(length % 251).unwrap(); length]);
            }
            writer
        };
        let whole = written(writer(), usize::MAX).await;
        for length in [1, 2, 3, 10, 127, 4096] {
            assert_eq!(written(writer(), length).await, whole, "{length}");
        }
    }
}
