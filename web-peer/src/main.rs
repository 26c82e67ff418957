//! A browser tab as a peer.
//!
//! One binary is both the page on the main thread and the worker behind it: which of the
//! two it is, it sees from the global scope that it wakes up in. The page only shows and
//! asks ([`messages`]); the engine, the tracker link and the storage live in the worker.

#[cfg(target_arch = "wasm32")]
mod media;
#[cfg(target_arch = "wasm32")]
mod messages;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
mod worker;

#[cfg(target_arch = "wasm32")]
fn main() {
    use wasm_bindgen::JsCast as _;

    match js_sys::global().dyn_into::<web_sys::DedicatedWorkerGlobalScope>() {
        Ok(scope) => worker::run(&scope),
        Err(_) => page::run(),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("web-peer runs in a browser: `cargo xtask serve` builds it and serves the page");
}

// IndexedDB, locks and `crypto.subtle` are tested where they are used.
#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
