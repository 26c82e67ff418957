//! How a file looks from outside: what tells cheaply that it may have changed.

use std::time::SystemTime;

/// See the module. Two that differ say that the file must be read again; two that are equal
/// say that it was most likely left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub length: u64,
    /// When it was changed last, if the system knows.
    pub modified: Option<SystemTime>,
}

impl From<&std::fs::Metadata> for Stamp {
    fn from(metadata: &std::fs::Metadata) -> Self {
        Stamp {
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl From<&cap_std::fs::Metadata> for Stamp {
    fn from(metadata: &cap_std::fs::Metadata) -> Self {
        Stamp {
            length: metadata.len(),
            modified: metadata
                .modified()
                .ok()
                .map(cap_std::time::SystemTime::into_std),
        }
    }
}
