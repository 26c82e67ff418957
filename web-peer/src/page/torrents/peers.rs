//! Who a torrent is exchanged with.

use swarm_core::engine::{PeerPath, PeerView};
use swarm_core::sorted::SortedMap;
use web_sys::Element;

use crate::page::dom::{make, part, set_attribute, set_bar, set_text};
use crate::page::format;
use crate::page::list::Row;
use crate::page::words::{self, key, say};

/// One connected peer.
pub(crate) struct Peer(Element);

/// Numbers peers that claim the same id.
pub(crate) fn keyed(peers: Vec<PeerView>) -> Vec<(usize, PeerView)> {
    let mut seen = SortedMap::<String, usize>::new();
    let number = |peer: PeerView| {
        let namesakes = seen.entry(peer.peer_id.clone()).or_default();
        *namesakes += 1;
        (*namesakes, peer)
    };
    peers.into_iter().map(number).collect()
}

impl Row for Peer {
    type View = (usize, PeerView);
    type Key = (usize, String);

    fn key((number, peer): &Self::View) -> Self::Key {
        (*number, peer.peer_id.clone())
    }

    fn new(_: &Self::View) -> Self {
        Peer(make("peer"))
    }

    fn show(&mut self, (_, peer): Self::View) {
        let Peer(row) = self;
        let (path, path_named, path_explained) = match peer.path {
            PeerPath::Relay | PeerPath::Direct if peer.gateway => (
                "gateway",
                key!("gateway"),
                key!(
                    "From a swarm of ordinary BitTorrent clients, which this peer talks to for you"
                ),
            ),
            PeerPath::Relay => (
                "relay",
                key!("relay"),
                key!("Through the server, which passes bytes on and keeps none"),
            ),
            PeerPath::Direct => ("direct", key!("direct"), key!("Straight from tab to tab")),
            PeerPath::WebSeed => (
                "web-seed",
                key!("web seed"),
                key!("From a server that has the files, which is asked where peers give nothing"),
            ),
            PeerPath::Tcp => (
                "tcp",
                "TCP",
                key!("Straight, as ordinary BitTorrent clients do"),
            ),
            PeerPath::WebTorrent => (
                "webtorrent",
                "WebTorrent",
                key!("Straight, as WebTorrent’s clients do"),
            ),
        };
        set_attribute(row, "data-path", path);
        set_attribute(row, "data-down", &peer.down.to_string());
        set_attribute(row, "data-up", &peer.up.to_string());

        let client = part(row, "client");
        match &peer.client[..] {
            "" => set_text(&client, &say!("A peer")),
            name => set_text(&client, name),
        }
        set_attribute(&client, "title", &peer.peer_id);
        set_text(&part(row, "path"), &words::text(path_named));
        set_attribute(&part(row, "path"), "title", &words::text(path_explained));
        set_bar(&part(row, "bar"), Some(peer.progress));
        let has = say!("has {percent}", percent = format::percent(peer.progress));
        set_text(&part(row, "has"), &has);
        set_text(&part(row, "down"), &moved(peer.down, peer.down_rate));
        set_text(&part(row, "up"), &moved(peer.up, peer.up_rate));
    }

    fn element(&self) -> &Element {
        &self.0
    }
}

fn moved(total: u64, rate: u64) -> String {
    match rate {
        0 => format::bytes(total),
        _ => format!("{} · {}", format::bytes(total), format::rate(rate)),
    }
}
