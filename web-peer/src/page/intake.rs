//! Where things come in: files that are dropped, picked or pasted, and links.

mod arrange;
mod collect;

use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::{ev, html};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ClipboardEvent, DataTransfer, DragEvent, Element, Event, HtmlInputElement, SubmitEvent,
};

use super::alerts::Alerts;
use super::model::Model;
use super::picture::{Icon, Picture};
use super::port::Port;
use super::{browser, format};
use crate::messages::ToWorker;
use arrange::{arrange, is_torrent_file, looks_like_link};
use collect::{Collection, Picked};

/// Larger `.torrent` files are no `.torrent` files. Bytes.
const LARGEST_TORRENT_FILE: f64 = 32e6;

/// The drop zone, the pickers and the field for links.
#[component]
pub(crate) fn Intake() -> impl IntoView {
    let (model, port, alerts) = (
        expect_context::<Model>(),
        expect_context(),
        expect_context(),
    );
    let dragging = listen_to_drops(port, alerts);
    listen_to_pastes(port, alerts);

    let pick = move |event: Event| {
        let input = event_target::<HtmlInputElement>(&event);
        let picked = input
            .files()
            .map(|files| collect::from_list(&files))
            .unwrap_or_default();
        // Or picking the same file again would be no change.
        input.set_value("");
        accept(picked, port, alerts);
    };
    let can_pick_folders = can_pick_folders();
    view! {
        <section class="intake" class:compact=move || !model.is_empty() aria-label="Share or open">
            <div class="drop">
                <Picture name="hive"/>
                <div class="invitation">
                    <h2>"Drop a file or a folder anywhere"</h2>
                    <p>
                        "Nothing is stored on a server: whoever opens your link gets it from this tab, "
                        "and from each other."
                    </p>
                </div>
                <div class="pick">
                    <input
                        id="pick-files"
                        class="visually-hidden"
                        type="file"
                        multiple
                        data-testid="file-input"
                        on:change=pick
                    />
                    <label class="button primary" for="pick-files">
                        <Icon name="file"/>
                        "Choose files"
                    </label>
                    <Show when=move || can_pick_folders>
                        <input
                            id="pick-folder"
                            class="visually-hidden"
                            type="file"
                            {..custom_attribute("webkitdirectory", "")}
                            on:change=pick
                        />
                        <label class="button" for="pick-folder">
                            <Icon name="folder"/>
                            "Choose a folder"
                        </label>
                    </Show>
                </div>
            </div>
            <LinkForm/>
        </section>
        <div class="overlay" class:shown=dragging aria-hidden="true">
            <p>"Drop it to share it"</p>
        </div>
    }
}

/// Phones mostly can't.
fn can_pick_folders() -> bool {
    let input = document().create_element("input");
    input.is_ok_and(|input| browser::has(&input, "webkitdirectory"))
}

#[component]
fn LinkForm() -> impl IntoView {
    let (port, alerts) = (expect_context::<Port>(), expect_context::<Alerts>());
    let input = NodeRef::<html::Input>::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(input) = input.get() else { return };
        let link = input.value().trim().to_owned();
        input.set_value("");
        if link.is_empty() {
            alerts.note("Paste a link first, then open it.");
            // A field that is on the page takes the focus.
            let _ = input.focus();
        } else {
            port.send(ToWorker::AddLink(link));
        }
    };
    view! {
        <form class="link-form" on:submit=submit>
            <label for="link">"Got a link?"</label>
            <input
                node_ref=input
                id="link"
                type="text"
                inputmode="url"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                placeholder="Share link, magnet link or info-hash"
                data-testid="link-input"
            />
            <button type="submit" data-testid="link-add">"Open"</button>
        </form>
    }
}

/// Takes what is dropped anywhere on the page. True while something hovers over it.
fn listen_to_drops(port: Port, alerts: Alerts) -> RwSignal<bool> {
    let dragging = RwSignal::new(false);
    let over = move |event: DragEvent| {
        let Some(data) = wanted_data(&event) else {
            return;
        };
        event.prevent_default();
        if has_files(&data) && !dragging.get_untracked() {
            dragging.set(true);
        }
    };
    let leave = move |event: DragEvent| {
        // Nothing is entered: it left the window.
        if event.related_target().is_none() {
            dragging.set(false);
        }
    };
    let drop = move |event: DragEvent| {
        dragging.set(false);
        let Some(data) = wanted_data(&event) else {
            return;
        };
        event.prevent_default();
        if has_files(&data) {
            let collection = Collection::of(&data);
            spawn_local(async move {
                match collection.files().await {
                    Ok(picked) if picked.is_empty() => {
                        alerts.error("There are no files in this folder.");
                    }
                    Ok(picked) => accept(picked, port, alerts),
                    Err(error) => alerts.error(format!(
                        "The browser can’t read what you dropped: {}",
                        words(&error)
                    )),
                }
            });
        } else {
            accept_text(&data, port);
        }
    };
    let listeners = [
        window_event_listener(ev::dragover, over),
        window_event_listener(ev::dragleave, leave),
        window_event_listener(ev::drop, drop),
    ];
    on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
    dragging
}

fn listen_to_pastes(port: Port, alerts: Alerts) {
    let listener = window_event_listener(ev::paste, move |event| {
        let event = event.unchecked_into::<ClipboardEvent>();
        let Some(data) = event.clipboard_data().filter(|_| !is_in_field(&event)) else {
            return;
        };
        match data.files().map(|files| collect::from_list(&files)) {
            Some(picked) if !picked.is_empty() => accept(picked, port, alerts),
            _ => accept_text(&data, port),
        }
    });
    on_cleanup(move || listener.remove());
}

/// What is dragged, if it is for us: files, or text outside of a field.
fn wanted_data(event: &DragEvent) -> Option<DataTransfer> {
    let is_text = |data: &DataTransfer| data.types().includes(&JsValue::from_str("text/plain"), 0);
    event
        .data_transfer()
        .filter(|data| has_files(data) || (is_text(data) && !is_in_field(event)))
}

/// It happens in a field, which knows what to do with text.
fn is_in_field(event: &Event) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.matches("input, textarea").unwrap_or(false))
}

fn has_files(data: &DataTransfer) -> bool {
    data.types().includes(&JsValue::from_str("Files"), 0)
}

/// A link that was pasted or dropped; other text is none of our business.
fn accept_text(data: &DataTransfer, port: Port) {
    let text = data.get_data("text/plain").unwrap_or_default();
    if looks_like_link(&text) {
        port.send(ToWorker::AddLink(text.trim().to_owned()));
    }
}

/// Opens a single `.torrent` file, and shares everything else.
fn accept(picked: Vec<Picked>, port: Port, alerts: Alerts) {
    if let [Picked { path, file }] = &picked[..]
        && path.last().is_some_and(|name| is_torrent_file(name))
    {
        let (name, file) = (file.name(), file.clone());
        if file.size() > LARGEST_TORRENT_FILE {
            let size = format::bytes(file.size() as u64);
            alerts.error(format!(
                "“{name}” is no .torrent file: it is too large ({size})."
            ));
            return;
        }
        spawn_local(async move {
            match JsFuture::from(file.array_buffer()).await {
                Ok(buffer) => {
                    port.send(ToWorker::AddTorrent(
                        js_sys::Uint8Array::new(&buffer).to_vec(),
                    ));
                    alerts.note(format!(
                        "“{name}” is opened as a torrent, not shared as a file."
                    ));
                }
                Err(error) => alerts.error(format!(
                    "The browser can’t read “{name}”: {}",
                    words(&error)
                )),
            }
        });
    } else if !picked.is_empty() {
        let (paths, files): (Vec<_>, Vec<_>) = picked
            .into_iter()
            .map(|Picked { path, file }| (path, JsValue::from(file)))
            .unzip();
        let (folder, paths) = arrange(paths);
        port.send_with(ToWorker::Share { folder, paths }, files);
    }
}

/// What the browser says of an error.
fn words(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &JsValue::from_str("message")).ok();
    message
        .and_then(|message| message.as_string())
        .unwrap_or_else(|| "it does not say why".to_owned())
}
