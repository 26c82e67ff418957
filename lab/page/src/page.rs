//! The page: shows one moment of the simulations after the other.
//!
//! As in `web-peer`, the markup is in `index.html` and the code fills it in. Drawing
//! happens before the browser's next picture and not otherwise, so not at all while
//! nobody sees the page.

mod controls;
mod curve;
mod figures;
mod flows;
mod form;
mod hive;
mod lab;
mod peer;
mod side;
mod theme;
mod words;

use std::cell::RefCell;
use std::rc::Rc;

use page_kit::dom::{by_id, listen, make, part, set_text, window};
use page_kit::worker::{Program, WorkerHandle};
use swarm_picture::animation::Animation;
use wasm_bindgen::JsValue;

use crate::messages::{ToPage, ToWorker};
use lab::Lab;

/// Runs the page.
pub(crate) fn run() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&JsValue::from_str(&panic.to_string()));
    }));
    by_id("starting")
        .replace_with_with_node_1(&make("page"))
        .expect("the body takes the page");
    form::make_presets();

    let lab = Rc::new(RefCell::new(Lab::new()));
    let drawing = lab.clone();
    let animation = Animation::new(move |now| drawing.borrow_mut().draw(now));
    let (handling, picture) = (lab.clone(), animation.clone());
    let on_message = move |message: ToPage, _| {
        handling.borrow_mut().handle(message);
        picture.request();
    };
    let failed = |failure: String| fail(&failure);
    match WorkerHandle::<ToWorker>::start(Program::OfPage, on_message, failed) {
        Ok(worker) => lab.borrow_mut().worker = Some(worker),
        Err(failure) => fail(&format!("The lab can’t run here: {failure}")),
    }
    controls::listen_to_everything(&lab, &animation);
    let (resized, picture) = (lab.clone(), animation.clone());
    listen(&window(), "resize", move |_| {
        resized.borrow_mut().fit();
        picture.request();
    });
    for query in [
        "(prefers-color-scheme: dark)",
        "(prefers-reduced-motion: reduce)",
    ] {
        let (lab, picture) = (lab.clone(), animation.clone());
        if let Ok(Some(query)) = window().match_media(query) {
            listen(&query, "change", move |_| {
                lab.borrow_mut().read_preferences();
                picture.request();
            });
        }
    }
}

/// Says that something went wrong.
fn fail(text: &str) {
    let alert = by_id("alert");
    set_text(&part(&alert, "text"), text);
    page_kit::dom::set_flag(&alert, "hidden", text.is_empty());
}
