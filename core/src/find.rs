//! What finds peers: trackers. Each has its own state, whatever others there are.

pub mod tracker;
mod turns;

pub use tracker::Tracker;
