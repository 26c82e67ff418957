//! What can be done with a torrent.

use leptos::prelude::*;
use swarm_core::engine::{TorrentState, TorrentView};
use swarm_core::id::InfoHash;

use crate::messages::ToWorker;
use crate::page::format;
use crate::page::model::Model;
use crate::page::picture::Icon;
use crate::page::port::Port;

/// Save, pause, remove.
#[component]
pub(crate) fn Actions(info_hash: InfoHash, facts: RwSignal<TorrentView>) -> impl IntoView {
    let port = expect_context::<Port>();
    let Model { saving, .. } = expect_context();

    let being_saved = Memo::new(move |_| {
        let is_it = |&&(saved, _): &&(InfoHash, f64)| saved == info_hash;
        saving.with(|saving| {
            saving
                .iter()
                .find(is_it)
                .map(|&(_, progress)| format::percent(progress))
        })
    });
    let is_complete =
        Memo::new(move |_| facts.with(|facts| facts.pieces > 0 && facts.progress >= 1.0));
    let has_metadata = Memo::new(move |_| facts.with(|facts| facts.pieces > 0));
    let was_fetched = Memo::new(move |_| facts.with(|facts| facts.downloaded > 0));
    // After an error, going on means trying again.
    let goes_on = Memo::new(move |_| {
        facts.with(|facts| match facts.state {
            TorrentState::Paused => Some("Resume"),
            TorrentState::Error => Some("Try again"),
            _ => None,
        })
    });
    let pause_or_resume = move |_| {
        port.send(match goes_on.get_untracked() {
            Some(_) => ToWorker::Resume(info_hash),
            None => ToWorker::Pause(info_hash),
        });
    };
    view! {
        <div class="actions">
            <button
                type="button"
                class:primary=move || is_complete.get() && was_fetched.get()
                data-testid="save"
                disabled=move || !is_complete.get() || being_saved.with(Option::is_some)
                on:click=move |_| port.send(ToWorker::Save { info_hash, file: None })
            >
                <Icon name="save"/>
                {move || match being_saved.get() {
                    Some(percent) => format!("Preparing {percent}"),
                    None => "Save".to_owned(),
                }}
            </button>
            <button
                type="button"
                data-testid="pause"
                on:click=pause_or_resume
            >
                {move || {
                    let name = if goes_on.get().is_some() { "resume" } else { "pause" };
                    view! { <Icon name=name/> }
                }}
                {move || goes_on.get().unwrap_or("Pause")}
            </button>
            <button
                type="button"
                class="quiet"
                data-testid="save-torrent"
                title="Download the .torrent file"
                disabled=move || !has_metadata.get()
                on:click=move |_| port.send(ToWorker::SaveTorrent(info_hash))
            >
                <Icon name="file"/>
                ".torrent"
            </button>
            <button
                type="button"
                class="quiet danger apart"
                data-testid="remove"
                title="Forget it and free the storage that it takes in this browser"
                on:click=move |_| port.send(ToWorker::Remove(info_hash))
            >
                <Icon name="remove"/>
                "Remove"
            </button>
        </div>
    }
}
