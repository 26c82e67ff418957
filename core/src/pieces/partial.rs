//! A piece in progress.
