//! Who has which piece: a row for each peer, a column for each piece, or for some.

use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlElement, ImageData};

use crate::colours::{Rgb, mix};
use crate::columns::Columns;
use crate::surface::ratio;

/// Rows are at least and at most so high, in CSS pixels.
const ROW: (f64, f64) = (1.0, 8.0);

/// Seconds in which a new piece stops glowing.
const GLOWS: f64 = 0.7;

/// Those who left stay visible so far.
const GONE: f64 = 0.65;

/// See the module. A pixel of the canvas is a column of a row; CSS makes it larger.
#[derive(Debug)]
pub struct PieceMap {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    /// About so high, in CSS pixels, as long as rows stay visible.
    height: f64,
    pieces: u32,
    most_columns: usize,
    rows: Vec<Row>,
    /// How many have each piece.
    copies: Vec<u32>,
    /// Red, green, blue and opacity of each column of each row.
    pixels: Vec<u8>,
}

/// What there is to see of one peer.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    /// Tells it from the others.
    pub key: u32,
    /// Its pieces, as the peer wire's bitfield.
    pub have: &'a [u8],
    /// It is there: else it is paler.
    pub is_present: bool,
    /// Of its pieces.
    pub colour: Rgb,
}

/// What all rows share.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Of a piece that is not there.
    pub missing: Rgb,
    /// Of what is behind it all.
    pub card: Rgb,
    /// Of a piece that has just come.
    pub glow: Rgb,
}

#[derive(Debug)]
struct Row {
    key: u32,
    columns: Columns,
    is_present: bool,
    colour: Rgb,
    /// How much each column glows, 0 to 1.
    glow: Vec<f32>,
    /// Columns that glow or have changed, few of many; and for each column whether it is there.
    changed: Vec<usize>,
    has_changed: Vec<bool>,
    /// All of it is to be painted anew.
    is_stale: bool,
}

impl PieceMap {
    /// An empty one.
    pub fn new(canvas: &Element, height: f64) -> Self {
        let canvas: HtmlCanvasElement = canvas.clone().unchecked_into();
        let context = canvas.get_context("2d").ok().flatten();
        PieceMap {
            context: context
                .expect("browsers that run this have canvases")
                .unchecked_into(),
            canvas,
            height,
            pieces: 0,
            most_columns: 0,
            rows: Vec::new(),
            copies: Vec::new(),
            pixels: Vec::new(),
        }
    }

    /// An empty map of so many pieces, in so many columns at most.
    pub fn fit(&mut self, pieces: u32, most_columns: usize) {
        self.pieces = pieces;
        self.most_columns = most_columns;
        self.rows = Vec::new();
        self.copies = vec![0; pieces as usize];
    }

    /// Its columns, without anything in them.
    pub fn columns(&self) -> Columns {
        Columns::new(self.pieces, self.most_columns)
    }

    /// How many of the rows have each piece.
    pub fn copies(&self) -> &[u32] {
        &self.copies
    }

    /// Colours have changed.
    pub fn repaint(&mut self) {
        self.rows.iter_mut().for_each(|row| row.is_stale = true);
    }

    /// Takes in what there is now. What is new glows, but for those who have just come.
    pub fn take<'a>(&mut self, views: impl Iterator<Item = RowView<'a>>) {
        let mut earlier = std::mem::take(&mut self.rows);
        let before = earlier.len();
        for (index, view) in views.enumerate() {
            let found = earlier.iter().position(|row| row.key == view.key);
            let is_first = found.is_none();
            let moves = found != Some(0);
            let mut row = match found {
                Some(at) => earlier.remove(at),
                None => Row {
                    key: view.key,
                    glow: vec![0.0; self.columns().count()],
                    columns: self.columns(),
                    is_present: true,
                    colour: view.colour,
                    changed: Vec::new(),
                    has_changed: vec![false; self.columns().count()],
                    is_stale: true,
                },
            };
            row.is_stale |= moves && index < before;
            row.take(&view, &mut self.copies, !is_first);
            self.rows.push(row);
        }
        // Those who are gone: what they had there is once less.
        for mut row in earlier {
            let copies = &mut self.copies;
            row.columns.take(&[], |piece, _, _| {
                copies[piece] = copies[piece].saturating_sub(1);
            });
        }
        if self.rows.len() != before {
            self.resize();
        }
    }

    /// Room for the rows that there are.
    fn resize(&mut self) {
        let (rows, columns) = (self.rows.len(), self.columns().count());
        self.pixels = vec![0; rows * columns * 4];
        self.canvas.set_width(columns as u32);
        self.canvas.set_height(rows as u32);
        self.repaint();

        let height = (self.height / rows.max(1) as f64).floor();
        let height = height.clamp(ROW.0, ROW.1) * rows as f64;
        let style = HtmlElement::style(&self.canvas);
        let set = |name, value: &str| style.set_property(name, value).expect("it is a style");
        set("height", &format!("{}px", height as u32));
        // Crisp, as long as every column has a pixel of the screen.
        let room = f64::from(self.canvas.client_width()) * ratio();
        let is_crisp = room >= columns as f64;
        set(
            "image-rendering",
            if is_crisp { "pixelated" } else { "auto" },
        );
    }

    /// Draws what is new, `seconds` after the last time, or where nothing is to move none. False
    /// when nothing glows any more.
    pub fn draw(&mut self, palette: &Palette, seconds: Option<f64>) -> bool {
        let cooler = seconds.map_or(1.0, |seconds| (seconds / GLOWS) as f32);
        let (mut has_changed, mut is_warm) = (false, false);
        let width = (self.columns().count() * 4).max(1);
        let pixels = self.pixels.chunks_exact_mut(width);
        for (row, pixels) in self.rows.iter_mut().zip(pixels) {
            if row.is_stale || !row.changed.is_empty() {
                has_changed = true;
                row.cool(cooler);
                row.paint(palette, pixels);
                is_warm |= !row.changed.is_empty();
            }
        }
        if has_changed {
            self.put();
        }
        is_warm
    }

    fn put(&self) {
        let pixels = Clamped(&self.pixels[..]);
        let (columns, rows) = (self.columns().count() as u32, self.rows.len() as u32);
        // An empty map has no image.
        if let Ok(image) = ImageData::new_with_u8_clamped_array_and_sh(pixels, columns, rows) {
            let put = self.context.put_image_data(&image, 0.0, 0.0);
            put.expect("the image is ours");
        }
    }
}

impl Row {
    fn take(&mut self, view: &RowView<'_>, copies: &mut [u32], glows: bool) {
        if (self.is_present, self.colour) != (view.is_present, view.colour) {
            self.is_present = view.is_present;
            self.colour = view.colour;
            self.is_stale = true;
        }
        let (glow, changed) = (&mut self.glow, &mut self.changed);
        let has_changed = &mut self.has_changed;
        self.columns.take(view.have, |piece, column, came| {
            copies[piece] = match came {
                true => copies[piece] + 1,
                false => copies[piece].saturating_sub(1),
            };
            if came && glows {
                glow[column] = 1.0;
            }
            if !std::mem::replace(&mut has_changed[column], true) {
                changed.push(column);
            }
        });
    }

    fn cool(&mut self, cooler: f32) {
        for column in &self.changed {
            let glow = &mut self.glow[*column];
            *glow = (*glow - cooler).max(0.0);
        }
    }

    /// Paints what has changed. What glows will be other the next time.
    fn paint(&mut self, palette: &Palette, pixels: &mut [u8]) {
        let pale = |colour| match self.is_present {
            true => colour,
            false => mix(colour, palette.card, GONE),
        };
        let (here, missing) = (pale(self.colour), pale(palette.missing));
        let mut paint = |column: usize| {
            let level = self.columns.level(column);
            let mut colour = match level {
                0.0 => missing,
                1.0 => here,
                level => mix(missing, here, level),
            };
            let glow = self.glow[column];
            if glow > 0.0 && level > 0.0 {
                colour = mix(colour, palette.glow, f64::from(glow));
            }
            let pixel = &mut pixels[column * 4..column * 4 + 4];
            pixel[..3].copy_from_slice(&colour);
            pixel[3] = 255;
        };
        match self.is_stale {
            true => (0..self.glow.len()).for_each(&mut paint),
            false => self.changed.iter().copied().for_each(&mut paint),
        }
        self.is_stale = false;
        self.changed.retain(|column| {
            let glows = self.glow[*column] > 0.0;
            self.has_changed[*column] = glows;
            glows
        });
    }
}
