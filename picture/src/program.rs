//! The line to the page, and the pictures that are open.

mod around;
mod copies;
mod look;
mod picture;
mod seen;
mod slots;
mod star;
mod table;
mod words;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::Uint8Array;
use page_kit::dom::{listen, part, window};
use swarm_picture::animation::Animation;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CustomEvent, CustomEventInit, Element, Event, KeyboardEvent, MouseEvent};

use picture::Picture;
use seen::Watch;

/// The event with which the page gets the function.
const HERE: &str = "swarm-picture";

/// What a person may tell the browser that changes how pictures look.
const PREFERENCES: [&str; 3] = [
    "(prefers-color-scheme: dark)",
    "(prefers-reduced-motion: reduce)",
    "(forced-colors: active)",
];

/// One that is open.
#[derive(Clone)]
struct Open {
    element: Element,
    picture: Rc<RefCell<Picture>>,
    animation: Animation,
    #[expect(dead_code, reason = "watches as long as it lives")]
    watch: Rc<Watch>,
}

type Opened = Rc<RefCell<Vec<Open>>>;

/// Tells the page where to call: with the element in which a picture is, and with what is new,
/// or with nothing when it is closed.
pub(crate) fn run() {
    let opened = Opened::default();
    let showing = opened.clone();
    let show = Closure::<dyn FnMut(Element, JsValue)>::new(move |element: Element, news| {
        show(&showing, &element, &news);
    });
    let init = CustomEventInit::new();
    init.set_detail(&show.into_js_value());
    let event = CustomEvent::new_with_event_init_dict(HERE, &init).expect("a valid name");
    window()
        .dispatch_event(&event)
        .expect("it was not dispatched yet");

    let resized = opened.clone();
    listen(&window(), "resize", move |_| {
        refresh(&resized, Picture::fit);
    });
    for query in PREFERENCES {
        let changed = opened.clone();
        if let Ok(Some(query)) = window().match_media(query) {
            listen(&query, "change", move |_| {
                refresh(&changed, Picture::read_preferences);
            });
        }
    }
}

fn refresh(opened: &Opened, change: fn(&mut Picture)) {
    for open in opened.borrow().iter() {
        change(&mut open.picture.borrow_mut());
        open.animation.request();
    }
}

fn show(opened: &Opened, element: &Element, news: &JsValue) {
    let found = opened
        .borrow()
        .iter()
        .find(|open| open.element == *element)
        .cloned();
    let Some(news) = news.dyn_ref::<Uint8Array>() else {
        opened.borrow_mut().retain(|open| open.element != *element);
        return;
    };
    let open = found.unwrap_or_else(|| {
        let open = Open::new(element);
        opened.borrow_mut().push(open.clone());
        open
    });
    // What another version of the page sends is no news.
    if let Ok(changes) = postcard::from_bytes(&news.to_vec()) {
        open.picture.borrow_mut().take(changes);
        open.animation.request();
    }
}

impl Open {
    fn new(element: &Element) -> Self {
        let picture = Rc::new(RefCell::new(Picture::new(element)));
        let drawn = Rc::downgrade(&picture);
        let animation = Animation::new(move |now| {
            let picture = drawn.upgrade();
            picture.is_some_and(|picture| picture.borrow_mut().draw(now))
        });
        let parts = ["swarm-picture", "swarm-pieces"].map(|name| part(element, name));
        let (told, drawing) = (Rc::downgrade(&picture), animation.clone());
        let open = Open {
            element: element.clone(),
            watch: Rc::new(Watch::new(element, &parts, told, drawing)),
            picture,
            animation,
        };
        open.listen();
        open
    }

    /// To what a person does with it.
    fn listen(&self) {
        let on = |part_of: &str, event: &str, handle: fn(&mut Picture, &Event)| {
            // Listeners stay, and must not keep what is closed.
            let picture: Weak<RefCell<Picture>> = Rc::downgrade(&self.picture);
            let animation = self.animation.clone();
            listen(&part(&self.element, part_of), event, move |event| {
                if let Some(picture) = picture.upgrade() {
                    handle(&mut picture.borrow_mut(), &event);
                    animation.request();
                }
            });
        };
        // The style sheet may come later than the program.
        on("swarm-sheet", "load", |picture, _| {
            picture.read_preferences();
            picture.fit();
        });
        on("swarm-canvas", "pointermove", |picture, event| {
            if let Some(event) = event.dyn_ref::<MouseEvent>() {
                picture.point_at(f64::from(event.offset_x()), f64::from(event.offset_y()));
            }
        });
        on("swarm-canvas", "pointerleave", |picture, _| {
            picture.point_away();
        });
        on("swarm-canvas", "click", |picture, event| {
            if let Some(event) = event.dyn_ref::<MouseEvent>() {
                picture.choose_at(f64::from(event.offset_x()), f64::from(event.offset_y()));
            }
        });
        on("swarm-canvas", "keydown", |picture, event| {
            if let Some(key) = event.dyn_ref::<KeyboardEvent>()
                && picture.press(&key.key())
            {
                event.prevent_default();
            }
        });
    }
}
