//! What the fuzz targets do with their input.
//!
//! A target takes any bytes and panics when a promise is broken. libFuzzer calls them from
//! `fuzz/fuzz_targets`; `tests/corpus.rs` replays what it found, and the corpus, on every
//! platform and with a stable compiler.
//!
//! Most read bytes as they come from the network; [`recording`] reads a file, whose
//! inputs it feeds to an engine, and [`dht_recording`] to a node of the DHT. [`engine`],
//! [`hub`], [`dht`] and [`swarms`] make a sequence of inputs out of theirs, so that what is
//! explored is a state, not a format.

use std::sync::OnceLock;

mod dht;
mod engine;
mod hub;
mod overlay;
mod parsers;
mod recording;
mod swarms;
mod trackers;

pub use dht::{dht, dht_recording, krpc};
pub use engine::engine;
pub use hub::hub;
pub use overlay::overlay;
pub use parsers::{bencode, link, metainfo, peer_wire, relay, web_seed};
pub use recording::recording;
pub use swarms::swarms;
pub use trackers::{http_tracker, lsd, stun, udp_tracker, webtorrent};

/// A target: returns on any input, or panics because something is wrong.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder of the corpus.
pub const TARGETS: [(&str, Target); 19] = [
    ("bencode", bencode),
    ("metainfo", metainfo),
    ("link", link),
    ("web_seed", web_seed),
    ("peer_wire", peer_wire),
    ("relay", relay),
    ("stun", stun),
    ("http_tracker", http_tracker),
    ("udp_tracker", udp_tracker),
    ("lsd", lsd),
    ("webtorrent", webtorrent),
    ("recording", recording),
    ("engine", engine),
    ("hub", hub),
    ("swarms", swarms),
    ("krpc", krpc),
    ("dht", dht),
    ("dht_recording", dht_recording),
    ("overlay", overlay),
];

/// Whether the sequences are to be told on standard error, for whoever wants to know how a
/// crash came about.
fn trace() -> bool {
    static TRACE: OnceLock<bool> = OnceLock::new();
    *TRACE.get_or_init(|| std::env::var_os("FUZZ_TRACE").is_some())
}
