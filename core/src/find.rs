//! What finds peers: trackers. Each has its own state, whatever others there are.

pub mod announcer;
pub mod exchange;
pub mod tracker;
mod turns;

pub use announcer::Announcer;
pub use exchange::Exchange;
pub use tracker::Tracker;
