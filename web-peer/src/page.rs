//! The page: shows what the worker says and asks it for what a person wants.
//!
//! It knows the worker by its messages alone, a snapshot a few times a second among them.
//! Its markup is in `index.html`; the code here only fills it in, and keeps every element
//! as long as what it shows is there. A framework would weigh more than the engine.

mod alerts;
mod announcer;
mod browser;
mod frame;
mod intake;
mod list;
mod port;
mod recording;
mod torrents;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use page_kit::{dom, format};
use swarm_core::id::InfoHash;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Blob;

use crate::messages::{State, ToPage, ToWorker};
use announcer::Announcer;
use dom::{by_id, listen, window};
use port::Port;
use torrents::Torrents;

/// Runs the page.
pub(crate) fn run() {
    std::panic::set_hook(Box::new(|panic| browser::log_error(&panic.to_string())));
    by_id("starting")
        .replace_with_with_node_1(&dom::make("page"))
        .expect("the body takes the page");
    dom::set_flag(&by_id("insecure"), "hidden", window().is_secure_context());
    let page = Rc::new(Page::new());
    let handling = page.clone();
    let port = Port::open(move |message, attached| handling.handle(message, &attached));

    torrents::listen_to_clicks(&page.torrents, &port);
    torrents::listen_to_repaints(&page.torrents);
    intake::listen_to_everything(&port);
    recording::listen_to_clicks(&port);
    open_address(&port);
    listen(&window(), "hashchange", move |_| open_address(&port));
    listen(&window(), "beforeunload", move |event| {
        if page.is_busy.get() {
            event.prevent_default();
        }
    });
}

/// Takes part in what the page's own address names.
fn open_address(port: &Port) {
    if let Some(link) = browser::link_in_address() {
        port.send(ToWorker::AddLink(link));
    }
}

/// What the page remembers.
struct Page {
    torrents: Rc<RefCell<Torrents>>,
    announcer: RefCell<Announcer>,
    /// A torrent to bring into view.
    wanted: Cell<Option<InfoHash>>,
    /// Something is under way that starts from the beginning if the tab is closed.
    is_busy: Cell<bool>,
}

impl Page {
    fn new() -> Self {
        Page {
            torrents: Rc::new(RefCell::new(Torrents::new())),
            announcer: RefCell::default(),
            wanted: Cell::default(),
            is_busy: Cell::default(),
        }
    }

    fn handle(&self, message: ToPage, attached: &[JsValue]) {
        match message {
            // The port has answered that.
            ToPage::Ready => {}
            ToPage::Slot(slot) => browser::remember_slot(slot),
            ToPage::State(state) => self.show(state),
            ToPage::Notice { error: true, text } => alerts::error(&text),
            ToPage::Notice { error: false, text } => alerts::note(&text),
            ToPage::Saved { name } => {
                let blob = attached.first().and_then(|object| object.dyn_ref::<Blob>());
                let saved = blob.is_some_and(|blob| browser::download(blob, &name).is_ok());
                if !saved {
                    alerts::error(&format!("The browser did not let us save “{name}”."));
                }
            }
            ToPage::Added(info_hash) => {
                self.wanted.set(Some(info_hash));
                self.bring_into_view();
            }
        }
    }

    fn show(&self, state: State) {
        self.is_busy.set(
            !state.hashing.is_empty() || !state.saving.is_empty() || state.recording.is_some(),
        );
        frame::show(&state);
        recording::show(state.recording);
        self.announcer.borrow_mut().show(&state.view);
        self.torrents.borrow_mut().show(state);
        self.bring_into_view();
    }

    /// Scrolls to the torrent that has just been added, once it is there.
    fn bring_into_view(&self) {
        if let Some(wanted) = self.wanted.take()
            && !self.torrents.borrow_mut().scroll_to(&wanted)
        {
            self.wanted.set(Some(wanted));
        }
    }
}
