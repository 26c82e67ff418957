//! The page: shows what the worker says and asks it for what a person wants.
//!
//! It knows the worker by its messages alone. It asks for a snapshot when it has drawn the
//! last one. While nobody sees it, it asks for none and draws none, but what happens.
//! Its markup is in `index.html` and is there before; the code here only fills it in, and keeps
//! every element as long as what it shows is there. A framework would weigh more than the engine.

mod alerts;
mod announcer;
mod browser;
mod direct;
mod frame;
mod intake;
mod limits;
mod list;
mod player;
mod port;
mod recording;
mod saving;
mod service;
mod swarm;
mod torrents;
mod words;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use page_kit::{dom, figures as format};
use swarm_core::id::InfoHash;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use crate::messages::{Glance, State, ToPage, ToWorker};
use announcer::Announcer;
use direct::Directs;
use dom::{by_id, document, listen, window};
use port::Port;
use torrents::{Hands, Torrents};
use words::say;

/// Runs the page, once the words of its language are there.
pub fn run() {
    // In the page that people get a panic has no words.
    #[cfg(debug_assertions)]
    std::panic::set_hook(Box::new(|panic| browser::log_error(&panic.to_string())));
    let page = Rc::new(Page::new());
    let handling = page.clone();
    // First, so that the engine is on its way.
    let port = Port::open(move |port, message, attached| handling.handle(port, message, &attached));
    spawn_local(async move {
        words::ready().await;
        begin(page, port);
    });
}

fn begin(page: Rc<Page>, port: Port) {
    by_id("starting").remove();
    dom::set_flag(&by_id("insecure"), "hidden", window().is_secure_context());
    set_is_old(false);
    page.come_or_go(&port);
    let (coming, asking) = (page.clone(), port.clone());
    listen(&document(), "visibilitychange", move |_| {
        coming.come_or_go(&asking);
    });

    let hands = page.hands.get_or_init(|| Hands::new(&port));
    torrents::listen_to_clicks(&page.torrents, hands);
    torrents::listen_to_repaints(&page.torrents);
    intake::listen_to_everything(&port);
    recording::listen_to_clicks(&port);
    direct::listen_to_clicks(&port);
    words::listen_to_choices();
    limits::listen_to_changes(&port);
    open_address(&port);
    listen(&window(), "hashchange", move |_| open_address(&port));
    listen(&window(), "beforeunload", move |event| {
        let glance = page.glance.get();
        if glance.is_busy || glance.is_needed {
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
    directs: OnceCell<Directs>,
    hands: OnceCell<Hands>,
    /// As the worker last said.
    glance: Cell<Glance>,
    /// Snapshots that came when nobody saw the page any more. They are few, because none are
    /// asked for then.
    undrawn: RefCell<Vec<State>>,
}

impl Page {
    fn new() -> Self {
        Page {
            torrents: Rc::new(RefCell::new(Torrents::new())),
            announcer: RefCell::default(),
            wanted: Cell::default(),
            directs: OnceCell::new(),
            hands: OnceCell::new(),
            glance: Cell::default(),
            undrawn: RefCell::default(),
        }
    }

    /// Somebody sees the page now, or nobody does any more. What it shows is old from then on,
    /// until a snapshot comes that was asked for since.
    fn come_or_go(&self, port: &Port) {
        if document().hidden() {
            return set_is_old(true);
        }
        self.draw();
        port.send(ToWorker::Look { at_once: true });
    }

    /// Shows what came, and asks for what comes next, if somebody sees it.
    fn receive(&self, port: &Port, state: State) {
        let has_happened = state.has_happened;
        self.undrawn.borrow_mut().push(state);
        let is_seen = !document().hidden();
        if is_seen || has_happened {
            self.draw();
        }
        if !is_seen {
            return;
        }
        set_is_old(false);
        port.send(ToWorker::Look { at_once: false });
    }

    fn draw(&self) {
        // In their order: each says only what is new.
        for state in self.undrawn.take() {
            self.show(state);
        }
    }

    fn handle(&self, port: &Port, message: ToPage, attached: &[JsValue]) {
        match message {
            // The port has answered that.
            ToPage::Ready => {}
            ToPage::Direct { id, work, stun } => {
                let directs = self.directs.get_or_init(|| Directs::new(port));
                directs.handle(id, work, &stun);
            }
            ToPage::Slot(slot) => browser::remember_slot(slot),
            ToPage::State(state) => self.receive(port, state),
            ToPage::Glance(glance) => {
                self.glance.set(glance);
                self.rest();
                frame::show_title(glance.percent);
            }
            ToPage::Notice { error: true, text } => {
                let text = words::of(&text);
                match attached.first().and_then(JsValue::as_string) {
                    Some(link) => {
                        alerts::error_of(alerts::LINK, &text);
                        intake::give_back(&link);
                    }
                    None => alerts::error(&text),
                }
            }
            ToPage::Notice { error: false, text } => alerts::note(&words::of(&text)),
            ToPage::Saved { name } => {
                let blob = attached.first().and_then(|object| object.dyn_ref::<Blob>());
                let saved = blob.is_some_and(|blob| browser::download(blob, &name).is_ok());
                if !saved {
                    alerts::error(&say!(
                        "The browser did not let us save “{name}”.",
                        name = name
                    ));
                }
            }
            ToPage::Swarm {
                info_hash,
                is_first,
                news,
            } => {
                if let Some(hands) = self.hands.get() {
                    hands.swarms.take(info_hash, is_first, &news);
                }
            }
            ToPage::Added(info_hash) => {
                self.wanted.set(Some(info_hash));
                self.bring_into_view();
            }
        }
    }

    fn show(&self, state: State) {
        frame::show(&state);
        limits::show(&state);
        recording::show(state.recording);
        let news = self.announcer.borrow_mut().news(&state.view);
        self.torrents.borrow_mut().show(state);
        if let Some((info_hash, words)) = news {
            let name = self.torrents.borrow_mut().name(&info_hash);
            announcer::read_out(&format!("{name}: {words}"));
        }
        if let Some(hands) = self.hands.get() {
            hands.player.tidy();
        }
        self.rest();
        self.bring_into_view();
    }

    /// Keeps the service worker awake while it is needed. What was requested of it counts until the
    /// engine has begun with it, of which the last glance knows nothing yet.
    fn rest(&self) {
        if let Some(Hands {
            player, service, ..
        }) = self.hands.get()
        {
            let is_busy = self.glance.get().is_busy || service.is_awaited();
            service.need(is_busy || player.is_open());
        }
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

/// For screen readers, and for tests.
fn set_is_old(is_old: bool) {
    let page = document().body().expect("the page has a body");
    match is_old {
        true => dom::set_attribute(&page, "aria-busy", "true"),
        false => dom::set_flag(&page, "aria-busy", false),
    }
}
