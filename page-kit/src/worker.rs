//! Starts the worker from the page.
//!
//! The worker runs the very module that the page runs. Its two files have hashed names,
//! which the page's own preload links tell; a two-line module made on the spot imports
//! the glue and hands it the path of the WebAssembly file.

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
        let glue = link(&document, r#"link[rel="modulepreload"]"#)?;
        let wasm = link(&document, r#"link[rel="preload"][type="application/wasm"]"#)?;
        let worker = spawn(&glue, &wasm)
            .map_err(|error| format!("the browser starts no worker: {error:?}"))?;

        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some((message, attached)) = unpack(&event.data()) {
                on_message(message, attached);
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        on_message.forget();

        let on_error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let reason = event
                .dyn_ref::<ErrorEvent>()
                .map(ErrorEvent::message)
                .unwrap_or_default();
            on_failure(format!(
                "the worker behind this page failed; reload the page ({reason})"
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

fn link(document: &Document, selector: &str) -> Result<String, String> {
    let found = document.query_selector(selector).ok().flatten();
    let link = found.and_then(|element| element.dyn_into::<HtmlLinkElement>().ok());
    link.map(|link| link.href())
        .ok_or_else(|| format!("the page was built without {selector}"))
}

fn spawn(glue: &str, wasm: &str) -> Result<Worker, JsValue> {
    // Through JsString's quoting, or a strange path could break out of the literal.
    let quote = |text: &str| js_sys::JSON::stringify(&JsValue::from_str(text));
    let (glue, wasm) = (quote(glue)?, quote(wasm)?);
    let source = format!("import init from {glue}; await init({{ module_or_path: {wasm} }});");

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
    Worker::new_with_options(&url, &options)
}
