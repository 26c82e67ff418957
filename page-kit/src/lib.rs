//! What every page here is made with: finding and changing elements, figures as a person
//! reads them, and the line to the worker behind the page. No framework: a page weighs
//! what its first visitor waits for.
//!
//! [`format`](mod@format) is English and compiles everywhere. The rest is for wasm32: `dom` finds
//! and changes elements, `words` and `figures` say things in a person's language, `worker` is the
//! line to the program behind the page, and `message` packs what goes through it.
//!
//! ```
//! use page_kit::format::{bytes, percent, rate};
//!
//! assert_eq!(bytes(98_400), "98.4 kB");
//! assert_eq!(rate(3_400_000), "3.4 MB/s");
//! assert_eq!(percent(0.9999), "99%");
//! ```

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
