//! The line to the worker.

use std::cell::RefCell;
use std::rc::Rc;

use page_kit::worker::{Program, WorkerHandle};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::words::{self, say};
use super::{alerts, browser};
use crate::messages::{ToPage, ToWorker};

/// The line to the worker. What is sent before the worker listens waits until it does.
#[derive(Clone, Default)]
pub(crate) struct Port(Rc<RefCell<Line>>);

#[derive(Default)]
struct Line {
    worker: Option<WorkerHandle<ToWorker>>,
    ready: bool,
    waiting: Vec<(ToWorker, Vec<JsValue>)>,
}

impl Port {
    /// Starts the worker, and gives `handle` what it says, and the line to answer it.
    pub(crate) fn open(mut handle: impl FnMut(&Port, ToPage, Vec<JsValue>) + 'static) -> Self {
        let port = Port::default();
        let listening = port.clone();
        let on_message = move |message, attached| match message {
            ToPage::Ready => {
                let listening = listening.clone();
                // It says nothing before it is told to start.
                spawn_local(async move {
                    words::ready().await;
                    listening.start();
                });
            }
            message => handle(&listening, message, attached),
        };
        let failed = |failure: String| alerts::error(&words::of(&failure));
        match WorkerHandle::start(Program::Own, on_message, failed) {
            Ok(worker) => port.0.borrow_mut().worker = Some(worker),
            Err(failure) => alerts::error(&say!(
                "Tabswarm can’t run here: {reason}",
                reason = words::of(&failure)
            )),
        }
        port
    }

    /// Asks for something.
    pub(crate) fn send(&self, message: ToWorker) {
        self.send_with(message, Vec::new());
    }

    /// Asks for something, with the objects that belong to it.
    pub(crate) fn send_with(&self, message: ToWorker, attached: Vec<JsValue>) {
        let mut line = self.0.borrow_mut();
        match &line.worker {
            Some(worker) if line.ready => worker.send(&message, &attached),
            _ => line.waiting.push((message, attached)),
        }
    }

    /// Hands objects over to the worker, which listens already; an error where they can't be.
    pub(crate) fn hand_over(
        &self,
        message: &ToWorker,
        attached: &[JsValue],
    ) -> Result<(), JsValue> {
        match &self.0.borrow().worker {
            Some(worker) => worker.send_away(message, attached),
            None => Ok(()),
        }
    }

    fn start(&self) {
        let mut line = self.0.borrow_mut();
        let waiting = std::mem::take(&mut line.waiting);
        line.ready = true;
        let Some(worker) = &line.worker else { return };
        let start = ToWorker::Start {
            tracker: browser::tracker_address(),
            slot: browser::remembered_slot(),
            relay_only: browser::relay_only(),
        };
        worker.send(&start, &[]);
        for (message, attached) in waiting {
            worker.send(&message, &attached);
        }
    }
}
