//! The page: shows what the worker says and asks it for what a person wants.
//!
//! It knows the worker by its messages alone. [`model`] turns snapshots into signals,
//! [`port`] is the line to the worker, and everything else draws one part of the page.

#![allow(unreachable_pub, reason = "what the component macro makes is public")]

mod alerts;
mod announcer;
mod browser;
mod footer;
mod format;
mod guide;
mod hashing;
mod header;
mod intake;
mod model;
mod picture;
mod port;
mod torrent;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use alerts::{AlertList, Alerts};
use announcer::Announcer;
use footer::Footer;
use guide::Guide;
use hashing::HashingCard;
use header::Header;
use intake::Intake;
use model::Model;
use port::Port;
use torrent::{Repaint, TorrentCard};

/// Runs the page.
pub(crate) fn run() {
    std::panic::set_hook(Box::new(|panic| browser::log_error(&panic.to_string())));
    let app = document()
        .get_element_by_id("app")
        .expect("index.html has a place for the page");
    app.set_text_content(None);
    let app = app.unchecked_into::<HtmlElement>();
    leptos::mount::mount_to(app, App).forget();
}

#[component]
fn App() -> impl IntoView {
    let (model, alerts) = (Model::new(), Alerts::new());
    let port = Port::open(model, alerts);
    provide_context(model);
    provide_context(alerts);
    provide_context(port);
    provide_context(Repaint::listen());
    browser::warn_before_leaving(move || model.is_busy());

    view! {
        <Header/>
        <AlertList/>
        <main id="main">
            <Intake/>
            <Show when=move || model.is_empty()>
                <Guide/>
            </Show>
            <Show when=move || !model.is_empty()>
                <section class="torrents" aria-labelledby="torrents-heading">
                    <h2 id="torrents-heading" class="visually-hidden">"Files in this tab"</h2>
                    <For each=move || model.hashing.get() key=|row| row.key let:row>
                        <HashingCard view=row.value/>
                    </For>
                    <For each=move || model.torrents.get() key=|row| row.key let:row>
                        <TorrentCard info_hash=row.key torrent=row.value/>
                    </For>
                </section>
            </Show>
        </main>
        <Footer/>
        <Announcer/>
    }
}
