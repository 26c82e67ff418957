//! File paths that can't leave the download folder.

/// A relative path whose parts are harmless on every platform: no `..`, no
/// separators, no drive letters, no control characters, no reserved names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafePath(Vec<String>);

impl SafePath {
    /// The parts; at least one, none empty.
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}
