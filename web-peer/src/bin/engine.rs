//! The program of the worker behind the page.

#[cfg(target_arch = "wasm32")]
fn main() {
    use wasm_bindgen::JsCast as _;

    web_peer::run_worker(&js_sys::global().unchecked_into());
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("the engine runs behind the page, in a browser: see web-peer");
}
