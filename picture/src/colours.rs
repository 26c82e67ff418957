//! The colours of the style sheet, for what is painted.

use page_kit::dom::window;
use web_sys::{CssStyleDeclaration, Element};

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// The style sheet as it holds for one element now.
#[derive(Clone, Debug)]
pub struct Sheet(Option<CssStyleDeclaration>);

impl Sheet {
    /// For this element.
    pub fn of(element: &Element) -> Self {
        Sheet(window().get_computed_style(element).ok().flatten())
    }

    /// A custom property, such as `--ink`, as CSS wants it.
    pub fn colour(&self, name: &str) -> String {
        let value = self.0.as_ref();
        let value = value.and_then(|style| style.get_property_value(name).ok());
        value.unwrap_or_default().trim().to_owned()
    }
}

/// Of a colour written as #rrggbb, which is how the style sheets write those that need it, and
/// how a canvas writes every one ([`crate::surface::Surface::spelled`]).
pub fn rgb(colour: &str) -> Rgb {
    let digits = colour.strip_prefix('#').unwrap_or_default();
    let byte = |at: usize| {
        let pair = digits.get(at..at + 2);
        pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .unwrap_or(128)
    };
    [byte(0), byte(2), byte(4)]
}

/// So far from one colour to the other, 0 to 1.
pub fn mix(from: Rgb, to: Rgb, part: f64) -> Rgb {
    let channel = |index: usize| {
        let (from, to) = (f64::from(from[index]), f64::from(to[index]));
        (from + (to - from) * part + 0.5) as u8
    };
    [channel(0), channel(1), channel(2)]
}
