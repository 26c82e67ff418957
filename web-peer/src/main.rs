//! The page's program. The engine's is `bin/engine.rs`.

#[cfg(target_arch = "wasm32")]
fn main() {
    web_peer::run_page();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("web-peer runs in a browser: `cargo xtask serve` builds it and serves the page");
}
