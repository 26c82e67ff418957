//! The top of the page: whose it is, what it does, whether it is connected.

use leptos::prelude::*;
use swarm_core::engine::TrackerView;

use super::model::Model;
use super::picture::Picture;

/// The top of the page.
#[component]
pub(crate) fn Header() -> impl IntoView {
    view! {
        <header class="top">
            <Picture name="logo"/>
            <div>
                <h1>"Tabswarm"</h1>
                <p>"Share files from tab to tab."</p>
            </div>
            <TrackerStatus/>
        </header>
    }
}

#[component]
fn TrackerStatus() -> impl IntoView {
    let Model {
        tracker,
        reconnect_in,
        ..
    } = expect_context();
    let kind = move || match tracker.get() {
        None | Some(TrackerView::Connecting) => "connecting",
        Some(TrackerView::Up) => "up",
        Some(TrackerView::Down) => "down",
    };
    let words = move || match (tracker.get(), reconnect_in.get().is_some()) {
        (None, _) => "Starting",
        (Some(TrackerView::Up), _) => "Connected",
        (Some(TrackerView::Connecting), _) => "Connecting",
        (Some(TrackerView::Down), false) => "Not connected",
        (Some(TrackerView::Down), true) => "Reconnecting",
    };
    // Apart from the words, so that a screen reader is not told of every second.
    let countdown = move || match (tracker.get(), reconnect_in.get()) {
        (Some(TrackerView::Down), Some(seconds)) => format!(" in {seconds} s"),
        _ => String::new(),
    };
    view! {
        <p class="tracker" data-state=kind title="The server that introduces tabs to each other">
            <span role="status">{words}</span>
            <span class="countdown" aria-hidden="true">{countdown}</span>
        </p>
    }
}
