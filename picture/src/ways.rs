//! Ways from cell to cell, and pieces on them.

use crate::hexagon::corners;
use crate::surface::Surface;

/// A line that bends to its left as it is gone along, so that the two directions between two
/// cells are two lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way([(f64, f64); 3]);

impl Way {
    /// From one point to another, which bends by a part of its length.
    pub fn between(start: (f64, f64), end: (f64, f64), bend: f64) -> Self {
        let (dx, dy) = (end.0 - start.0, end.1 - start.1);
        let middle = ((start.0 + end.0) / 2.0, (start.1 + end.1) / 2.0);
        Way([start, (middle.0 - dy * bend, middle.1 + dx * bend), end])
    }

    /// Adds it to the path.
    pub fn trace(&self, surface: &Surface) {
        let [start, bend, end] = self.0;
        surface.context.move_to(start.0, start.1);
        let (x, y) = bend;
        surface.context.quadratic_curve_to(x, y, end.0, end.1);
    }

    /// A point of it: 0 is its start, 1 its end.
    pub fn at(&self, part: f64) -> (f64, f64) {
        let [start, bend, end] = self.0;
        let rest = 1.0 - part;
        let at = |a: f64, b: f64, c: f64| rest * rest * a + 2.0 * rest * part * b + part * part * c;
        (at(start.0, bend.0, end.0), at(start.1, bend.1, end.1))
    }
}

/// Draws pieces: each on a way, so far along it, so large.
pub fn draw_pieces(surface: &Surface, colour: &str, pieces: impl Iterator<Item = (Way, f64, f64)>) {
    surface.fill(colour, || {
        for (way, part, radius) in pieces {
            surface.outline(&corners(way.at(part), radius));
        }
    });
}
