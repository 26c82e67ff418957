//! Words in a person's language.
//!
//! They stand in English where they are said, and [`say!`](crate::say) finds those of the language
//! by them. The page's markup has a script for that, `web-peer/assets/words.js`; what calls this
//! runs in such a page. `cargo xtask lint` knows every key that is said so.

use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

mod script {
    use super::{Array, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn say(key: &str, values: &Array) -> String;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn of(sentence: &str) -> String;
    }
}

/// What is said in English with these words: `say!("Asking {n} peer{s}", n = peers)`. The number
/// `n` decides about the plural, and about the `{s}` of the English one.
#[macro_export]
macro_rules! say {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::words::with($key, &[$((stringify!($name), $crate::words::Value::of(&$value))),*])
    };
}

/// Words that are said later, by [`text`](crate::words::text): the English ones.
#[macro_export]
macro_rules! key {
    ($key:literal) => {
        $key
    };
}

/// What stands in the middle of words.
pub trait Value {
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

/// What [`say!`](crate::say) says: English words, and what stands in their middle, by name.
pub fn with(key: &str, values: &[(&str, JsValue)]) -> String {
    let flat = Array::new();
    for (name, value) in values {
        flat.push(&JsValue::from_str(name));
        flat.push(value);
    }
    script::say(key, &flat)
}

/// What is said in English with the words of a [`key!`](crate::key).
pub fn text(key: &str) -> String {
    with(key, &[])
}

/// An English sentence that the worker or the core made: in the page's language, if it knows it.
pub fn of(sentence: &str) -> String {
    script::of(sentence)
}
