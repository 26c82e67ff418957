//! Every schema that travels, a file for each family of messages.

pub mod direct;
pub mod extension;
mod fields;
pub mod fingerprint;
pub mod introduce;
pub mod lsd;
pub mod overlay;
pub mod peer;
pub mod pex;
pub mod relay;
pub mod stun;
pub mod tracker;
pub mod trackers;
pub mod webtorrent;

/// The most pieces of a torrent that we take part in, and so of a bitfield: their hashes
/// alone are 40 MiB.
pub const MAX_PIECES: u64 = 1 << 21;

/// The longest info dictionary that travels (BEP 9) or is read, in bytes.
pub const MAX_METADATA: usize = 16 << 20;
