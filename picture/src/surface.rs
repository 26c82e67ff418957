//! A canvas that is as sharp as the screen.

use page_kit::dom::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement};

/// See the module. Sizes and places are in CSS pixels.
#[derive(Clone, Debug)]
pub struct Surface {
    /// Its element.
    pub canvas: HtmlCanvasElement,
    /// What draws on it.
    pub context: CanvasRenderingContext2d,
    /// As of the last [`Surface::fit`].
    pub width: f64,
    /// The same.
    pub height: f64,
}

impl Surface {
    /// Nothing fits on it before [`Surface::fit`].
    pub fn new(canvas: &Element) -> Self {
        let canvas: HtmlCanvasElement = canvas.clone().unchecked_into();
        let context = canvas.get_context("2d").ok().flatten();
        Surface {
            context: context
                .expect("browsers that run this have canvases")
                .unchecked_into(),
            canvas,
            width: 0.0,
            height: 0.0,
        }
    }

    /// One that is on no page, to be put on others. Nothing fits on it before
    /// [`Surface::fit_to`].
    pub fn off_screen() -> Self {
        let canvas = document().create_element("canvas");
        Self::new(&canvas.expect("it is the name of an element"))
    }

    /// As large as its place on the page.
    pub fn fit(&mut self) {
        let size = (self.canvas.client_width(), self.canvas.client_height());
        self.fit_to(f64::from(size.0), f64::from(size.1));
    }

    /// So large, and empty.
    pub fn fit_to(&mut self, width: f64, height: f64) {
        let ratio = ratio();
        (self.width, self.height) = (width, height);
        self.canvas.set_width((self.width * ratio + 0.5) as u32);
        self.canvas.set_height((self.height * ratio + 0.5) as u32);
        let scaled = self.context.scale(ratio, ratio);
        scaled.expect("the ratio is a number");
    }

    /// Empties it.
    pub fn clear(&self) {
        self.context.clear_rect(0.0, 0.0, self.width, self.height);
    }

    /// Puts another one on it, with its upper left corner here. One without extent shows nothing.
    pub fn put(&self, other: &Surface, x: f64, y: f64) {
        let (width, height) = (other.width, other.height);
        let _ = self
            .context
            .draw_image_with_html_canvas_element_and_dw_and_dh(&other.canvas, x, y, width, height);
    }

    /// A colour as #rrggbb, however a style sheet wrote it: a canvas reads them all, the names of
    /// a system's colours too.
    pub fn spelled(&self, colour: &str) -> String {
        self.context.set_fill_style_str(colour);
        self.context.fill_style().as_string().unwrap_or_default()
    }

    /// Adds a closed outline to the path.
    pub fn outline(&self, corners: &[(f64, f64)]) {
        let [(x, y), others @ ..] = corners else {
            return;
        };
        self.context.move_to(*x, *y);
        for (x, y) in others {
            self.context.line_to(*x, *y);
        }
        self.context.close_path();
    }

    /// Fills what `path` draws, in one go: much cheaper than one by one.
    pub fn fill(&self, colour: &str, path: impl FnOnce()) {
        self.context.begin_path();
        path();
        self.context.set_fill_style_str(colour);
        self.context.fill();
    }

    /// Draws the lines that `path` draws, in one go.
    pub fn stroke(&self, colour: &str, width: f64, path: impl FnOnce()) {
        self.context.begin_path();
        path();
        self.context.set_stroke_style_str(colour);
        self.context.set_line_width(width);
        self.context.stroke();
    }
}

/// Pixels of the screen for one of CSS.
pub fn ratio() -> f64 {
    window().device_pixel_ratio()
}
