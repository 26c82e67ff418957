//! Which parts of a picture somebody could see: what is scrolled out of view is not drawn.

use std::cell::RefCell;
use std::rc::Weak;

use js_sys::Array;
use page_kit::dom::{set_flag, window};
use swarm_picture::animation::Animation;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, IntersectionObserver, IntersectionObserverEntry};

use super::picture::Picture;

/// Tells the page that a picture came into view, and wants to know at once what is new.
const SEEN: &str = "swarm-seen";

/// With which the page sees that a picture is out of view.
const AWAY: &str = "data-away";

/// Tells a picture what of it comes into view and what leaves, as long as this lives.
#[derive(Debug)]
pub(super) struct Watch(IntersectionObserver);

impl Watch {
    /// Of the element that it is in, and of these parts.
    pub(super) fn new(
        whole: &Element,
        parts: &[Element],
        picture: Weak<RefCell<Picture>>,
        animation: Animation,
    ) -> Self {
        let body = whole.clone();
        let notice = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
            let Some(picture) = picture.upgrade() else {
                return;
            };
            for entry in entries {
                let entry: IntersectionObserverEntry = entry.unchecked_into();
                let (target, is_seen) = (entry.target(), entry.is_intersecting());
                picture.borrow_mut().see(&target, is_seen);
                if target == body {
                    tell(&body, is_seen);
                }
            }
            animation.request();
        });
        let observer = IntersectionObserver::new(notice.into_js_value().unchecked_ref())
            .expect("it is called with a function");
        observer.observe(whole);
        parts.iter().for_each(|part| observer.observe(part));
        Watch(observer)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}

fn tell(body: &Element, is_seen: bool) {
    let was_away = body.has_attribute(AWAY);
    set_flag(body, AWAY, !is_seen);
    if was_away && is_seen {
        let event = Event::new(SEEN).expect("a valid name");
        window()
            .dispatch_event(&event)
            .expect("it was not dispatched yet");
    }
}
