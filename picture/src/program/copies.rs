//! How rare pieces are: a column for each, as high as there are many who have it.

use swarm_picture::piece_map::PieceMap;
use swarm_picture::surface::Surface;

use super::look::Look;

/// What nobody has is so high, in CSS pixels.
const NOBODY: f64 = 2.0;

/// Draws it, above a piece map with the same columns.
pub(super) fn draw(surface: &Surface, map: &PieceMap, holders: u32, look: &Look) {
    surface.clear();
    let columns = map.columns();
    let count = columns.count();
    let (copies, height) = (map.copies(), surface.height);
    let width = surface.width / count.max(1) as f64;
    // Of the pieces in a column, the rarest counts.
    let rarest = |column: usize| {
        let range = columns.first_of(column)..columns.first_of(column + 1);
        copies
            .get(range)
            .into_iter()
            .flatten()
            .min()
            .copied()
            .unwrap_or_default()
    };
    let rarest: Vec<u32> = (0..count).map(rarest).collect();
    let bars = |colour: &str, is_so: fn(u32) -> bool| {
        // Not as one path: browsers are much slower with that.
        surface.context.set_fill_style_str(colour);
        for (column, copies) in rarest.iter().enumerate().filter(|(_, it)| is_so(**it)) {
            let part = f64::from(*copies) / f64::from(holders.max(1));
            let high = (part * height).max(NOBODY);
            let left = column as f64 * width;
            let context = &surface.context;
            context.fill_rect(left, height - high, width + 0.3, high);
        }
    };
    bars(&look.partial, |copies| copies > 1);
    bars(&look.piece, |copies| copies == 1);
    bars(&look.lost, |copies| copies == 0);
}

/// How many of the pieces are rarest, and how many have those; none while nobody knows of pieces.
pub(super) fn rarest(copies: &[u32]) -> Option<(usize, u32)> {
    let least = *copies.iter().min()?;
    Some((copies.iter().filter(|it| **it == least).count(), least))
}
