//! A file that somebody watches, hears or reads on the page, while it comes. One at a time.
//!
//! What is in it is a stranger's: it is an image or a medium, or in a sandbox without scripts
//! (`assets/stream.js` says the rest).

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Reflect;
use swarm_core::id::InfoHash;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlMediaElement};

use super::dom::{document, listen, make, part, set_attribute, set_flag, set_text, window};
use super::port::Port;
use super::service::Service;
use super::words::{self, key};
use crate::media::{Kind, kind_of};
use crate::messages::ToWorker;

/// Where nothing can be played.
const NO_SERVICE: &str = key!(
    "It can’t be opened here: in this browser, or in this kind of window, or because the page came \
     without HTTPS, the page gets no service worker. It can be saved."
);

/// What can't be in a frame.
const ELSEWHERE: &str = key!(
    "A PDF is shown by the browser’s own viewer. In a tab of its own, nothing in it reaches this page."
);

/// What the browser does not understand.
const NOT_UNDERSTOOD: &str =
    key!("This browser does not understand what is in it. It can be saved, and opened elsewhere.");

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Player(Rc<Inner>);

struct Inner {
    port: Port,
    service: Service,
    open: RefCell<Option<Open>>,
}

struct Open {
    element: Element,
    /// To which a keyboard's user comes back.
    button: Element,
}

impl Player {
    /// With nothing in it.
    pub(crate) fn new(port: &Port, service: &Service) -> Self {
        Player(Rc::new(Inner {
            port: port.clone(),
            service: service.clone(),
            open: RefCell::default(),
        }))
    }

    /// Something is in it.
    pub(crate) fn is_open(&self) -> bool {
        self.0.open.borrow().is_some()
    }

    /// Shows a file in the card of its torrent.
    pub(crate) fn open(
        &self,
        button: &Element,
        card: &Element,
        (info_hash, file): (InfoHash, u32),
        path: &str,
    ) {
        self.close();
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let Some(kind) = kind_of(&name) else { return };
        let element = make("player");
        set_attribute(&element, "aria-label", &name);
        set_text(&part(&element, "playing-name"), &name);
        let before = part(card, "figures");
        card.insert_before(&element, Some(&before))
            .expect("it is in the card");
        self.0.open.replace(Some(Open {
            element: element.clone(),
            button: button.clone(),
        }));
        self.0.port.send(ToWorker::Play(Some((info_hash, file))));
        let service = self.0.service.clone();
        spawn_local(async move {
            match service.address(info_hash, Some(file), &name).await {
                Some(address) => show(&element, kind, &name, &address),
                None => say(&element, NO_SERVICE),
            }
        });
    }

    /// Shows nothing any more.
    pub(crate) fn close(&self) {
        let Some(Open { element, button }) = self.0.open.take() else {
            return;
        };
        // One that is out of sight would go on.
        let media = part(&element, "stage").first_element_child();
        if let Some(media) = media.and_then(|media| media.dyn_into::<HtmlMediaElement>().ok()) {
            set_flag(&media, "src", false);
            media.load();
        }
        let had_focus = document()
            .active_element()
            .is_some_and(|focused| element.contains(Some(&focused)));
        element.remove();
        if had_focus {
            focus(&button);
        }
        self.0.port.send(ToWorker::Play(None));
    }

    /// Its torrent may have been removed, and it with it.
    pub(crate) fn tidy(&self) {
        let open = self.0.open.borrow();
        let is_gone = open
            .as_ref()
            .is_some_and(|open| !open.element.is_connected());
        drop(open);
        if is_gone {
            self.close();
        }
    }
}

fn show(element: &Element, kind: Kind, name: &str, address: &str) {
    let (tag, label) = match kind {
        Kind::Video => ("video", "aria-label"),
        Kind::Audio => ("audio", "aria-label"),
        Kind::Image => ("img", "alt"),
        Kind::Text => ("iframe", "title"),
        Kind::Pdf => return show_elsewhere(element, address),
    };
    let view = document().create_element(tag).expect("a valid name");
    set_attribute(&view, label, name);
    match kind {
        Kind::Video | Kind::Audio => {
            for flag in ["controls", "autoplay", "playsinline"] {
                set_flag(&view, flag, true);
            }
        }
        // Not a word about scripts. Of another origin it is by what the service worker says;
        // if it were by this, the service worker would not be asked. WebKit asks it for no frame
        // that may not run scripts: there what the service worker says has to do.
        Kind::Text if !is_webkit() => set_attribute(&view, "sandbox", "allow-same-origin"),
        Kind::Text | Kind::Image | Kind::Pdf => {}
    }
    set_attribute(&view, "data-testid", "playing");
    let failing = element.clone();
    listen(&view, "error", move |_| say(&failing, NOT_UNDERSTOOD));
    set_attribute(&view, "src", address);
    let stage = part(element, "stage");
    stage.append_child(&view).expect("it takes elements");
    if kind != Kind::Image {
        focus(&view);
    }
}

/// All browsers made of WebKit say who made that, and no other does.
fn is_webkit() -> bool {
    let vendor = Reflect::get(&window().navigator(), &"vendor".into());
    let vendor = vendor.ok().and_then(|vendor| vendor.as_string());
    vendor.is_some_and(|vendor| vendor.starts_with("Apple"))
}

/// Offers what is shown in another tab.
fn show_elsewhere(element: &Element, address: &str) {
    say(element, ELSEWHERE);
    let link = part(element, "elsewhere");
    set_attribute(&link, "href", address);
    set_attribute(&link, "data-testid", "playing");
    set_flag(&link, "hidden", false);
    focus(&link);
}

/// Says something in place of what is to be seen.
fn say(element: &Element, words: &str) {
    set_text(&part(element, "aside-words"), &words::text(words));
    set_flag(&part(element, "aside"), "hidden", false);
}

fn focus(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
}
