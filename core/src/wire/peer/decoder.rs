//! From a stream of bytes, cut anywhere, to a handshake and messages.

use bytes::{Buf, Bytes};

use super::{BlockRef, HANDSHAKE_LEN, Handshake, Message, PIECE_HEAD, PeerWireError, id};
use crate::chunk::{Buffer, Chunk};

/// What a [`Decoder`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received<C = Bytes> {
    /// Always the first.
    Handshake(Handshake),
    /// Everything after it.
    Message(Message<C>),
}

/// Cuts a byte stream into a handshake and messages. Holds at most one incomplete
/// message. A block that lies whole within a chunk is not copied: it keeps the chunk
/// alive, so whoever stores it for long should copy it.
#[derive(Debug)]
pub struct Decoder<C: Chunk = Bytes> {
    max_message: u32,
    expected: Expected,
    /// What was pushed and is not yet looked at.
    chunk: C,
    /// The beginning of what is expected, from earlier chunks.
    partial: Vec<u8>,
    /// The block of the message that is expected, as far as it came.
    block: Option<(C::Buffer, usize)>,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Handshake,
    Length,
    /// A message's id and body, of so many bytes.
    Message(u32),
    /// A block of so many bytes, and its place.
    Block {
        piece: u32,
        begin: u32,
        length: usize,
    },
    /// Nothing, because this came.
    Nothing(PeerWireError),
}

/// Bytes of the id and the place before a block.
const BLOCK_HEAD: usize = PIECE_HEAD - 4;
/// The longest block of which the rest is waited for with all of its memory set apart.
const COMMON_BLOCK: usize = 16 << 10;

impl<C: Chunk> Decoder<C> {
    /// A decoder for a new connection that accepts messages (id and body) of up to
    /// `max_message` bytes.
    pub fn new(max_message: u32) -> Self {
        Decoder {
            max_message,
            expected: Expected::Handshake,
            chunk: C::of(Bytes::new()),
            partial: Vec::new(),
            block: None,
        }
    }

    /// Accepts messages of up to `max_message` bytes from now on (a bitfield's length
    /// is known only with the metadata).
    pub fn set_max_message(&mut self, max_message: u32) {
        self.max_message = max_message;
    }

    /// Adds bytes as they arrived. Call [`Decoder::poll`] until it returns none
    /// before adding more; after an error they are ignored.
    ///
    /// # Panics
    /// If bytes of an earlier chunk were not polled.
    pub fn push(&mut self, chunk: C) {
        if let Expected::Nothing(_) = self.expected {
            return;
        }
        assert!(self.chunk.is_empty(), "every chunk is polled to its end");
        self.chunk = chunk;
    }

    /// The next handshake or message, none when more bytes are needed. After an
    /// error the connection is beyond repair, and every poll returns that error.
    pub fn poll(&mut self) -> Result<Option<Received<C>>, PeerWireError> {
        let result = self.advance();
        if let Err(error) = result {
            self.expected = Expected::Nothing(error);
            self.chunk = C::of(Bytes::new());
            self.partial = Vec::new();
            self.block = None;
        }
        result
    }

    fn advance(&mut self) -> Result<Option<Received<C>>, PeerWireError> {
        loop {
            match self.expected {
                Expected::Handshake => {
                    let Some(bytes) = self.take(HANDSHAKE_LEN) else {
                        return Ok(None);
                    };
                    let bytes = bytes[..].try_into().expect("as long as asked for");
                    let handshake = Handshake::decode(bytes)?;
                    self.expected = Expected::Length;
                    return Ok(Some(Received::Handshake(handshake)));
                }
                Expected::Length => {
                    if self.begin_block()? {
                        continue;
                    }
                    let Some(mut bytes) = self.take(4) else {
                        return Ok(None);
                    };
                    match bytes.get_u32() {
                        0 => return Ok(Some(Received::Message(Message::KeepAlive))),
                        length => self.expected = Expected::Message(self.allowed(length)?),
                    }
                }
                Expected::Message(length) => {
                    let Some(bytes) = self.take(length as usize) else {
                        return Ok(None);
                    };
                    self.expected = Expected::Length;
                    return decode_message(bytes).map(|message| Some(Received::Message(message)));
                }
                Expected::Block {
                    piece,
                    begin,
                    length,
                } => {
                    let Some(data) = self.take_block(length) else {
                        return Ok(None);
                    };
                    self.expected = Expected::Length;
                    let message = Message::Piece { piece, begin, data };
                    return Ok(Some(Received::Message(message)));
                }
                Expected::Nothing(error) => return Err(error),
            }
        }
    }

    /// Takes the head of a block that comes next, if its head is here as a whole: most of what
    /// comes are blocks, and looking at them once is enough.
    fn begin_block(&mut self) -> Result<bool, PeerWireError> {
        if !self.partial.is_empty() || self.chunk.len() < PIECE_HEAD {
            return Ok(false);
        }
        let mut head = [0; PIECE_HEAD];
        self.chunk.peek(0, &mut head);
        let mut head = &head[..];
        let (length, id) = (head.get_u32(), head.get_u8());
        let Some(block) = (length as usize).checked_sub(BLOCK_HEAD) else {
            return Ok(false);
        };
        if id != id::PIECE {
            return Ok(false);
        }
        self.allowed(length)?;
        let here = self.chunk.len() - PIECE_HEAD >= block;
        if !here && block > COMMON_BLOCK {
            return Ok(false);
        }
        self.chunk = self.chunk.slice(PIECE_HEAD..self.chunk.len());
        self.expected = Expected::Block {
            piece: head.get_u32(),
            begin: head.get_u32(),
            length: block,
        };
        Ok(true)
    }

    fn allowed(&self, length: u32) -> Result<u32, PeerWireError> {
        match length > self.max_message {
            true => Err(PeerWireError::TooLong(length)),
            false => Ok(length),
        }
    }

    /// The next `needed` bytes, if they are all here, in our memory.
    fn take(&mut self, needed: usize) -> Option<Bytes> {
        let missing = needed - self.partial.len();
        let arrived = self.split(missing.min(self.chunk.len()));
        reserve(&mut self.partial, arrived.len(), needed);
        arrived.append_to(&mut self.partial);
        (self.partial.len() == needed).then(|| std::mem::take(&mut self.partial).into())
    }

    /// A block, if all of it is here: where it lies, if it does so in one place.
    fn take_block(&mut self, length: usize) -> Option<C> {
        if self.block.is_none() && self.chunk.len() >= length {
            return Some(self.split(length));
        }
        if self.block.is_none() && self.chunk.is_empty() {
            // It may come in one place still.
            return None;
        }
        let block = self.block.take();
        let (mut buffer, had) = block.unwrap_or_else(|| (C::Buffer::new(length), 0));
        let arrived = self.split(self.chunk.len().min(length - had));
        buffer.write(had, &arrived);
        let had = had + arrived.len();
        if had == length {
            return Some(buffer.freeze());
        }
        self.block = Some((buffer, had));
        None
    }

    fn split(&mut self, at: usize) -> C {
        let first = self.chunk.slice(0..at);
        self.chunk = self.chunk.slice(at..self.chunk.len());
        first
    }
}

/// Makes room for `more` bytes. Doubles, because a sender that only claims a long message
/// must not cost us its length; but never beyond `needed`, so that a whole message fills
/// its buffer exactly.
fn reserve(partial: &mut Vec<u8>, more: usize, needed: usize) {
    let wanted = partial.len() + more;
    if wanted > partial.capacity() {
        let capacity = wanted.max(2 * partial.capacity()).min(needed);
        partial.reserve_exact(capacity - partial.len());
    }
}

/// Reads an id and the body behind it.
fn decode_message<C: Chunk>(mut bytes: Bytes) -> Result<Message<C>, PeerWireError> {
    let id = bytes.get_u8();
    check_length(id, bytes.len())?;
    Ok(match id {
        id::CHOKE => Message::Choke,
        id::UNCHOKE => Message::Unchoke,
        id::INTERESTED => Message::Interested,
        id::NOT_INTERESTED => Message::NotInterested,
        id::HAVE => Message::Have(bytes.get_u32()),
        id::BITFIELD => Message::Bitfield(detached(&bytes)),
        id::REQUEST => Message::Request(block(bytes)),
        id::PIECE => Message::Piece {
            piece: bytes.get_u32(),
            begin: bytes.get_u32(),
            data: C::of(bytes),
        },
        id::CANCEL => Message::Cancel(block(bytes)),
        id::PORT => Message::Port(bytes.get_u16()),
        id::SUGGEST_PIECE => Message::SuggestPiece(bytes.get_u32()),
        id::HAVE_ALL => Message::HaveAll,
        id::HAVE_NONE => Message::HaveNone,
        id::REJECT_REQUEST => Message::RejectRequest(block(bytes)),
        id::ALLOWED_FAST => Message::AllowedFast(bytes.get_u32()),
        id::EXTENDED => Message::Extended {
            id: bytes.get_u8(),
            payload: detached(&bytes),
        },
        unknown => Message::Unknown(unknown),
    })
}

/// Refuses a message whose body has not the length that its id asks for.
fn check_length(id: u8, length: usize) -> Result<(), PeerWireError> {
    let fits = match id {
        id::CHOKE
        | id::UNCHOKE
        | id::INTERESTED
        | id::NOT_INTERESTED
        | id::HAVE_ALL
        | id::HAVE_NONE => length == 0,
        id::HAVE | id::SUGGEST_PIECE | id::ALLOWED_FAST => length == 4,
        id::REQUEST | id::CANCEL | id::REJECT_REQUEST => length == 12,
        id::PORT => length == 2,
        id::PIECE => length >= 8,
        id::EXTENDED => length >= 1,
        _ => true,
    };
    let length = u32::try_from(length).expect("it came behind a four-byte length");
    fits.then_some(())
        .ok_or(PeerWireError::BadLength { id, length })
}

fn block(mut bytes: Bytes) -> BlockRef {
    BlockRef {
        piece: bytes.get_u32(),
        begin: bytes.get_u32(),
        length: bytes.get_u32(),
    }
}

/// A copy, for what a session may keep: a few such bytes must not keep a whole chunk alive.
fn detached(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

#[cfg(test)]
mod tests;
