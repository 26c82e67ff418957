//! What came of a question, in words and as JSON.

use std::time::Duration;

use serde::Serialize;
use swarm_core::dht::{Contact, NodeId, Stats};

use crate::Error;
use crate::text::print;

/// How something was found. The names are a promise to scripts.
#[derive(Serialize)]
pub(super) struct Found {
    queries: usize,
    answers: usize,
    hops: u8,
    hops_to_first: Option<u8>,
    stored: usize,
    seconds: f64,
    seconds_to_first: Option<f64>,
    closest: Vec<Node>,
}

/// A node, and how close it is.
#[derive(Serialize)]
struct Node {
    id: String,
    address: String,
    common_bits: usize,
}

impl Found {
    /// `target` is what was looked for.
    pub(super) fn new(target: NodeId, stats: &Stats, closest: &[Contact]) -> Self {
        let closest = closest.iter().map(|contact| Node {
            id: contact.id.to_string(),
            address: contact.address.to_string(),
            common_bits: target.common_bits(contact.id),
        });
        Found {
            queries: stats.queries,
            answers: stats.answers,
            hops: stats.hops,
            hops_to_first: stats.hops_to_first,
            stored: stats.stored,
            seconds: seconds(stats.took),
            seconds_to_first: stats.first.map(seconds),
            closest: closest.collect(),
        }
    }

    /// For a person; `what` is what the first of was found after some hops.
    pub(super) fn in_words(&self, what: &str) -> Vec<String> {
        let mut lines = vec![format!(
            "asked {}, {} of them answered, in {:.2} s",
            nodes(self.queries),
            self.answers,
            self.seconds
        )];
        let hops = match self.hops {
            1 => "1 hop: it was in our table".to_owned(),
            n => format!("{n} hops: so many nodes told of one another on the way"),
        };
        lines.push(format!("the closest one was reached in {hops}"));
        if let (Some(hops), Some(seconds)) = (self.hops_to_first, self.seconds_to_first) {
            let hops = if hops == 1 {
                "1 hop".to_owned()
            } else {
                format!("{hops} hops")
            };
            lines.push(format!("{what} came after {hops} and {seconds:.2} s"));
        }
        if !self.closest.is_empty() {
            lines.push("closest nodes, and how many bits of their identifiers agree:".to_owned());
        }
        let closest = self.closest.iter().map(|node| {
            let Node {
                id,
                address,
                common_bits,
            } = node;
            format!("{common_bits:>4}  {id}  {address}")
        });
        lines.extend(closest);
        lines
    }
}

/// So many of them.
pub(super) fn nodes(count: usize) -> String {
    match count {
        1 => "1 node".to_owned(),
        n => format!("{n} nodes"),
    }
}

fn seconds(duration: Duration) -> f64 {
    // A script has no use for more digits.
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Writes a line to standard output.
pub(super) fn tell(line: &str) -> Result<(), Error> {
    print(line).map_err(|e| Error::Other(format!("cannot write to standard output: {e}")))
}

/// Writes an object to standard output.
pub(super) fn tell_json(object: &impl Serialize) -> Result<(), Error> {
    tell(&serde_json::to_string(object).expect("strings and numbers can be JSON"))
}
