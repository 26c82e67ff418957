//! What the tests that cross crates share: servers, slow links, browsers, tabs, files.
//!
//! The programs under test are real: `tracker-relay` and `native-peer` as processes, the
//! page in headless Chromium. `cargo xtask test` builds them and says where they are.

mod audit;
pub mod bench;
pub mod browser;
pub mod clients;
pub mod files;
pub mod homes;
pub mod hundred;
pub mod liar;
pub mod media;
pub mod opentracker;
pub mod prefix;
pub mod programs;
pub mod scenes;
pub mod server;
pub mod slow_link;
pub mod tab;
pub mod wait;
pub mod web_server;
mod webkit;
