//! Which peer has which piece: a row for each peer, a column for each piece.

use swarm_lab::Snapshot;
use swarm_lab::snapshot::PeerSnapshot;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlElement, ImageData};

use super::surface::ratio;
use super::theme::{Rgb, Theme, mix, rgb, role_index};

/// The map is about so high, in CSS pixels, as long as rows stay visible.
const HEIGHT: f64 = 240.0;

/// Rows are at least and at most so high.
const ROW: (f64, f64) = (1.0, 8.0);

/// Seconds in which a new piece stops glowing.
const GLOWS: f64 = 0.7;

/// Those who left stay visible so far.
const GONE: f64 = 0.65;

/// See the module. A pixel of the canvas is a piece of a peer; CSS makes it larger.
pub(super) struct PieceMap {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    pieces: usize,
    rows: Vec<Row>,
    /// Red, green, blue and opacity of each piece of each row.
    pixels: Vec<u8>,
}

#[derive(Clone, Default)]
struct Row {
    have: Vec<u8>,
    is_present: bool,
    /// How much each piece glows, 0 to 1.
    glow: Vec<f32>,
    /// It glows, or something changed.
    is_stale: bool,
}

impl PieceMap {
    pub(super) fn new(canvas: &Element) -> Self {
        let canvas: HtmlCanvasElement = canvas.clone().unchecked_into();
        let context = canvas.get_context("2d").ok().flatten();
        PieceMap {
            context: context
                .expect("browsers that run this have canvases")
                .unchecked_into(),
            canvas,
            pieces: 0,
            rows: Vec::new(),
            pixels: Vec::new(),
        }
    }

    /// An empty map, as large as its place on the page allows.
    pub(super) fn fit(&mut self, peers: usize, pieces: u32) {
        self.pieces = pieces as usize;
        let row = Row {
            glow: vec![0.0; self.pieces],
            is_stale: true,
            ..Row::default()
        };
        self.rows = vec![row; peers];
        self.pixels = vec![0; peers * self.pieces * 4];
        self.canvas.set_width(pieces);
        self.canvas.set_height(peers as u32);

        let height = (HEIGHT / peers.max(1) as f64).floor().clamp(ROW.0, ROW.1);
        let style = HtmlElement::style(&self.canvas);
        let set = |name, value: &str| style.set_property(name, value).expect("it is a style");
        set("height", &format!("{}px", height * peers as f64));
        // Crisp, as long as every piece has a pixel of the screen.
        let room = f64::from(self.canvas.client_width()) * ratio();
        let is_crisp = room >= f64::from(pieces);
        set(
            "image-rendering",
            if is_crisp { "pixelated" } else { "auto" },
        );
    }

    /// Colours have changed.
    pub(super) fn repaint(&mut self) {
        self.rows.iter_mut().for_each(|row| row.is_stale = true);
    }

    /// Draws what is new, `seconds` after the last time. False when nothing glows any more.
    pub(super) fn draw(
        &mut self,
        snapshot: &Snapshot,
        theme: &Theme,
        seconds: Option<f64>,
    ) -> bool {
        let palette = Palette::of(theme);
        let cooler = seconds.map_or(1.0, |seconds| (seconds / GLOWS) as f32);
        let (mut has_changed, mut is_warm) = (false, false);
        let pixels = self.pixels.chunks_exact_mut((self.pieces * 4).max(1));
        for ((index, row), pixels) in self.rows.iter_mut().enumerate().zip(pixels) {
            let peer = snapshot.peers.get(index);
            if let Some(peer) = peer {
                row.take(peer);
            }
            if row.is_stale {
                has_changed = true;
                row.cool(cooler);
                row.paint(peer, &palette, pixels);
                is_warm |= row.is_stale;
            }
        }
        if has_changed {
            self.put();
        }
        is_warm
    }

    fn put(&self) {
        let pixels = Clamped(&self.pixels[..]);
        let image = ImageData::new_with_u8_clamped_array_and_sh(
            pixels,
            self.pieces as u32,
            self.rows.len() as u32,
        );
        // An empty map has no image.
        if let Ok(image) = image {
            let put = self.context.put_image_data(&image, 0.0, 0.0);
            put.expect("the image is ours");
        }
    }
}

impl Row {
    /// What is new glows.
    fn take(&mut self, peer: &PeerSnapshot) {
        if self.is_present != peer.present {
            self.is_present = peer.present;
            self.is_stale = true;
        }
        if self.have == peer.have {
            return;
        }
        for (index, glow) in self.glow.iter_mut().enumerate() {
            if has(&peer.have, index) && !has(&self.have, index) {
                *glow = 1.0;
            }
        }
        self.have.clone_from(&peer.have);
        self.is_stale = true;
    }

    fn cool(&mut self, cooler: f32) {
        self.is_stale = false;
        for glow in self.glow.iter_mut().filter(|glow| **glow > 0.0) {
            *glow = (*glow - cooler).max(0.0);
            self.is_stale |= *glow > 0.0;
        }
    }

    fn paint(&self, peer: Option<&PeerSnapshot>, palette: &Palette, pixels: &mut [u8]) {
        let here = peer.map_or(palette.missing, |peer| palette.roles[role_index(peer.role)]);
        let pale = |colour| match self.is_present {
            true => colour,
            false => mix(colour, palette.card, GONE),
        };
        let (here, missing) = (pale(here), pale(palette.missing));
        for ((index, pixel), glow) in pixels.chunks_exact_mut(4).enumerate().zip(&self.glow) {
            let colour = match (has(&self.have, index), *glow > 0.0) {
                (false, _) => missing,
                (true, false) => here,
                (true, true) => mix(here, palette.glow, f64::from(*glow)),
            };
            pixel[..3].copy_from_slice(&colour);
            pixel[3] = 255;
        }
    }
}

struct Palette {
    missing: Rgb,
    card: Rgb,
    glow: Rgb,
    roles: [Rgb; 4],
}

impl Palette {
    fn of(theme: &Theme) -> Self {
        Palette {
            missing: rgb(&theme.missing),
            card: rgb(&theme.card),
            glow: rgb(&theme.piece),
            roles: std::array::from_fn(|role| rgb(&theme.roles[role])),
        }
    }
}

/// Of a bitfield as on the peer wire.
fn has(have: &[u8], piece: usize) -> bool {
    have.get(piece / 8)
        .is_some_and(|byte| byte & (0x80 >> (piece % 8)) != 0)
}
