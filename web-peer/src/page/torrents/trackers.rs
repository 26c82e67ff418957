//! Where a torrent is announced, and where others are looked for.

use web_sys::Element;

use crate::messages::{NamedBy, TrackerShown, TrackerState};
use crate::page::dom::{make, part, set_attribute, set_flag, set_text};
use crate::page::list::{List, Row};
use crate::page::words::{self, key, say};

/// The trackers of one torrent: a list that opens and closes. Closed at first if there is one,
/// which is nothing to think about.
pub(crate) struct Trackers {
    details: Element,
    list: List<Tracker>,
    shown: Vec<TrackerShown>,
}

impl Trackers {
    /// None yet.
    pub(crate) fn new(details: Element) -> Self {
        Trackers {
            list: List::new(part(&details, "list")),
            details,
            shown: Vec::new(),
        }
    }

    /// Shows them as they are now.
    pub(crate) fn show(&mut self, trackers: Vec<TrackerShown>) {
        if self.shown.len() < 2 && trackers.len() > 1 {
            set_flag(&self.details, "open", true);
        }
        set_flag(&self.details, "hidden", trackers.is_empty());
        let up = trackers.iter().filter(|t| t.state == TrackerState::Up);
        let up = up.count();
        let web_seeds = trackers.iter().filter(|t| is_web_seed(t)).count();
        let all = trackers.len() - web_seeds;
        let mut words = say!("{n} tracker{s}, {up} in use", n = all, up = up);
        if web_seeds > 0 {
            words += &say!("; {n} web seed{s}", n = web_seeds);
        }
        set_text(&part(&self.details, "number"), &words);
        self.list.show(trackers.clone());
        self.shown = trackers;
    }

    /// Trackers, or web seeds, that a link may name.
    pub(crate) fn urls(&self, web_seeds: bool) -> Vec<String> {
        let shown = self.shown.iter();
        // What a stranger says is not passed on as ours.
        let shown = shown
            .filter(|tracker| tracker.by != NamedBy::Peer && is_web_seed(tracker) == web_seeds);
        shown.map(|tracker| tracker.url.clone()).collect()
    }
}

fn is_web_seed(tracker: &TrackerShown) -> bool {
    matches!(tracker.state, TrackerState::WebSeed { .. })
}

struct Tracker(Element);

impl Row for Tracker {
    type View = TrackerShown;
    type Key = String;

    fn key(tracker: &TrackerShown) -> String {
        tracker.url.clone()
    }

    fn new(tracker: &TrackerShown) -> Self {
        let row = make("tracker-of");
        set_attribute(&row, "data-url", &tracker.url);
        set_text(&part(&row, "url"), &tracker.url);
        let remove = part(&row, "remove");
        set_attribute(&remove, "data-url", &tracker.url);
        let label = say!("Remove the tracker {url}", url = tracker.url);
        set_attribute(&remove, "aria-label", &label);
        if is_web_seed(tracker) {
            set_attribute(&row, "data-testid", "web-seed");
            remove.remove();
        }
        Tracker(row)
    }

    fn show(&mut self, tracker: TrackerShown) {
        let (kind, words) = words(&tracker.state);
        set_attribute(&self.0, "data-state", kind);
        set_text(&part(&self.0, "state"), &words);
        let by = match tracker.by {
            NamedBy::Page => key!("this page’s own server"),
            NamedBy::Torrent => key!("named by the torrent or its link"),
            NamedBy::Peer => key!("another peer says that it uses it"),
        };
        set_text(&part(&self.0, "by"), &words::text(by));
    }

    fn element(&self) -> &Element {
        &self.0
    }
}

/// One word for scripts, and some for people.
fn words(state: &TrackerState) -> (&'static str, String) {
    let (kind, words) = match state {
        TrackerState::Connecting => ("connecting", key!("Connecting")),
        TrackerState::Up => ("up", key!("Others are found through it")),
        TrackerState::Idle => (
            "idle",
            key!("Connected, and told nothing while this is stopped"),
        ),
        TrackerState::Waiting => (
            "waiting",
            key!(
                "Connected, but it takes only so many at a time from one tab, and it is the turn of others"
            ),
        ),
        TrackerState::Down => ("down", key!("Not reached; it is tried again")),
        TrackerState::Spare => (
            "spare",
            key!("Not used: this tab is connected to as many trackers as it may be"),
        ),
        TrackerState::Refused(reason) => return ("refused", not_used(reason)),
        TrackerState::Unsupported(reason) => {
            return ("unsupported", not_used(reason));
        }
        TrackerState::WebSeed {
            trouble: Some(trouble),
            ..
        } => {
            let trouble = words::of(trouble);
            return ("down", say!("A web seed: {reason}", reason = trouble));
        }
        TrackerState::WebSeed { up: true, .. } => {
            ("up", key!("A web seed: asked for what no peer gives"))
        }
        TrackerState::WebSeed { .. } => ("idle", key!("A web seed, not needed just now")),
    };
    (kind, words::text(words))
}

fn not_used(reason: &str) -> String {
    say!("Not used: {reason}", reason = words::of(reason))
}
