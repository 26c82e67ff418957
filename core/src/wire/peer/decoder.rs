//! From a stream of bytes, cut anywhere, to a handshake and messages.

use bytes::{Buf, Bytes};

use super::{BlockRef, HANDSHAKE_LEN, Handshake, Message, PeerWireError, id};

/// What a [`Decoder`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Always the first.
    Handshake(Handshake),
    /// Everything after it.
    Message(Message),
}

/// Cuts a byte stream into a handshake and messages. Holds at most one incomplete
/// message. A block that lies whole within a chunk is not copied: it keeps the chunk
/// alive, so whoever stores it for long should copy it.
#[derive(Debug)]
pub struct Decoder {
    max_message: u32,
    expected: Expected,
    /// What was pushed and is not yet looked at.
    chunk: Bytes,
    /// The beginning of what is expected, from earlier chunks.
    partial: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Handshake,
    Length,
    /// A message's id and body, of so many bytes.
    Message(u32),
    /// Nothing, because this came.
    Nothing(PeerWireError),
}

impl Decoder {
    /// A decoder for a new connection that accepts messages (id and body) of up to
    /// `max_message` bytes.
    pub fn new(max_message: u32) -> Self {
        Decoder {
            max_message,
            expected: Expected::Handshake,
            chunk: Bytes::new(),
            partial: Vec::new(),
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
    pub fn push(&mut self, chunk: Bytes) {
        if let Expected::Nothing(_) = self.expected {
            return;
        }
        assert!(self.chunk.is_empty(), "every chunk is polled to its end");
        self.chunk = chunk;
    }

    /// The next handshake or message, none when more bytes are needed. After an
    /// error the connection is beyond repair, and every poll returns that error.
    pub fn poll(&mut self) -> Result<Option<Received>, PeerWireError> {
        let result = self.advance();
        if let Err(error) = result {
            self.expected = Expected::Nothing(error);
            self.chunk = Bytes::new();
            self.partial = Vec::new();
        }
        result
    }

    fn advance(&mut self) -> Result<Option<Received>, PeerWireError> {
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
                    let Some(mut bytes) = self.take(4) else {
                        return Ok(None);
                    };
                    match bytes.get_u32() {
                        0 => return Ok(Some(Received::Message(Message::KeepAlive))),
                        length if length > self.max_message => {
                            return Err(PeerWireError::TooLong(length));
                        }
                        length => self.expected = Expected::Message(length),
                    }
                }
                Expected::Message(length) => {
                    let Some(bytes) = self.take(length as usize) else {
                        return Ok(None);
                    };
                    self.expected = Expected::Length;
                    return decode_message(bytes).map(|message| Some(Received::Message(message)));
                }
                Expected::Nothing(error) => return Err(error),
            }
        }
    }

    /// The next `needed` bytes, if they are all here.
    fn take(&mut self, needed: usize) -> Option<Bytes> {
        if self.partial.is_empty() && self.chunk.len() >= needed {
            return Some(self.chunk.split_to(needed));
        }
        let missing = needed - self.partial.len();
        let arrived = self.chunk.split_to(missing.min(self.chunk.len()));
        reserve(&mut self.partial, arrived.len(), needed);
        self.partial.extend_from_slice(&arrived);
        (self.partial.len() == needed).then(|| std::mem::take(&mut self.partial).into())
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
fn decode_message(mut bytes: Bytes) -> Result<Message, PeerWireError> {
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
            data: bytes,
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
