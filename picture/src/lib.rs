//! How swarms are drawn.
//!
//! The lab's page draws simulated ones with it, and the program beside this library
//! (`main.rs`) a real one. It knows nothing of engines and of pages: what is drawn are cells,
//! ways between them, and which of many pieces each of some rows has.

pub mod columns;
pub mod hexagon;
pub mod rings;

#[cfg(target_arch = "wasm32")]
pub mod animation;
#[cfg(target_arch = "wasm32")]
pub mod cells;
#[cfg(target_arch = "wasm32")]
pub mod colours;
#[cfg(target_arch = "wasm32")]
pub mod piece_map;
#[cfg(target_arch = "wasm32")]
pub mod sprite;
#[cfg(target_arch = "wasm32")]
pub mod surface;
#[cfg(target_arch = "wasm32")]
pub mod ways;
