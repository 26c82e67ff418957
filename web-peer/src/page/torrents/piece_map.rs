//! The pieces of a torrent as a honeycomb that fills.

mod grid;

use swarm_core::engine::view::Known;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlElement};

use crate::page::dom::{document, part, set_attribute, set_flag, set_text, window};
use crate::page::words::say;
use grid::{Cell, Grid};

/// Which pieces are here.
#[derive(Default)]
pub(crate) struct Pieces<'a> {
    /// How many there are.
    count: u32,
    /// Bytes of each, except the last.
    length: u32,
    /// Verified pieces, most significant bit first.
    have: &'a [u8],
    /// Pieces in progress.
    in_progress: &'a [u32],
}

impl<'a> Pieces<'a> {
    /// Those of a torrent.
    pub(crate) fn of(known: &'a Known) -> Self {
        Pieces {
            count: known.description.pieces,
            length: known.description.piece_length,
            have: &known.have,
            in_progress: &known.in_progress,
        }
    }

    /// It is verified.
    fn has(&self, piece: u32) -> bool {
        let byte = self.have.get(piece as usize / 8);
        byte.is_some_and(|byte| byte & (0x80 >> (piece % 8)) != 0)
    }

    /// All pieces that hold any of these bytes of the torrent are verified.
    pub(crate) fn has_bytes(&self, start: u64, length: u64) -> bool {
        if length == 0 {
            return true;
        }
        let piece_of = |byte: u64| u32::try_from(byte / u64::from(self.length)).unwrap_or(u32::MAX);
        self.length > 0
            && (piece_of(start)..=piece_of(start + length - 1)).all(|piece| self.has(piece))
    }
}

/// Draws the map as wide as its place is, unless nobody sees it, and says the same in words.
/// A browser without canvas shows the words alone.
pub(crate) fn draw(figure: &Element, pieces: &Pieces) {
    set_flag(figure, "hidden", pieces.count == 0);
    let here: u32 = pieces.have.iter().map(|byte| byte.count_ones()).sum();
    let words = say!("{here} of {n} piece{s}", here = here, n = pieces.count);
    set_text(&part(figure, "caption"), &words);

    let canvas: HtmlCanvasElement = part(figure, "map").unchecked_into();
    set_attribute(&canvas, "aria-label", &words);
    let width = f64::from(canvas.client_width());
    let context = canvas.get_context("2d").ok().flatten();
    if let Some(context) = context
        && let Some(grid) = Grid::fit(pieces.count, width)
        && !document().hidden()
    {
        let context = context.unchecked_into();
        resize(&canvas, &context, width, grid.height());
        paint(&canvas, &context, &grid, &grid.cells(pieces));
    }
}

/// Makes the canvas so large in CSS pixels, and sharp. It is empty then.
fn resize(canvas: &HtmlCanvasElement, context: &CanvasRenderingContext2d, width: f64, height: f64) {
    let ratio = window().device_pixel_ratio();
    canvas.set_width((width * ratio) as u32);
    canvas.set_height((height * ratio) as u32);
    let style = HtmlElement::style(canvas);
    style
        .set_property("height", &format!("{}px", height as u32))
        .expect("a height is a style");
    context.scale(ratio, ratio).expect("the ratio is a number");
}

fn paint(
    canvas: &HtmlCanvasElement,
    context: &CanvasRenderingContext2d,
    grid: &Grid,
    cells: &[Cell],
) {
    let style = window().get_computed_style(canvas).ok().flatten();
    let colour = |name| {
        style
            .as_ref()
            .and_then(|style| style.get_property_value(name).ok())
            .unwrap_or_default()
    };
    let here = colour("--map-here");
    fill(context, grid, cells, &colour("--map-missing"), |_| true);
    fill(context, grid, cells, &here, |cell| cell.part >= 1.0);
    fill(context, grid, cells, &colour("--map-busy"), |cell| {
        cell.is_busy
    });
    for (index, cell) in cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| cell.part > 0.0 && cell.part < 1.0)
    {
        // A cell of several pieces gets darker with each of them.
        context.set_global_alpha(0.2 + 0.6 * cell.part);
        context.begin_path();
        hexagon(context, grid, index);
        context.set_fill_style_str(&here);
        context.fill();
    }
}

/// Fills in one go, which is much cheaper than one by one.
fn fill(
    context: &CanvasRenderingContext2d,
    grid: &Grid,
    cells: &[Cell],
    colour: &str,
    which: impl Fn(&Cell) -> bool,
) {
    context.begin_path();
    for (index, _) in cells.iter().enumerate().filter(|(_, cell)| which(cell)) {
        hexagon(context, grid, index);
    }
    context.set_fill_style_str(colour);
    context.fill();
}

fn hexagon(context: &CanvasRenderingContext2d, grid: &Grid, index: usize) {
    let mut corners = grid.corners(index).into_iter();
    if let Some((x, y)) = corners.next() {
        context.move_to(x, y);
    }
    for (x, y) in corners {
        context.line_to(x, y);
    }
    context.close_path();
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn bytes_are_here_when_all_their_pieces_are() {
        let pieces = Pieces {
            count: 3,
            length: 10,
            have: &[0b0110_0000],
            in_progress: &[],
        };
        assert!(pieces.has_bytes(10, 20));
        assert!(pieces.has_bytes(0, 0), "an empty file");
        assert!(!pieces.has_bytes(9, 2));
        assert!(!pieces.has_bytes(25, 10));
        assert!(!Pieces::default().has_bytes(0, 1), "nothing is known yet");
    }
}
