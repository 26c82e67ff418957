//! Where pieces are kept. Every call may block: see [`crate::disk`].

use std::fmt::Debug;
use std::io;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::PieceIndex;

#[cfg(test)]
mod conformance;
pub mod file;
pub mod memory;
pub mod shared;
pub mod stamp;

pub use file::FileStore;
pub use memory::MemoryStore;
pub use shared::SharedFiles;
pub use stamp::Stamp;

/// The pieces of one torrent. Calls for different pieces may overlap.
pub trait Store: Debug + Send + Sync {
    /// A whole piece. [`StoreError::Missing`] when it was not written, wholly or in part;
    /// where that can't be told (a hole in a file), any bytes: whoever asks checks the hash.
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError>;

    /// Keeps a verified piece; `data` has the piece's length. From now on
    /// [`Store::read`] returns it, in other processes too.
    fn write(&self, piece: PieceIndex, data: &[u8]) -> Result<(), StoreError>;

    /// A stretch of a piece: as [`Store::read`], which would hold the whole of it.
    fn read_part(&self, piece: PieceIndex, begin: u32, length: u32) -> Result<Bytes, StoreError>;

    /// Puts a stretch of a piece, from `begin` on, in its place, though nobody knows whether it
    /// is right. The piece is kept once [`Store::verify`] finds it right.
    fn write_part(&self, piece: PieceIndex, begin: u32, data: &[u8]) -> Result<(), StoreError>;

    /// The SHA-1 of a piece where it lies. If it is right, the piece counts as written.
    fn verify(&self, piece: PieceIndex) -> Result<[u8; 20], StoreError>;

    /// Called once every piece that is wanted is written: on return, all of it survives a loss of power,
    /// and the wanted files have the lengths that they should have.
    fn finish(&self) -> Result<(), StoreError>;

    /// Some file has changed since it was verified, as far as can be told: it is time for
    /// [`Store::recheck`].
    fn is_doubtful(&self) -> bool {
        false
    }

    /// Reads the files that changed once more, and says what is left of each. Until then no
    /// piece of them is read whose hash is wrong; pieces that are lost are not to be asked for
    /// any more.
    fn recheck(&self) -> Vec<Changed> {
        Vec::new()
    }
}

/// A file that changed since it was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which, for a person.
    pub file: String,
    /// The pieces of it that are lost.
    pub lost: Vec<PieceIndex>,
    /// The pieces that it had.
    pub pieces: usize,
    /// Why nothing of it can be read, if so.
    pub unreadable: Option<String>,
}

/// The store's error for a system's, about `what`.
fn store_error(what: &str, error: &io::Error) -> StoreError {
    let text = format!("{what}: {error}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(text),
        _ => StoreError::Failed(text),
    }
}

/// Bytes of a piece that are read at once to hash it: few, and enough that the disk reads on.
const STRETCH: u32 = 1 << 20;

/// The SHA-1 of a piece of so many bytes, of which `read` reads stretches.
fn hash_in_stretches(
    length: u32,
    read: impl Fn(u32, u32) -> Result<Bytes, StoreError>,
) -> Result<[u8; 20], StoreError> {
    let mut hash = Sha1::new();
    let mut begin = 0;
    while begin < length {
        let data = read(begin, STRETCH.min(length - begin))?;
        hash.update(&data);
        begin += STRETCH.min(length - begin);
    }
    Ok(hash.finalize().into())
}

/// These bytes are the piece.
fn is_right(metainfo: &Metainfo, piece: PieceIndex, data: &[u8]) -> bool {
    <[u8; 20]>::from(Sha1::digest(data)) == metainfo.piece_hash(piece)
}
