//! Making a torrent out of files.

use super::Metainfo;
use crate::pieces::Layout;

/// A file that is to be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its path, below the folder that is shared; one part for a single file.
    pub path: Vec<String>,
    /// Bytes.
    pub length: u64,
}

/// Why a torrent can't be made of these files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// There are none.
    #[error("there is nothing to share")]
    NoFiles,
    /// All are empty.
    #[error("there is nothing to share: every file is empty")]
    Empty,
    /// Something about one of them, in words.
    #[error("{0}")]
    Invalid(String),
}

/// A torrent being made: lays the files out, takes the pieces' hashes, in any order.
#[derive(Clone, Debug)]
pub struct Builder {}

impl Builder {
    /// One file under its own name (a path of one part and `folder` none), or a folder
    /// of files. `piece_length` none chooses one by size.
    pub fn new(folder: Option<&str>, files: Vec<NewFile>, piece_length: Option<u32>) -> Result<Self, CreateError> {
        let _ = (folder, files, piece_length);
        todo!()
    }
    /// How the files are cut into pieces; read them in this order and hash each.
    pub fn layout(&self) -> &Layout {
        todo!()
    }
    /// The torrent, from the hashes of all pieces in order, twenty bytes each.
    /// Panics when there are more or fewer.
    pub fn finish(self, hashes: Vec<u8>, trackers: Vec<String>, private: bool) -> Metainfo {
        let _ = (hashes, trackers, private);
        todo!()
    }
}

/// The piece length for this many bytes: a power of two that makes at most some
/// hundreds of pieces of middling files, and never more than 16 MiB.
pub fn piece_length_for(length: u64) -> u32 {
    let _ = length;
    todo!()
}
