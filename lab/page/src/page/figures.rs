//! The table of figures. Each cell also has its exact value, for scripts and tests.

use page_kit::dom::{by_id, document, set_attribute, set_flag, set_text};
use page_kit::format;
use swarm_lab::results::Summary;
use web_sys::Element;

use crate::messages::Figures;

/// Shows the figures of each run that has any; a second column only for two.
pub(super) fn show(runs: &[Option<Figures>]) {
    set_flag(&by_id("figures"), "data-alone", runs.len() < 2);
    for (column, figures) in ["a", "b"].iter().zip(runs) {
        if let Some(figures) = figures {
            show_column(column, figures);
        }
    }
}

fn show_column(column: &str, figures: &Figures) {
    let cell = |key: &str, value: f64, words: &str| {
        if let Some(cell) = find(key, column) {
            set_text(&cell, words);
            set_attribute(&cell, "data-value", &value.to_string());
        }
    };
    let summary = |prefix: &str, summary: &Summary| {
        let complete = format!("{} of {}", summary.count, summary.of);
        cell(
            &format!("{prefix}complete"),
            summary.count.into(),
            &complete,
        );
        let reached = |value: f64| match summary.count {
            0 => "–".to_owned(),
            _ => seconds(value),
        };
        cell(
            &format!("{prefix}mean"),
            summary.mean,
            &reached(summary.mean),
        );
        cell(
            &format!("{prefix}last"),
            summary.last,
            &reached(summary.last),
        );
    };
    cell("time", figures.time, &seconds(figures.time));
    summary("", &figures.completion);
    summary("free-rider-", &figures.free_rider_completion);
    let no_free_riders = figures.free_rider_completion.of == 0;
    for key in ["complete", "mean", "last"] {
        let row = find(&format!("free-rider-{key}"), column).and_then(|cell| cell.parent_element());
        // Where one run has some, the row is there for both.
        if let Some(row) = row.filter(|_| column == "a" || !no_free_riders) {
            set_flag(&row, "hidden", no_free_riders);
        }
    }
    let least = figures.least_time;
    let words = least.map_or("–".to_owned(), seconds);
    cell("least-time", least.unwrap_or(f64::NAN), &words);
    let relayed = format!("{:.0}%", figures.relayed * 100.0);
    cell("relayed", figures.relayed, &relayed);
    let utilisation = format!("{:.0}%", figures.utilisation * 100.0);
    cell("utilisation", figures.utilisation, &utilisation);
    let wasted = figures.duplicate + figures.corrupt;
    cell("wasted", wasted as f64, &format::bytes(wasted));
    let events = format!("{:.1} million", figures.events as f64 / 1e6);
    cell("events", figures.events as f64, &events);
}

fn find(key: &str, column: &str) -> Option<Element> {
    let selector = format!("#figures [data-figure={key}] [data-part={column}]");
    document().query_selector(&selector).ok().flatten()
}

/// "12.3 s", "3 min 20 s"
pub(super) fn seconds(time: f64) -> String {
    match time {
        0.0..100.0 => format!("{time:.1} s"),
        _ => format::duration(time.round() as u64),
    }
}
