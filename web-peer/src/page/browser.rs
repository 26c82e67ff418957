//! What the page asks of the browser.

use swarm_core::wire::relay::ENDPOINT;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, HtmlAnchorElement, HtmlDocument, HtmlTextAreaElement, ShareData, Storage, Url,
};

use super::dom::{after, document, has, window};
use super::intake::looks_like_link;

/// The key in sessionStorage under which a reloaded tab finds its slot again.
const SLOT: &str = "tabswarm-slot";

/// The key in localStorage under which it stands that a person wants no direct links.
const RELAY_ONLY: &str = "tabswarm-relay-only";

/// Long enough for any browser to have begun a download. Milliseconds.
pub(super) const DOWNLOAD_BEGUN: i32 = 60_000;

/// Where a tracker-relay listens unless it is told otherwise.
const DEFAULT_PORT: u16 = 8080;

/// The address of this page's own tracker: beside the page, whatever path a proxy gave it.
/// A page that `trunk serve` built has a port of its own, and Trunk's proxy drops the WebSocket's
/// subprotocol: it goes straight to a tracker-relay on its default port.
pub(crate) fn tracker_address() -> String {
    let location = window().location();
    if cfg!(debug_assertions) {
        let host = location.hostname().unwrap_or_default();
        return format!("ws://{host}:{DEFAULT_PORT}/swarm");
    }
    let secure = location
        .protocol()
        .is_ok_and(|protocol| protocol == "https:");
    let scheme = if secure { "wss" } else { "ws" };
    let host = location.host().unwrap_or_default();
    let path = location.pathname().unwrap_or_default();
    let folder = path.rfind('/').map_or("", |slash| &path[..slash]);
    format!("{scheme}://{host}{folder}{ENDPOINT}")
}

/// The address of this page, without query and fragment.
pub(crate) fn page_address() -> String {
    let location = window().location();
    location.origin().unwrap_or_default() + &location.pathname().unwrap_or_default()
}

/// The link in the page's own address, if there is one.
pub(crate) fn link_in_address() -> Option<String> {
    let hash = window().location().hash().ok()?;
    // Whether it is a link, and of which kind, the worker says; an anchor in the page is none.
    let names_torrent = looks_like_link(hash.strip_prefix('#')?);
    names_torrent.then(|| page_address() + &hash)
}

/// The slot that this tab had before it was reloaded.
pub(crate) fn remembered_slot() -> Option<u32> {
    session_storage()?.get_item(SLOT).ok()??.parse().ok()
}

/// Keeps the slot for the next load.
pub(crate) fn remember_slot(slot: u32) {
    if let Some(storage) = session_storage() {
        // Full or forbidden storage only costs a reloaded tab its slot.
        let _ = storage.set_item(SLOT, &slot.to_string());
    }
}

/// The browser makes direct links; some are built without.
pub(crate) fn has_direct_links() -> bool {
    has(&window(), "RTCPeerConnection")
}

/// There are to be no direct links: none can be, or a person once said so.
pub(crate) fn relay_only() -> bool {
    if !has_direct_links() {
        return true;
    }
    let storage = window().local_storage().ok().flatten();
    let said = storage.and_then(|storage| storage.get_item(RELAY_ONLY).ok().flatten());
    said.is_some()
}

/// Keeps what a person said of direct links.
pub(crate) fn set_relay_only(only: bool) {
    if let Some(storage) = window().local_storage().ok().flatten() {
        // Where nothing can be kept, it holds until the page is closed.
        let _ = match only {
            true => storage.set_item(RELAY_ONLY, "yes"),
            false => storage.remove_item(RELAY_ONLY),
        };
    }
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok()?
}

/// Hands a file to the person.
pub(crate) fn download(blob: &Blob, name: &str) -> Result<(), JsValue> {
    let url = Url::create_object_url_with_blob(blob)?;
    let anchor: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    after(DOWNLOAD_BEGUN, move || {
        let _ = Url::revoke_object_url(&url);
    });
    Ok(())
}

/// Puts text on the clipboard; false when the browser does not let us.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // Undefined outside of secure contexts.
    if !clipboard.is_undefined() && JsFuture::from(clipboard.write_text(text)).await.is_ok() {
        return true;
    }
    copy_by_selection(text).unwrap_or(false)
}

fn copy_by_selection(text: &str) -> Result<bool, JsValue> {
    let document = document().unchecked_into::<HtmlDocument>();
    let focused = document.active_element();
    let area: HtmlTextAreaElement = document.create_element("textarea")?.unchecked_into();
    area.set_class_name("visually-hidden");
    area.set_value(text);
    document
        .body()
        .ok_or(JsValue::UNDEFINED)?
        .append_child(&area)?;
    area.select();
    let copied = document.exec_command("copy");
    area.remove();
    if let Some(focused) =
        focused.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
    {
        focused.focus()?;
    }
    copied
}

/// Opens the system's share sheet.
pub(crate) fn share(title: &str, url: &str) {
    let data = ShareData::new();
    data.set_title(title);
    data.set_url(url);
    let shared = window().navigator().share_with_data(&data);
    spawn_local(async move {
        // An error says that the person changed their mind.
        let _ = JsFuture::from(shared).await;
    });
}

/// Writes to the browser's console.
#[cfg(debug_assertions)]
pub(crate) fn log_error(text: &str) {
    web_sys::console::error_1(&JsValue::from_str(text));
}
