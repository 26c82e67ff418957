//! Where a program of this user keeps what it knows from one run to the next.

use std::env;
use std::path::PathBuf;

/// The folder, which need not be there: `tabswarm` in `$XDG_STATE_HOME` (by default
/// `~/.local/state`), in macOS in `~/Library/Application Support`, in Windows in
/// `%LOCALAPPDATA%`. None if the system does not say.
pub(crate) fn folder() -> Option<PathBuf> {
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        absolute("XDG_STATE_HOME").or_else(|| {
            let below = match cfg!(target_os = "macos") {
                true => "Library/Application Support",
                false => ".local/state",
            };
            Some(env::home_dir()?.join(below))
        })
    };
    Some(base?.join("tabswarm"))
}

/// What an environment variable names; a path that is not absolute means nothing (XDG Base
/// Directory Specification).
fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(variable)?);
    path.is_absolute().then_some(path)
}
