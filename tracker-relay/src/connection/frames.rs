//! Frames that come from a client, put together to messages (RFC 6455 §5).
//!
//! Libraries read into a buffer that grows with what comes and that nobody can look at or give
//! back: a client that sends the right lengths would leave a megabyte in it, for as long as it
//! stays. Here a message has a buffer of its own from the start, nothing else is ever in it, and
//! between messages there is none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

use super::close_code::CloseCode;

/// Bytes that are read at once while it is not known what they are.
const READ: usize = 8 << 10;

/// So much room a message gets at once, and beyond that three times as much as has come of it:
/// a header alone must not take a megabyte from us.
const TRUSTED: usize = 64 << 10;

/// The longest header of a frame, with its mask (RFC 6455 §5.2).
const MAX_HEAD: usize = 14;

/// The longest payload of a control frame (RFC 6455 §5.5).
const MAX_CONTROL: u64 = 125;

const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xA;

/// Something that came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Binary(Bytes),
    Text(String),
    Ping(Bytes),
    Pong(Bytes),
    Close(Option<CloseCode>),
}

/// What is no WebSocket, or not ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Protocol(&'static str),
    #[error("text that is no UTF-8")]
    Utf8,
    #[error("a message of {length} bytes, and {max} are allowed")]
    TooLong { length: u64, max: usize },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// See the module.
#[derive(Debug)]
pub(super) struct FrameReader {
    /// The longest message.
    max: usize,
    /// What was read and not looked at yet: empty between one turn and the next, unless
    /// more had come than was taken.
    ahead: BytesMut,
    head: Head,
    /// The frame whose payload comes.
    frame: Option<Frame>,
    /// What there is of the message.
    message: Vec<u8>,
    /// Its kind, if it has begun and this was not its last frame.
    fragmented: Option<u8>,
    /// Bytes of its frames so far.
    span: u64,
    /// What there is of a control frame, which may come between the frames of a message.
    control: Vec<u8>,
}

/// What there is of a frame's header.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    bytes: [u8; MAX_HEAD],
    length: usize,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: u8,
    last: bool,
    mask: [u8; 4],
    /// Bytes of its payload that are still to come.
    left: usize,
    /// Where its payload begins in the buffer that it goes into.
    begin: usize,
}

impl FrameReader {
    pub(super) fn new(max: usize) -> Self {
        FrameReader {
            max,
            ahead: BytesMut::new(),
            head: Head::default(),
            frame: None,
            message: Vec::new(),
            fragmented: None,
            span: 0,
            control: Vec::new(),
        }
    }

    /// Bytes that came of a message that is not whole.
    pub(super) fn unfinished(&self) -> u64 {
        self.span
    }

    /// The next thing that comes whole; none if the client closed the connection without a word.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Poll<Result<Option<Incoming>, Fault>> {
        loop {
            while !self.ahead.is_empty() {
                if let Some(incoming) = self.take_ahead()? {
                    return Poll::Ready(Ok(Some(incoming)));
                }
            }
            let read = match self.poll_read(cx, stream) {
                Poll::Ready(read) => read?,
                Poll::Pending => {
                    // Nobody who is idle keeps a buffer.
                    self.ahead = BytesMut::new();
                    return Poll::Pending;
                }
            };
            if read == 0 {
                return Poll::Ready(Ok(None));
            }
            if let Some(incoming) = self.finish_frame()? {
                return Poll::Ready(Ok(Some(incoming)));
            }
        }
    }

    /// Reads what is missing of a long frame to where it belongs, or whatever comes.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        match &mut self.frame {
            Some(frame) if frame.left >= READ => {
                frame.make_room(&mut self.message);
                let mut missing = (&mut self.message).limit(frame.left);
                let read = ready!(poll_read_buf(stream, cx, &mut missing))?;
                frame.left -= read;
                self.span += read as u64;
                Poll::Ready(Ok(read))
            }
            _ => {
                self.ahead.reserve(READ);
                let mut some = (&mut self.ahead).limit(READ);
                poll_read_buf(stream, cx, &mut some)
            }
        }
    }

    /// Takes a header, or a part of a payload, out of what was read.
    fn take_ahead(&mut self) -> Result<Option<Incoming>, Fault> {
        let Some(frame) = &mut self.frame else {
            let Some(head) = self.head.fill(&mut self.ahead)? else {
                return Ok(None);
            };
            self.begin_frame(head)?;
            return self.finish_frame();
        };
        let is_control = is_control(frame.opcode);
        let buffer = if is_control {
            &mut self.control
        } else {
            &mut self.message
        };
        frame.make_room(buffer);
        let part = frame.left.min(self.ahead.len());
        let part = part.min(buffer.capacity() - buffer.len());
        buffer.extend_from_slice(&self.ahead[..part]);
        self.ahead.advance(part);
        frame.left -= part;
        if !is_control {
            self.span += part as u64;
        }
        self.finish_frame()
    }

    fn begin_frame(&mut self, head: Header) -> Result<(), Fault> {
        let Header {
            opcode,
            last,
            length,
            mask,
            size,
        } = head;
        match (opcode, self.fragmented) {
            (TEXT | BINARY, None) | (CONTINUATION, Some(_)) => {}
            (CLOSE | PING | PONG, _) if !last => {
                return Err(Fault::Protocol("a control frame in parts"));
            }
            (CLOSE | PING | PONG, _) if length > MAX_CONTROL => {
                return Err(Fault::Protocol("a control frame that is too long"));
            }
            (CLOSE | PING | PONG, _) => {}
            _ => return Err(Fault::Protocol("a frame that does not belong here")),
        }
        let buffer = if is_control(opcode) {
            &mut self.control
        } else {
            let total = length.saturating_add(self.message.len() as u64);
            if total > self.max as u64 {
                let (length, max) = (total, self.max);
                return Err(Fault::TooLong { length, max });
            }
            self.span += size;
            &mut self.message
        };
        self.frame = Some(Frame {
            opcode,
            last,
            mask,
            left: usize::try_from(length).expect("it is no longer than a message may be"),
            begin: buffer.len(),
        });
        Ok(())
    }

    /// What a frame that has come whole completes, if anything.
    fn finish_frame(&mut self) -> Result<Option<Incoming>, Fault> {
        let Some(frame) = self.frame.take_if(|frame| frame.left == 0) else {
            return Ok(None);
        };
        if is_control(frame.opcode) {
            let mut payload = std::mem::take(&mut self.control);
            unmask(&mut payload, frame.mask);
            let payload = Bytes::from(payload);
            return Ok(Some(match frame.opcode {
                PING => Incoming::Ping(payload),
                PONG => Incoming::Pong(payload),
                _ => Incoming::Close(close_code(&payload)?),
            }));
        }
        unmask(&mut self.message[frame.begin..], frame.mask);
        let kind = self.fragmented.unwrap_or(frame.opcode);
        if !frame.last {
            self.fragmented = Some(kind);
            return Ok(None);
        }
        self.fragmented = None;
        self.span = 0;
        let mut message = std::mem::take(&mut self.message);
        // Room for more frames than came: it may wait for somebody slow.
        message.shrink_to_fit();
        if kind == BINARY {
            return Ok(Some(Incoming::Binary(message.into())));
        }
        match String::from_utf8(message) {
            Ok(text) => Ok(Some(Incoming::Text(text))),
            Err(_) => Err(Fault::Utf8),
        }
    }
}

impl Frame {
    /// Sees to it that something fits into `buffer`, if something is missing: all of it, as far
    /// as what came vouches for it.
    fn make_room(&self, buffer: &mut Vec<u8>) {
        if self.left == 0 || buffer.len() < buffer.capacity() {
            return;
        }
        let more = self.left.min(TRUSTED.max(3 * buffer.len()));
        if self.last && self.begin == 0 {
            buffer.reserve_exact(more);
        } else {
            // There are other frames, and each of them grows it.
            buffer.reserve(more);
        }
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug)]
struct Header {
    opcode: u8,
    last: bool,
    length: u64,
    mask: [u8; 4],
    /// Its own bytes.
    size: u64,
}

impl Head {
    /// Takes what is missing of it; the header if it is whole.
    fn fill(&mut self, from: &mut BytesMut) -> Result<Option<Header>, Fault> {
        while self.length < self.wanted() {
            if from.is_empty() {
                return Ok(None);
            }
            self.bytes[self.length] = from.get_u8();
            self.length += 1;
            // At once: who sends no mask may never send as much as a header with one.
            if self.length == 2 && self.bytes[1] & 0x80 == 0 {
                return Err(Fault::Protocol("a frame without a mask"));
            }
        }
        let Head { bytes, length } = std::mem::take(self);
        let [first, second, ..] = bytes;
        if first & 0x70 != 0 {
            return Err(Fault::Protocol("an extension that was not agreed upon"));
        }
        let (payload, shortest) = match second & 0x7F {
            126 => (u64::from(u16::from_be_bytes([bytes[2], bytes[3]])), 126),
            127 => {
                let long = bytes[2..10]
                    .try_into()
                    .expect("it is a part of eight bytes");
                (u64::from_be_bytes(long), 1 << 16)
            }
            short => (u64::from(short), 0),
        };
        if payload < shortest {
            return Err(Fault::Protocol("a length in more bytes than it needs"));
        }
        let mask = &bytes[length - 4..length];
        Ok(Some(Header {
            opcode: first & 0x0F,
            last: first & 0x80 != 0,
            length: payload,
            mask: mask.try_into().expect("it is a part of four bytes"),
            size: length as u64,
        }))
    }

    /// How long it is, as far as that is known.
    fn wanted(&self) -> usize {
        if self.length < 2 {
            return 2;
        }
        match self.bytes[1] & 0x7F {
            126 => 2 + 2 + 4,
            127 => 2 + 8 + 4,
            _ => 2 + 4,
        }
    }
}

fn is_control(opcode: u8) -> bool {
    opcode & 0x8 != 0
}

/// RFC 6455 §5.3.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut words = payload.chunks_exact_mut(8);
    for word in &mut words {
        let bytes: &mut [u8; 8] = word.try_into().expect("it is a part of eight bytes");
        *bytes = (u64::from_ne_bytes(*bytes) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in words
        .into_remainder()
        .iter_mut()
        .zip(mask.into_iter().cycle())
    {
        *byte ^= mask;
    }
}

/// RFC 6455 §5.5.1 and §7.4.
fn close_code(payload: &[u8]) -> Result<Option<CloseCode>, Fault> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(None),
            _ => Err(Fault::Protocol("half of a close code")),
        };
    };
    let code = CloseCode::from_wire(u16::from_be_bytes(*code));
    let code = code.ok_or(Fault::Protocol("a close code that means nothing"))?;
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(Some(code)),
        Err(_) => Err(Fault::Utf8),
    }
}

#[cfg(test)]
mod tests;
