//! The command-line host of the engine: files on disk, a WebSocket to the tracker, a
//! progress bar. The binary is a thin shell around this library, which other native
//! programs and tests may embed.
//!
//! - [`host`]: the loop that owns the engine and does what its outputs say.
//! - [`link`]: the WebSocket to a tracker, which reconnects by itself; [`address`] says where
//!   it goes; `links` are all of them, `exchange` follows what peers say of others.
//! - [`wires`]: peers by TCP; [`webrtc`]: tabs and WebTorrent's clients; `dht`: who finds them by the DHT;
//!   `carrying`: what is stored of torrents that tabs ask for.
//! - [`store`]: where pieces are: a download folder, shared files, memory.
//! - [`disk`]: stores and hashing on threads that may block.
//! - [`recording`]: what the engine gets, in a file.
//! - [`share`]: files and folders become torrents.
//! - [`cli`], `arguments`, `pace`, [`commands`]: what a person types; [`screen`], [`status`] and
//!   [`signals`]: what a person sees and presses.

pub mod address;
mod announce;
mod arguments;
mod backlog;
mod carrying;
pub mod cli;
pub mod commands;
mod dht;
pub mod disk;
pub mod error;
mod exchange;
pub mod host;
pub mod link;
mod links;
mod lsd;
mod named;
mod news;
mod pace;
pub mod recording;
pub mod screen;
pub mod share;
pub mod signals;
mod state;
pub mod status;
pub mod store;
pub mod text;
mod web_seeds;
pub mod webrtc;
pub mod wires;

pub use address::TrackerAddress;
pub use error::Error;
pub use host::Host;
pub use recording::Recording;
