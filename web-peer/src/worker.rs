//! The worker: the engine's host in a browser.
//!
//! [`host`] runs the engine; [`links`] are its lines to trackers, [`direct`] its lines to other
//! tabs, [`store`] what it
//! keeps ([`parts`]: of pieces that it never holds whole), [`show`] what the page sees of it, and [`embed`] how a page
//! of somebody else's does. [`commands`] is what the page can ask for,
//! of which [`share`], [`save`] and [`play`] are long enough to run beside. [`record`] keeps what the
//! engine is told, when somebody asks for it. Payload is [`chunk`]s of the browser's memory.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::messages::{self, ToPage, ToWorker};

mod chunk;
mod clock;
mod commands;
mod direct;
mod embed;
mod frames;
mod headroom;
mod host;
mod js;
mod json;
mod language;
mod limits;
mod line;
mod link;
mod links;
mod open;
#[cfg(debug_assertions)]
mod panic;
mod parts;
mod pieces;
mod play;
mod reader;
mod record;
mod save;
mod sha1;
mod share;
mod show;
mod slot;
mod source;
mod start;
mod store;
mod torrents;
mod trackers;
mod watch;
mod web_seeds;

#[cfg(test)]
mod tests;

use embed::Listener;
use host::Host;

/// How far the worker has come.
#[derive(Debug, Default)]
enum Phase {
    /// The page has not said which tracker.
    #[default]
    Waiting,
    /// The database is being opened; what the page says meanwhile.
    Starting(Vec<(ToWorker, Vec<JsValue>)>),
    Running(Rc<Host>),
}

/// Runs the worker: from now on it does what the page says.
pub fn run(scope: &DedicatedWorkerGlobalScope) {
    #[cfg(debug_assertions)]
    panic::report_to_page(scope.clone());
    let phase = Rc::new(RefCell::new(Phase::Waiting));
    let worker = scope.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some((from, message, attached)) = Listener::unpack(&event.data()) {
            handle_message(&worker, &phase, from, message, attached);
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    let ready = scope.post_message(&messages::pack(&ToPage::Ready, &[]));
    ready.expect("bytes can be posted");
}

fn handle_message(
    scope: &DedicatedWorkerGlobalScope,
    phase: &Rc<RefCell<Phase>>,
    from: Listener,
    message: ToWorker,
    attached: Vec<JsValue>,
) {
    match &mut *phase.borrow_mut() {
        Phase::Running(host) => host.handle_message(message, attached),
        Phase::Starting(waiting) => waiting.push((message, attached)),
        now @ Phase::Waiting => {
            if let ToWorker::Start {
                tracker,
                slot,
                relay_only,
            } = message
            {
                *now = Phase::Starting(Vec::new());
                let (scope, phase) = (scope.clone(), Rc::clone(phase));
                spawn_local(async move {
                    let host = start::start(scope, from, tracker, slot, relay_only).await;
                    let earlier = phase.replace(Phase::Running(Rc::clone(&host)));
                    if let Phase::Starting(waiting) = earlier {
                        for (message, attached) in waiting {
                            host.handle_message(message, attached);
                        }
                    }
                });
            }
        }
    }
}
