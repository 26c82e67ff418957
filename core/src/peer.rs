//! One remote peer: what it has, what it was asked, what it asks, how fast it is.

pub mod allowance;
mod config;
pub mod meter;
pub mod outbox;
pub mod pipeline;
pub mod session;

use serde::{Deserialize, Serialize};

pub use allowance::Allowance;
pub use config::{PlacesConfig, RequestConfig, WorkConfig};
pub use meter::Meter;
pub use outbox::{Outbox, Upload};
pub use pipeline::Pipeline;
pub use session::{RemotePieces, Session, SessionId};

/// How a peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerPath {
    /// Through the server.
    Relay,
    /// Directly.
    Direct,
}
