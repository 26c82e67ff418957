//! The pieces of a torrent as a honeycomb that fills.

mod grid;

use leptos::prelude::*;
use leptos::{ev, html};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use crate::page::model::Pieces;
use grid::{Cell, Grid};

/// Counts the times at which every piece map has to be drawn anew: another width, another
/// colour scheme, a tab that was hidden.
#[derive(Clone, Copy)]
pub(crate) struct Repaint(RwSignal<u32>);

impl Repaint {
    /// Counts from now on.
    pub(crate) fn listen() -> Self {
        let count = RwSignal::new(0);
        let listeners = [
            window_event_listener(ev::resize, move |_| count.update(|count| *count += 1)),
            window_event_listener(ev::visibilitychange, move |_| {
                count.update(|count| *count += 1);
            }),
        ];
        on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
        Repaint(count)
    }
}

/// The honeycomb: full cells are here, hatched ones on their way.
#[component]
pub(crate) fn PieceMap(pieces: RwSignal<Pieces>) -> impl IntoView {
    let Repaint(repaint) = expect_context();
    let canvas = NodeRef::<html::Canvas>::new();
    Effect::new(move || {
        repaint.track();
        let Some(canvas) = canvas.get() else { return };
        if !document().hidden() {
            pieces.with(|pieces| draw(&canvas, pieces));
        }
    });
    let words = Memo::new(move |_| {
        pieces.with(|pieces| {
            let here: u32 = pieces.have.iter().map(|byte| byte.count_ones()).sum();
            format!("{here} of {} pieces", pieces.count)
        })
    });
    view! {
        <figure class="pieces">
            <canvas node_ref=canvas role="img" aria-label=words></canvas>
            <figcaption aria-hidden="true">{words}</figcaption>
        </figure>
    }
}

/// Draws the map as wide as its place is. A browser without canvas shows the words alone.
fn draw(canvas: &HtmlCanvasElement, pieces: &Pieces) {
    let ratio = window().device_pixel_ratio();
    let width = f64::from(canvas.client_width());
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) =
        context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok())
    else {
        return;
    };
    let Some(grid) = Grid::fit(pieces.count, width) else {
        return;
    };

    // Setting a size clears a canvas, even when it is the same.
    canvas.set_width((width * ratio) as u32);
    canvas.set_height((grid.height() * ratio) as u32);
    // Rounds like the backing store, or the browser would scale the picture.
    let height = f64::from(canvas.height()) / ratio;
    let _ = HtmlElement::style(canvas).set_property("height", &format!("{}px", height as u32));
    let _ = context.scale(ratio, ratio);

    let style = window().get_computed_style(canvas).ok().flatten();
    let colour = |name| {
        style
            .as_ref()
            .and_then(|style| style.get_property_value(name).ok())
            .unwrap_or_default()
    };
    let (missing, busy, here) = (
        colour("--map-missing"),
        colour("--map-busy"),
        colour("--map-here"),
    );

    let cells = grid.cells(pieces);
    let all = |_: &Cell| true;
    fill(&context, &grid, &cells, &missing, all);
    fill(&context, &grid, &cells, &here, |cell| cell.part >= 1.0);
    fill(&context, &grid, &cells, &busy, |cell| cell.is_busy);
    for (index, cell) in cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| cell.part > 0.0 && cell.part < 1.0)
    {
        // A cell of several pieces gets darker with each of them.
        context.set_global_alpha(0.2 + 0.6 * cell.part);
        context.begin_path();
        hexagon(&context, &grid, index);
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
