//! One torrent.

mod actions;
mod files;
mod peers;
mod piece_map;
mod share;
mod words;

use leptos::html;
use leptos::prelude::*;
use swarm_core::engine::{TorrentState, TorrentView};
use swarm_core::id::InfoHash;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::format;
use super::model::{Model, Torrent};
use actions::Actions;
use files::FileList;
use peers::PeerList;
use piece_map::PieceMap;
pub(crate) use piece_map::Repaint;
use share::Share;

/// One torrent.
#[component]
pub(crate) fn TorrentCard(info_hash: InfoHash, torrent: Torrent) -> impl IntoView {
    let facts = RwSignal::from(torrent.facts);
    let pieces = RwSignal::from(torrent.pieces);
    let peers = RwSignal::from(torrent.peers);
    let files = RwSignal::from(torrent.files);

    let card = NodeRef::<html::Article>::new();
    bring_into_view(card, info_hash);

    let name = Memo::new(move |_| facts.with(|facts| facts.name.clone()));
    let state = Memo::new(move |_| facts.with(|facts| facts.state));
    let progress = Signal::derive(move || facts.with(|facts| facts.progress));
    let has_metadata = Memo::new(move |_| facts.with(|facts| facts.pieces > 0));
    let is_original = Memo::new(move |_| {
        facts.with(|facts| facts.state == TorrentState::Seeding && facts.downloaded == 0)
    });
    let peer_count = Memo::new(move |_| peers.with(Vec::len));
    let sources = move || {
        peers.with(|rows| {
            rows.iter()
                .filter(|row| row.value.with(|peer| peer.down_rate > 0))
                .count()
        })
    };
    let words = move || facts.with(|facts| words::state(facts, peer_count.get(), sources()));

    view! {
        <article
            node_ref=card
            class="card torrent"
            data-testid="torrent"
            data-info-hash=info_hash.to_string()
            data-state=move || state.get().as_str()
            data-progress=move || format::fraction(progress.get())
            data-downloaded=move || facts.with(|facts| facts.downloaded)
            data-uploaded=move || facts.with(|facts| facts.uploaded)
            data-copies=move || facts.with(|facts| facts.copies)
            aria-label=name
        >
            <header>
                <h3 title=name>{name}</h3>
                <span class="percent" aria-hidden="true">{move || format::percent(progress.get())}</span>
            </header>
            <p class="words">{words}</p>
            <ProgressBar label="Downloaded" progress=progress/>
            <Figures facts=facts/>
            <Show when=move || has_metadata.get()>
                <PieceMap pieces=pieces/>
            </Show>
            <Share info_hash=info_hash name=name to_send=is_original/>
            <Actions info_hash=info_hash facts=facts/>
            <PeerList peers=peers/>
            <FileList info_hash=info_hash files=files pieces=pieces/>
        </article>
    }
}

/// A bar that fills, for eyes and for screen readers.
#[component]
pub(crate) fn ProgressBar(label: &'static str, progress: Signal<f64>) -> impl IntoView {
    view! {
        <div
            class="bar"
            role="progressbar"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || format::percent(progress.get()).trim_end_matches('%').to_owned()
        >
            <div class="fill" style:width=move || format::css_percent(progress.get())></div>
        </div>
    }
}

/// Sizes, speeds, the time that remains, and who else is there.
#[component]
fn Figures(facts: RwSignal<TorrentView>) -> impl IntoView {
    let is = move |wanted| facts.with(|facts| facts.state == wanted);
    let figure = move |label: &'static str, value: fn(&TorrentView) -> Option<String>| {
        let value = Memo::new(move |_| facts.with(value));
        view! {
            <div class="figure" hidden=move || value.with(Option::is_none)>
                <dt>{label}</dt>
                <dd>{move || value.get().unwrap_or_default()}</dd>
            </div>
        }
    };
    view! {
        <dl class="figures" class:downloading=move || is(TorrentState::Downloading)>
            {figure("Size", words::size)}
            {figure("Down", words::down)}
            {figure("Up", words::up)}
            {figure("Left", words::left)}
            {figure("Sent", words::sent)}
            {figure("Swarm", words::swarm)}
            {figure("Thrown away", words::wasted)}
        </dl>
    }
}

/// Scrolls to the card when its torrent has just been added.
fn bring_into_view(card: NodeRef<html::Article>, info_hash: InfoHash) {
    let Model { wanted, .. } = expect_context();
    Effect::new(move || {
        if wanted.get() == Some(info_hash)
            && let Some(card) = card.get()
        {
            // Smoothly or not, the style sheet says, which knows what the person prefers.
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            card.scroll_into_view_with_scroll_into_view_options(&options);
            wanted.set(None);
        }
    });
}
