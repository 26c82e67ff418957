//! What a hub tells of itself.

/// Counters for logs and status pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Connections now.
    pub connections: usize,
    /// Addresses, or groups of them, that they come from.
    pub sources: usize,
    /// Swarms now.
    pub swarms: usize,
    /// Memberships of connections in swarms now.
    pub memberships: usize,
    /// Channels now, pending ones included.
    pub channels: usize,
    /// Payload bytes forwarded since the start.
    pub relayed_bytes: u64,
    /// Payload bytes that wait to be written to sockets.
    pub queued_bytes: u64,
    /// Data frames that wait to be written to sockets.
    pub queued_frames: usize,
    /// Bytes that senders may send at any moment.
    pub credit_bytes: u64,
    /// Bytes of bitfields that are kept.
    pub bitfield_bytes: usize,
    /// WebRTC offers handed on since the start.
    pub offers: u64,
    /// Answers to them.
    pub answers: u64,
    /// What was refused or slowed down.
    pub limited: LimitCounts,
}

/// How often something was limited since the start, by what was short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitCounts {
    /// Connections turned away: too many, or too many of their source.
    pub connections: u64,
    /// Announces refused because there are too many swarms, or too many of that source.
    pub swarms: u64,
    /// Announces refused because a connection, or its source, is in too many swarms.
    pub memberships: u64,
    /// Bitfields that were not kept, or were too long to be taken.
    pub bitfields: u64,
    /// Channels refused because there are too many, or too many of a source.
    pub channels: u64,
    /// Channels refused because their source asks the same member too often.
    pub offers: u64,
    /// Channels closed because too many tiny frames waited at their end.
    pub frames: u64,
    /// Channels closed because they carried nothing.
    pub idle: u64,
    /// Connections that were not listened to for a while because of the work they make.
    pub work: u64,
    /// Connections ended because of the work they make.
    pub cut: u64,
    /// Connections and requests over HTTP that were refused because of the work they make.
    pub visits: u64,
    /// WebRTC offers that were not handed on: too many of a member, or the other one had made
    /// one.
    pub held_back: u64,
}

impl LimitCounts {
    /// The counters with their names, for status pages.
    pub fn named(&self) -> [(&'static str, u64); 12] {
        [
            ("connections", self.connections),
            ("swarms", self.swarms),
            ("memberships", self.memberships),
            ("bitfields", self.bitfields),
            ("channels", self.channels),
            ("offers", self.offers),
            ("frames", self.frames),
            ("idle", self.idle),
            ("work", self.work),
            ("cut", self.cut),
            ("visits", self.visits),
            ("held_back", self.held_back),
        ]
    }
}
