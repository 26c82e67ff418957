//! Torrents as files (BEP 3) and as links (BEP 9).

use std::sync::Arc;

use bytes::Bytes;

use crate::id::InfoHash;
use crate::pieces::{Layout, PieceIndex};

pub mod create;
pub mod link;
pub mod path;

pub use create::{Builder, CreateError, NewFile};
pub use link::{Link, LinkError};
pub use path::SafePath;

/// A torrent's description: all that is needed to fetch and verify it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metainfo(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    info_hash: InfoHash,
    /// The info dictionary as it came, because its bytes are what is hashed.
    info: Bytes,
    name: String,
    layout: Layout,
    /// Twenty bytes for each piece.
    hashes: Bytes,
    files: Vec<File>,
    multi_file: bool,
    private: bool,
    trackers: Vec<String>,
}

/// One file of a torrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it goes, relative to the download folder; for a multi-file torrent the
    /// first part is the torrent's name.
    pub path: SafePath,
    /// Bytes.
    pub length: u64,
    /// Its first byte within the torrent.
    pub offset: u64,
}

/// A stretch of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSpan {
    /// Index into [`Metainfo::files`].
    pub file: usize,
    /// The first byte within the file.
    pub offset: u64,
    /// How many bytes; never zero.
    pub length: u32,
}

/// Why some bytes are not a torrent that we can take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetainfoError {
    /// Not bencoding, or the wrong shape.
    #[error("not a torrent file: {0}")]
    Bencode(#[from] crate::bencode::BencodeError),
    /// The info dictionary's hash is not the one that was asked for.
    #[error("the metadata does not match its info-hash")]
    WrongInfoHash,
    /// Anything else, in words.
    #[error("{0}")]
    Invalid(String),
}

impl Metainfo {
    /// The longest `.torrent` file accepted, in bytes.
    pub const MAX_LENGTH: usize = 16 << 20;

    /// Reads a `.torrent` file.
    pub fn from_torrent(bytes: &[u8]) -> Result<Self, MetainfoError> {
        let _ = bytes;
        todo!()
    }

    /// Reads an info dictionary that came from a peer (BEP 9).
    pub fn from_info(info: Bytes, expected: InfoHash, trackers: Vec<String>) -> Result<Self, MetainfoError> {
        let _ = (info, expected, trackers);
        todo!()
    }

    /// The bytes of a `.torrent` file.
    pub fn to_torrent(&self) -> Vec<u8> {
        todo!()
    }

    /// The torrent's info-hash.
    pub fn info_hash(&self) -> InfoHash {
        self.0.info_hash
    }
    /// The info dictionary's bytes.
    pub fn info(&self) -> &Bytes {
        &self.0.info
    }
    /// The torrent's name: of its file, or of its folder.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// How it is cut into pieces.
    pub fn layout(&self) -> &Layout {
        &self.0.layout
    }
    /// The SHA-1 that a piece must have.
    pub fn piece_hash(&self, piece: PieceIndex) -> [u8; 20] {
        let _ = piece;
        todo!()
    }
    /// Its files, in order. At least one.
    pub fn files(&self) -> &[File] {
        &self.0.files
    }
    /// It is a folder, even if of one file.
    pub fn is_multi_file(&self) -> bool {
        self.0.multi_file
    }
    /// Peers only from its own trackers (BEP 27).
    pub fn is_private(&self) -> bool {
        self.0.private
    }
    /// Tracker addresses (BEP 12), flattened, in order.
    pub fn trackers(&self) -> &[String] {
        &self.0.trackers
    }
    /// A copy with these trackers (they are not part of the info-hash).
    #[must_use]
    pub fn with_trackers(&self, trackers: Vec<String>) -> Self {
        let _ = trackers;
        todo!()
    }
    /// The stretches of files that `length` bytes from `offset` in the torrent cover, in
    /// order, files of length zero left out.
    pub fn spans(&self, offset: u64, length: u32) -> impl Iterator<Item = FileSpan> + '_ {
        let _ = (offset, length);
        std::iter::empty()
    }
    /// The stretches of files that a piece covers.
    pub fn piece_spans(&self, piece: PieceIndex) -> impl Iterator<Item = FileSpan> + '_ {
        self.spans(self.layout().offset(piece), self.layout().length(piece))
    }
}
