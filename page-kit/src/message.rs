//! How a page and its worker say things to each other.
//!
//! Each message is a JavaScript array: first the postcard bytes (a `Uint8Array`) of plain
//! data, then the objects that can't be serialised (`File`s, `Blob`s), in the order that
//! the message's doc gives.

use js_sys::{Array, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};

/// A message as it is posted.
pub fn pack(message: &impl Serialize, attached: &[JsValue]) -> JsValue {
    let bytes = postcard::to_allocvec(message).expect("plain data can be serialised");
    let array = Array::of1(&Uint8Array::from(&bytes[..]));
    for object in attached {
        array.push(object);
    }
    array.into()
}

/// Reads what was posted; none when it is no such message.
pub fn unpack<T: DeserializeOwned>(data: &JsValue) -> Option<(T, Vec<JsValue>)> {
    let array = data.dyn_ref::<Array>()?;
    let bytes = array.get(0).dyn_into::<Uint8Array>().ok()?.to_vec();
    let message = postcard::from_bytes(&bytes).ok()?;
    Some((message, array.iter().skip(1).collect()))
}
