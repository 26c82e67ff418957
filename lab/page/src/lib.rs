//! The lab in the browser: what of it needs no browser.
//!
//! [`settings`] is what a person chooses, as a form and as a link; [`race`] plays the
//! simulations that are compared; [`comb`] is where the peers stand.

pub mod comb;
pub mod race;
pub mod settings;
