//! What the page gets to see: snapshots when it asks for them, and notices.
//!
//! It asks once it has drawn the last one, and not while nobody sees it. A snapshot has what
//! changes often; of what torrents are and have, only what is new. Unasked it is told when
//! something happens, which is seldom: a torrent was added, or is complete.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::Reflect;
use swarm_core::engine::view::Told;
use swarm_core::engine::{TorrentState, TorrentView, View};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::time::Time;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::host::Host;
use super::js::{Timer, scope};
use super::line::Ear;
use super::record::Recording;
use super::watch::Watched;
use crate::messages::{Glance, HashingView, State, ToPage, TrackerShown};

/// Between two snapshots, while something changes.
const INTERVAL: Duration = Duration::from_millis(250);
/// Between two just after a command: whoever asked for something watches closely.
const EAGER_INTERVAL: Duration = Duration::from_millis(80);
/// How long after a command: until the first bytes are there, as a rule. Every snapshot is
/// drawn, which costs a busy machine more than the engine does.
const EAGER: Duration = Duration::from_millis(400);
/// Between two, while only a countdown runs; and between two glances, while nobody looks.
const SECOND: Duration = Duration::from_secs(1);
/// Between two questions about the storage, while something changes.
const ESTIMATE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Show {
    /// When the next snapshot is due.
    timer: Option<(Time, Timer)>,
    latest: Time,
    eager_until: Time,
    /// The page waits for a snapshot.
    is_wanted: bool,
    /// It gets one even if nothing is new.
    is_due: bool,
    /// The last snapshot, without changes.
    shown: State,
    /// What the page was told of each torrent in it.
    told: Vec<(InfoHash, Told)>,
    /// Trackers, as the page was last told.
    trackers: Vec<(InfoHash, Vec<TrackerShown>)>,
    glance: Glance,
    storage: Option<(u64, u64)>,
    estimated: Option<Time>,
    /// Files that are being hashed.
    pub(super) hashing: Vec<Work<HashingView>>,
    /// Torrents whose files are being put together, with what tells a save that nobody wants it.
    pub(super) saving: Vec<Work<(InfoHash, Rc<Ear>)>>,
    next_work: u32,
    /// Swarms that somebody looks at.
    pub(super) watched: Vec<Watched>,
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
        self.listener.tell(&self.scope, message, attached);
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
        let (latest, interval) = {
            let show = self.show.borrow();
            let interval = match () {
                () if !show.is_wanted => SECOND,
                () if now >= show.eager_until => INTERVAL,
                () if self.has_begun(&show.shown.view, now) => Duration::ZERO,
                () => EAGER_INTERVAL,
            };
            (show.latest, interval)
        };
        self.show_after(interval.saturating_sub(now - latest));
    }

    /// The first bytes of something came, which is what whoever asked for it waits for.
    fn has_begun(&self, shown: &View, now: Time) -> bool {
        let begun = |view: &View| {
            let torrents = view.torrents.iter();
            torrents.filter(|torrent| torrent.downloaded > 0).count()
        };
        begun(&self.node().view(now)) > begun(shown)
    }

    /// The page wants the next snapshot.
    pub(super) fn look(self: &Rc<Self>, at_once: bool) {
        let mut show = self.show.borrow_mut();
        show.is_wanted = true;
        show.is_due |= at_once;
        drop(show);
        match at_once {
            true => self.show_after(Duration::ZERO),
            false => self.changed(),
        }
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
        self.exchange_trackers();
        let now = self.clock.now();
        let mut view = self.node().view(now);
        // Of the others it is said at the torrents that name them.
        view.tracker = self.own_tracker();
        self.count_sharing(&view, now);
        let mut show = self.show.borrow_mut();
        show.timer = None;
        show.latest = now;
        let glance = self.glance(&show, &view);
        if glance != show.glance {
            show.glance = glance;
            self.tell(&ToPage::Glance(glance), &[]);
        }
        let has_happened = doings(&view).ne(doings(&show.shown.view));
        let is_told = show.is_wanted || has_happened;
        let is_news = is_told && self.tell_news(&mut show, view, has_happened, now);
        show.is_wanted &= !is_news;
        self.tell_watched(&mut show.watched, now);
        let estimate = is_news && show.estimated.is_none_or(|at| now - at >= ESTIMATE);
        if estimate {
            show.estimated = Some(now);
        }
        let counts = show.is_wanted && show.shown.reconnect_in.is_some();
        let works = !show.hashing.is_empty() || !show.saving.is_empty();
        drop(show);

        if works {
            self.changed();
        } else if counts {
            self.show_after(SECOND);
        }
        if estimate {
            spawn_local(Rc::clone(self).estimate_storage());
        }
    }

    /// Sends a snapshot, if there is a reason to.
    fn tell_news(&self, show: &mut Show, view: View, has_happened: bool, now: Time) -> bool {
        let mut told = Vec::new();
        let mut changes = Vec::new();
        for torrent in &view.torrents {
            let info_hash = torrent.info_hash;
            let earlier = show.told.iter_mut().find(|(of, _)| *of == info_hash);
            let mut known = earlier.map_or_else(Told::default, |(_, told)| std::mem::take(told));
            let contents = self.node();
            let contents = contents.contents(info_hash);
            if let Some(news) = contents.and_then(|contents| known.news(&contents)) {
                changes.push((info_hash, news));
            }
            told.push((info_hash, known));
        }
        // The page forgets what is not there any more.
        show.told = told;
        let saving = show.saving.iter();
        let state = State {
            has_happened: false,
            view,
            changes: Vec::new(),
            trackers: Vec::new(),
            hashing: show.hashing.iter().map(Work::view).collect(),
            reconnect_in: self.reconnect_in(now),
            storage: show.storage,
            enough: self.enough(),
            recording: self.node().recording().map(Recording::length),
            saving: saving
                .map(|work| (work.what.0, work.progress.get()))
                .collect(),
        };
        let trackers = self.tracker_news(show, &state.view);
        let is_news = !changes.is_empty() || !trackers.is_empty() || state != show.shown;
        if !is_news && !show.is_due {
            return false;
        }
        show.is_due = false;
        show.shown = state.clone();
        let news = State {
            has_happened,
            changes,
            trackers,
            ..state
        };
        self.tell(&ToPage::State(news), &[]);
        true
    }

    /// What is new about trackers, which counts as told from now on.
    fn tracker_news(&self, show: &mut Show, view: &View) -> Vec<(InfoHash, Vec<TrackerShown>)> {
        let torrents = view.torrents.iter().map(|torrent| torrent.info_hash);
        let now = torrents.map(|info_hash| (info_hash, self.show_trackers(info_hash)));
        let now: Vec<(InfoHash, Vec<TrackerShown>)> = now.collect();
        let before = std::mem::replace(&mut show.trackers, now.clone());
        now.into_iter()
            .filter(|now| !before.contains(now))
            .collect()
    }

    fn glance(&self, show: &Show, view: &View) -> Glance {
        let hashing = show.hashing.iter();
        let hashing = hashing.map(|work| (work.progress.get(), work.what.length));
        let torrents = view.torrents.iter();
        let downloading = torrents.filter(|torrent| torrent.state == TorrentState::Downloading);
        let downloading = downloading.map(|torrent| {
            let contents = self.node();
            let contents = contents.contents(torrent.info_hash);
            let metainfo = contents.and_then(|contents| contents.metainfo);
            (torrent.progress, metainfo.map_or(0, Metainfo::length))
        });
        let is_recording = self.node().recording().is_some();
        Glance {
            percent: percent_of(hashing).or_else(|| percent_of(downloading)),
            is_busy: !show.hashing.is_empty()
                || !show.saving.is_empty()
                || is_recording
                || self.sources.is_busy(),
            is_needed: view.torrents.iter().any(is_needed),
        }
    }

    async fn estimate_storage(self: Rc<Self>) {
        if let Some(storage) = estimate().await {
            self.show.borrow_mut().storage = Some(storage);
            self.changed();
        }
    }
}

/// Somebody gets it from here, and nobody else is known to have all of it: neither those we are
/// connected to, together, nor another member of the swarm.
fn is_needed(torrent: &TorrentView) -> bool {
    let alone = torrent.copies == 0 && torrent.complete <= 1;
    let mut peers = torrent.peers.iter();
    torrent.state == TorrentState::Seeding && alone && peers.any(|peer| peer.up > 0)
}

/// What each torrent does.
fn doings(view: &View) -> impl Iterator<Item = (InfoHash, TorrentState)> + '_ {
    let torrents = view.torrents.iter();
    torrents.map(|torrent| (torrent.info_hash, torrent.state))
}

/// How far things are, by their progress and length.
fn percent_of(things: impl Iterator<Item = (f64, u64)>) -> Option<u8> {
    let (done, all) = things.fold((0.0, 0), |(done, all), (progress, length)| {
        (done + progress * length as f64, all + length)
    });
    // Rounded down, so that nothing looks complete that is not.
    (all > 0).then(|| (100.0 * done / all as f64) as u8)
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
