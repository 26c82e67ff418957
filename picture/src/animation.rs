//! The browser's next picture.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Function;
use page_kit::dom::window;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Draws when a picture is due, as long as there is something to draw.
#[derive(Clone, Debug)]
pub struct Animation(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    callback: RefCell<Option<Function>>,
    is_requested: Cell<bool>,
}

impl Animation {
    /// `draw` gets the time in milliseconds, and says whether the next picture will differ.
    pub fn new(mut draw: impl FnMut(f64) -> bool + 'static) -> Self {
        let animation = Animation(Rc::new(Inner {
            callback: RefCell::default(),
            is_requested: Cell::default(),
        }));
        let drawing = animation.clone();
        let callback = Closure::<dyn FnMut(f64)>::new(move |now| {
            drawing.0.is_requested.set(false);
            if draw(now) {
                drawing.request();
            }
        });
        let callback = callback.into_js_value().unchecked_into();
        *animation.0.callback.borrow_mut() = Some(callback);
        animation
    }

    /// There is something to draw.
    pub fn request(&self) {
        if let Some(callback) = &*self.0.callback.borrow()
            && !self.0.is_requested.replace(true)
        {
            let requested = window().request_animation_frame(callback);
            requested.expect("a window has pictures");
        }
    }
}
