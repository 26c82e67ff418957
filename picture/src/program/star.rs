//! This tab in the middle, its peers around it, and what passes between them.

use js_sys::Array;
use swarm_core::engine::PeerView;
use swarm_core::engine::view::{KnownPeer, SwarmKnown};
use swarm_picture::cells::{self, Cell};
use swarm_picture::hexagon::corners;
use swarm_picture::rings::Rings;
use swarm_picture::surface::Surface;
use swarm_picture::ways::{Way, draw_pieces};
use wasm_bindgen::JsValue;

use super::look::{Look, PATHS, index_of};
use super::slots::Slots;

/// A line's two directions are so far apart in its middle, in CSS pixels, and at most such a part
/// of its length.
const APART: (f64, f64) = (14.0, 0.14);

/// How well lines are seen, and how broad they are: of one who is choked, and of one who is not.
const LINES: [(f64, f64); 2] = [(0.28, 1.0), (0.85, 1.8)];

/// Where there are more peers than these, all lines are fainter, but not fainter than by this.
const CROWD: f64 = 16.0;
const FAINTEST: f64 = 0.45;

/// Dashes and gaps, by `PATHS`: so that ways differ not by their colours alone.
const DASHES: [&[f64]; 6] = [
    &[7.0, 4.0],
    &[],
    &[1.5, 3.5],
    &[10.0, 3.0, 2.0, 3.0],
    &[3.0, 6.0],
    &[12.0, 4.0],
];

/// CSS pixels a second that a piece goes.
const SPEED: f64 = 110.0;

/// Of a line, at most so many pieces are shown; one more whenever the rate is four times as high.
const MOST_PIECES: u32 = 6;

/// With which there is one piece on a line, bytes a second.
const SLOW: u64 = 16 << 10;

/// How fast cells go to a new place: a quarter of a second for most of the way.
const SLIDES: f64 = 8.0;

/// Seconds in which a cell that got a piece stops glowing.
const GLOWS: f64 = 0.7;

/// See the module.
#[derive(Debug)]
pub(super) struct Star {
    pub(super) surface: Surface,
    rings: Rings,
    slots: Slots,
    /// Where cells are, on their way to where they belong.
    places: Vec<(f64, f64)>,
    /// Sessions with what they had of the whole, and how much they glow.
    glow: Vec<(u32, f64, f64)>,
    /// Seconds of movement so far.
    phase: f64,
    words: String,
}

impl Star {
    /// `words` say which cell is ours.
    pub(super) fn new(surface: Surface, words: String) -> Self {
        Star {
            surface,
            rings: Rings::default(),
            slots: Slots::default(),
            places: Vec::new(),
            glow: Vec::new(),
            phase: 0.0,
            words,
        }
    }

    /// The picture has another size.
    pub(super) fn fit(&mut self) {
        self.surface.fit();
        self.arrange();
        self.places.clone_from(&self.rings.places);
    }

    fn arrange(&mut self) {
        let (width, height) = (self.surface.width, self.surface.height);
        self.rings = Rings::fit(self.slots.count(), width, height);
    }

    /// Takes in what there is now.
    pub(super) fn take(&mut self, known: &SwarmKnown) {
        let before = self.slots.count();
        self.slots.take(&known.peers);
        if self.slots.count() != before {
            self.arrange();
        }
        let earlier = std::mem::take(&mut self.glow);
        let views = known
            .peers
            .iter()
            .filter_map(|peer| Some((peer.session, peer.view.as_ref()?)));
        self.glow = views
            .map(|(session, view)| {
                let found = earlier.iter().find(|(of, ..)| *of == session);
                let (had, glow) =
                    found.map_or((view.progress, 0.0), |(_, had, glow)| (*had, *glow));
                let glow = if view.progress > had { 1.0 } else { glow };
                (session, view.progress, glow)
            })
            .collect();
    }

    /// The peer whose cell is here.
    pub(super) fn at(&self, x: f64, y: f64) -> Option<u32> {
        self.slots.at(self.rings.at(x, y)?)
    }

    /// Whoever stands next.
    pub(super) fn next(&self, from: Option<u32>, back: bool) -> Option<u32> {
        self.slots.next(from, back)
    }

    /// So many seconds go by. True when the next picture will differ.
    pub(super) fn pass(&mut self, seconds: f64, is_still: bool) -> bool {
        self.phase += seconds;
        let mut moves = false;
        let targets = &self.rings.places;
        self.places.truncate(targets.len());
        let known = self.places.len();
        self.places.extend(targets[known..].iter().copied());
        let part = if is_still {
            1.0
        } else {
            (SLIDES * seconds).min(1.0)
        };
        for (place, target) in self.places.iter_mut().zip(targets) {
            let (dx, dy) = (target.0 - place.0, target.1 - place.1);
            if dx.abs() + dy.abs() < 0.5 {
                *place = *target;
            } else {
                *place = (place.0 + dx * part, place.1 + dy * part);
                moves = true;
            }
        }
        let cooler = if is_still { 1.0 } else { seconds / GLOWS };
        for (.., glow) in &mut self.glow {
            *glow = (*glow - cooler).max(0.0);
            moves |= *glow > 0.0;
        }
        moves
    }

    /// Draws it all.
    pub(super) fn draw(&self, known: &SwarmKnown, look: &Look, chosen: Option<u32>) {
        self.surface.clear();
        let around: Vec<Peer<'_>> = known
            .peers
            .iter()
            .filter_map(|peer| self.peer(peer))
            .collect();
        for (index, _) in PATHS.iter().enumerate() {
            self.draw_lines(&around, index, look, chosen);
        }
        self.draw_cells(&around, known, look);
        self.draw_pieces(&around, look, chosen);
        let chosen = around.iter().find(|peer| Some(peer.session) == chosen);
        if let Some(peer) = chosen {
            let ring = corners(peer.at, self.rings.radius + 2.0);
            let path = || self.surface.outline(&ring);
            self.surface.stroke(&look.focus, 2.5, path);
        }
        self.write_words(look);
    }

    fn peer<'a>(&self, known: &'a KnownPeer) -> Option<Peer<'a>> {
        let at = *self.places.get(self.slots.of(known.session)?)?;
        let (middle, radius) = (self.rings.middle, self.rings.radius);
        let (dx, dy) = (at.0 - middle.0, at.1 - middle.1);
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        let (ux, uy) = (dx / length, dy / length);
        let point = |distance: f64| (middle.0 + ux * distance, middle.1 + uy * distance);
        let (ours, theirs) = (point(self.rings.middle_radius), point(length - radius));
        let bend = (APART.0 / length).min(APART.1);
        Some(Peer {
            session: known.session,
            view: known.view.as_ref()?,
            at,
            coming: Way::between(theirs, ours, bend),
            going: Way::between(ours, theirs, bend),
            length: length - radius - self.rings.middle_radius,
        })
    }

    fn draw_lines(&self, around: &[Peer<'_>], path: usize, look: &Look, chosen: Option<u32>) {
        let context = &self.surface.context;
        let dashes: Array = DASHES[path]
            .iter()
            .map(|it| JsValue::from_f64(*it))
            .collect();
        context.set_line_dash(&dashes).expect("they are numbers");
        let fainter = (CROWD / around.len().max(1) as f64).clamp(FAINTEST, 1.0);
        for (index, (opacity, width)) in LINES.iter().enumerate() {
            context.set_global_alpha(*opacity * fainter);
            self.surface.stroke(&look.paths[path], *width, || {
                let alike = around.iter().filter(|peer| index_of(peer.view) == path);
                for peer in alike.filter(|peer| peer.is_shown(chosen)) {
                    if usize::from(peer.view.unchoked_us) == index {
                        peer.coming.trace(&self.surface);
                    }
                    if usize::from(peer.view.unchoked) == index {
                        peer.going.trace(&self.surface);
                    }
                }
            });
        }
        context.set_global_alpha(1.0);
        context.set_line_dash(&Array::new()).expect("they are none");
    }

    fn draw_cells(&self, around: &[Peer<'_>], known: &SwarmKnown, look: &Look) {
        let cell = |at, radius, share: f64| Cell {
            at,
            radius,
            share,
            colour: look.colour_of(share),
            has_hole: false,
        };
        let here: u32 = known.have.iter().map(|byte| byte.count_ones()).sum();
        let share = f64::from(here) / f64::from(known.pieces.max(1));
        let radius = self.rings.radius;
        let mut cells = vec![cell(self.rings.middle, self.rings.middle_radius, share)];
        cells.extend(
            around
                .iter()
                .map(|peer| cell(peer.at, radius, peer.view.progress)),
        );
        cells::draw(&self.surface, &cells, &look.missing, &look.card);
        self.surface.stroke(&look.line, 1.0, || {
            let outline = |cell: &Cell<'_>| self.surface.outline(&corners(cell.at, cell.radius));
            cells.iter().for_each(outline);
        });
        // Somebody got something, wherever from.
        for (weakest, strongest, opacity) in [(0.0, 0.5, 0.35), (0.5, 1.1, 0.8)] {
            self.surface.context.set_global_alpha(opacity);
            self.surface.stroke(&look.piece, 1.5, || {
                for (session, _, glow) in &self.glow {
                    let peer = around.iter().find(|peer| peer.session == *session);
                    if *glow > weakest
                        && *glow <= strongest
                        && let Some(peer) = peer
                    {
                        self.surface.outline(&corners(peer.at, radius - 1.0));
                    }
                }
            });
        }
        self.surface.context.set_global_alpha(1.0);
    }

    fn draw_pieces(&self, around: &[Peer<'_>], look: &Look, chosen: Option<u32>) {
        let shown = || around.iter().filter(|peer| peer.is_shown(chosen));
        let ways = shown().flat_map(|peer| {
            let ways = [
                (peer.coming, peer.view.down_rate),
                (peer.going, peer.view.up_rate),
            ];
            ways.map(|(way, rate)| (peer, way, rate))
        });
        let size = (self.rings.radius / 6.0).clamp(2.2, 4.5);
        if look.is_still {
            // Arrows say what movement would.
            self.surface.fill(&look.piece, || {
                for (_, way, _) in ways.filter(|(.., rate)| *rate > 0) {
                    self.surface.outline(&arrow(way, size * 1.6));
                }
            });
            return;
        }
        let pieces = ways.flat_map(|(peer, way, rate)| {
            let count = pieces_of(rate);
            // Each at a point of its own, or they would march in step.
            let offset = f64::from(peer.session) * 0.381_966;
            let gone = self.phase * SPEED / peer.length.max(20.0) + offset;
            let parts = (0..count).map(move |number| gone + f64::from(number) / f64::from(count));
            parts.map(move |part| (way, part.fract(), size))
        });
        draw_pieces(&self.surface, &look.piece, pieces);
    }

    fn write_words(&self, look: &Look) {
        let context = &self.surface.context;
        let (x, y) = self.rings.middle;
        let y = y + self.rings.middle_radius + 13.0;
        context.set_font("600 13px system-ui, sans-serif");
        context.set_text_align("center");
        context.set_stroke_style_str(&look.card);
        context.set_line_width(4.0);
        context.set_fill_style_str(&look.ink);
        // Nothing is lost where there are no letters: the page says it as well.
        let _ = context.stroke_text(&self.words, x, y);
        let _ = context.fill_text(&self.words, x, y);
    }
}

/// One that is there, with where it is drawn.
struct Peer<'a> {
    session: u32,
    view: &'a PeerView,
    at: (f64, f64),
    /// To us.
    coming: Way,
    /// To it.
    going: Way,
    length: f64,
}

impl Peer<'_> {
    /// Somebody who is looked at closely is looked at alone.
    fn is_shown(&self, chosen: Option<u32>) -> bool {
        chosen.is_none_or(|chosen| chosen == self.session)
    }
}

/// How many stand for so many bytes a second.
fn pieces_of(rate: u64) -> u32 {
    match rate {
        0 => 0,
        _ => (1 + (rate / SLOW).max(1).ilog2() / 2).min(MOST_PIECES),
    }
}

/// A triangle in the middle of a way, in its direction.
fn arrow(way: Way, size: f64) -> [(f64, f64); 3] {
    let ((x, y), (ahead_x, ahead_y)) = (way.at(0.5), way.at(0.52));
    let (dx, dy) = (ahead_x - x, ahead_y - y);
    let length = (dx * dx + dy * dy).sqrt().max(f64::MIN_POSITIVE);
    let (dx, dy) = (dx / length * size, dy / length * size);
    [
        (x + dx, y + dy),
        (x - dx - dy * 0.8, y - dy + dx * 0.8),
        (x - dx + dy * 0.8, y - dy - dx * 0.8),
    ]
}

/// Something goes to or fro.
pub(super) fn flows(known: &SwarmKnown) -> bool {
    let mut views = known.peers.iter().filter_map(|peer| peer.view.as_ref());
    views.any(|view| view.down_rate + view.up_rate > 0)
}
