//! What happened, so that two runs can be compared.

use std::fmt;

use super::Nanos;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Virtual nanoseconds since the start.
    pub time: u64,
    /// What happened.
    pub what: &'static str,
    /// To which peer, by its index in [`crate::Snapshot::peers`].
    pub peer: usize,
    /// Numbers whose meaning depends on `what`.
    pub details: Vec<u64>,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.time / 1_000_000_000, self.time % 1_000_000_000);
        write!(f, "{seconds}.{rest:09} {} {}", self.what, self.peer)?;
        self.details.iter().try_for_each(|n| write!(f, " {n}"))
    }
}

type Sink = Box<dyn FnMut(&LogLine) + Send>;

/// A digest of everything, and somebody who reads along.
pub(super) struct Log {
    digest: u64,
    sink: Option<Sink>,
}

impl Default for Log {
    fn default() -> Self {
        // The offset basis of FNV-1a.
        Log {
            digest: 0xcbf2_9ce4_8422_2325,
            sink: None,
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({:016x})", self.digest)
    }
}

impl Log {
    pub(super) fn note(&mut self, time: Nanos, what: &'static str, peer: usize, details: &[u64]) {
        self.mix(time);
        self.mix(what.len() as u64 ^ u64::from(what.as_bytes()[0]) << 8);
        self.mix(peer as u64);
        for number in details {
            self.mix(*number);
        }
        if let Some(sink) = &mut self.sink {
            let details = details.to_vec();
            sink(&LogLine {
                time,
                what,
                peer,
                details,
            });
        }
    }

    /// As FNV-1a, a word at a time, with the high bits brought down.
    fn mix(&mut self, word: u64) {
        let product = (self.digest ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.digest = product ^ (product >> 29);
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.digest
    }

    pub(super) fn set_sink(&mut self, sink: Sink) {
        self.sink = Some(sink);
    }
}
