//! The line to the service worker for one answer of it (`assets/stream.js`).
//!
//! It asks for a stretch when whoever gets the answer wants more, and not before it has had the
//! last one; or says that nothing more is wanted.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, MessagePort};

/// See the module.
#[derive(Debug)]
pub(super) struct Line {
    port: MessagePort,
    ear: Rc<Ear>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

/// What was heard and not looked at yet.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// A stretch that is wanted, from the first byte to the one behind the last.
    asked: Cell<Option<(u64, u64)>>,
    gone: Cell<bool>,
    /// Whoever waits for something to happen.
    sleeper: RefCell<Option<oneshot::Sender<()>>>,
}

impl Line {
    pub(super) fn new(port: MessagePort) -> Self {
        let ear = Rc::<Ear>::default();
        let hearing = Rc::clone(&ear);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            match event.data().dyn_ref::<Array>() {
                Some(range) => {
                    let byte = |index| range.get(index).as_f64().unwrap_or_default() as u64;
                    hearing.asked.set(Some((byte(0), byte(1))));
                }
                None => return hearing.hang_up(),
            }
            hearing.wake();
        });
        port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Line {
            port,
            ear,
            _on_message: on_message,
        }
    }

    /// What wakes it when something else happens.
    pub(super) fn ear(&self) -> &Rc<Ear> {
        &self.ear
    }

    /// The next stretch that is asked for; none once nothing more is.
    pub(super) async fn asked(&self) -> Option<(u64, u64)> {
        loop {
            if self.ear.gone.get() {
                return None;
            }
            if let Some(range) = self.ear.asked.take() {
                return Some(range);
            }
            self.ear.sleep().await;
        }
    }

    /// Says what there is: bytes, of which type, under which name.
    pub(super) fn describe(&self, length: u64, media: &str, name: &str) {
        let length = JsValue::from_f64(length as f64);
        self.say(&Array::of3(&length, &media.into(), &name.into()));
    }

    /// Answers with bytes, which are copied: they may be a view of what others see.
    pub(super) fn give(&self, bytes: &Uint8Array) {
        let buffer = bytes.slice(0, bytes.length()).buffer();
        let moved = Array::of1(&buffer);
        let _ = self.port.post_message_with_transferable(&buffer, &moved);
    }

    /// Answers that there are none, for this reason.
    pub(super) fn refuse(&self, reason: &str) {
        self.say(&reason.into());
    }

    fn say(&self, what: &JsValue) {
        self.port
            .post_message(what)
            .expect("plain data can be posted");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.port.set_onmessage(None);
        self.port.close();
    }
}

impl Ear {
    /// Nothing more is wanted.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.get()
    }

    /// Says that nothing more is wanted.
    pub(super) fn hang_up(&self) {
        self.gone.set(true);
        self.wake();
    }

    /// Waits until something is said, or somebody wakes it.
    pub(super) async fn sleep(&self) {
        let (wake, awake) = oneshot::channel();
        self.sleeper.replace(Some(wake));
        // An error says that another one waits: there is one reader to a line.
        let _ = awake.await;
    }

    pub(super) fn wake(&self) {
        if let Some(sleeper) = self.sleeper.take() {
            let _ = sleeper.send(());
        }
    }
}
