//! What one peer does to another, message by message: the Fast extension, debts, trust.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod debts;
mod fast;
#[path = "../script/mod.rs"]
mod script;
mod trust;

use script::BLOCK;
use swarm_core::engine::Config;
use swarm_core::wire::peer::BlockRef;

pub(crate) fn block(piece: u32, begin: u32) -> BlockRef {
    BlockRef {
        piece,
        begin,
        length: BLOCK,
    }
}

/// Asks for much at once, so that tests need not wait for the slow start.
pub(crate) fn eager() -> Config {
    let mut config = Config::default();
    config.requests.start = 16;
    config
}
