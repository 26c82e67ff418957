//! What the commands do.

pub(crate) mod create;
pub(crate) mod dht;
pub(crate) mod get;
pub(crate) mod seed;
pub(crate) mod show;

mod choose;
mod dht_ways;
mod network;
mod session;
mod source;
