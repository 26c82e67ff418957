//! What there is to see of a running simulation.

use serde::{Deserialize, Serialize};

/// One moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Virtual seconds since the start.
    pub time: f64,
    /// Every peer that ever came, in the order of arrival; a peer keeps its place.
    pub peers: Vec<PeerSnapshot>,
    /// What went from peer to peer since the last snapshot.
    pub flows: Vec<Flow>,
    /// Leechers that are complete.
    pub complete: u32,
    /// Leechers that are there and not complete.
    pub waiting: u32,
}

/// What a peer is in the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Had everything from the start.
    Seeder,
    /// Takes and gives.
    Contributor,
    /// Takes only.
    FreeRider,
    /// Sends corrupt blocks.
    Liar,
    /// Is in the way of the others: idle, full of promises, or under another's name.
    Attacker,
}

impl Role {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Role::Seeder => "seeder",
            Role::Contributor => "contributor",
            Role::FreeRider => "free-rider",
            Role::Liar => "liar",
            Role::Attacker => "attacker",
        }
    }

    /// It is there to get everything.
    pub fn is_leecher(self) -> bool {
        matches!(self, Role::Contributor | Role::FreeRider)
    }
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerSnapshot {
    /// What it is.
    pub role: Role,
    /// It is connected (false: gone, or not back yet).
    pub present: bool,
    /// Direct links that it has.
    pub links: u32,
    /// Verified pieces, as the peer wire's bitfield.
    pub have: Vec<u8>,
    /// Verified pieces.
    pub pieces: u32,
    /// Payload bytes received and sent so far.
    pub received: u64,
    /// See `received`.
    pub sent: u64,
}

/// Payload that arrived since the last snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Index of the sender in [`Snapshot::peers`].
    pub from: u32,
    /// Index of the receiver.
    pub to: u32,
    /// Bytes.
    pub bytes: u64,
    /// The last of them came by a direct link.
    pub direct: bool,
}
