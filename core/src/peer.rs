//! One remote peer: what it has, what it was asked, what it asks, how fast it is.

pub mod meter;
pub mod outbox;
pub mod pipeline;
pub mod session;

pub use meter::Meter;
pub use outbox::{Outbox, Upload};
pub use pipeline::Pipeline;
pub use session::{RemotePieces, Session, SessionId};
