//! The limits that a person sets, and what is said while they hold something back.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use swarm_core::engine::{Enough, Reached};
use swarm_core::net::Rates;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, Storage};

use super::dom::{by_id, listen, part, set_flag, window};
use super::port::Port;
use super::words::say;
use crate::messages::{Limits, State, ToWorker};

const UP: &str = "limit-up";
const DOWN: &str = "limit-down";
const PEERS: &str = "limit-peers";
const RATIO: &str = "limit-ratio";
const TIME: &str = "limit-time";

/// The fields; each is kept under what it is called, behind [`PREFIX`].
const FIELDS: [&str; 5] = [UP, DOWN, PEERS, RATIO, TIME];

const PREFIX: &str = "tabswarm-";

/// Rates are said in kB/s.
const KILO: f64 = 1e3;
/// Times are said in hours.
const HOUR: f64 = 3600.0;
/// No longer than ten years. Seconds.
const LONGEST: f64 = 3e8;

/// Takes up what was set before, and what a person sets from now on.
pub(crate) fn listen_to_changes(port: &Port) {
    for id in FIELDS {
        let field = field(id);
        if let Some(value) = storages().find_map(|storage| storage.get_item(&key(id)).ok()?) {
            field.set_value(&value);
        }
        let port = port.clone();
        listen(&by_id(id), "change", move |_| {
            // What can't be is no limit; the browser says why.
            if !field.report_validity() {
                return;
            }
            keep(id, &field.value());
            port.send(ToWorker::SetLimits(limits()));
        });
    }
    let limits = limits();
    if limits != Limits::default() {
        port.send(ToWorker::SetLimits(limits));
    }
    listen(&part(&by_id("held"), "change"), "click", |_| {
        set_flag(&by_id("limits"), "open", true);
        let first: HtmlElement = by_id(FIELDS[0]).unchecked_into();
        first.focus().expect("a field of the page takes the focus");
    });
}

/// Says what is held back.
pub(crate) fn show(state: &State) {
    let most = most_peers().map_or(usize::MAX, |peers| peers.get() as usize);
    let mut torrents = state.view.torrents.iter();
    let crowded = torrents.any(|torrent| torrent.peers.len() >= most);
    let held = state.view.held;
    let line = by_id("held");
    let kinds = [("up", held.up), ("down", held.down), ("peers", crowded)];
    for (kind, holds) in kinds {
        set_flag(&part(&line, kind), "hidden", !holds);
    }
    set_flag(&line, "hidden", kinds.iter().all(|(_, holds)| !holds));
}

/// Why a torrent is paused that nobody paused.
pub(crate) fn words(reached: Reached) -> String {
    match reached {
        Reached::Ratio => say!(
            "Shared as often as you wanted: your limit stopped it. “Resume” gives as much again"
        ),
        Reached::Time => say!(
            "Shared for as long as you wanted: your limit stopped it. “Resume” shares as long again"
        ),
    }
}

fn limits() -> Limits {
    let [up, down, ratio, time] = [UP, DOWN, RATIO, TIME].map(number);
    let rate = |rate: Option<f64>| NonZeroU64::new((rate? * KILO) as u64);
    Limits {
        rates: Rates {
            up: rate(up),
            down: rate(down),
        },
        peers: most_peers(),
        enough: Enough {
            ratio,
            time: time.map(|hours| Duration::from_secs((hours * HOUR).min(LONGEST) as u64)),
        },
    }
}

fn most_peers() -> Option<NonZeroU32> {
    NonZeroU32::new(number(PEERS)? as u32)
}

/// None where it is empty, or no number.
fn number(id: &str) -> Option<f64> {
    let number = field(id).value_as_number();
    (number >= 0.0).then_some(number)
}

fn field(id: &str) -> HtmlInputElement {
    by_id(id).unchecked_into()
}

fn key(id: &str) -> String {
    PREFIX.to_owned() + id
}

/// Where it is looked for: this tab's own, and what another one was told last.
fn storages() -> impl Iterator<Item = Storage> {
    let window = window();
    let [own, common] = [window.session_storage(), window.local_storage()];
    own.into_iter().chain(common).flatten()
}

/// Where nothing can be kept, it holds until the page is closed.
fn keep(id: &str, value: &str) {
    for storage in storages() {
        let _ = storage.set_item(&key(id), value);
    }
}
