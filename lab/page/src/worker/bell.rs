//! Calls the worker back, after it has heard what the page said meanwhile.

use js_sys::Function;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessagePort};

/// See the module.
#[derive(Debug)]
pub(super) struct Bell {
    scope: DedicatedWorkerGlobalScope,
    callback: Function,
    /// What is posted here arrives at once; timers wait four milliseconds even for zero.
    port: MessagePort,
}

impl Bell {
    pub(super) fn new(scope: DedicatedWorkerGlobalScope, callback: impl FnMut() + 'static) -> Self {
        let callback = Closure::<dyn FnMut()>::new(callback).into_js_value();
        let channel = MessageChannel::new().expect("a worker has message channels");
        channel
            .port1()
            .set_onmessage(Some(callback.unchecked_ref()));
        Bell {
            scope,
            callback: callback.unchecked_into(),
            port: channel.port2(),
        }
    }

    /// Calls back once, after so many milliseconds.
    pub(super) fn ring_after(&self, milliseconds: i32) {
        if milliseconds == 0 {
            let posted = self.port.post_message(&JsValue::NULL);
            posted.expect("nothing can be posted");
            return;
        }
        let set = self
            .scope
            .set_timeout_with_callback_and_timeout_and_arguments_0(&self.callback, milliseconds);
        set.expect("a worker has timers");
    }
}

/// Milliseconds since the worker began.
pub(super) fn now() -> f64 {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    scope.performance().map_or(0.0, |clock| clock.now())
}
