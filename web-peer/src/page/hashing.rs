//! Files that are being read and are no torrent yet.

use leptos::prelude::*;

use super::format;
use super::picture::Icon;
use super::port::Port;
use super::torrent::ProgressBar;
use crate::messages::{HashingView, ToWorker};

/// One file or folder that is being hashed.
#[component]
pub(crate) fn HashingCard(view: ArcRwSignal<HashingView>) -> impl IntoView {
    let port = expect_context::<Port>();
    let view = RwSignal::from(view);
    let HashingView {
        id, name, length, ..
    } = view.get_untracked();
    let progress = Signal::derive(move || view.with(|view| view.progress));
    view! {
        <article
            class="card torrent"
            data-testid="torrent"
            data-info-hash=""
            data-state="hashing"
            data-progress=move || format::fraction(progress.get())
            aria-label=name.clone()
        >
            <header>
                <h3 title=name.clone()>{name.clone()}</h3>
                <span class="percent" aria-hidden="true">{move || format::percent(progress.get())}</span>
            </header>
            <p class="words">"Reading it and taking fingerprints of its pieces"</p>
            <ProgressBar label="Hashed" progress=progress/>
            <div class="actions">
                <span class="label">{format::bytes(length)}</span>
                <button
                    type="button"
                    class="quiet apart"
                    data-testid="cancel"
                    on:click=move |_| port.send(ToWorker::CancelHashing(id))
                >
                    <Icon name="close"/>
                    "Cancel"
                </button>
            </div>
        </article>
    }
}
