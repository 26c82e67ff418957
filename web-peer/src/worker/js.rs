//! Small bridges between JavaScript's objects and ours.

use std::time::Duration;

use futures_channel::oneshot;
use js_sys::{Array, ArrayBuffer, Reflect};
use swarm_core::engine::StoreError;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, WorkerGlobalScope};

/// The worker's global scope.
pub(super) fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// What a thrown value says, for a person.
pub(super) fn message_of(error: &JsValue) -> String {
    let field = |name: &str| Reflect::get(error, &name.into()).ok()?.as_string();
    field("message")
        .filter(|text| !text.is_empty())
        .or_else(|| field("name"))
        .or_else(|| error.as_string())
        .unwrap_or_else(|| "the browser does not say why".to_owned())
}

/// A thrown value's kind, such as `QuotaExceededError`.
pub(super) fn name_of(error: &JsValue) -> String {
    Reflect::get(error, &"name".into())
        .ok()
        .and_then(|name| name.as_string())
        .unwrap_or_default()
}

/// What an exception of IndexedDB or of reading a file means to the engine.
pub(super) fn store_error(error: &JsValue) -> StoreError {
    match name_of(error).as_str() {
        "QuotaExceededError" => StoreError::Full(
            "the browser allows this page no more storage; remove something, or free disk space"
                .into(),
        ),
        "NotReadableError" | "NotFoundError" => {
            StoreError::Unreadable("it was changed, moved or deleted after it was shared".into())
        }
        _ => StoreError::Failed(message_of(error)),
    }
}

/// Copies a JavaScript buffer into our memory.
#[cfg(test)]
pub(super) fn bytes_of(buffer: &js_sys::ArrayBuffer) -> bytes::Bytes {
    js_sys::Uint8Array::new(buffer).to_vec().into()
}

/// A blob's bytes, in the browser's memory.
pub(super) async fn read_blob(blob: &Blob) -> Result<ArrayBuffer, JsValue> {
    JsFuture::from(blob.array_buffer())
        .await
        .map(JsCast::unchecked_into)
}

/// Bytes `from` to `to` of a blob, by reference.
pub(super) fn slice(blob: &Blob, from: u64, to: u64) -> Result<Blob, JsValue> {
    blob.slice_with_f64_and_f64(from as f64, to as f64)
}

/// The blobs one after the other, by reference.
pub(super) fn concat(blobs: &[Blob]) -> Result<Blob, JsValue> {
    if let [single] = blobs {
        return Ok(single.clone());
    }
    Blob::new_with_blob_sequence(&blobs.iter().collect::<Array>())
}

/// Calls back once, unless it is dropped before.
#[derive(Debug)]
pub(super) struct Timer {
    id: i32,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    pub(super) fn after(delay: Duration, callback: impl FnOnce() + 'static) -> Self {
        let callback = Closure::once(callback);
        let millis = i32::try_from(delay.as_millis()).unwrap_or(i32::MAX);
        let function = callback.as_ref().unchecked_ref();
        let id = scope().set_timeout_with_callback_and_timeout_and_arguments_0(function, millis);
        Timer {
            id: id.expect("a function is a timer's callback"),
            _callback: callback,
        }
    }
}

/// Waits.
pub(super) async fn pause(delay: Duration) {
    let (done, end) = oneshot::channel();
    let _timer = Timer::after(delay, move || {
        let _ = done.send(());
    });
    // The timer lives until then.
    let _ = end.await;
}

impl Drop for Timer {
    fn drop(&mut self) {
        scope().clear_timeout_with_handle(self.id);
    }
}
