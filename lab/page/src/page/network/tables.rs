//! A walk, a node's buckets and the network's figures, as tables.

use lab_page::dht::name;
use page_kit::dom::{by_id, document, make, part, set_attribute, set_class, set_flag, set_text};
use page_kit::format;
use swarm_core::dht::NodeId;
use swarm_lab::network::{
    BucketCounts, Hop, HopState, NetworkFigures, NetworkSnapshot, NodeTable, Walk,
};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::words;
use crate::page::figures::seconds;

/// Digits of an identifier that are shown.
const DIGITS: usize = 12;
/// Hops that are shown: more nobody reads.
const MOST_HOPS: usize = 100;

/// Each cell also has its exact value, for scripts and tests.
pub(super) fn show_figures(time: f64, figures: &NetworkFigures) {
    let table = &figures.table;
    let of = |key: &str, value: f64, words: &str| {
        let found = document().query_selector(&format!("#net-figures [data-figure={key}]"));
        if let Ok(Some(cell)) = found {
            set_text(&cell, words);
            set_attribute(&cell, "data-value", &value.to_string());
        }
    };
    of("time", time, &seconds(time));
    of("nodes", figures.nodes.into(), &figures.nodes.to_string());
    of("joined", figures.joined.into(), &figures.joined.to_string());
    of(
        "contacts",
        table.contacts,
        &format!("{:.1}", table.contacts),
    );
    let alive = match table.contacts > 0.0 {
        true => format::percent(table.alive),
        false => "–".to_owned(),
    };
    of("alive", table.alive, &alive);
    let datagrams = figures.datagrams;
    of("datagrams", datagrams as f64, &datagrams.to_string());
}

/// The last walk, hop by hop.
pub(super) fn show_walk(snapshot: &NetworkSnapshot) {
    let walk = snapshot.walk.as_ref();
    let text = match walk {
        Some(walk) => words::of_walk(walk, snapshot),
        None => "From the chosen node, or any. First announce a key, then look it up from \
                 elsewhere."
            .to_owned(),
    };
    set_text(&by_id("walk-words"), &text);
    let hops = walk.map_or(&[][..], |walk| &walk.hops[..]);
    let hops = &hops[..hops.len().min(MOST_HOPS)];
    set_flag(&by_id("walk-scroll"), "hidden", hops.is_empty());
    let rows = rows("walk", "hop", hops.len());
    if let Some(walk) = walk {
        for (row, hop) in rows.iter().zip(hops) {
            show_hop(row, hop, walk);
        }
    }
}

fn show_hop(row: &Element, hop: &Hop, walk: &Walk) {
    let milliseconds = |seconds: f64| format!("{:.0} ms", seconds * 1000.0);
    set_text(&part(row, "asked"), &milliseconds(hop.asked));
    let called = hop.id.map_or("?".to_owned(), |id| {
        let [a, b, c, d, ..] = id.0;
        name(u32::from_be_bytes([a, b, c, d]))
    });
    set_text(&part(row, "node"), &called);
    set_text(&part(row, "count"), &hop.bits.to_string());
    let digits = hop.id.map(binary).unwrap_or_default();
    let (same, rest) = digits.split_at(usize::from(hop.bits).min(digits.len()));
    set_text(&part(row, "same"), same);
    set_text(&part(row, "rest"), rest);
    let took = hop.answered.map(|at| milliseconds(at - hop.asked));
    let answer = match (hop.state, took) {
        (HopState::Answered, Some(took)) if hop.found => format!("{took}: who has it"),
        (HopState::Answered, Some(took)) => format!("{took}, {} new", hop.told),
        (HopState::Late, _) => "none".to_owned(),
        (HopState::Unneeded, _) => "not waited for".to_owned(),
        _ => "…".to_owned(),
    };
    set_text(&part(row, "answer"), &answer);
    let best = walk.bits();
    let is_best = hop.state == HopState::Answered && hop.bits == best && best > 0;
    set_class(row, "best", is_best);
    set_class(row, "late", hop.state == HopState::Late);
    set_class(row, "waiting", hop.state == HopState::Waiting);
}

/// The first bits.
fn binary(id: NodeId) -> String {
    let bit = |at| if id.bit(at) { '1' } else { '0' };
    (0..DIGITS).map(bit).collect()
}

/// Whom the chosen node knows.
pub(super) fn show_buckets(
    snapshot: &NetworkSnapshot,
    selected: Option<u32>,
    table: Option<&NodeTable>,
) {
    let table = table.filter(|table| Some(table.node) == selected);
    let text = match (selected, table) {
        (None, _) => "Click a node, or choose one with the arrow keys.".to_owned(),
        (Some(node), None) => format!("{} is gone.", words::node(snapshot, node)),
        (Some(node), Some(table)) => format!(
            "{} knows {} others.",
            words::node(snapshot, node),
            table.contacts.len()
        ),
    };
    set_text(&by_id("buckets-words"), &text);
    let buckets = table.map_or(&[][..], |table| &table.buckets[..]);
    set_flag(&by_id("buckets"), "hidden", buckets.is_empty());
    let rows = rows("buckets", "bucket", buckets.len());
    for (at, (row, bucket)) in rows.iter().zip(buckets).enumerate() {
        let last = at + 1 == buckets.len();
        show_bucket(row, at, last, bucket);
    }
}

fn show_bucket(row: &Element, at: usize, last: bool, bucket: &BucketCounts) {
    let bits = match last {
        true => format!("{at} and more"),
        false => at.to_string(),
    };
    set_text(&part(row, "bits"), &bits);
    let entries = bucket.good + bucket.questionable;
    let words = format!("{entries} of {}", bucket.room);
    set_text(&part(row, "entries"), &words);
    for (name, count) in [("good", bucket.good), ("questionable", bucket.questionable)] {
        set_text(&part(row, name), &count.to_string());
        let bar: HtmlElement = part(row, &format!("bar-{name}")).unchecked_into();
        let share = f64::from(count) / f64::from(bucket.room.max(1));
        let width = format::css_percent(share);
        let set = bar.style().set_property("width", &width);
        set.expect("a width is a style");
    }
    let gone = part(row, "gone");
    set_text(&gone, &bucket.gone.to_string());
    set_class(&gone, "some", bucket.gone > 0);
}

/// As many rows as wanted, made after a template.
fn rows(table: &str, template: &str, count: usize) -> Vec<Element> {
    let body = part(&by_id(table), "rows");
    while body.child_element_count() as usize > count {
        if let Some(last) = body.last_element_child() {
            last.remove();
        }
    }
    while (body.child_element_count() as usize) < count {
        let added = body.append_child(&make(template));
        added.expect("a table takes rows");
    }
    let children = body.children();
    (0..children.length())
        .filter_map(|at| children.item(at))
        .collect()
}
