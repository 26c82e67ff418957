//! The lab in the browser: what of it needs no browser.
//!
//! [`settings`] is what a person chooses, as a form and as a link; [`race`] plays the
//! simulations that are compared; [`comb`] is where the peers stand. [`dht`] and [`ring`] are the
//! same for networks of the DHT, and [`played`] is what a clock needs to know of either.

pub mod comb;
pub mod dht;
pub mod played;
pub mod race;
pub mod ring;
pub mod settings;
