//! How often a limit was met, for whoever runs the server.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

/// A limit that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerLimit {
    /// A page's origin may not connect.
    Origin,
    /// There were as many connections as there may be.
    Sockets,
    /// A client took nothing for too long.
    Slow,
    /// A client said nothing for too long.
    Silent,
    /// Too many pings.
    Pings,
    /// The system gave us no connection, most likely because there are too many open files.
    Accept,
    /// An address asked too often for its own.
    Stun,
    /// An address asked too often for the id that a UDP tracker wants.
    UdpConnects,
}

const ALL: [(ServerLimit, &str); 8] = [
    (ServerLimit::Origin, "refused_origin"),
    (ServerLimit::Sockets, "refused_connections"),
    (ServerLimit::Slow, "closed_slow"),
    (ServerLimit::Silent, "closed_silent"),
    (ServerLimit::Pings, "closed_pings"),
    (ServerLimit::Accept, "accept_errors"),
    (ServerLimit::Stun, "refused_stun"),
    (ServerLimit::UdpConnects, "refused_udp_connects"),
];

/// Something that was answered outside of WebSockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// A client's own address was told.
    Stun,
    /// An announce or a scrape over HTTP.
    HttpTracker,
    /// A connection id, an announce or a scrape in a datagram.
    UdpTracker,
}

const ANSWERS: [(Answered, &str); 3] = [
    (Answered::Stun, "stun"),
    (Answered::HttpTracker, "http_tracker"),
    (Answered::UdpTracker, "udp_tracker"),
];

/// One number for each [`ServerLimit`], and for each [`Answered`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    limits: [AtomicU64; ALL.len()],
    answers: [AtomicU64; ANSWERS.len()],
}

impl Counters {
    pub(crate) fn count(&self, limited: ServerLimit) {
        self.limits[limited as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, what: Answered) {
        self.answers[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What was limited, by name.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let names = ALL.iter().map(|&(_, name)| name);
        named(names, &self.limits)
    }

    /// What was answered, by name.
    pub(crate) fn answers_to_json(&self) -> Map<String, Value> {
        let names = ANSWERS.iter().map(|&(_, name)| name);
        named(names, &self.answers)
    }
}

fn named(names: impl Iterator<Item = &'static str>, counts: &[AtomicU64]) -> Map<String, Value> {
    let counts = counts.iter().map(|it| it.load(Ordering::Relaxed).into());
    names.map(str::to_owned).zip(counts).collect()
}
