//! How swarms are drawn.
//!
//! The lab's page draws simulated ones with it, and the program beside this library
//! (`main.rs`) a real one. It knows nothing of engines and of pages: what is drawn are cells,
//! ways between them, and which of many pieces each of some rows has.
//!
//! Where things are is calculated on every platform and can be tested natively: [`rings`] puts
//! peers around a middle, [`columns`] pieces side by side, [`hexagon`] has the corners of a cell.
//! What draws on a canvas is compiled to wasm32 alone: `cells`, `ways` and `piece_map` on a
//! `surface`, in `colours` of the page's styles, moved by `animation`. All lengths are CSS pixels.
//!
//! ```
//! use swarm_picture::columns::Columns;
//! use swarm_picture::rings::Rings;
//!
//! // Twelve peers around a middle, and which of them somebody points at.
//! let rings = Rings::fit(12, 600.0, 400.0);
//! let (x, y) = rings.places[3];
//! assert_eq!(rings.at(x, y), Some(3));
//!
//! // A thousand pieces in ten columns; the first eight are there.
//! let mut columns = Columns::new(1000, 10);
//! columns.take(&[0xff], |_piece, _column, _came| {});
//! assert_eq!(columns.level(0), 0.08);
//! ```

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
