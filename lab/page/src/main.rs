//! The lab in the browser.
//!
//! One binary is both the page on the main thread and the worker behind
//! it. The worker plays the simulations; the page shows one moment after the other.

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
    eprintln!("the lab’s page runs in a browser: `cargo xtask serve` builds and serves it");
}
