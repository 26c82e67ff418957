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
}

const ALL: [(ServerLimit, &str); 6] = [
    (ServerLimit::Origin, "refused_origin"),
    (ServerLimit::Sockets, "refused_connections"),
    (ServerLimit::Slow, "closed_slow"),
    (ServerLimit::Silent, "closed_silent"),
    (ServerLimit::Pings, "closed_pings"),
    (ServerLimit::Accept, "accept_errors"),
];

/// One number for each [`ServerLimit`].
#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicU64; ALL.len()]);

impl Counters {
    pub(crate) fn count(&self, limited: ServerLimit) {
        self.0[limited as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// By name.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let value = |limited: ServerLimit| self.0[limited as usize].load(Ordering::Relaxed).into();
        let all = ALL.iter();
        all.map(|&(limited, name)| (name.to_owned(), value(limited)))
            .collect()
    }
}
