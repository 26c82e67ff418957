//! Where pieces are kept. Every call may block: see [`crate::disk`].

use std::fmt::Debug;
use std::io;

use bytes::Bytes;
use swarm_core::engine::StoreError;
use swarm_core::pieces::PieceIndex;

#[cfg(test)]
mod conformance;
pub mod file;
pub mod memory;
pub mod shared;

pub use file::FileStore;
pub use memory::MemoryStore;
pub use shared::SharedFiles;

/// The pieces of one torrent. Calls for different pieces may overlap.
pub trait Store: Debug + Send + Sync {
    /// A whole piece. [`StoreError::Missing`] when it was not written, wholly or in part;
    /// where that can't be told (a hole in a file), any bytes: whoever asks checks the hash.
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError>;

    /// Keeps a verified piece; `data` has the piece's length. From now on
    /// [`Store::read`] returns it, in other processes too.
    fn write(&self, piece: PieceIndex, data: &[u8]) -> Result<(), StoreError>;

    /// Called once every piece that is wanted is written: on return, all of it survives a loss of power,
    /// and the wanted files have the lengths that they should have.
    fn finish(&self) -> Result<(), StoreError>;
}

/// The store's error for a system's, about `what`.
fn store_error(what: &str, error: &io::Error) -> StoreError {
    let text = format!("{what}: {error}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(text),
        _ => StoreError::Failed(text),
    }
}
