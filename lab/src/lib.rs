//! Whole swarms in one process, in virtual time.
//!
//! A [`Scenario`] says who takes part, over which links, with which stores, and what goes
//! wrong. A [`Simulation`] plays it: every peer is a real [`swarm_core::node::Node`],
//! the tracker and relay is a real [`swarm_core::hub::Hub`], and only what hosts do
//! (links, stores, hashing, clocks) is made up. The same scenario, seed included, gives
//! the same run to the byte. [`Simulation::snapshot`] is for watching, [`Results`] is what
//! is measured.
//!
//! [`network`] does the same for the DHT: thousands of real nodes and a made-up Internet.
//!
//! [`replay`] feeds an engine with what was recorded of a real one.
//!
//! The simulator does no I/O and compiles to wasm32; the program `lab` is the feature
//! `cli`, which also brings [`batch`], [`statistics`] and [`charts`].

#[cfg(feature = "cli")]
pub mod batch;
#[cfg(feature = "cli")]
pub mod charts;
pub mod network;
pub mod replay;
pub mod results;
pub mod scenario;
mod schedule;
pub mod simulation;
pub mod snapshot;
#[cfg(feature = "cli")]
pub mod statistics;

pub use results::Results;
pub use scenario::{Scenario, ScenarioError};
pub use simulation::Simulation;
pub use snapshot::Snapshot;
