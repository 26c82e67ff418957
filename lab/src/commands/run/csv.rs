//! A line for each peer. There are only numbers and fixed words, nothing to quote.

use std::fmt::Write as _;

use swarm_lab::Results;

const HEADER: &str = "peer,role,arrived_s,completed_s,left_s,download_s,pieces,received_bytes,\
sent_bytes,given_over_taken,wasted_bytes,banned,longest_stall_s\n";

/// The whole file.
pub(super) fn peers(results: &Results) -> String {
    let mut text = HEADER.to_owned();
    for (number, peer) in results.peers.iter().enumerate() {
        let optional = |time: Option<f64>| time.map_or(String::new(), |time| time.to_string());
        let ratio = (peer.received > 0).then(|| peer.sent as f64 / peer.received as f64);
        writeln!(
            text,
            "{number},{},{},{},{},{},{},{},{},{},{},{},{}",
            peer.role.name(),
            peer.arrived,
            optional(peer.completed),
            optional(peer.left),
            optional(peer.completed.map(|completed| completed - peer.arrived)),
            peer.pieces,
            peer.received,
            peer.sent,
            optional(ratio),
            peer.wasted,
            peer.banned,
            peer.longest_stall,
        )
        .expect("memory takes all");
    }
    text
}
