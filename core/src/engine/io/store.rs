//! What stores are asked to do, and what comes of it.

use bytes::Bytes;

use crate::id::InfoHash;
use crate::pieces::PieceIndex;

/// What a store is to work on: a piece, or a part of one that is longer than
/// [`crate::engine::Config::whole_piece`]. What is under way at once differs in this, or in what is
/// done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The piece.
    pub piece: PieceIndex,
    /// The first byte of the part within the piece; none for a whole piece.
    pub part: Option<u32>,
    /// The torrent's number, counted from 0 as torrents are added to the engine: one that is
    /// removed and added again is another, and what comes of this means nothing to it.
    pub added: u32,
}

/// What a store is to do.
#[derive(Clone, Debug)]
pub enum Work<C = Bytes> {
    /// Read it, so many bytes.
    Read {
        /// Bytes of the piece, or of the part.
        length: u32,
    },
    /// Keep it. A whole piece is verified; a part goes to its place, though nobody knows yet
    /// whether it is right. Padding (BEP 47) is left out. Parts of one piece may be written at
    /// once; none is written twice unless it was wrong.
    Write {
        /// Its bytes.
        data: C,
    },
    /// Hash these bytes (SHA-1). Nothing is stored yet.
    Hash {
        /// The bytes of a whole piece.
        data: C,
    },
    /// Hash (SHA-1) a piece in parts where it lies, in as little memory as may be, padding
    /// being zeros. If the hash is right, the piece is kept from now on.
    Verify,
}

/// What came of [`Work`], in the same order.
#[derive(Clone, Debug)]
pub enum Done<C = Bytes> {
    /// All of the bytes, or why not.
    Read(Result<C, StoreError>),
    /// `Ok` means that a whole piece survives a reload.
    Written(Result<(), StoreError>),
    /// The hash.
    Hashed([u8; 20]),
    /// The hash, or why there is none. With the right one the piece survives a reload.
    Verified(Result<[u8; 20], StoreError>),
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The piece is not there: an ordinary answer while checking what is on disk. Of a piece
    /// that we have it says that it is lost.
    #[error("the piece is not there")]
    Missing,
    /// There is no room.
    #[error("there is no room left: {0}")]
    Full(String),
    /// A file that we share can't be read any more, or is not what it was: the piece is lost.
    #[error("the file can't be read any more: {0}")]
    Unreadable(String),
    /// Anything else; the torrent stops.
    #[error("the storage failed: {0}")]
    Failed(String),
}
