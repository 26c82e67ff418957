//! The line to the worker.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Blob;

use super::alerts::Alerts;
use super::browser;
use super::model::Model;
use crate::boot::WorkerHandle;
use crate::messages::{ToPage, ToWorker};

/// The line to the worker. What is sent before the worker listens waits until it does.
#[derive(Clone, Copy)]
pub(crate) struct Port(StoredValue<Line, LocalStorage>);

#[derive(Default)]
struct Line {
    worker: Option<WorkerHandle>,
    ready: bool,
    waiting: Vec<(ToWorker, Vec<JsValue>)>,
}

impl Port {
    /// Starts the worker. What it says goes into the model and the alerts.
    pub(crate) fn open(model: Model, alerts: Alerts) -> Self {
        let port = Port(StoredValue::new_local(Line::default()));
        let worker = WorkerHandle::start(
            move |message, attached| port.handle(message, &attached, model, alerts),
            move |failure| alerts.error(failure),
        );
        match worker {
            Ok(worker) => port.0.update_value(|line| line.worker = Some(worker)),
            Err(failure) => alerts.error(format!("Tabswarm can’t run here: {failure}")),
        }
        port.open_address();
        let listener = window_event_listener(ev::hashchange, move |_| port.open_address());
        on_cleanup(move || listener.remove());
        port
    }

    /// Asks for something.
    pub(crate) fn send(self, message: ToWorker) {
        self.send_with(message, Vec::new());
    }

    /// Asks for something, with the objects that belong to it.
    pub(crate) fn send_with(self, message: ToWorker, attached: Vec<JsValue>) {
        self.0.update_value(|line| match &line.worker {
            Some(worker) if line.ready => worker.send(&message, &attached),
            _ => line.waiting.push((message, attached)),
        });
    }

    fn handle(self, message: ToPage, attached: &[JsValue], model: Model, alerts: Alerts) {
        match message {
            ToPage::Ready => self.start(),
            ToPage::Slot(slot) => browser::remember_slot(slot),
            ToPage::State(state) => model.apply(state),
            ToPage::Notice { error: true, text } => alerts.error(text),
            ToPage::Notice { error: false, text } => alerts.note(text),
            ToPage::Saved { name } => {
                let blob = attached.first().and_then(|object| object.dyn_ref::<Blob>());
                let saved = blob.is_some_and(|blob| browser::download(blob, &name).is_ok());
                if !saved {
                    alerts.error(format!("The browser did not let us save “{name}”."));
                }
            }
            ToPage::Added(info_hash) => model.wanted.set(Some(info_hash)),
        }
    }

    fn start(self) {
        let start = ToWorker::Start {
            tracker: browser::tracker_address(),
            slot: browser::remembered_slot(),
        };
        self.0.update_value(|line| {
            let Some(worker) = &line.worker else { return };
            worker.send(&start, &[]);
            for (message, attached) in line.waiting.drain(..) {
                worker.send(&message, &attached);
            }
            line.ready = true;
        });
    }

    /// Takes part in what the page's own address names.
    fn open_address(self) {
        if let Some(link) = browser::link_in_address() {
            self.send(ToWorker::AddLink(link));
        }
    }
}
