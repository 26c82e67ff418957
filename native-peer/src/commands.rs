//! What the commands do.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod seed;
pub(crate) mod show;

mod choose;
mod network;
mod session;
mod source;
