//! What the picture says in words. What never changes is in the page's markup.

use page_kit::format::{bytes, count, percent, rate};
use swarm_core::engine::{PeerPath, PeerView};

/// Its software.
pub(super) fn client(view: &PeerView) -> &str {
    match view.client.is_empty() {
        true => "A peer",
        false => &view.client,
    }
}

/// How it is reached.
pub(super) fn path(path: PeerPath) -> &'static str {
    match path {
        PeerPath::Relay => "relay",
        PeerPath::Direct => "direct",
        PeerPath::WebTorrent => "WebTorrent",
        PeerPath::Tcp => "TCP",
        PeerPath::WebSeed => "web seed",
    }
}

/// What passes in one direction: whether it may, how fast it does, and how much did.
pub(super) fn moved(is_unchoked: bool, now: u64, total: u64) -> String {
    match (is_unchoked, now, total) {
        (_, 1.., _) => format!("{}, {}", rate(now), bytes(total)),
        (true, _, 0) => "open".to_owned(),
        (true, ..) => format!("open, {}", bytes(total)),
        (false, _, 0) => "choked".to_owned(),
        (false, ..) => format!("choked, {}", bytes(total)),
    }
}

/// One peer that somebody looks at closely.
pub(super) fn peer(view: &PeerView) -> String {
    let gives = moved(view.unchoked_us, view.down_rate, view.down);
    let gets = moved(view.unchoked, view.up_rate, view.up);
    format!(
        "{}, {}, has {}. From it: {gives}. To it: {gets}.",
        client(view),
        path(view.path),
        percent(view.progress),
    )
}

/// All of them together.
pub(super) fn all(peers: usize, giving: usize, taking: usize) -> String {
    match peers {
        0 => "Nobody else is connected just now.".to_owned(),
        _ => format!(
            "{}: {giving} sending to this tab, {taking} receiving from it.",
            count(peers, "peer")
        ),
    }
}

/// How rare the rarest pieces are; `holders` are we and all peers.
pub(super) fn rarest(rarest: Option<(usize, u32)>, holders: u32) -> String {
    match rarest {
        None => String::new(),
        Some((pieces, 0)) => format!("{} with nobody who is connected", count(pieces, "piece")),
        Some((_, copies)) if copies == holders => "everybody has every piece".to_owned(),
        Some((pieces, copies)) => {
            format!(
                "rarest: {}, with {copies} of {holders}",
                count(pieces, "piece")
            )
        }
    }
}
