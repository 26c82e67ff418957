//! The BitTorrent peer wire (BEP 3), with the Fast extension's messages (BEP 6) and
//! the extension protocol's envelope (BEP 10).
//!
//! A connection opens with a [`Handshake`] from each side; then each side sends
//! [`Message`]s behind four-byte big-endian lengths.

use bytes::Bytes;

use crate::id::{InfoHash, PeerId};

pub mod decoder;

pub use decoder::{Decoder, Received};

/// The numbers of the messages.
mod id {
    pub(super) const CHOKE: u8 = 0;
    pub(super) const UNCHOKE: u8 = 1;
    pub(super) const INTERESTED: u8 = 2;
    pub(super) const NOT_INTERESTED: u8 = 3;
    pub(super) const HAVE: u8 = 4;
    pub(super) const BITFIELD: u8 = 5;
    pub(super) const REQUEST: u8 = 6;
    pub(super) const PIECE: u8 = 7;
    pub(super) const CANCEL: u8 = 8;
    pub(super) const PORT: u8 = 9;
    pub(super) const SUGGEST_PIECE: u8 = 13;
    pub(super) const HAVE_ALL: u8 = 14;
    pub(super) const HAVE_NONE: u8 = 15;
    pub(super) const REJECT_REQUEST: u8 = 16;
    pub(super) const ALLOWED_FAST: u8 = 17;
    pub(super) const EXTENDED: u8 = 20;
}

/// What every handshake begins with: the protocol's name behind its length.
const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";

/// Bytes before the block in a `piece` message: its length, its number, and the place.
pub const PIECE_HEAD: usize = 13;

/// Bytes of a handshake.
pub const HANDSHAKE_LEN: usize = 68;

/// The first thing on a connection, from each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The eight reserved bytes, which say what the sender can do.
    pub reserved: Reserved,
    /// The torrent that the connection is for.
    pub info_hash: InfoHash,
    /// What the sender calls itself.
    pub peer_id: PeerId,
}

/// The reserved bytes of a [`Handshake`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved(pub [u8; 8]);

impl Reserved {
    /// The extension protocol (BEP 10): bit 20 from the right.
    pub const EXTENSION: Reserved = Reserved([0, 0, 0, 0, 0, 0x10, 0, 0]);
    /// The Fast extension (BEP 6): bit 3 from the right.
    pub const FAST: Reserved = Reserved([0, 0, 0, 0, 0, 0, 0, 0x04]);
    /// A node of the DHT (BEP 5): bit 0 from the right.
    pub const DHT: Reserved = Reserved([0, 0, 0, 0, 0, 0, 0, 0x01]);

    /// Both sets of capabilities together.
    #[must_use]
    pub fn with(self, other: Reserved) -> Reserved {
        Reserved(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// Every capability of `other` is here.
    pub fn has(self, other: Reserved) -> bool {
        self.with(other) == self
    }
}

/// A stretch of a piece as it is named on the wire: not checked against any torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    /// The piece's index.
    pub piece: u32,
    /// The first byte within the piece.
    pub begin: u32,
    /// How many bytes.
    pub length: u32,
}

/// One message of the peer wire; its block may be bytes of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<C = Bytes> {
    /// A length of zero: only says that the sender is alive.
    KeepAlive,
    /// We will answer no requests (id 0).
    Choke,
    /// We will answer requests (id 1).
    Unchoke,
    /// You have something that we lack (id 2).
    Interested,
    /// You have nothing that we lack (id 3).
    NotInterested,
    /// We have this piece (id 4).
    Have(u32),
    /// The pieces that we have, most significant bit first (id 5).
    Bitfield(Bytes),
    /// Please send a block (id 6).
    Request(BlockRef),
    /// A block (id 7).
    Piece {
        /// The piece's index.
        piece: u32,
        /// The first byte within the piece.
        begin: u32,
        /// The bytes.
        data: C,
    },
    /// The block that we asked for is no longer needed (id 8).
    Cancel(BlockRef),
    /// The UDP port of our DHT node (id 9, BEP 5).
    Port(u16),
    /// You might like this piece (id 13, BEP 6).
    SuggestPiece(u32),
    /// We have every piece (id 14, BEP 6).
    HaveAll,
    /// We have no piece (id 15, BEP 6).
    HaveNone,
    /// We won't answer this request (id 16, BEP 6).
    RejectRequest(BlockRef),
    /// You may ask for this piece while choked (id 17, BEP 6).
    AllowedFast(u32),
    /// A message of the extension protocol (id 20, BEP 10).
    Extended {
        /// 0 for the extension handshake, else a number that the receiver chose.
        id: u8,
        /// What it carries.
        payload: Bytes,
    },
    /// An id that we don't know, to be ignored.
    Unknown(u8),
}

/// What breaks the peer wire; the connection must close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerWireError {
    /// The connection does not begin with the BitTorrent handshake.
    #[error("not a BitTorrent handshake")]
    NotAHandshake,
    /// A message is longer than we accept.
    #[error("a message of {0} bytes is too long")]
    TooLong(u32),
    /// A message's length does not fit its id.
    #[error("message {id} can't be {length} bytes long")]
    BadLength {
        /// The message's id.
        id: u8,
        /// Bytes after the id.
        length: u32,
    },
}

impl Handshake {
    /// The 68 bytes.
    pub fn encode(&self) -> [u8; HANDSHAKE_LEN] {
        let mut bytes = [0; HANDSHAKE_LEN];
        bytes[..20].copy_from_slice(PROTOCOL);
        bytes[20..28].copy_from_slice(&self.reserved.0);
        bytes[28..48].copy_from_slice(&self.info_hash.0);
        bytes[48..].copy_from_slice(&self.peer_id.0);
        bytes
    }

    /// Reads the 68 bytes.
    pub fn decode(bytes: &[u8; HANDSHAKE_LEN]) -> Result<Self, PeerWireError> {
        if !bytes.starts_with(PROTOCOL) {
            return Err(PeerWireError::NotAHandshake);
        }
        Ok(Handshake {
            reserved: Reserved(std::array::from_fn(|i| bytes[20 + i])),
            info_hash: InfoHash(std::array::from_fn(|i| bytes[28 + i])),
            peer_id: PeerId(std::array::from_fn(|i| bytes[48 + i])),
        })
    }
}

impl Message {
    /// Appends the message, behind its length, to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Message::KeepAlive => out.extend_from_slice(&[0; 4]),
            Message::Choke => encode_parts(id::CHOKE, &[], out),
            Message::Unchoke => encode_parts(id::UNCHOKE, &[], out),
            Message::Interested => encode_parts(id::INTERESTED, &[], out),
            Message::NotInterested => encode_parts(id::NOT_INTERESTED, &[], out),
            Message::Have(piece) => encode_parts(id::HAVE, &[&piece.to_be_bytes()], out),
            Message::Bitfield(bits) => encode_parts(id::BITFIELD, &[bits], out),
            Message::Request(block) => encode_block(id::REQUEST, block, out),
            Message::Piece { piece, begin, data } => encode_piece(*piece, *begin, data, out),
            Message::Cancel(block) => encode_block(id::CANCEL, block, out),
            Message::Port(port) => encode_parts(id::PORT, &[&port.to_be_bytes()], out),
            Message::SuggestPiece(piece) => {
                encode_parts(id::SUGGEST_PIECE, &[&piece.to_be_bytes()], out);
            }
            Message::HaveAll => encode_parts(id::HAVE_ALL, &[], out),
            Message::HaveNone => encode_parts(id::HAVE_NONE, &[], out),
            Message::RejectRequest(block) => encode_block(id::REJECT_REQUEST, block, out),
            Message::AllowedFast(piece) => {
                encode_parts(id::ALLOWED_FAST, &[&piece.to_be_bytes()], out);
            }
            Message::Extended { id, payload } => {
                encode_parts(id::EXTENDED, &[&[*id], payload], out);
            }
            Message::Unknown(id) => encode_parts(*id, &[], out),
        }
    }
}

/// Appends a `piece` message whose block is `data`, without building a [`Message`].
pub fn encode_piece(piece: u32, begin: u32, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&piece_head(piece, begin, data.len()));
    out.extend_from_slice(data);
}

/// What stands before the block in a `piece` message, for a block of `length` bytes.
pub fn piece_head(piece: u32, begin: u32, length: usize) -> [u8; PIECE_HEAD] {
    let length = u32::try_from(length + 9).expect("a message is shorter than 4 GiB");
    let mut head = [0; PIECE_HEAD];
    head[..4].copy_from_slice(&length.to_be_bytes());
    head[4] = id::PIECE;
    head[5..9].copy_from_slice(&piece.to_be_bytes());
    head[9..].copy_from_slice(&begin.to_be_bytes());
    head
}

fn encode_block(id: u8, block: &BlockRef, out: &mut Vec<u8>) {
    let numbers = [block.piece, block.begin, block.length].map(u32::to_be_bytes);
    encode_parts(id, &[numbers.as_flattened()], out);
}

/// Appends length, id and the parts of the body.
fn encode_parts(id: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let length = u32::try_from(length).expect("a message is shorter than 4 GiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.push(id);
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests;
