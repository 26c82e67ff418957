//! The picture of a real swarm, as one of its peers knows it.
//!
//! A program of its own, because few look at it: the main page loads it when somebody opens the
//! first picture, and hands it what the engine's worker tells (`SwarmChanges`) with the element
//! to draw it in. It draws before the browser's next picture, as long as something moves, and not
//! at all once the element is closed or the page hidden. Its markup and most of its words are in
//! the page's `index.html`.

#[cfg(target_arch = "wasm32")]
mod program;

/// Hands the page, which listens for it, the function that it calls from then on.
#[cfg(target_arch = "wasm32")]
fn main() {
    program::run();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("the picture of a swarm is drawn in a browser: see web-peer");
}
