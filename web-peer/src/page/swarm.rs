//! The picture of a torrent's swarm, in its card.
//!
//! A program of its own draws it (`picture/`), which is loaded when somebody opens the first. The
//! worker is asked for what is new while a picture is open and somebody sees the page: seldom while
//! the picture is scrolled out of view, where it only says what there is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Uint8Array};
use swarm_core::id::InfoHash;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, CustomEvent, Element, Event, Url};

use super::dom::{after, by_id, document, listen, make, part, set_attribute, set_text, window};
use super::port::Port;
use super::words::say;
use crate::messages::{ToWorker, Watching};

/// The event with which the program comes.
const HERE: &str = "swarm-picture";

/// The event with which it says that a picture came into view.
const SEEN: &str = "swarm-seen";

/// What the element of a picture has that is scrolled out of view.
const AWAY: &str = "data-away";

/// After so long what it says is out of date there. Milliseconds.
const SELDOM: i32 = 1_000;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Swarms(Rc<Inner>);

struct Inner {
    port: Port,
    /// Draws; see `picture/src/program.rs`.
    program: RefCell<Option<Function>>,
    is_loading: Cell<bool>,
    open: RefCell<Vec<Open>>,
}

/// A picture that is open.
struct Open {
    info_hash: InfoHash,
    body: Element,
    /// It was shown everything that there was.
    has_begun: bool,
    /// The worker was asked for what comes next.
    is_asked: bool,
}

impl Swarms {
    /// None is open.
    pub(crate) fn new(port: &Port) -> Self {
        let swarms = Swarms(Rc::new(Inner {
            port: port.clone(),
            program: RefCell::default(),
            is_loading: Cell::default(),
            open: RefCell::default(),
        }));
        let coming = swarms.clone();
        listen(&document(), "visibilitychange", move |_| coming.ask());
        let seen = swarms.clone();
        listen(&window(), SEEN, move |_| seen.ask());
        let here = swarms.clone();
        listen(&window(), HERE, move |event| here.arrive(&event));
        swarms
    }

    /// Somebody opened the place of a torrent's picture, or closed it.
    pub(crate) fn toggled(&self, place: &Element, info_hash: Option<InfoHash>) {
        let Some(info_hash) = info_hash else { return };
        let is_open = place.has_attribute("open");
        let mut open = self.0.open.borrow_mut();
        let found = open.iter().position(|it| it.info_hash == info_hash);
        match (is_open, found) {
            (true, None) => {
                let body = make("swarm");
                place.append_child(&body).expect("it takes elements");
                open.push(Open {
                    info_hash,
                    body,
                    has_begun: false,
                    is_asked: false,
                });
                drop(open);
                self.load();
                self.ask();
            }
            (false, Some(at)) => self.close(&open.remove(at)),
            _ => {}
        }
    }

    /// What is new about the swarm of a torrent.
    pub(crate) fn take(&self, info_hash: InfoHash, is_first: bool, news: &[u8]) {
        let mut open = self.0.open.borrow_mut();
        let Some(at) = open.iter().position(|it| it.info_hash == info_hash) else {
            return;
        };
        // The torrent may have been removed meanwhile.
        if !open[at].body.is_connected() {
            return self.close(&open.remove(at));
        }
        // An answer to somebody who closed it and opened it again since.
        if !is_first && !open[at].has_begun {
            return;
        }
        open[at].has_begun = true;
        open[at].is_asked = false;
        self.draw(&open[at].body, &Uint8Array::from(news));
        let is_away = open[at].body.has_attribute(AWAY);
        drop(open);
        let swarms = self.clone();
        match is_away {
            true => after(SELDOM, move || swarms.ask()),
            false => self.ask(),
        }
    }

    /// Asks for what comes next, where nobody has yet, if somebody sees it.
    fn ask(&self) {
        if document().hidden() || self.0.program.borrow().is_none() {
            return;
        }
        for open in self.0.open.borrow_mut().iter_mut() {
            if !open.is_asked {
                open.is_asked = true;
                let watching = match open.has_begun {
                    true => Watching::Next,
                    false => Watching::Begin,
                };
                self.0.port.send(ToWorker::Swarm(open.info_hash, watching));
            }
        }
    }

    fn close(&self, open: &Open) {
        self.draw(&open.body, &JsValue::NULL);
        open.body.remove();
        let end = ToWorker::Swarm(open.info_hash, Watching::End);
        self.0.port.send(end);
    }

    fn draw(&self, body: &Element, news: &JsValue) {
        if let Some(program) = &*self.0.program.borrow() {
            let drawn = program.call2(&JsValue::NULL, body, news);
            drawn.expect("it takes what the worker tells");
        }
    }

    /// Loads the program, unless it is here or on its way.
    fn load(&self) {
        if self.0.program.borrow().is_none() && !self.0.is_loading.replace(true) && load().is_err()
        {
            self.fail();
        }
    }

    /// The program is here, or it can't be loaded.
    fn arrive(&self, event: &Event) {
        let event: &CustomEvent = event.unchecked_ref();
        match event.detail().dyn_into::<Function>() {
            Ok(program) => {
                self.0.program.replace(Some(program));
                self.ask();
            }
            Err(_) => self.fail(),
        }
    }

    /// Says so. Whoever opens it once more tries again.
    fn fail(&self) {
        self.0.is_loading.set(false);
        let failed = say!("The picture can’t be loaded: is the server gone?");
        for open in self.0.open.borrow().iter() {
            set_text(&part(&open.body, "swarm-loading"), &failed);
        }
    }
}

/// Loads it with a module made on the spot, because only a script can import one. The markup says
/// where it is.
fn load() -> Result<(), JsValue> {
    let address = |attribute: &str| {
        let told = by_id("picture-program").get_attribute(attribute);
        let base = document().base_uri()?.unwrap_or_default();
        let url = Url::new_with_base(&told.unwrap_or_default(), &base)?;
        // Quoted, or a strange path could break out of it.
        js_sys::JSON::stringify(&url.href().into()).map(String::from)
    };
    let source = format!(
        "import({}).then((glue) => glue.default({{ module_or_path: {} }})).catch((error) => {{ \
            console.error(error); dispatchEvent(new CustomEvent(\"{HERE}\")); \
        }});",
        address("data-glue")?,
        address("data-program")?,
    );
    let properties = BlobPropertyBag::new();
    properties.set_type("text/javascript");
    let parts = Array::of1(&source.into());
    let blob = Blob::new_with_str_sequence_and_options(&parts, &properties)?;
    let script = document().create_element("script")?;
    set_attribute(&script, "type", "module");
    set_attribute(&script, "src", &Url::create_object_url_with_blob(&blob)?);
    document()
        .head()
        .ok_or(JsValue::NULL)?
        .append_child(&script)?;
    Ok(())
}
