//! Direct links between peers, beside the relay.

use serde::{Deserialize, Serialize};

/// What the relay is for, where peers can link directly; what `tracker-relay --relay` and
/// `--relay-only` say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelayUse {
    /// It carries everything at first; then, of each pair, whatever turns out to be better.
    Free,
    /// It carries everything as long as it is there; direct links stand by, and nobody looks whether
    /// they are better.
    Fixed,
    /// It carries what no direct link can.
    Spare,
    /// It carries everything, and no direct links are made.
    #[default]
    Only,
}

/// What direct links are like. A link takes what the lines of its two ends give, which they
/// share with the relay, and no more than its own rate; the relay's capacity is no matter to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DirectLinks {
    /// Seconds between two peers, one way.
    pub latency: f64,
    /// Up to this many seconds more, uniformly; order is kept.
    pub jitter: f64,
    /// Bytes a second that a link carries, each way; none for as many as the lines give.
    pub rate: Option<f64>,
    /// The share of pairs that cannot be linked, whatever they try (NAT, firewalls).
    pub unable: f64,
    /// Links break without a word, after an exponentially distributed time of this mean, in
    /// seconds; none if they last.
    pub lifetime: Option<f64>,
    /// Links that a peer has at once by the time it agrees on one through the relay; none for as
    /// many as it has sessions.
    pub most: Option<u32>,
    /// Peers that are linked introduce others to each other, beyond `most`.
    pub introductions: bool,
}

impl Default for DirectLinks {
    /// As long a way as to the relay, so half of the way through it; one pair in five cannot
    /// be linked, and nobody introduces others.
    fn default() -> Self {
        DirectLinks {
            latency: 0.02,
            jitter: 0.005,
            rate: None,
            unable: 0.2,
            lifetime: None,
            most: None,
            introductions: false,
        }
    }
}
