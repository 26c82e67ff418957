//! One remote peer: what it has, what it was asked, what it asks, how fast it is.
//!
//! A `Remote` is who it is, and what is between us; a `Stream` is one channel to it. A `Session`
//! is both.

pub mod allowance;
mod choice;
mod config;
pub mod meter;
pub mod outbox;
mod pieces;
pub mod pipeline;
mod remote;
mod secret;
mod session;
mod stream;

use serde::{Deserialize, Serialize};

pub use allowance::Allowance;
pub(crate) use choice::{PathChoice, Phase, Seen};
pub use config::{
    DirectConfig, IntroduceConfig, MeasureConfig, PathsConfig, PexConfig, PlacesConfig,
    RequestConfig, RtcConfig, WorkConfig,
};
pub use meter::Meter;
pub use outbox::{Outbox, Upload};
pub(crate) use pieces::RemotePieces;
pub use pipeline::Pipeline;
pub(crate) use remote::{Advice, Remote};
pub(crate) use secret::Secret;
pub(crate) use session::Session;
pub use session::SessionId;
pub(crate) use stream::{Asked, Opened, Stream};
pub use stream::{Opening, UNCOUNTED};

/// How a peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerPath {
    /// Through the server.
    Relay,
    /// Directly, from tab to tab (WebRTC).
    Direct,
    /// Directly, by TCP: as ordinary BitTorrent clients do (BEP 3).
    Tcp,
    /// Directly, to a peer that a tracker of WebTorrent's kind knows (WebRTC).
    WebTorrent,
    /// It is no peer, but a server of files by HTTP (BEP 19), for which a node speaks.
    WebSeed,
}
