//! One peer, looked at closely.

use page_kit::dom::{by_id, part, set_flag, set_text};
use page_kit::format;
use swarm_lab::Snapshot;
use swarm_lab::snapshot::PeerSnapshot;

/// Shows a peer of each run, or how to choose one.
pub(super) fn show(peer: Option<usize>, snapshots: &[&Snapshot], pieces: u32) {
    let panel = by_id("peer");
    let name = match peer {
        None => "Point at a cell, or choose one with the arrow keys, to see what a peer has, \
                 gets and gives."
            .to_owned(),
        Some(index) => {
            let found = snapshots
                .iter()
                .find_map(|snapshot| snapshot.peers.get(index));
            let role = found.map_or("not here yet", |peer| peer.role.name());
            format!("Peer {index}, {role}")
        }
    };
    set_text(&part(&panel, "name"), &name);
    for (run, column) in ["a", "b"].into_iter().enumerate() {
        let shown = part(&panel, column);
        let snapshot = snapshots.get(run);
        set_flag(&shown, "hidden", snapshot.is_none() || peer.is_none());
        let found = snapshot
            .zip(peer)
            .and_then(|(it, index)| it.peers.get(index));
        let says = found.map_or("not here yet".to_owned(), |peer| of_peer(peer, pieces));
        set_text(&part(&shown, "words"), &says);
    }
}

fn of_peer(peer: &PeerSnapshot, pieces: u32) -> String {
    let gone = if peer.present { "" } else { ", not connected" };
    let links = match peer.links {
        0 => String::new(),
        1 => ", 1 direct link".to_owned(),
        links => format!(", {links} direct links"),
    };
    format!(
        "{} of {pieces} pieces, {} got, {} given{links}{gone}",
        peer.pieces,
        format::bytes(peer.received),
        format::bytes(peer.sent),
    )
}
