//! Words in a person's language, and which language that is. [`page_kit::words`] says how they are
//! said.

use js_sys::Promise;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlSelectElement;

use super::dom::{by_id, listen};

/// `assets/words.js`, which is in the page before the program is.
mod script {
    use super::{Promise, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn ready() -> Promise;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn language() -> String;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn choose(name: &str);
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn of(sentence: &str) -> String;
    }
}

pub(crate) use page_kit::words::{Value, text, with};
pub(crate) use page_kit::{key, say};

/// An English sentence that the worker or the core made: in the page's language, if it knows it.
pub(crate) fn of(sentence: &str) -> String {
    script::of(sentence)
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
