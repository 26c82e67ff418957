//! The link that opens a torrent in another tab.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use swarm_core::id::InfoHash;

use crate::page::alerts::Alerts;
use crate::page::browser;
use crate::page::picture::Icon;

/// How long a button says that it has copied.
const COPIED_SHOWN: Duration = Duration::from_secs(2);

/// The link, and what to do with it.
#[component]
pub(crate) fn Share(
    info_hash: InfoHash,
    name: Memo<String>,
    /// Sending the link is what a person most likely wants now.
    to_send: Memo<bool>,
) -> impl IntoView {
    let alerts = expect_context::<Alerts>();
    let link = Memo::new(move |_| {
        let name = String::from(js_sys::encode_uri_component(&name.get()));
        format!(
            "{}#magnet:?xt=urn:btih:{info_hash}&dn={name}",
            browser::page_address()
        )
    });

    let copied = RwSignal::new(false);
    let copy = move |_| {
        spawn_local(async move {
            if browser::copy(&link.get_untracked()).await {
                copied.set(true);
                set_timeout(move || copied.set(false), COPIED_SHOWN);
            } else {
                alerts.error(
                    "The browser does not let us copy: select the link and copy it yourself.",
                );
            }
        });
    };
    view! {
        <div class="share">
            <a
                class="share-link"
                data-testid="share-link"
                href=link
                target="_blank"
                rel="noopener"
                title="Opens it in another tab"
            >
                {link}
            </a>
            <button type="button" class:primary=move || to_send.get() data-testid="copy" on:click=copy>
                <Icon name="copy"/>
                <span aria-live="polite">{move || if copied.get() { "Copied" } else { "Copy link" }}</span>
            </button>
            <Show when=browser::can_share>
                <button
                    type="button"
                    on:click=move |_| browser::share(&name.get_untracked(), &link.get_untracked())
                >
                    <Icon name="share"/>
                    "Share"
                </button>
            </Show>
        </div>
    }
}
