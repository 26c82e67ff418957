//! Starts the worker from the page.
//!
//! A module of two lines, made on the spot, imports the program's glue and hands it the program.
//! Both have hashed names, which the page's markup tells.

use std::marker::PhantomData;

use js_sys::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Blob, BlobPropertyBag, ErrorEvent, Event, HtmlLinkElement, MessageEvent, Url, Worker,
    WorkerOptions, WorkerType,
};

use crate::dom::{by_id, document};
use crate::message::{pack, unpack};

/// What a worker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The very program that the page runs, which it gets compiled.
    OfPage,
    /// Another, which it loads by itself. The page's markup says from where: an element with the
    /// id `worker` has the addresses of the glue and the program in `data-glue` and
    /// `data-program`.
    Own,
}

/// The page's end of the line to its worker, which takes messages of one type.
#[derive(Clone, Debug)]
pub struct WorkerHandle<ToWorker> {
    worker: Worker,
    _takes: PhantomData<fn(ToWorker)>,
}

impl<ToWorker: Serialize> WorkerHandle<ToWorker> {
    /// Starts a worker that runs `program`. `on_message` gets what it says, with the attached objects; what
    /// is sent to it before its first message is lost. `on_failure` gets, in words, that
    /// it broke.
    pub fn start<ToPage: DeserializeOwned>(
        program: Program,
        mut on_message: impl FnMut(ToPage, Vec<JsValue>) + 'static,
        mut on_failure: impl FnMut(String) + 'static,
    ) -> Result<Self, String> {
        let worker = spawn(&source(program)?)
            .map_err(|error| format!("the browser starts no worker: {error:?}"))?;
        if program == Program::OfPage {
            let sent = worker.post_message(&wasm_bindgen::module());
            sent.expect("compiled programs can be posted to workers");
        }

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

/// The module that the browser starts the worker with.
fn source(program: Program) -> Result<String, String> {
    match program {
        Program::OfPage => {
            let found = document().query_selector(r#"link[rel="modulepreload"]"#);
            let found = found.ok().flatten();
            let link = found.and_then(|element| element.dyn_into::<HtmlLinkElement>().ok());
            let link = link.ok_or("the page was built without a link to its glue")?;
            let glue = literal(&link.href())?;
            Ok(format!(
                "import init from {glue}; onmessage = (message) => {{ \
                    onmessage = null; init({{ module_or_path: message.data }}).catch(reportError); \
                }};"
            ))
        }
        // The program is on its way while the glue is.
        Program::Own => Ok(format!(
            "const program = fetch({}); import({}).then((glue) => \
                glue.default({{ module_or_path: program }})).catch(reportError);",
            address("data-program")?,
            address("data-glue")?,
        )),
    }
}

/// What the markup says, as an address that holds anywhere.
fn address(attribute: &str) -> Result<String, String> {
    let told = by_id("worker").get_attribute(attribute).unwrap_or_default();
    let base = document().base_uri().ok().flatten().unwrap_or_default();
    let address = Url::new_with_base(&told, &base);
    let address = address.map_err(|_| "the page was built without its worker")?;
    literal(&address.href())
}

/// Through JSON's quoting, or a strange path could break out of the literal.
fn literal(text: &str) -> Result<String, String> {
    let quoted = js_sys::JSON::stringify(&JsValue::from_str(text));
    let quoted = quoted.map_err(|error| format!("{error:?}"))?;
    Ok(quoted.into())
}

fn spawn(source: &str) -> Result<Worker, JsValue> {
    let properties = BlobPropertyBag::new();
    properties.set_type("text/javascript");
    let parts = Array::of1(&JsValue::from_str(source));
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
