//! Where files go that somebody saves.

use js_sys::{Array, Function, Object, Promise, Reflect};
use swarm_core::id::InfoHash;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::browser::DOWNLOAD_BEGUN;
use super::dom::{after, document, has, listen, set_attribute, set_flag, window};
use super::port::Port;
use super::service::Service;
use crate::messages::ToWorker;

/// Up to here a file is handed to the browser as it is, which costs a copy of it for a moment,
/// and needs nothing else. Bytes.
const AT_ONCE: u64 = 32 << 20;

/// From here on a person is asked where it shall go, if the browser can ask: then it is written
/// to the disk as it is read, by the engine itself. What is smaller goes through the service
/// worker to where all downloads go. Bytes.
const ASKED: u64 = 512 << 20;

/// The browser can write to a folder that a person chooses.
pub(crate) fn has_folders() -> bool {
    has(&window(), "showDirectoryPicker")
}

/// What somebody wants to have.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) info_hash: InfoHash,
    /// A file's index; none for all that are wanted.
    pub(crate) file: Option<u32>,
    /// What it will be called.
    pub(crate) name: String,
    /// Bytes.
    pub(crate) length: u64,
}

/// Saves it. While a click is being handled, or the browser asks nothing.
pub(crate) fn save(port: &Port, service: &Service, wanted: Wanted) {
    let Wanted {
        info_hash,
        file,
        name,
        length,
    } = wanted;
    if length <= AT_ONCE {
        return port.send(ToWorker::Save { info_hash, file });
    }
    if length >= ASKED && has(&window(), "showSaveFilePicker") {
        let options = Object::new();
        let suggested = Reflect::set(&options, &"suggestedName".into(), &name.into());
        if suggested.is_ok() {
            return ask(port, "showSaveFilePicker", &options, (info_hash, file));
        }
        return;
    }
    let (port, service) = (port.clone(), service.clone());
    spawn_local(async move {
        match service.address(info_hash, file, &name).await {
            Some(address) => {
                service.requested((info_hash, file));
                // It went past the service worker, or nobody answered at all.
                let missed = move || {
                    if service.missed((info_hash, file)) {
                        port.send(ToWorker::Save { info_hash, file });
                    }
                };
                download(&(address + "?save"), missed);
            }
            None => port.send(ToWorker::Save { info_hash, file }),
        }
    });
}

/// Saves all files that are wanted into a folder that a person chooses.
pub(crate) fn save_folder(port: &Port, info_hash: InfoHash) {
    let options = Object::new();
    if Reflect::set(&options, &"mode".into(), &"readwrite".into()).is_ok() {
        ask(port, "showDirectoryPicker", &options, (info_hash, None));
    }
}

/// Asks a person for a place on the disk, which the worker gets.
fn ask(port: &Port, picker: &str, options: &JsValue, what: (InfoHash, Option<u32>)) {
    let window = window();
    let picker = Reflect::get(&window, &picker.into()).ok();
    let picked = picker
        .and_then(|picker| picker.dyn_into::<Function>().ok())
        .and_then(|picker| picker.call1(&window, options).ok())
        .and_then(|picked| picked.dyn_into::<Promise>().ok());
    let Some(picked) = picked else { return };
    let (port, (info_hash, file)) = (port.clone(), what);
    spawn_local(async move {
        // An error says that the person changed their mind.
        if let Ok(handle) = JsFuture::from(picked).await {
            let save = ToWorker::Save { info_hash, file };
            port.send_with(save, Array::of1(&handle).to_vec());
        }
    });
}

/// Has the browser fetch what is not to be shown: by a frame, because browsers ask the service
/// worker for what a frame shows, and not all of them for what a link downloads. Calls `ended` when
/// something else came than a download, and when there has been time enough for it to begin.
fn download(address: &str, ended: impl Fn() + Clone + 'static) {
    let frame = document().create_element("iframe").expect("a valid name");
    set_flag(&frame, "hidden", true);
    set_attribute(&frame, "src", address);
    let shown = ended.clone();
    listen(&frame, "load", move |_| shown());
    let body = document().body().expect("the page has a body");
    body.append_child(&frame).expect("it takes elements");
    after(DOWNLOAD_BEGUN, move || {
        frame.remove();
        ended();
    });
}
