//! What the page gets to see: snapshots a few times a second, and notices.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::Reflect;
use swarm_core::id::InfoHash;
use swarm_core::time::Time;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::host::Host;
use super::js::{Timer, scope};
use super::record::Recording;
use crate::messages::{self, HashingView, State, ToPage};

/// Between two snapshots, while something changes.
const INTERVAL: Duration = Duration::from_millis(250);
/// Between two just after a command: whoever asked for something watches closely.
const EAGER_INTERVAL: Duration = Duration::from_millis(80);
/// How long after a command: until the first bytes are there, as a rule. Every snapshot is
/// drawn, which costs a busy machine more than the engine does.
const EAGER: Duration = Duration::from_millis(400);
/// Between two, while only a countdown runs.
const COUNTDOWN: Duration = Duration::from_secs(1);
/// Between two questions about the storage, while something changes.
const ESTIMATE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Show {
    /// When the next snapshot is due.
    timer: Option<(Time, Timer)>,
    latest: Time,
    eager_until: Time,
    shown: State,
    storage: Option<(u64, u64)>,
    estimated: Option<Time>,
    /// Files that are being hashed.
    pub(super) hashing: Vec<Work<HashingView>>,
    /// Torrents whose files are being put together.
    pub(super) saving: Vec<Work<InfoHash>>,
    next_work: u32,
}

/// Something long that runs beside the engine.
#[derive(Debug)]
pub(super) struct Work<T> {
    pub(super) id: u32,
    pub(super) what: T,
    /// 0 to 1.
    pub(super) progress: Rc<Cell<f64>>,
    /// Set to give it up.
    pub(super) cancelled: Rc<Cell<bool>>,
}

impl<T> Work<T> {
    pub(super) fn new(id: u32, what: T) -> Self {
        Work {
            id,
            what,
            progress: Rc::default(),
            cancelled: Rc::default(),
        }
    }
}

/// What whoever hashes files holds of the [`Work`].
#[derive(Debug)]
pub(super) struct Hashing {
    pub(super) id: u32,
    pub(super) progress: Rc<Cell<f64>>,
    pub(super) cancelled: Rc<Cell<bool>>,
}

impl Show {
    /// A number for the next piece of work.
    pub(super) fn work_id(&mut self) -> u32 {
        self.next_work += 1;
        self.next_work
    }
}

impl Host {
    /// Shows that files are read and hashed, until the work of this number is taken out again.
    pub(super) fn begin_hashing(self: &Rc<Self>, name: String, length: u64) -> Hashing {
        let id = self.show.borrow_mut().work_id();
        let work = Work::new(
            id,
            HashingView {
                id,
                name,
                length,
                progress: 0.0,
            },
        );
        let (progress, cancelled) = (Rc::clone(&work.progress), Rc::clone(&work.cancelled));
        self.show.borrow_mut().hashing.push(work);
        self.show_now();
        Hashing {
            id,
            progress,
            cancelled,
        }
    }

    /// They are no longer hashed.
    pub(super) fn end_hashing(&self, id: u32) {
        self.show.borrow_mut().hashing.retain(|work| work.id != id);
    }

    /// Says something to the page, with the objects that the message's doc names.
    pub(super) fn tell(&self, message: &ToPage, attached: &[JsValue]) {
        let sent = self.scope.post_message(&messages::pack(message, attached));
        sent.expect("messages are bytes and blobs, all of which can be posted");
    }

    /// Tells the person something.
    pub(super) fn notice(&self, error: bool, text: impl Into<String>) {
        self.tell(
            &ToPage::Notice {
                error,
                text: text.into(),
            },
            &[],
        );
    }

    /// Something changed: the page sees it soon.
    pub(super) fn changed(self: &Rc<Self>) {
        let now = self.clock.now();
        let (latest, eager_until) = {
            let show = self.show.borrow();
            (show.latest, show.eager_until)
        };
        let interval = match now < eager_until {
            true => EAGER_INTERVAL,
            false => INTERVAL,
        };
        self.show_after(interval.saturating_sub(now - latest));
    }

    /// Shows everything now, as after a command.
    pub(super) fn show_now(self: &Rc<Self>) {
        self.show.borrow_mut().eager_until = self.clock.now() + EAGER;
        self.show_after(Duration::ZERO);
    }

    fn show_after(self: &Rc<Self>, delay: Duration) {
        let due = self.clock.now() + delay;
        let mut show = self.show.borrow_mut();
        if show.timer.as_ref().is_none_or(|(armed, _)| due < *armed) {
            let host = Rc::clone(self);
            show.timer = Some((due, Timer::after(delay, move || host.take_snapshot())));
        }
    }

    fn take_snapshot(self: &Rc<Self>) {
        let now = self.clock.now();
        let mut show = self.show.borrow_mut();
        show.timer = None;
        show.latest = now;
        let state = State {
            view: self.node().view(now),
            hashing: show.hashing.iter().map(Work::view).collect(),
            reconnect_in: self.link.borrow().reconnect_in(now),
            storage: show.storage,
            recording: self.node().recording().map(Recording::length),
            saving: show
                .saving
                .iter()
                .map(|work| (work.what, work.progress.get()))
                .collect(),
        };
        let news = state != show.shown;
        if news {
            self.tell(&ToPage::State(state.clone()), &[]);
            show.shown = state;
        }
        let counts = show.shown.reconnect_in.is_some();
        let works = !show.hashing.is_empty() || !show.saving.is_empty();
        let estimate = news && show.estimated.is_none_or(|at| now - at >= ESTIMATE);
        if estimate {
            show.estimated = Some(now);
        }
        drop(show);

        if works {
            self.show_after(INTERVAL);
        } else if counts {
            self.show_after(COUNTDOWN);
        }
        if estimate {
            spawn_local(Rc::clone(self).estimate_storage());
        }
    }

    async fn estimate_storage(self: Rc<Self>) {
        if let Some(storage) = estimate().await {
            self.show.borrow_mut().storage = Some(storage);
            self.changed();
        }
    }
}

impl Work<HashingView> {
    fn view(&self) -> HashingView {
        HashingView {
            progress: self.progress.get(),
            ..self.what.clone()
        }
    }
}

/// Bytes used and bytes allowed; none in browsers and contexts that don't say.
pub(super) async fn estimate() -> Option<(u64, u64)> {
    let storage = Reflect::get(&scope().navigator(), &"storage".into()).ok()?;
    if !storage.is_object() {
        return None;
    }
    let estimate = scope().navigator().storage().estimate().ok()?;
    let estimate = JsFuture::from(estimate).await.ok()?;
    let field = |name: &str| Reflect::get(&estimate, &name.into()).ok()?.as_f64();
    Some((field("usage")? as u64, field("quota")? as u64))
}
