//! Words in a person's language.
//!
//! They stand in English where they are said, and [`say!`](crate::say) finds those of the language
//! by them: in the page's `words/*.json`, which its script `words.js` fetches where English is not
//! what the browser asks for. `cargo xtask lint` knows every key that is said so.

use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// `words.js`, which is in the page before the program is.
mod script {
    use super::{Array, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn say(key: &str, values: &Array) -> String;
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

/// Words that are said later, by [`text`]: the English ones.
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

/// See [`say!`].
pub fn with(key: &str, values: &[(&str, JsValue)]) -> String {
    let flat = Array::new();
    for (name, value) in values {
        flat.push(&JsValue::from_str(name));
        flat.push(value);
    }
    script::say(key, &flat)
}

/// See [`key!`].
pub fn text(key: &str) -> String {
    with(key, &[])
}
