//! A cell for each peer, filling up with what it has.

use crate::hexagon::corners;
use crate::surface::Surface;

/// What there is to see of one peer.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// Its middle, in CSS pixels.
    pub at: (f64, f64),
    /// From there to its corners.
    pub radius: f64,
    /// The part of it that is filled, 0 to 1: of the area.
    pub share: f64,
    /// Of that part.
    pub colour: &'a str,
    /// There is a hole in its middle.
    pub has_hole: bool,
}

/// Draws cells, what is missing of them in one colour, holes in another.
pub fn draw(surface: &Surface, cells: &[Cell<'_>], missing: &str, hole: &str) {
    let outline = |cell: &Cell<'_>, part: f64| {
        surface.outline(&corners(cell.at, cell.radius * part));
    };
    surface.fill(missing, || cells.iter().for_each(|cell| outline(cell, 1.0)));
    // All of a colour in one go.
    let mut drawn = Vec::new();
    for Cell { colour, .. } in cells {
        if drawn.contains(colour) {
            continue;
        }
        drawn.push(*colour);
        surface.fill(colour, || {
            let alike = cells.iter().filter(|cell| cell.colour == *colour);
            alike.for_each(|cell| outline(cell, cell.share.sqrt()));
        });
    }
    surface.fill(hole, || {
        let with_hole = cells.iter().filter(|cell| cell.has_hole);
        with_hole.for_each(|cell| outline(cell, 0.26));
    });
}
