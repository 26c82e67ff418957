//! What every page here is made with: finding and changing elements, figures as a person
//! reads them, and the line to the worker behind the page. No framework: a page weighs
//! what its first visitor waits for.

#[cfg(target_arch = "wasm32")]
pub mod dom;
#[cfg(target_arch = "wasm32")]
pub mod figures;
pub mod format;
#[cfg(target_arch = "wasm32")]
pub mod message;
#[cfg(target_arch = "wasm32")]
pub mod words;
#[cfg(target_arch = "wasm32")]
pub mod worker;
