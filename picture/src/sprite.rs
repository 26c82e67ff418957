//! Small shapes that are drawn once and put in many places: a single call each, where their outline
//! takes one for every corner.

use crate::surface::{Surface, ratio};

/// One shape, around its middle.
#[derive(Clone, Debug)]
pub struct Sprite {
    surface: Surface,
    /// From its middle to each side, in CSS pixels.
    reach: f64,
}

impl Sprite {
    /// What `draw` draws around the point that it is told, and no farther than `reach` from there.
    pub fn new(reach: f64, draw: impl FnOnce(&Surface, (f64, f64))) -> Self {
        // As many whole pixels, or it would be blurred.
        let ratio = ratio();
        let reach = (reach * ratio).ceil() / ratio;
        let mut surface = Surface::off_screen();
        surface.fit_to(2.0 * reach, 2.0 * reach);
        draw(&surface, (reach, reach));
        Sprite { surface, reach }
    }

    /// Puts its middle here.
    pub fn put(&self, on: &Surface, (x, y): (f64, f64)) {
        on.put(&self.surface, x - self.reach, y - self.reach);
    }
}
