//! What the page says to those who don't look at it: the tab's title, and words for
//! screen readers at the points that matter.

use std::collections::BTreeMap;

use leptos::prelude::*;
use swarm_core::engine::{TorrentState, TorrentView};

use super::format;
use super::model::Model;

/// Keeps the title, and an invisible live region.
#[component]
pub(crate) fn Announcer() -> impl IntoView {
    let model = expect_context::<Model>();
    let title = Memo::new(move |_| title(model));
    Effect::new(move || document().set_title(&title.get()));

    let said = RwSignal::new(String::new());
    Effect::new(move |before: Option<BTreeMap<_, Milestone>>| {
        let now: BTreeMap<_, _> = model.torrents.with(|rows| {
            let milestone = |facts: &TorrentView| Milestone::of(facts);
            rows.iter()
                .map(|row| (row.key, row.value.facts.with(milestone)))
                .collect()
        });
        // What was there when the page opened is no news.
        for (info_hash, milestone) in &now {
            let old = before.as_ref().and_then(|before| before.get(info_hash));
            if old.is_some_and(|old| old != milestone) {
                said.set(milestone.words());
            }
        }
        now
    });
    view! { <p class="visually-hidden" aria-live="polite">{said}</p> }
}

/// How far everything is that is on its way.
fn title(model: Model) -> String {
    let part = |rows: Vec<(f64, u64)>| {
        let all: u64 = rows.iter().map(|(_, length)| length).sum();
        let done: f64 = rows
            .iter()
            .map(|&(progress, length)| progress * length as f64)
            .sum();
        (all > 0).then(|| format::percent(done / all as f64))
    };
    let hashing = model.hashing.with(|rows| {
        rows.iter()
            .map(|row| row.value.with(|view| (view.progress, view.length)))
            .collect()
    });
    let downloading = model.torrents.with(|rows| {
        let facts = rows.iter().map(|row| row.value.facts.get());
        let downloading = facts.filter(|facts| facts.state == TorrentState::Downloading);
        downloading
            .map(|facts| (facts.progress, facts.length))
            .collect()
    });
    match part(hashing).or_else(|| part(downloading)) {
        Some(percent) => format!("{percent} · Tabswarm"),
        None => "Tabswarm".to_owned(),
    }
}

/// What is worth interrupting somebody for.
#[derive(PartialEq)]
struct Milestone {
    name: String,
    state: TorrentState,
    quarter: u8,
}

impl Milestone {
    fn of(facts: &TorrentView) -> Self {
        Milestone {
            name: facts.name.clone(),
            state: facts.state,
            quarter: (facts.progress * 4.0) as u8,
        }
    }

    fn words(&self) -> String {
        let Milestone {
            name,
            state,
            quarter,
        } = self;
        let percent = quarter * 25;
        match state {
            TorrentState::Hashing => format!("{name}: checking what is here"),
            TorrentState::Metadata => format!("{name}: looking for peers"),
            TorrentState::Downloading => format!("{name}: downloading, {percent}%"),
            TorrentState::Seeding => format!("{name}: complete"),
            TorrentState::Paused => format!("{name}: paused"),
            TorrentState::Error => format!("{name}: stopped by an error"),
        }
    }
}
