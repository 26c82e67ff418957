//! Recordings: what went into an engine and when, as bytes, to be run once more elsewhere.
//!
//! An engine is a function of its configuration, its seed and its inputs with their
//! times. A [`Node`] that was given a [`Sink`] hands all of those to it; [`Reader`] takes the bytes apart again, and [`Replay`] feeds a new
//! engine with them. A hash of the outputs runs along, so that a replay finds the first
//! entry after which the two engines differ. The bytes are described in
//! `docs/protocol.md`.
//!
//! Nothing here does I/O, and a host that does not record pays nothing.
//!
//! [`Node`]: crate::node::Node

mod engine;
mod entry;
mod header;
mod outputs;
mod reader;
mod replay;
#[cfg(test)]
mod tests;
mod torrents;
mod writer;

use std::ops::RangeInclusive;

use crate::engine::config::ConfigError;
use crate::metainfo::MetainfoError;
use crate::wire::relay::RelayError;

pub(crate) use engine::RecordedEngine;
pub use entry::Entry;
pub use header::Header;
pub use outputs::{OutputHash, Outputs};
pub use reader::Reader;
pub use replay::{Divergence, Replay, ReplayError};
pub use torrents::Torrents;
pub use writer::{Part, Recorder, Sink};

/// The first bytes of every recording; the last of them is the format's version.
pub const MAGIC: [u8; 9] = *b"SWARMREC\x03";

/// The versions that are read. Each of them only adds to the one before.
const VERSIONS: RangeInclusive<u8> = 2..=MAGIC[MAGIC.len() - 1];

/// The longest head of an entry, in bytes: a bitfield of the largest torrent fits.
pub const MAX_HEAD: usize = 1 << 20;

/// The longest body of an entry, in bytes: the largest piece fits.
pub const MAX_BODY: usize = 64 << 20;

/// Bytes of the two lengths before each head: its own and that of its body.
const LENGTHS: usize = 8;

/// Why some bytes are not a recording that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It begins with something else.
    #[error("this is not a recording")]
    Magic,
    /// A later format, or an earlier one.
    #[error("a recording of format {0}, which this version does not read")]
    Version(u8),
    /// The header lacks something, or has something of another type.
    #[error("the header is not readable")]
    Header,
    /// A configuration that no engine has.
    #[error("the header's configuration is impossible: {0}")]
    Config(#[from] ConfigError),
    /// A head or a body that is longer than any that is written.
    #[error("an entry of {0} bytes is too long")]
    TooLong(u64),
    /// An entry's head is not what it should be.
    #[error("an entry is malformed")]
    Entry,
    /// Beyond [`MAX_TIME`](crate::time::MAX_TIME).
    #[error("a time of {0} seconds is impossible")]
    Time(u64),
    /// Input follows input, and nobody takes what the engine says. No host does that.
    #[error("what the engine said was left waiting without end")]
    Waiting,
    /// Bytes behind the end.
    #[error("there is more after the end")]
    AfterEnd,
    /// A message of the tracker is none.
    #[error("a recorded message: {0}")]
    Message(#[from] RelayError),
    /// A torrent is none.
    #[error("a recorded torrent: {0}")]
    Metainfo(#[from] MetainfoError),
    /// A piece of a torrent that nobody has described, or beyond its last piece.
    #[error("a piece that does not exist")]
    Piece,
}
