//! Starts the worker from the page.
//!
//! The worker runs the very module that the page runs, and gets it compiled, as its first
//! message. The glue has a hashed name, which the page's own preload link tells; a two-line
//! module made on the spot imports it and hands it what comes.

use std::marker::PhantomData;

use js_sys::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Blob, BlobPropertyBag, Document, ErrorEvent, Event, HtmlLinkElement, MessageEvent, Url, Worker,
    WorkerOptions, WorkerType,
};

use crate::message::{pack, unpack};

/// The page's end of the line to its worker, which takes messages of one type.
#[derive(Clone, Debug)]
pub struct WorkerHandle<ToWorker> {
    worker: Worker,
    _takes: PhantomData<fn(ToWorker)>,
}

impl<ToWorker: Serialize> WorkerHandle<ToWorker> {
    /// Starts the worker. `on_message` gets what it says, with the attached objects; what
    /// is sent to it before its first message is lost. `on_failure` gets, in words, that
    /// it broke.
    pub fn start<ToPage: DeserializeOwned>(
        mut on_message: impl FnMut(ToPage, Vec<JsValue>) + 'static,
        mut on_failure: impl FnMut(String) + 'static,
    ) -> Result<Self, String> {
        let document = web_sys::window()
            .and_then(|window| window.document())
            .ok_or("there is no page")?;
        let worker = spawn(&glue(&document)?)
            .map_err(|error| format!("the browser starts no worker: {error:?}"))?;

        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some((message, attached)) = unpack(&event.data()) {
                on_message(message, attached);
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        on_message.forget();

        let broken = worker.clone();
        let on_error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            // What it had under way is half done: nothing more comes of it.
            broken.terminate();
            let reason = event.dyn_ref::<ErrorEvent>().map(words).unwrap_or_default();
            on_failure(format!(
                "the worker behind this page failed; reload the page to go on. ({reason})"
            ));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        on_error.forget();

        Ok(WorkerHandle {
            worker,
            _takes: PhantomData,
        })
    }

    /// Says something to the worker, with the objects that the message's doc names.
    pub fn send(&self, message: &ToWorker, attached: &[JsValue]) {
        let sent = self.worker.post_message(&pack(message, attached));
        sent.expect("messages are bytes, files and blobs, all of which can be posted");
    }

    /// The same, and the objects are the worker's from then on; an error where they can't be.
    pub fn send_away(&self, message: &ToWorker, attached: &[JsValue]) -> Result<(), JsValue> {
        let moved = attached.iter().collect::<Array>();
        let message = pack(message, attached);
        self.worker.post_message_with_transfer(&message, &moved)
    }
}

/// What went wrong and where: a panic of ours is a trap without words, and its position in the
/// program is what tells it from others.
fn words(error: &ErrorEvent) -> String {
    let (message, line, column) = (error.message(), error.lineno(), error.colno());
    let file = error.filename();
    let file = file.rsplit('/').next().unwrap_or_default();
    format!("{message}, {file}:{line}:{column}")
}

fn glue(document: &Document) -> Result<String, String> {
    let found = document.query_selector(r#"link[rel="modulepreload"]"#);
    let found = found.ok().flatten();
    let link = found.and_then(|element| element.dyn_into::<HtmlLinkElement>().ok());
    let href = link.map(|link| link.href());
    href.ok_or_else(|| "the page was built without a link to its glue".to_owned())
}

fn spawn(glue: &str) -> Result<Worker, JsValue> {
    // Through JsString's quoting, or a strange path could break out of the literal.
    let glue = js_sys::JSON::stringify(&JsValue::from_str(glue))?;
    let source = format!(
        "import init from {glue}; onmessage = (message) => {{ \
            onmessage = null; init({{ module_or_path: message.data }}).catch(reportError); \
        }};"
    );

    let properties = BlobPropertyBag::new();
    properties.set_type("text/javascript");
    let parts = Array::of1(&JsValue::from_str(&source));
    let url = Url::create_object_url_with_blob(&Blob::new_with_str_sequence_and_options(
        &parts,
        &properties,
    )?)?;

    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    options.set_name("tabswarm");
    // The URL is not revoked: some browsers read it only after this returns.
    let worker = Worker::new_with_options(&url, &options)?;
    worker.post_message(&wasm_bindgen::module())?;
    Ok(worker)
}
