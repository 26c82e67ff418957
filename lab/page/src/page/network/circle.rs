//! The nodes on a circle, the tree of bits inside, and the walk across.

use lab_page::dht::name;
use lab_page::ring::{self, Ring};
use swarm_lab::network::{Dot, DotState, HopState, NetworkSnapshot, NodeTable, Walk};
use swarm_picture::surface::Surface;

use super::super::theme::Theme;

/// Half of a mark's size, in CSS pixels, where there is room for it.
const MARK: f64 = 3.6;

/// See the module.
pub(super) struct Circle {
    surface: Surface,
    ring: Ring,
}

impl Circle {
    pub(super) fn new(surface: Surface) -> Self {
        Circle {
            surface,
            ring: Ring::default(),
        }
    }

    /// As large as its place on the page.
    pub(super) fn fit(&mut self) {
        self.surface.fit();
        self.ring = Ring::fit(self.surface.width, self.surface.height);
    }

    /// The node that is here.
    pub(super) fn at(&self, snapshot: &NetworkSnapshot, point: (f64, f64)) -> Option<u32> {
        let ids: Vec<u32> = snapshot.nodes.iter().map(|dot| dot.id).collect();
        self.ring.nearest(&ids, point).map(|at| at as u32)
    }

    /// The next one that is there, in the order of identifiers.
    pub(super) fn beside(
        &self,
        snapshot: &NetworkSnapshot,
        node: Option<u32>,
        by: isize,
    ) -> Option<u32> {
        let mut order: Vec<u32> = (0..snapshot.nodes.len() as u32).collect();
        let dot = |index: &u32| &snapshot.nodes[*index as usize];
        order.retain(|index| dot(index).state != DotState::Gone || Some(*index) == node);
        order.sort_by_key(|index| (dot(index).id, *index));
        let at = order.iter().position(|index| Some(*index) == node);
        let Some(at) = at else {
            return order.first().copied();
        };
        let next = (at as isize + by).rem_euclid(order.len() as isize);
        order.get(next as usize).copied()
    }

    pub(super) fn draw(
        &self,
        snapshot: &NetworkSnapshot,
        table: Option<&NodeTable>,
        selected: Option<u32>,
        theme: &Theme,
    ) {
        self.surface.clear();
        if self.ring.radius <= 0.0 {
            return;
        }
        let walk = snapshot.walk.as_ref();
        let depth = ring::depth(snapshot.nodes.len());
        if let Some(walk) = walk.filter(|walk| walk.bits() > 0) {
            self.draw_subtree(walk, depth, theme);
        }
        self.draw_tree(depth, theme);
        if let Some(walk) = walk {
            self.draw_way(walk, depth, theme);
        }
        let is_shown =
            |walk: &Walk| !walk.hops.is_empty() && selected.is_none_or(|node| node == walk.node);
        match walk {
            Some(walk) if is_shown(walk) => self.draw_walk(walk, snapshot, theme),
            _ => self.draw_contacts(snapshot, table, theme),
        }
        self.draw_nodes(snapshot, theme);
        let chosen = selected.and_then(|node| snapshot.nodes.get(node as usize));
        if let Some(dot) = chosen {
            let (x, y) = self.ring.point(ring::place(dot.id), 1.0);
            let circle = || self.circle((x, y), MARK + 4.0);
            self.surface.stroke(&theme.focus, 2.5, circle);
            self.label(dot.id, &name(dot.id), &theme.focus, &theme.card);
        }
    }

    /// The subtree of those who share as many bits with the key as the nearest that answered.
    fn draw_subtree(&self, walk: &Walk, depth: u32, theme: &Theme) {
        let context = &self.surface.context;
        let key = key_of(walk);
        let bits = u32::from(walk.bits());
        let (begin, end) = ring::subtree(key, bits);
        let angle = |place: f64| (place - 0.25) * std::f64::consts::TAU;
        let inner = self.ring.radius * ring::level(bits, depth);
        context.set_global_alpha(0.32);
        self.surface.fill(&theme.key, || {
            let (x, y) = self.ring.middle;
            let arc = context.arc(x, y, self.ring.radius, angle(begin), angle(end));
            arc.expect("a radius is not negative");
            let (begin, end) = (angle(end), angle(begin));
            let arc = context.arc_with_anticlockwise(x, y, inner, begin, end, true);
            arc.expect("a radius is not negative");
            context.close_path();
        });
        context.set_global_alpha(1.0);
    }

    fn draw_tree(&self, depth: u32, theme: &Theme) {
        self.surface.stroke(&theme.line, 1.0, || {
            for branch in ring::tree(depth) {
                self.line(self.ring.point(branch.from.0, branch.from.1));
                let (x, y) = self.ring.point(branch.to.0, branch.to.1);
                self.surface.context.line_to(x, y);
            }
            self.circle(self.ring.middle, self.ring.radius);
        });
    }

    /// From the root to where the key is, as far as the walk has come.
    fn draw_way(&self, walk: &Walk, depth: u32, theme: &Theme) {
        let key = key_of(walk);
        let way = ring::way(key, u32::from(walk.bits()), depth);
        self.surface.stroke(&theme.key, 3.0, || {
            for (at, (place, part)) in way.iter().enumerate() {
                let (x, y) = self.ring.point(*place, *part);
                match at {
                    0 => self.surface.context.move_to(x, y),
                    _ => self.surface.context.line_to(x, y),
                }
            }
        });
        let (x, y) = self.ring.point(ring::place(key), 1.0);
        let tip = self.ring.radius;
        let out = |by: f64, aside: f64| {
            let (dx, dy) = (x - self.ring.middle.0, y - self.ring.middle.1);
            let (dx, dy) = (dx / tip, dy / tip);
            (x + dx * by - dy * aside, y + dy * by + dx * aside)
        };
        let mark = [out(6.0, 0.0), out(17.0, 6.5), out(17.0, -6.5)];
        self.surface
            .fill(&theme.key, || self.surface.outline(&mark));
    }

    /// Lines to everybody who was asked.
    fn draw_walk(&self, walk: &Walk, snapshot: &NetworkSnapshot, theme: &Theme) {
        let Some(walker) = snapshot.nodes.get(walk.node as usize) else {
            return;
        };
        let from = self.ring.point(ring::place(walker.id), 1.0);
        let looks = [
            (HopState::Unneeded, &theme.line, 1.0),
            (HopState::Late, &theme.roles[3], 1.2),
            (HopState::Answered, &theme.direct, 1.6),
            (HopState::Waiting, &theme.roles[1], 2.0),
        ];
        for (state, colour, width) in looks {
            let hops = walk.hops.iter().filter(|hop| hop.state == state);
            let ends = hops.filter_map(|hop| hop.id).map(|id| {
                let [a, b, c, d, ..] = id.0;
                self.ring
                    .point(ring::place(u32::from_be_bytes([a, b, c, d])), 1.0)
            });
            self.surface.stroke(colour, width, || {
                for (x, y) in ends {
                    self.line(from);
                    match state {
                        // Half of the way: nobody came back.
                        HopState::Late => {
                            let (x, y) = ((from.0 + x * 3.0) / 4.0, (from.1 + y * 3.0) / 4.0);
                            self.surface.context.line_to(x, y);
                            self.cross((x, y), MARK);
                        }
                        _ => {
                            self.surface.context.line_to(x, y);
                            self.circle((x, y), MARK + 2.0);
                        }
                    }
                }
            });
        }
        let found = walk.ended.iter().flat_map(|ending| &ending.found);
        let found = found.filter_map(|node| snapshot.nodes.get(*node as usize));
        self.surface.stroke(&theme.key, 2.5, || {
            for dot in found {
                self.circle(self.ring.point(ring::place(dot.id), 1.0), MARK + 6.0);
            }
        });
    }

    /// Lines to everybody whom the chosen node knows.
    fn draw_contacts(&self, snapshot: &NetworkSnapshot, table: Option<&NodeTable>, theme: &Theme) {
        let Some(table) = table else { return };
        let Some(dot) = snapshot.nodes.get(table.node as usize) else {
            return;
        };
        let from = self.ring.point(ring::place(dot.id), 1.0);
        self.surface.context.set_global_alpha(0.55);
        self.surface.stroke(&theme.direct, 1.0, || {
            for contact in &table.contacts {
                self.line(from);
                let (x, y) = self.ring.point(ring::place(*contact), 1.0);
                self.surface.context.line_to(x, y);
            }
        });
        self.surface.context.set_global_alpha(1.0);
    }

    /// Each state has a shape of its own, for those who don't tell colours apart.
    fn draw_nodes(&self, snapshot: &NetworkSnapshot, theme: &Theme) {
        let each = std::f64::consts::TAU * self.ring.radius / snapshot.nodes.len().max(1) as f64;
        let size = (each * 0.55).clamp(2.0, MARK);
        let point = |dot: &Dot| {
            // The sides of a partition stand a little apart.
            let part = match snapshot.parted && dot.side {
                true => 1.0 - 9.0 / self.ring.radius.max(90.0),
                false => 1.0,
            };
            self.ring.point(ring::place(dot.id), part)
        };
        let those = |state: DotState| {
            let nodes = snapshot.nodes.iter();
            nodes.filter(move |dot| dot.state == state && !dot.serves)
        };
        self.surface.stroke(&theme.soft, 1.0, || {
            those(DotState::Gone).for_each(|dot| self.cross(point(dot), size * 0.8));
        });
        self.surface.fill(&theme.roles[0], || {
            those(DotState::Joined).for_each(|dot| self.circle(point(dot), size));
        });
        self.surface.fill(&theme.roles[1], || {
            those(DotState::Joining).for_each(|dot| self.circle(point(dot), size));
        });
        let hollow = || those(DotState::Alone).for_each(|dot| self.circle(point(dot), size));
        self.surface.fill(&theme.card, hollow);
        self.surface.stroke(&theme.roles[3], 1.5, hollow);
        let servers = snapshot.nodes.iter().filter(|dot| dot.serves);
        self.surface.fill(&theme.roles[2], || {
            for dot in servers {
                let ((x, y), half) = (point(dot), MARK + 1.5);
                let context = &self.surface.context;
                context.rect(x - half, y - half, 2.0 * half, 2.0 * half);
            }
        });
    }

    /// Beside a node's place, inside of the circle.
    fn label(&self, id: u32, text: &str, colour: &str, card: &str) {
        let context = &self.surface.context;
        let (x, y) = self
            .ring
            .point(ring::place(id), 1.0 - 34.0 / self.ring.radius.max(68.0));
        context.set_font("600 12px ui-monospace, monospace");
        context.set_text_align("center");
        context.set_text_baseline("middle");
        context.set_fill_style_str(colour);
        context.set_stroke_style_str(card);
        context.set_line_width(4.0);
        // A text that can't be drawn is no reason to stop: the tables have it.
        let _ = context.stroke_text(text, x, y);
        let _ = context.fill_text(text, x, y);
    }

    fn line(&self, (x, y): (f64, f64)) {
        self.surface.context.move_to(x, y);
    }

    fn circle(&self, (x, y): (f64, f64), radius: f64) {
        let context = &self.surface.context;
        context.move_to(x + radius, y);
        let arc = context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
        arc.expect("a radius is not negative");
    }

    fn cross(&self, (x, y): (f64, f64), half: f64) {
        let context = &self.surface.context;
        context.move_to(x - half, y - half);
        context.line_to(x + half, y + half);
        context.move_to(x - half, y + half);
        context.line_to(x + half, y - half);
    }
}

fn key_of(walk: &Walk) -> u32 {
    let [a, b, c, d, ..] = walk.key.0;
    u32::from_be_bytes([a, b, c, d])
}
