//! The bottom of the page: storage.

use leptos::prelude::*;

use super::format;
use super::model::Model;

/// The bottom of the page.
#[component]
pub(crate) fn Footer() -> impl IntoView {
    let Model { storage, .. } = expect_context();
    let part = move || {
        storage
            .get()
            .map_or(0.0, |(used, allowed)| used as f64 / allowed.max(1) as f64)
    };
    let words = move || {
        storage.get().map(|(used, allowed)| {
            format!(
                "{} of the {} that this browser allows",
                format::bytes(used),
                format::bytes(allowed)
            )
        })
    };
    view! {
        <footer class="bottom">
            <Show when=move || storage.get().is_some()>
                <p class="storage">
                    <span class="label">"Storage"</span>
                    <span class="bar thin" aria-hidden="true">
                        <span class="fill" style:width=move || format::css_percent(part())></span>
                    </span>
                    <span>{words}</span>
                </p>
            </Show>
            <p>
                "Pieces are kept in this browser until you remove them, and others can get them "
                "from you only while this tab is open. Everybody who has a link can see "
                "who else has it: share what you may share."
            </p>
        </footer>
    }
}
