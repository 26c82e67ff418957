//! What a connected client speaks.

/// Whoever speaks the same can reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Our own protocol: tabs, and programs of ours. Channels through the relay join them.
    Tab,
    /// That of WebTorrent's trackers: WebRTC joins them, and we hand on what it needs.
    WebTorrent,
}
