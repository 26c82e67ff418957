//! One picture: what it knows of a swarm, and when it draws what.

use page_kit::dom::{part, set_attribute, set_flag, set_text};
use swarm_core::engine::view::{SwarmChanges, SwarmKnown};
use swarm_picture::piece_map::{PieceMap, RowView};
use swarm_picture::surface::{Surface, ratio};
use web_sys::Element;

use super::around::flows;
use super::look::{Look, PATHS, index_of};
use super::star::Star;
use super::table::Table;
use super::{copies, words};

/// The piece map is about so high, in CSS pixels.
const MAP_HEIGHT: f64 = 130.0;

/// Longer between two pictures than this nothing moved, because nobody saw the page. Seconds.
const LONGEST: f64 = 0.1;

/// Words and figures change no more often, in milliseconds: nobody could read them.
const SAID_EVERY: f64 = 1_000.0;

/// The number of the row that shows our own pieces, which no session has.
const OURS: u32 = u32::MAX;

/// See the module.
#[derive(Debug)]
pub(super) struct Picture {
    element: Element,
    figure: Element,
    /// It, the star's figure and the piece map's are in view.
    seen: Seen,
    known: SwarmKnown,
    star: Star,
    map: PieceMap,
    copies: Surface,
    rarest: Element,
    table: Table,
    look: Look,
    /// Chosen by a click or by keys.
    chosen: Option<u32>,
    /// Pointed at.
    hovered: Option<u32>,
    /// Something came that words and figures don't say yet.
    is_unsaid: bool,
    /// The map has other pieces than before.
    is_unmapped: bool,
    /// When the last picture was drawn, and when words were said. Milliseconds.
    drawn_at: f64,
    said_at: f64,
    /// Pictures so far.
    pictures: u32,
}

/// What of a picture is in view.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    any: bool,
    star: bool,
    map: bool,
    /// The map was not, before: what came meanwhile is no news to anybody.
    map_is_back: bool,
}

impl Picture {
    /// In its element, which is on the page.
    pub(super) fn new(element: &Element) -> Self {
        set_flag(&part(element, "swarm-loading"), "hidden", true);
        set_flag(&part(element, "swarm-whole"), "hidden", false);
        let canvas = part(element, "swarm-canvas");
        let surface = Surface::new(&canvas);
        let look = Look::read(&surface);
        let mut picture = Picture {
            figure: part(element, "swarm-picture"),
            seen: Seen::default(),
            known: SwarmKnown::default(),
            star: Star::new(surface, words::ours()),
            map: PieceMap::new(&part(element, "swarm-map"), MAP_HEIGHT),
            copies: Surface::new(&part(element, "swarm-copies")),
            rarest: part(element, "swarm-rarest"),
            table: Table::new(part(element, "swarm-rows")),
            look,
            chosen: None,
            hovered: None,
            is_unsaid: true,
            is_unmapped: true,
            drawn_at: 0.0,
            said_at: 0.0,
            pictures: 0,
            element: element.clone(),
        };
        picture.fit();
        picture
    }

    /// As large as its place on the page.
    pub(super) fn fit(&mut self) {
        self.star.fit();
        self.copies.fit();
        self.fit_map();
    }

    /// A part of it, or the whole, came into view or left it.
    pub(super) fn see(&mut self, what: &Element, is_seen: bool) {
        let seen = &mut self.seen;
        if *what == self.element {
            seen.any = is_seen;
        } else if *what == self.figure {
            seen.star = is_seen;
        } else {
            seen.map_is_back = is_seen && !seen.map;
            seen.map = is_seen;
        }
    }

    fn fit_map(&mut self) {
        // More columns than the screen has pixels nobody could see.
        let room = self.copies.width * ratio();
        self.map.fit(self.known.pieces, room.max(1.0) as usize);
        self.is_unmapped = true;
    }

    /// What the person told the browser.
    pub(super) fn read_preferences(&mut self) {
        self.look = Look::read(&self.star.surface);
        self.star.repaint();
        self.map.repaint();
        self.is_unmapped = true;
    }

    /// Takes in what is new.
    pub(super) fn take(&mut self, changes: SwarmChanges) {
        let pieces = self.known.pieces;
        self.known.learn(changes);
        if self.known.pieces != pieces {
            self.fit_map();
        }
        self.star.take(&self.known);
        let is_here = |session| self.known.peers.iter().any(|it| it.session == session);
        self.chosen = self.chosen.filter(|session| is_here(*session));
        self.hovered = self.hovered.filter(|session| is_here(*session));
        self.is_unsaid = true;
        self.is_unmapped = true;
    }

    /// Draws of a picture what somebody sees. True when the next will differ. What it says is said
    /// wherever it is: a screen reader reads what is out of view, too.
    pub(super) fn draw(&mut self, now: f64) -> bool {
        let seconds = ((now - self.drawn_at) / 1000.0).clamp(0.0, LONGEST);
        if !self.seen.any {
            if self.is_unsaid {
                self.say(now);
                while self.table.go_on(&self.known) {}
            }
            return false;
        }
        self.drawn_at = now;
        let is_still = self.look.is_still;
        let mut moves = false;
        if self.seen.star {
            let chosen = self.hovered.or(self.chosen);
            moves |= self.star.pass(seconds, is_still);
            self.star.draw(&self.known, &self.look, chosen);
            moves |= !is_still && flows(&self.known);
            self.pictures += 1;
            set_attribute(&self.figure, "data-pictures", &self.pictures.to_string());
        }
        if self.seen.map {
            let is_back = std::mem::take(&mut self.seen.map_is_back);
            moves |= self.draw_map((!is_still && !is_back).then_some(seconds));
        }
        if self.is_unsaid && now - self.said_at > SAID_EVERY {
            self.say(now);
        }
        moves |= self.table.go_on(&self.known);
        moves || self.is_unsaid
    }

    fn draw_map(&mut self, seconds: Option<f64>) -> bool {
        self.fill_map();
        self.map.draw(&self.look.palette, seconds)
    }

    /// The map and the columns above it have what there is now.
    fn fill_map(&mut self) {
        if self.is_unmapped {
            (self.is_unmapped, self.is_unsaid) = (false, true);
            let look = &self.look;
            let row = |key, have, share| RowView {
                key,
                have,
                is_present: true,
                colour: look.rgb_of(share),
            };
            let ours = row(OURS, &self.known.have[..], self.share());
            let theirs = self.known.peers.iter();
            let theirs = theirs.map(|peer| {
                let view = peer.view.as_ref();
                row(
                    peer.session,
                    &peer.have,
                    view.map_or(0.0, |view| view.progress),
                )
            });
            self.map.take([ours].into_iter().chain(theirs));
            copies::draw(&self.copies, &self.map, self.holders(), look);
        }
    }

    /// What we have.
    fn share(&self) -> f64 {
        let here: u32 = self.known.have.iter().map(|byte| byte.count_ones()).sum();
        f64::from(here) / f64::from(self.known.pieces.max(1))
    }

    /// Everybody, us too.
    fn holders(&self) -> u32 {
        self.known.peers.len() as u32 + 1
    }

    fn say(&mut self, now: f64) {
        // Which pieces are rarest, it knows.
        self.fill_map();
        (self.is_unsaid, self.said_at) = (false, now);
        self.table.begin(&self.known);
        let rarest = words::rarest(copies::rarest(self.map.copies()), self.holders());
        set_text(&self.rarest, &rarest);
        for (index, name) in PATHS.iter().enumerate() {
            let views = self
                .known
                .peers
                .iter()
                .filter_map(|peer| peer.view.as_ref());
            let is_used = views.into_iter().any(|view| index_of(view) == index);
            set_flag(
                &part(&self.element, &format!("key-{name}")),
                "hidden",
                !is_used,
            );
        }
        self.say_chosen();
    }

    /// Of the one that is looked at closely, or of all.
    fn say_chosen(&self) {
        let chosen = self.hovered.or(self.chosen);
        let views = || {
            self.known
                .peers
                .iter()
                .filter_map(|it| Some((it.session, it.view.as_ref()?)))
        };
        let found = views().find(|(session, _)| Some(*session) == chosen);
        let says = found.map_or_else(
            || {
                let giving = views().filter(|(_, view)| view.down_rate > 0).count();
                let taking = views().filter(|(_, view)| view.up_rate > 0).count();
                words::all(self.known.peers.len(), giving, taking)
            },
            |(_, view)| words::peer(view),
        );
        set_text(&part(&self.element, "swarm-words"), &says);
    }

    fn choose(&mut self, peer: Option<u32>) {
        self.chosen = peer;
        self.table.choose(peer);
        self.say_chosen();
        // A screen reader says it when somebody chose, and not whenever it changes.
        let words = part(&self.element, "swarm-words").text_content();
        set_text(
            &part(&self.element, "swarm-said"),
            &words.unwrap_or_default(),
        );
    }

    /// The pointer is here.
    pub(super) fn point_at(&mut self, x: f64, y: f64) {
        let hovered = self.star.at(x, y);
        if self.hovered != hovered {
            self.hovered = hovered;
            self.say_chosen();
        }
    }

    /// It is not here any more.
    pub(super) fn point_away(&mut self) {
        self.hovered = None;
        self.say_chosen();
    }

    /// A click, or a tap.
    pub(super) fn choose_at(&mut self, x: f64, y: f64) {
        let peer = self.star.at(x, y);
        self.choose(peer.filter(|_| self.chosen != peer));
    }

    /// A key; false if it means nothing here.
    pub(super) fn press(&mut self, key: &str) -> bool {
        let chosen = match key {
            "ArrowRight" | "ArrowDown" => self.star.next(self.chosen, false),
            "ArrowLeft" | "ArrowUp" => self.star.next(self.chosen, true),
            "Escape" if self.chosen.is_some() => None,
            _ => return false,
        };
        self.choose(chosen);
        true
    }
}
