//! To be: the page.

/// Runs the page.
pub(crate) fn run() {}
