//! Makes sure of the tools that a command needs, and says what it installs.
//!
//! A version is written here only where no other file needs it to match.

mod browser;
mod clients;
mod fuzz;
mod others;
mod page;

pub(crate) use browser::{axe, browser, firefox, node, webkit};
pub(crate) use clients::clients;
pub(crate) use fuzz::cargo_fuzz;
pub(crate) use others::others;
pub(crate) use page::{
    WasmOpt, esbuild, page_tools, qr_library, std_source, typescript, wasm_bindgen, wasm_target,
};

/// Says what is about to be installed, and how long it takes.
fn announce(what: &str, time: &str) {
    eprintln!("Installing {what} (takes {time}) …");
}
