//! This tab in the middle, its peers around it, and what passes between them.

use js_sys::Array;
use swarm_core::engine::view::{KnownPeer, SwarmKnown};
use swarm_picture::cells::{self, Cell};
use swarm_picture::hexagon::corners;
use swarm_picture::rings::Rings;
use swarm_picture::sprite::Sprite;
use swarm_picture::surface::Surface;
use wasm_bindgen::JsValue;

use super::around::{Peer, arrow, pieces_of};
use super::look::{Look, PATHS, index_of};
use super::slots::Slots;

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

/// How fast cells go to a new place: a quarter of a second for most of the way.
const SLIDES: f64 = 8.0;

/// Seconds in which a cell that got a piece stops glowing.
const GLOWS: f64 = 0.7;

/// How high words are, and how broad the broadest letter. CSS pixels.
const WORDS: f64 = 13.0;
const LETTER: f64 = 9.0;

/// See the module.
#[derive(Debug)]
pub(super) struct Star {
    pub(super) surface: Surface,
    /// What changes only when something is new, which is drawn then: lines and cells.
    under: Surface,
    is_stale: bool,
    /// What was chosen when that was drawn.
    drawn_for: Option<u32>,
    /// A piece, and what glows around a cell. None while their size or colour is another.
    sprites: Option<[Sprite; 2]>,
    rings: Rings,
    slots: Slots,
    /// Where cells are, on their way to where they belong.
    places: Vec<(f64, f64)>,
    /// Where we are, on the same way.
    middle: (f64, f64),
    /// Sessions with what they had of the whole, and how much they glow.
    glow: Vec<(u32, f64, f64)>,
    /// Seconds of movement so far.
    phase: f64,
    words: String,
    /// CSS pixels, at most.
    words_width: f64,
}

impl Star {
    /// `words` say which cell is ours.
    pub(super) fn new(surface: Surface, words: String) -> Self {
        Star {
            surface,
            under: Surface::off_screen(),
            is_stale: true,
            drawn_for: None,
            sprites: None,
            rings: Rings::default(),
            slots: Slots::default(),
            places: Vec::new(),
            middle: (0.0, 0.0),
            glow: Vec::new(),
            phase: 0.0,
            words_width: (words.chars().count() as f64 * LETTER).max(WORDS),
            words,
        }
    }

    /// The picture has another size.
    pub(super) fn fit(&mut self) {
        self.surface.fit();
        let (width, height) = (self.surface.width, self.surface.height);
        self.under.fit_to(width, height);
        self.arrange();
        self.places.clone_from(&self.rings.places);
        self.middle = self.rings.middle;
    }

    fn arrange(&mut self) {
        let (width, height) = (self.surface.width, self.surface.height);
        self.rings = Rings::fit(self.slots.count(), width, height);
        self.repaint();
    }

    /// Colours or sizes have changed.
    pub(super) fn repaint(&mut self) {
        self.sprites = None;
        self.is_stale = true;
    }

    /// Takes in what there is now.
    pub(super) fn take(&mut self, known: &SwarmKnown) {
        self.is_stale = true;
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
        let ours = (&mut self.middle, &self.rings.middle);
        for (place, target) in self.places.iter_mut().zip(targets).chain([ours]) {
            let (dx, dy) = (target.0 - place.0, target.1 - place.1);
            if dx.abs() + dy.abs() < 0.5 {
                *place = *target;
            } else {
                *place = (place.0 + dx * part, place.1 + dy * part);
                moves = true;
            }
        }
        self.is_stale |= moves;
        let cooler = if is_still { 1.0 } else { seconds / GLOWS };
        for (.., glow) in &mut self.glow {
            *glow = (*glow - cooler).max(0.0);
            moves |= *glow > 0.0;
        }
        moves
    }

    /// Draws it all.
    pub(super) fn draw(&mut self, known: &SwarmKnown, look: &Look, chosen: Option<u32>) {
        let around: Vec<Peer<'_>> = known
            .peers
            .iter()
            .filter_map(|peer| self.peer(peer))
            .collect();
        if self.is_stale || self.drawn_for != chosen {
            (self.is_stale, self.drawn_for) = (false, chosen);
            self.draw_under(&around, known, look, chosen);
        }
        let radius = self.rings.radius;
        let sprites = self.sprites.take();
        let [piece, glow] = sprites.unwrap_or_else(|| sprites_of(radius, look));
        self.surface.clear();
        self.surface.put(&self.under, 0.0, 0.0);
        self.draw_glow(&around, &glow);
        self.draw_pieces(&around, look, chosen, &piece);
        self.write_words(look);
        self.sprites = Some([piece, glow]);
    }

    fn draw_under(
        &self,
        around: &[Peer<'_>],
        known: &SwarmKnown,
        look: &Look,
        chosen: Option<u32>,
    ) {
        self.under.clear();
        for (index, _) in PATHS.iter().enumerate() {
            self.draw_lines(around, index, look, chosen);
        }
        self.draw_cells(around, known, look);
        let chosen = around.iter().find(|peer| Some(peer.session) == chosen);
        if let Some(peer) = chosen {
            let ring = corners(peer.at, self.rings.radius + 2.0);
            let path = || self.under.outline(&ring);
            self.under.stroke(&look.focus, 2.5, path);
        }
    }

    fn peer<'a>(&self, known: &'a KnownPeer) -> Option<Peer<'a>> {
        let at = *self.places.get(self.slots.of(known.session)?)?;
        let ours = (self.middle, self.rings.middle_radius);
        Peer::new(known, (at, self.rings.radius), ours)
    }

    fn draw_lines(&self, around: &[Peer<'_>], path: usize, look: &Look, chosen: Option<u32>) {
        let context = &self.under.context;
        let dashes: Array = DASHES[path]
            .iter()
            .map(|it| JsValue::from_f64(*it))
            .collect();
        context.set_line_dash(&dashes).expect("they are numbers");
        let fainter = (CROWD / around.len().max(1) as f64).clamp(FAINTEST, 1.0);
        for (index, (opacity, width)) in LINES.iter().enumerate() {
            context.set_global_alpha(*opacity * fainter);
            self.under.stroke(&look.paths[path], *width, || {
                let alike = around.iter().filter(|peer| index_of(peer.view) == path);
                for peer in alike.filter(|peer| peer.is_shown(chosen)) {
                    if usize::from(peer.view.unchoked_us) == index {
                        peer.coming.trace(&self.under);
                    }
                    if usize::from(peer.view.unchoked) == index {
                        peer.going.trace(&self.under);
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
        let mut cells = vec![cell(self.middle, self.rings.middle_radius, share)];
        cells.extend(
            around
                .iter()
                .map(|peer| cell(peer.at, radius, peer.view.progress)),
        );
        cells::draw(&self.under, &cells, &look.missing, &look.card);
        self.under.stroke(&look.line, 1.0, || {
            let outline = |cell: &Cell<'_>| self.under.outline(&corners(cell.at, cell.radius));
            cells.iter().for_each(outline);
        });
    }

    /// Somebody got something, wherever from.
    fn draw_glow(&self, around: &[Peer<'_>], sprite: &Sprite) {
        for (weakest, strongest, opacity) in [(0.0, 0.5, 0.35), (0.5, 1.1, 0.8)] {
            self.surface.context.set_global_alpha(opacity);
            for (session, _, glow) in &self.glow {
                let peer = around.iter().find(|peer| peer.session == *session);
                if *glow > weakest
                    && *glow <= strongest
                    && let Some(peer) = peer
                {
                    sprite.put(&self.surface, peer.at);
                }
            }
        }
        self.surface.context.set_global_alpha(1.0);
    }

    fn draw_pieces(&self, around: &[Peer<'_>], look: &Look, chosen: Option<u32>, sprite: &Sprite) {
        let shown = || around.iter().filter(|peer| peer.is_shown(chosen));
        let ways = shown().flat_map(|peer| {
            let ways = [
                (peer.coming, peer.view.down_rate),
                (peer.going, peer.view.up_rate),
            ];
            ways.map(|(way, rate)| (peer, way, rate))
        });
        if look.is_still {
            let size = piece_size(self.rings.radius);
            // Arrows say what movement would.
            self.surface.fill(&look.piece, || {
                for (_, way, _) in ways.filter(|(.., rate)| *rate > 0) {
                    self.surface.outline(&arrow(way, size * 1.6));
                }
            });
            return;
        }
        for (peer, way, rate) in ways {
            let count = pieces_of(rate);
            // Each at a point of its own, or they would march in step.
            let offset = f64::from(peer.session) * 0.381_966;
            let gone = self.phase * SPEED / peer.length.max(20.0) + offset;
            for number in 0..count {
                let part = gone + f64::from(number) / f64::from(count);
                sprite.put(&self.surface, way.at(part.fract()));
            }
        }
    }

    fn write_words(&self, look: &Look) {
        let context = &self.surface.context;
        let (dx, dy) = self.rings.words(self.words_width, WORDS);
        let (x, y) = (self.middle.0 + dx, self.middle.1 + dy);
        context.set_font("600 13px system-ui, sans-serif");
        context.set_text_align("center");
        context.set_text_baseline("middle");
        context.set_stroke_style_str(&look.card);
        context.set_line_width(4.0);
        context.set_fill_style_str(&look.ink);
        // Nothing is lost where there are no letters: the page says it as well.
        let _ = context.stroke_text(&self.words, x, y);
        let _ = context.fill_text(&self.words, x, y);
    }
}

/// A piece, and what glows around a cell.
fn sprites_of(radius: f64, look: &Look) -> [Sprite; 2] {
    let size = piece_size(radius);
    let piece = Sprite::new(size, |surface, middle| {
        surface.fill(&look.piece, || surface.outline(&corners(middle, size)));
    });
    let glow = Sprite::new(radius + 1.0, |surface, middle| {
        let outline = corners(middle, radius - 1.0);
        surface.stroke(&look.piece, 1.5, || surface.outline(&outline));
    });
    [piece, glow]
}

/// From a piece's middle to its corners, beside cells of this radius.
fn piece_size(radius: f64) -> f64 {
    (radius / 6.0).clamp(2.2, 4.5)
}
