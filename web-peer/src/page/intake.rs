//! Where things come in: files that are dropped, picked or pasted, and links.

mod arrange;
mod collect;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ClipboardEvent, DataTransfer, DragEvent, Element, Event, HtmlInputElement};

use super::dom::{by_id, has, listen, set_class, set_flag, window};
use super::port::Port;
use super::words::say;
use super::{alerts, format};
use crate::messages::ToWorker;
pub(crate) use arrange::looks_like_link;
use arrange::{arrange, is_torrent_file};
use collect::{Collection, Picked};

/// Larger `.torrent` files are no `.torrent` files. Bytes.
const LARGEST_TORRENT_FILE: f64 = 32e6;

/// Takes everything that comes in.
pub(crate) fn listen_to_everything(port: &Port) {
    listen_to_picker("pick-files", port);
    listen_to_picker("pick-folder", port);
    // Phones mostly can't pick folders.
    let can_pick_folders = has(&by_id("pick-folder"), "webkitdirectory");
    set_flag(&by_id("folder-picker"), "hidden", !can_pick_folders);
    listen_to_form(port);
    listen_to_drops(port);
    listen_to_pastes(port);
}

fn listen_to_picker(id: &str, port: &Port) {
    let (input, port) = (by_id(id).unchecked_into::<HtmlInputElement>(), port.clone());
    let take = move || {
        let picked = input
            .files()
            .map(|files| collect::from_list(&files))
            .unwrap_or_default();
        // Or picking the same file again would be no change.
        input.set_value("");
        accept(picked, &port);
    };
    // What was picked before anybody listened.
    take();
    listen(&by_id(id), "change", move |_| take());
}

fn listen_to_form(port: &Port) {
    let (input, port) = (
        by_id("link").unchecked_into::<HtmlInputElement>(),
        port.clone(),
    );
    listen(&by_id("link-form"), "submit", move |event| {
        event.prevent_default();
        let link = input.value().trim().to_owned();
        input.set_value("");
        alerts::over(alerts::LINK);
        if link.is_empty() {
            alerts::note(&say!("Paste a link first, then open it."));
            input.focus().expect("a field of the page takes the focus");
        } else {
            // It comes back with the answer.
            let attached = vec![JsValue::from_str(&link)];
            port.send_with(ToWorker::AddLink(link), attached);
        }
    });
}

/// A link that was opened is none: whoever mistyped it goes on from there.
pub(crate) fn give_back(link: &str) {
    let input: HtmlInputElement = by_id("link").unchecked_into();
    if input.value().is_empty() {
        input.set_value(link);
    }
}

/// Takes what is dropped anywhere on the page.
fn listen_to_drops(port: &Port) {
    let hint = |shown| set_class(&by_id("overlay"), "shown", shown);
    listen(&window(), "dragover", move |event| {
        let Some(data) = wanted_data(&event) else {
            return;
        };
        event.prevent_default();
        hint(has_files(&data));
    });
    listen(&window(), "dragleave", move |event| {
        // Nothing is entered: it left the window.
        let event: &DragEvent = event.unchecked_ref();
        if event.related_target().is_none() {
            hint(false);
        }
    });
    let port = port.clone();
    listen(&window(), "drop", move |event| {
        hint(false);
        let Some(data) = wanted_data(&event) else {
            return;
        };
        event.prevent_default();
        if has_files(&data) {
            accept_drop(Collection::of(&data), port.clone());
        } else {
            accept_text(&data, &port);
        }
    });
}

fn listen_to_pastes(port: &Port) {
    let port = port.clone();
    listen(&window(), "paste", move |event| {
        let clipboard = event.unchecked_ref::<ClipboardEvent>().clipboard_data();
        let Some(data) = clipboard.filter(|_| !is_in_field(&event)) else {
            return;
        };
        match data.files().map(|files| collect::from_list(&files)) {
            Some(picked) if !picked.is_empty() => accept(picked, &port),
            _ => accept_text(&data, &port),
        }
    });
}

/// What is dragged, if it is for us: files, or text outside of a field.
fn wanted_data(event: &Event) -> Option<DataTransfer> {
    let data = event.unchecked_ref::<DragEvent>().data_transfer()?;
    let is_text = data.types().includes(&JsValue::from_str("text/plain"), 0);
    (has_files(&data) || (is_text && !is_in_field(event))).then_some(data)
}

fn has_files(data: &DataTransfer) -> bool {
    data.types().includes(&JsValue::from_str("Files"), 0)
}

/// It happens in a field, which knows what to do with text.
fn is_in_field(event: &Event) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.matches("input, textarea").unwrap_or(false))
}

fn accept_drop(collection: Collection, port: Port) {
    spawn_local(async move {
        match collection.files().await {
            Ok(picked) if picked.is_empty() => {
                alerts::error(&say!("There are no files in this folder."));
            }
            Ok(picked) => accept(picked, &port),
            Err(error) => alerts::error(&say!(
                "The browser can’t read what you dropped: {reason}",
                reason = reason(&error)
            )),
        }
    });
}

/// A link that was pasted or dropped; other text is none of our business.
fn accept_text(data: &DataTransfer, port: &Port) {
    let text = data.get_data("text/plain").unwrap_or_default();
    if looks_like_link(&text) {
        port.send(ToWorker::AddLink(text.trim().to_owned()));
    }
}

/// Opens `.torrent` files if there is nothing else, and shares everything else.
fn accept(picked: Vec<Picked>, port: &Port) {
    // A folder of such files is meant to be shared.
    let is_torrent = |picked: &Picked| picked.path.len() == 1 && is_torrent_file(&picked.path[0]);
    if picked.iter().all(is_torrent) {
        for Picked { file, .. } in picked {
            open_torrent_file(file, port.clone());
        }
        return;
    }
    let attached = picked
        .iter()
        .map(|picked| JsValue::from(&picked.file))
        .collect();
    let (folder, paths) = arrange(picked.into_iter().map(|picked| picked.path).collect());
    port.send_with(ToWorker::Share { folder, paths }, attached);
}

fn open_torrent_file(file: web_sys::File, port: Port) {
    let name = file.name();
    if file.size() > LARGEST_TORRENT_FILE {
        let size = format::bytes(file.size() as u64);
        alerts::error(&say!(
            "“{name}” is no .torrent file: it is too large ({size}).",
            name = name,
            size = size
        ));
        return;
    }
    spawn_local(async move {
        match JsFuture::from(file.array_buffer()).await {
            Ok(buffer) => {
                // Whether it can be opened, the worker says.
                let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
                port.send(ToWorker::AddTorrent { name, bytes });
            }
            Err(error) => alerts::error(&say!(
                "The browser can’t read “{name}”: {reason}",
                name = name,
                reason = reason(&error)
            )),
        }
    });
}

/// What the browser says of an error.
fn reason(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &JsValue::from_str("message")).ok();
    message
        .and_then(|message| message.as_string())
        .unwrap_or_else(|| say!("it does not say why"))
}
