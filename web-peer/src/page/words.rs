//! The page's language: `assets/words.js` has chosen it, and fetches its words
//! ([`page_kit::words`]) where it is not English.

use js_sys::Promise;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlSelectElement;

use super::dom::{by_id, listen};

pub(crate) use page_kit::words::{Value, of, text, with};
pub(crate) use page_kit::{key, say};

mod script {
    use super::Promise;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn ready() -> Promise;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn language() -> String;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn choose(name: &str);
    }
}

/// The words are there. Nothing is shown before.
pub(crate) async fn ready() {
    // Without them it is English.
    let _ = JsFuture::from(script::ready()).await;
}

/// The choice of a language, at the foot of the page.
pub(crate) fn listen_to_choices() {
    let choice: HtmlSelectElement = by_id("language").unchecked_into();
    choice.set_value(&script::language());
    let chosen = choice.clone();
    listen(&choice, "change", move |_| script::choose(&chosen.value()));
}
