//! WebRTC connections by way of trackers: ours, which says whom offers would find, and those of
//! WebTorrent's kind, which take them with an announce.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../content/mod.rs"]
mod content;
mod pair;
mod relay;
mod tab;
mod webtorrent;
