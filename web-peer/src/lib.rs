//! A browser tab as a peer.
//!
//! The page on the main thread and the worker behind it are two programs, so that the page is
//! there and can be used while the engine is still on its way. The page only shows and asks
//! ([`messages`]); the engine, the tracker link and the storage live in the worker.
//!
//! Natively all of it is empty, so that workspace-wide commands work.

#![cfg(target_arch = "wasm32")]

mod media;
mod messages;
mod page;
mod worker;

pub use page::run as run_page;
pub use worker::run as run_worker;

// IndexedDB, locks and `crypto.subtle` are tested where they are used.
#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
