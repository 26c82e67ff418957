//! What is around the torrents: the state of the tracker above, the storage below, the
//! invitation and how it works while there is nothing yet, and the tab's title.

use swarm_core::engine::TrackerView;

use super::dom::{by_id, document, part, set_attribute, set_bar, set_class, set_flag, set_text};
use super::format;
use super::words::{self, key, say};
use crate::messages::State;

/// Shows all of it.
pub(crate) fn show(state: &State) {
    show_tracker(state.view.tracker, state.reconnect_in);
    show_storage(state.storage);
    let is_empty = state.view.torrents.is_empty() && state.hashing.is_empty();
    set_class(&by_id("intake"), "compact", !is_empty);
    set_flag(&by_id("guide"), "hidden", !is_empty);
    set_flag(&by_id("torrents"), "hidden", is_empty);
}

/// Shows in the tab's title how far everything is that is on its way: the same in every language,
/// for scripts too.
pub(crate) fn show_title(percent: Option<u8>) {
    document().set_title(&match percent {
        Some(percent) => format!("{percent}% · Tabswarm"),
        None => "Tabswarm".to_owned(),
    });
}

fn show_tracker(tracker: TrackerView, reconnect_in: Option<u32>) {
    let (kind, words) = match (tracker, reconnect_in) {
        (TrackerView::Up, _) => ("up", key!("Connected")),
        (TrackerView::Connecting, _) => ("connecting", key!("Connecting")),
        (TrackerView::Down, None) => ("down", key!("Not connected")),
        (TrackerView::Down, Some(_)) => ("down", key!("Reconnecting")),
    };
    let countdown = reconnect_in.filter(|_| tracker == TrackerView::Down);
    let element = by_id("tracker");
    set_attribute(&element, "data-state", kind);
    set_text(&part(&element, "words"), &words::text(words));
    // Apart from the words, so that a screen reader is not told of every second.
    let countdown = countdown.map(|seconds| {
        let time = format::duration(u64::from(seconds));
        format!(" {}", say!("in {time}", time = time))
    });
    set_text(&part(&element, "countdown"), &countdown.unwrap_or_default());
}

fn show_storage(storage: Option<(u64, u64)>) {
    let element = by_id("storage");
    set_flag(&element, "hidden", storage.is_none());
    if let Some((used, allowed)) = storage {
        set_bar(
            &part(&element, "bar"),
            Some(used as f64 / allowed.max(1) as f64),
        );
        let (used, allowed) = (format::bytes(used), format::bytes(allowed));
        set_text(
            &part(&element, "words"),
            &say!(
                "{used} of the {allowed} that this browser allows",
                used = used,
                allowed = allowed
            ),
        );
    }
}
