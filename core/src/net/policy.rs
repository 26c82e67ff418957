//! What peers are to do without a relay.

use serde::{Deserialize, Serialize};

/// What the relay behind a link says of its use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelayPolicy {
    /// It costs nobody anything: it carries the talk at first, and then the better way does, which
    /// trials show.
    #[default]
    Free,
    /// It is to be spared: a direct link carries the talk as soon as there is one.
    Spare,
    /// There are to be no direct links, so that nobody learns anybody's address.
    Only,
}
