//! What is to be shared and can't be read, in a person's words.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::fs;
use std::path::PathBuf;

use native_peer::share::{Options, Progress, make};

/// Takes a file away between finding and reading.
struct Gone(PathBuf);

impl Progress for Gone {
    fn begin(&self, _: &str, _: u64) {
        fs::remove_file(&self.0).unwrap();
    }
    fn advance(&self, _: u64) {}
}

#[test]
fn what_was_never_read_is_not_called_unreadable_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "secret").unwrap();
    let made = make(
        std::slice::from_ref(&path),
        Options::default(),
        &Gone(path.clone()),
    );
    let error = made.unwrap_err().to_string();
    let expected = format!("cannot read {}: ", path.display());
    assert!(error.starts_with(&expected), "{error}");
}
