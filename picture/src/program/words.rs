//! What the picture says in words. What never changes is in the page's markup.

use page_kit::figures::{bytes, percent, rate};
use page_kit::words::text;
use page_kit::{key, say};
use swarm_core::engine::PeerView;

use super::look::index_of;

/// What we are called.
pub(super) fn ours() -> String {
    say!("This tab")
}

/// A peer's software.
pub(super) fn client(view: &PeerView) -> String {
    match view.client.is_empty() {
        true => say!("A peer"),
        false => view.client.clone(),
    }
}

/// How it is reached.
pub(super) fn path(view: &PeerView) -> String {
    // As `PATHS` has them.
    let words = [
        key!("relay"),
        key!("direct"),
        "WebTorrent",
        "TCP",
        key!("web seed"),
        key!("gateway"),
    ];
    text(words[index_of(view)])
}

/// What passes in one direction: whether it may, how fast it does, and how much did.
pub(super) fn moved(is_unchoked: bool, now: u64, total: u64) -> String {
    let how = match (is_unchoked, now) {
        (_, 1..) => rate(now),
        (true, _) => say!("open"),
        (false, _) => say!("choked"),
    };
    match total {
        0 => how,
        _ => format!("{how}\u{a0}· {}", bytes(total)),
    }
}

/// One peer that somebody looks at closely.
pub(super) fn peer(view: &PeerView) -> String {
    say!(
        "{client}, {path}, has {percent}. From it: {gives}. To it: {gets}.",
        client = client(view),
        path = path(view),
        percent = percent(view.progress),
        gives = moved(view.unchoked_us, view.down_rate, view.down),
        gets = moved(view.unchoked, view.up_rate, view.up),
    )
}

/// All of them together.
pub(super) fn all(peers: usize, giving: usize, taking: usize) -> String {
    match peers {
        0 => say!("Nobody else is connected just now."),
        _ => say!(
            "{n} peer{s}. Sending to this tab: {giving}. Receiving from it: {taking}.",
            n = peers,
            giving = giving,
            taking = taking,
        ),
    }
}

/// How rare the rarest pieces are; `holders` are we and all peers.
pub(super) fn rarest(rarest: Option<(usize, u32)>, holders: u32) -> String {
    match rarest {
        None => String::new(),
        Some((_, copies)) if copies == holders => say!("Everybody has every piece"),
        Some((pieces, copies)) => say!(
            "The rarest are {n} piece{s} that {copies} of {holders} have",
            n = pieces,
            copies = copies,
            holders = holders,
        ),
    }
}
