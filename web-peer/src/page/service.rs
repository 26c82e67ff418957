//! The service worker (`assets/stream.js`), which answers for files as a server would.
//!
//! What it is asked for, it asks of the tab in whose folder it is, and the tab's page only passes
//! that on to the engine.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use futures_channel::oneshot;
use js_sys::{Array, Promise};
use swarm_core::id::InfoHash;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    MessageChannel, MessageEvent, ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration,
};

use super::dom::{after, has, window};
use super::port::Port;
use crate::messages::ToWorker;

/// Beside the page.
const SCRIPT: &str = "stream.js";

/// In place of a file's index: all that are wanted.
const ALL: &str = "zip";

/// Between two signs that it is needed: browsers end one that has nothing to do for half a
/// minute, and after each sign it says that it has something to do for a minute and a half.
/// Milliseconds.
const AWAKE: i32 = 30_000;

/// By then the page shows what it has, and is connected. Milliseconds.
const SETTLED: i32 = 3_000;

/// It has the page by then, or the browser doesn't want it to. Milliseconds.
const TAKEN_OVER: i32 = 3_000;

/// It has answered by then, even on a busy machine, or never will. Milliseconds.
const ANSWERED: i32 = 20_000;

/// It has answered by then, or does not know the question any more. Milliseconds.
const ASKED_AGAIN: i32 = 1_000;

/// The line to it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service(Rc<Inner>);

/// A torrent's file, by its index; none for all that are wanted.
type What = (InfoHash, Option<u32>);

struct Inner {
    port: Port,
    is_listening: Cell<bool>,
    /// What was requested to be saved, and it did not ask for yet.
    awaited: RefCell<Vec<What>>,
    /// The one that answered last.
    worker: RefCell<Option<ServiceWorker>>,
    is_needed: Cell<bool>,
    /// The next sign that it is needed is due.
    is_timed: Cell<bool>,
}

impl Service {
    /// Asks for it once the page has settled: the server may be gone when it is needed.
    pub(crate) fn new(port: &Port) -> Self {
        let service = Service(Rc::new(Inner {
            port: port.clone(),
            is_listening: Cell::default(),
            awaited: RefCell::default(),
            worker: RefCell::default(),
            is_needed: Cell::default(),
            is_timed: Cell::default(),
        }));
        let early = service.clone();
        after(SETTLED, move || {
            // Whether there is one is said when it is needed.
            spawn_local(async move { drop(within(ANSWERED, early.ready()).await) });
        });
        service
    }

    /// Where this tab's file is, by its index, or all of them. None where the browser gives this
    /// page no service worker: not from HTTPS, in some private windows, or by its settings.
    pub(crate) async fn address(
        &self,
        info_hash: InfoHash,
        file: Option<u32>,
        name: &str,
    ) -> Option<String> {
        let (tab, worker) = within(ANSWERED, self.ready()).await?.ok()?;
        self.0.worker.replace(Some(worker));
        self.need(true);
        let file = file.map_or_else(|| ALL.to_owned(), |file| file.to_string());
        let name = String::from(js_sys::encode_uri_component(name));
        Some(format!("stream/{tab}/{info_hash}/{file}/{name}"))
    }

    /// This is requested from now on, to be saved.
    pub(crate) fn requested(&self, what: What) {
        self.0.awaited.borrow_mut().push(what);
    }

    /// That is requested no more; whether it never asked for it.
    pub(crate) fn missed(&self, what: What) -> bool {
        let mut awaited = self.0.awaited.borrow_mut();
        let found = awaited.iter().position(|it| *it == what);
        found.map(|at| awaited.swap_remove(at)).is_some()
    }

    /// Something was requested that it did not ask for yet.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.0.awaited.borrow().is_empty()
    }

    /// It is needed from now on, or is not for now.
    pub(crate) fn need(&self, is_needed: bool) {
        let was_needed = self.0.is_needed.replace(is_needed);
        if is_needed && !was_needed {
            self.keep_awake();
        }
    }

    /// Says that it is needed, now and again, as long as it is.
    fn keep_awake(&self) {
        if let Some(worker) = &*self.0.worker.borrow() {
            let _ = worker.post_message(&JsValue::NULL);
        }
        if !self.0.is_timed.replace(true) {
            let service = self.clone();
            after(AWAKE, move || {
                service.0.is_timed.set(false);
                if service.0.is_needed.get() {
                    service.keep_awake();
                }
            });
        }
    }

    /// What it calls this tab, once it answers for it.
    async fn ready(&self) -> Result<(String, ServiceWorker), JsValue> {
        let navigator = window().navigator();
        if !has(&navigator, "serviceWorker") {
            return Err(JsValue::UNDEFINED);
        }
        let container = navigator.service_worker();
        if !self.0.is_listening.replace(true) {
            self.pass_on(&container);
        }
        // Each time: a person may have removed it, and what is new is taken.
        JsFuture::from(container.register(SCRIPT)).await?;
        let registration = JsFuture::from(container.ready()?).await?;
        let registration: ServiceWorkerRegistration = registration.unchecked_into();
        let worker = registration.active().ok_or(JsValue::UNDEFINED)?;
        let tab = answer(&worker).await?;
        if container.controller().is_none() {
            // What is requested before it has taken the page over goes past it, to the server.
            let taken = Promise::new(&mut |resolve, _| {
                container.set_oncontrollerchange(Some(&resolve));
                after(TAKEN_OVER, move || {
                    let _ = resolve.call0(&JsValue::UNDEFINED);
                });
            });
            JsFuture::from(taken).await?;
        }
        Ok((tab, worker))
    }

    /// Passes on to the engine what it is asked for.
    fn pass_on(&self, container: &ServiceWorkerContainer) {
        let service = self.clone();
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let what: Array = event.data().unchecked_into();
            let text = |index| what.get(index).as_string().unwrap_or_default();
            let (Ok(info_hash), file) = (text(0).parse(), text(1)) else {
                return;
            };
            let file = match file.parse() {
                Ok(file) => Some(file),
                Err(_) if file == ALL => None,
                Err(_) => return,
            };
            let save = what.get(2).is_truthy();
            if save {
                service.missed((info_hash, file));
            }
            let message = ToWorker::Stream {
                info_hash,
                file,
                save,
            };
            let _ = service.0.port.hand_over(&message, &[event.ports().get(0)]);
        });
        container.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
    }
}

/// What the service worker calls this tab. It is asked until it answers: browsers end it with what
/// it was told last, such as WebKit with the tab that it ran beside, and start it for the next.
async fn answer(worker: &ServiceWorker) -> Result<String, JsValue> {
    let mut told = None;
    let answer = Promise::new(&mut |resolve, _| told = Some(resolve));
    let mut answer = JsFuture::from(answer);
    loop {
        let pair = MessageChannel::new()?;
        pair.port1().set_onmessage(told.as_ref());
        worker.post_message_with_transferable(&JsValue::NULL, &Array::of1(&pair.port2()))?;
        if let Some(answer) = within(ASKED_AGAIN, &mut answer).await {
            let event: MessageEvent = answer?.unchecked_into();
            return event.data().as_string().ok_or(JsValue::UNDEFINED);
        }
    }
}

/// What comes of it within so many milliseconds.
async fn within<T>(milliseconds: i32, work: impl Future<Output = T>) -> Option<T> {
    let (late, limit) = oneshot::channel::<()>();
    after(milliseconds, move || drop(late));
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => limit.as_mut().poll(context).map(|_| None),
    })
    .await
}
