//! The button that records the session.

use std::cell::Cell;

use super::dom::{by_id, listen, part, set_flag, set_text};
use super::format;
use super::port::Port;
use super::words::say;
use crate::messages::ToWorker;

thread_local! {
    /// A recording goes on, as the worker last said.
    static IS_ON: Cell<bool> = const { Cell::new(false) };
}

/// Begins or ends a recording when somebody says so.
pub(crate) fn listen_to_clicks(port: &Port) {
    let port = port.clone();
    listen(&part(&by_id("recording"), "record"), "click", move |_| {
        port.send(ToWorker::Record(!IS_ON.get()));
    });
}

/// Shows how long the recording is, while there is one.
pub(crate) fn show(length: Option<u64>) {
    IS_ON.set(length.is_some());
    let element = by_id("recording");
    // For scripts and tests.
    set_flag(&element, "data-on", length.is_some());
    let label = match length {
        Some(_) => say!("Stop and save"),
        None => say!("Record this session"),
    };
    set_text(&part(&element, "record"), &label);
    let words = length.map(|length| say!("{length} recorded", length = format::bytes(length)));
    set_text(&part(&element, "words"), &words.unwrap_or_default());
}
