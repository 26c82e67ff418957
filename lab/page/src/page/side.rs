//! One of the runs that are compared: its honeycomb and its piece map.

use lab_page::settings::Side;
use page_kit::dom::{make, part, set_attribute, set_text};
use swarm_lab::Snapshot;
use swarm_lab::snapshot::PeerSnapshot;
use swarm_picture::colours::rgb;
use swarm_picture::piece_map::{PieceMap, RowView};
use web_sys::Element;

use super::hive::{Hive, Look};
use super::theme::{Theme, role_index};
use super::{figures, words};
use crate::messages::{Figures, RunFrame};

/// The piece map is about so high, in CSS pixels.
const MAP_HEIGHT: f64 = 240.0;

/// See the module.
pub(super) struct SideView {
    pub element: Element,
    pub hive: Hive,
    map: PieceMap,
    pub snapshot: Snapshot,
    pub figures: Option<Figures>,
    pieces: u32,
    /// Rows of the map, from the start.
    peers: usize,
}

impl SideView {
    /// At its start. `index` is 0 for A and 1 for B.
    pub(super) fn new(index: usize) -> Self {
        let element = make("side");
        let name = ["a", "b"][index];
        set_attribute(&element, "data-side", name);
        set_attribute(&element, "data-index", &index.to_string());
        set_text(&part(&element, "badge"), &name.to_uppercase());
        SideView {
            hive: Hive::new(&part(&element, "hive")),
            map: PieceMap::new(&part(&element, "map"), MAP_HEIGHT),
            snapshot: Snapshot::default(),
            figures: None,
            pieces: 1,
            peers: 0,
            element,
        }
    }

    /// From the start. It must be on the page already.
    pub(super) fn restart(&mut self, side: Side, peers: usize, pieces: u32) {
        self.snapshot = Snapshot::default();
        self.figures = None;
        self.pieces = pieces;
        self.hive.flows.clear();
        set_text(&part(&self.element, "name"), &side.words());
        self.show_words();
        self.fit(peers);
    }

    /// As large as its place on the page.
    pub(super) fn fit(&mut self, peers: usize) {
        self.hive.fit(peers);
        // A column for each piece, however many there are.
        self.map.fit(self.pieces, self.pieces as usize);
        self.peers = peers;
    }

    /// Colours have changed.
    pub(super) fn repaint(&mut self) {
        self.map.repaint();
    }

    /// A new moment.
    pub(super) fn take(&mut self, frame: RunFrame) {
        self.hive.flows.add(&frame.snapshot.flows);
        self.snapshot = frame.snapshot;
        if let Some(figures) = frame.figures {
            self.figures = Some(figures);
            self.show_words();
        }
    }

    /// Draws, `seconds` after the last time. True when the next picture will differ though
    /// nothing new comes.
    pub(super) fn draw(&mut self, look: &Look, seconds: f64) -> bool {
        self.hive.flows.fade(seconds);
        self.hive.draw(&self.snapshot, look);
        let glow = (!look.is_still).then_some(seconds);
        let (peers, theme) = (&self.snapshot.peers, look.theme);
        self.map
            .take((0..self.peers).map(|index| row(index, peers.get(index), theme)));
        self.map.draw(&theme.palette(), glow) || !self.hive.flows.is_empty()
    }

    fn show_words(&self) {
        let snapshot = &self.snapshot;
        let leechers = snapshot.complete + snapshot.waiting;
        let time = figures::seconds(snapshot.time);
        let share = words::part_of_pieces(snapshot, self.pieces) * 100.0;
        set_text(&part(&self.element, "time"), &time);
        let complete = format!("{} complete", snapshot.complete);
        set_text(&part(&self.element, "complete"), &complete);
        set_text(
            &part(&self.element, "share"),
            &format!("{share:.0}% of the pieces"),
        );
        let here = snapshot.peers.iter().filter(|peer| peer.present).count();
        let label = format!(
            "Piece map: {here} peers are here, {} of {leechers} leechers are complete.",
            snapshot.complete
        );
        set_attribute(&part(&self.element, "map"), "aria-label", &label);
    }
}

/// Of the piece map; one who has not come yet has nothing.
fn row<'a>(index: usize, peer: Option<&'a PeerSnapshot>, theme: &Theme) -> RowView<'a> {
    RowView {
        key: index as u32,
        have: peer.map_or(&[], |peer| &peer.have),
        is_present: peer.is_some_and(|peer| peer.present),
        colour: rgb(peer.map_or(&theme.missing, |peer| &theme.roles[role_index(peer.role)])),
    }
}
