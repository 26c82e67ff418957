//! The swarm as a honeycomb: a cell for each peer, filling up with what it has, and what
//! flows from cell to cell.

use lab_page::comb::Comb;
use swarm_lab::Snapshot;
use swarm_lab::snapshot::{PeerSnapshot, Role};
use swarm_picture::cells::{self, Cell};
use swarm_picture::hexagon::corners;
use swarm_picture::surface::Surface;
use swarm_picture::ways::{Way, draw_pieces};
use web_sys::Element;

use super::flows::Flows;
use super::theme::{Theme, role_index};

/// A cell's walls, as a part of its radius.
const WALL: f64 = 0.08;

/// How far a flow's line bends to the side, as a part of its length: so the two
/// directions between two peers are two lines.
const BEND: f64 = 0.14;

/// Strengths of lines that are drawn together, the weakest first, and how well each is
/// seen.
const LINES: [(f64, f64); 3] = [(0.0, 0.1), (0.35, 0.2), (0.7, 0.34)];

/// What is drawn beside the swarm itself.
pub(super) struct Look<'a> {
    pub theme: &'a Theme,
    /// Looked at closely.
    pub selected: Option<usize>,
    /// Seconds of movement so far; pieces stand still where it does.
    pub phase: f64,
    /// The person wants nothing to move.
    pub is_still: bool,
    /// Of a torrent, to know who is complete.
    pub pieces: u32,
}

/// See the module.
pub(super) struct Hive {
    pub surface: Surface,
    pub comb: Comb,
    pub flows: Flows,
    peers: usize,
}

impl Hive {
    pub(super) fn new(canvas: &Element) -> Self {
        Hive {
            surface: Surface::new(canvas),
            comb: Comb::default(),
            flows: Flows::default(),
            peers: 0,
        }
    }

    /// Room for so many peers, in the place that there is.
    pub(super) fn fit(&mut self, peers: usize) {
        self.peers = peers;
        self.surface.fit();
        self.comb = Comb::fit(peers, self.surface.width, self.surface.height);
    }

    pub(super) fn draw(&self, snapshot: &Snapshot, look: &Look) {
        self.surface.clear();
        self.draw_cells(snapshot, look);
        self.draw_flows(look, false);
        self.draw_flows(look, true);
        if let Some(place) = look.selected.and_then(|index| self.comb.places.get(index)) {
            let ring = corners(*place, self.comb.radius);
            let path = || self.surface.outline(&ring);
            self.surface.stroke(&look.theme.focus, 2.5, path);
        }
    }

    fn draw_cells(&self, snapshot: &Snapshot, look: &Look) {
        let theme = look.theme;
        let places = &self.comb.places;
        let full = self.comb.radius * (1.0 - WALL);
        // Those who are not there: gone, or yet to come.
        let is_there = |index: usize| snapshot.peers.get(index).is_some_and(|it| it.present);
        self.surface.stroke(&theme.line, 1.0, || {
            let absent = places.iter().enumerate();
            for (_, place) in absent.filter(|(index, _)| !is_there(*index)) {
                self.surface.outline(&corners(*place, full - 0.5));
            }
        });
        let present = snapshot.peers.iter().zip(places);
        let cell = |(peer, place): (&PeerSnapshot, &(f64, f64))| Cell {
            at: *place,
            radius: full,
            share: share(peer, look.pieces),
            colour: &theme.roles[role_index(peer.role)],
            has_hole: peer.pieces == look.pieces
                && matches!(peer.role, Role::Contributor | Role::FreeRider),
        };
        let present = present.filter(|(peer, _)| peer.present).map(cell);
        let present: Vec<Cell<'_>> = present.collect();
        cells::draw(&self.surface, &present, &theme.missing, &theme.card);
    }

    fn draw_flows(&self, look: &Look, direct: bool) {
        let context = &self.surface.context;
        let theme = look.theme;
        let (colour, piece) = match direct {
            true => (&theme.direct, &theme.direct),
            false => (&theme.flow, &theme.piece),
        };
        let width = (self.comb.radius / 20.0).clamp(0.8, 1.4);
        let is_shown = |from: usize, to: usize| {
            look.selected
                .is_none_or(|selected| selected == from || selected == to)
        };
        let shown = || {
            self.flows
                .iter(direct)
                .filter(|(from, to, _)| is_shown(*from, *to))
        };
        for (index, (weakest, opacity)) in LINES.iter().enumerate() {
            let strongest = LINES.get(index + 1).map_or(f64::INFINITY, |next| next.0);
            context.set_global_alpha(*opacity);
            self.surface.stroke(colour, width, || {
                for (from, to, strength) in shown() {
                    if (*weakest..strongest).contains(&strength)
                        && let Some(way) = self.way(from, to)
                    {
                        way.trace(&self.surface);
                    }
                }
            });
        }
        context.set_global_alpha(1.0);
        let size = (self.comb.radius / 5.5).clamp(2.0, 6.0);
        let pieces = shown().filter_map(|(from, to, strength)| {
            // Each at a point of its own, or they would march in step.
            let offset = (from * 7 + to * 13) as f64 * 0.381_966;
            let part = match look.is_still {
                true => 0.8,
                false => (look.phase * 1.1 + offset).fract(),
            };
            Some((self.way(from, to)?, part, size * strength.sqrt()))
        });
        draw_pieces(&self.surface, piece, pieces);
    }

    fn way(&self, from: usize, to: usize) -> Option<Way> {
        let (start, end) = (*self.comb.places.get(from)?, *self.comb.places.get(to)?);
        Some(Way::between(start, end, BEND))
    }
}

/// Of the pieces; liars and attackers look as if they had all.
fn share(peer: &PeerSnapshot, pieces: u32) -> f64 {
    match peer.role {
        Role::Liar | Role::Attacker | Role::Seeder => 1.0,
        _ => f64::from(peer.pieces) / f64::from(pieces.max(1)),
    }
}
