//! Words in a person's language.
//!
//! They stand in English where they are said, and [`say!`](crate::page::words::say) finds those
//! of the language by them: in `words/*.json`, which `assets/words.js` fetches where English is
//! not what the browser asks for. `cargo xtask lint` knows every key that is said so.

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlSelectElement;

use super::dom::{by_id, listen};

/// `assets/words.js`, which is in the page before the program is.
mod script {
    use super::{Array, Promise, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn ready() -> Promise;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn language() -> String;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn choose(name: &str);
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn say(key: &str, values: &Array) -> String;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn of(sentence: &str) -> String;
    }
}

/// What is said in English with these words: `say!("Asking {n} peer{s}", n = peers)`. The number
/// `n` decides about the plural, and about the `{s}` of the English one.
macro_rules! say {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::page::words::with($key, &[$((stringify!($name), $crate::page::words::Value::of(&$value))),*])
    };
}

/// Words that are said later, by [`text`]: the English ones.
macro_rules! key {
    ($key:literal) => {
        $key
    };
}

pub(crate) use {key, say};

/// What stands in the middle of words.
pub(crate) trait Value {
    /// As a number, which is written as the language does, or as text.
    fn of(&self) -> JsValue;
}

impl Value for String {
    fn of(&self) -> JsValue {
        JsValue::from_str(self)
    }
}

impl Value for &str {
    fn of(&self) -> JsValue {
        JsValue::from_str(self)
    }
}

impl Value for usize {
    fn of(&self) -> JsValue {
        JsValue::from_f64(*self as f64)
    }
}

impl Value for u32 {
    fn of(&self) -> JsValue {
        JsValue::from_f64(f64::from(*self))
    }
}

/// See [`say!`].
pub(crate) fn with(key: &str, values: &[(&str, JsValue)]) -> String {
    let flat = Array::new();
    for (name, value) in values {
        flat.push(&JsValue::from_str(name));
        flat.push(value);
    }
    script::say(key, &flat)
}

/// See [`key!`].
pub(crate) fn text(key: &str) -> String {
    with(key, &[])
}

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
