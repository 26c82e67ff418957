//! The page: shows one moment of the simulations after the other.
//!
//! As in `web-peer`, the markup is in `index.html` and the code fills it in. Drawing
//! happens before the browser's next picture and not otherwise, so not at all while
//! nobody sees the page. It has two modes, each with a half of the page of its own: swarms
//! (`lab`) and networks of the DHT (`network`). The page's address says which is seen.

mod controls;
mod curve;
mod figures;
mod flows;
mod form;
mod hive;
mod lab;
mod network;
mod peer;
mod side;
mod theme;
mod words;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use page_kit::dom::{by_id, listen, make, part, set_attribute, set_flag, set_text, window};
use page_kit::worker::{Program, WorkerHandle};
use swarm_picture::animation::Animation;
use wasm_bindgen::JsValue;

use crate::messages::{ToPage, ToWorker};
use lab::Lab;
use network::NetworkPage;

/// Runs the page.
pub(crate) fn run() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&JsValue::from_str(&panic.to_string()));
    }));
    by_id("starting")
        .replace_with_with_node_1(&make("page"))
        .expect("the body takes the page");
    form::make_presets();

    let modes = Rc::new(Modes {
        lab: Rc::new(RefCell::new(Lab::new())),
        network: OnceCell::new(),
        shows_network: Cell::new(false),
    });
    let drawing = modes.clone();
    let animation = Animation::new(move |now| drawing.draw(now));
    let (handling, picture) = (modes.clone(), animation.clone());
    let on_message = move |message: ToPage, _| handling.handle(message, &picture);
    let failed = |failure: String| fail(&failure);
    match WorkerHandle::<ToWorker>::start(Program::OfPage, on_message, failed) {
        Ok(worker) => modes.lab.borrow_mut().worker = Some(worker),
        Err(failure) => fail(&format!("The lab can’t run here: {failure}")),
    }
    controls::listen_to_everything(&modes.lab, &animation);
    let (going, picture) = (modes.clone(), animation.clone());
    listen(&window(), "hashchange", move |_| going.begin(&picture));
    let (resized, picture) = (modes.clone(), animation.clone());
    listen(&window(), "resize", move |_| {
        resized.fit();
        picture.request();
    });
    for query in [
        "(prefers-color-scheme: dark)",
        "(prefers-reduced-motion: reduce)",
        "(forced-colors: active)",
    ] {
        let (modes, picture) = (modes.clone(), animation.clone());
        if let Ok(Some(query)) = window().match_media(query) {
            listen(&query, "change", move |_| {
                modes.lab.borrow_mut().read_preferences();
                modes.fit();
                picture.request();
            });
        }
    }
}

/// The two halves of the page, of which one is seen.
struct Modes {
    lab: Rc<RefCell<Lab>>,
    /// Made when it is first wanted.
    network: OnceCell<network::Shared>,
    shows_network: Cell<bool>,
}

impl Modes {
    /// The half that is seen, if it is the network.
    fn shown_network(&self) -> Option<&network::Shared> {
        self.network.get().filter(|_| self.shows_network.get())
    }

    /// Begins what the page's address says, in the place of whatever is played.
    fn begin(&self, animation: &Animation) {
        let worker = self.lab.borrow().ready_worker();
        let Some(worker) = worker else { return };
        let choices = network::from_address();
        let shows_network = choices.is_some();
        self.shows_network.set(shows_network);
        for (link, is_it) in [
            ("mode-swarm", !shows_network),
            ("mode-network", shows_network),
        ] {
            set_attribute(
                &by_id(link),
                "aria-current",
                if is_it { "page" } else { "false" },
            );
        }
        for half in ["swarm", "about-swarm"] {
            set_flag(&by_id(half), "hidden", shows_network);
        }
        if let Some(choices) = choices {
            let make = || NetworkPage::make(worker, animation);
            let page = self.network.get_or_init(make);
            set_flag(&by_id("net"), "hidden", false);
            page.borrow_mut().open(choices);
        } else {
            if self.network.get().is_some() {
                set_flag(&by_id("net"), "hidden", true);
            }
            let lab = &mut self.lab.borrow_mut();
            lab.settings = form::from_address();
            controls::start(lab);
        }
        animation.request();
    }

    fn handle(&self, message: ToPage, animation: &Animation) {
        match message {
            ToPage::Ready => {
                self.lab.borrow_mut().is_ready = true;
                self.begin(animation);
            }
            ToPage::Refused(reason) => {
                fail(&format!("This can’t be simulated: {reason}."));
                match self.shown_network() {
                    Some(page) => page.borrow_mut().refuse(),
                    None => self.lab.borrow_mut().end("refused"),
                }
            }
            // What was asked for by a half that is not seen any more answers nobody.
            ToPage::Frame(frame) => {
                if !self.shows_network.get() {
                    self.lab.borrow_mut().handle(frame);
                }
            }
            ToPage::Network(frame) => {
                if let Some(page) = self.shown_network() {
                    page.borrow_mut().take(frame);
                }
            }
        }
        animation.request();
    }

    fn draw(&self, now: f64) -> bool {
        match self.shown_network() {
            Some(page) => page.borrow_mut().draw(now),
            None => self.lab.borrow_mut().draw(now),
        }
    }

    fn fit(&self) {
        match self.shown_network() {
            Some(page) => page.borrow_mut().fit(),
            None => self.lab.borrow_mut().fit(),
        }
    }
}

/// Says that something went wrong.
fn fail(text: &str) {
    let alert = by_id("alert");
    set_text(&part(&alert, "text"), text);
    page_kit::dom::set_flag(&alert, "hidden", text.is_empty());
}
