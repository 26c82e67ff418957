//! `native-peer dht table`

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use swarm_core::dht::{BucketView, ContactView, Family, FamilyView, View};

use super::inquiry::Inquiry;
use super::show::{nodes, tell, tell_json};
use crate::Error;
use crate::arguments;
use crate::commands::session::runtime;

/// The names are a promise to scripts.
#[derive(Serialize)]
struct Table {
    families: Vec<Network>,
    queries: u64,
    answers: u64,
    sent_bytes: u64,
    received_bytes: u64,
}

#[derive(Serialize)]
struct Network {
    family: &'static str,
    id: String,
    address: Option<String>,
    nodes: usize,
    buckets: Vec<Bucket>,
}

#[derive(Serialize)]
struct Bucket {
    /// Leading bits that its nodes' identifiers have in common with ours; those of the last
    /// bucket may have more.
    common_bits: usize,
    room: usize,
    replacements: usize,
    nodes: Vec<Node>,
}

#[derive(Serialize)]
struct Node {
    id: String,
    address: String,
    round_trip_ms: u64,
    silent_seconds: u64,
    failures: u8,
    /// The identifier fits the address (BEP 42).
    fitting: bool,
}

pub(super) fn run(arguments: &arguments::Table) -> Result<ExitCode, Error> {
    let joined = runtime()?.block_on(async {
        let inquiry = Inquiry::begin(&arguments.common)?;
        join(inquiry).await
    })?;
    let view = match joined {
        Ok(view) => view,
        Err(code) => return Ok(code.into()),
    };
    let table = Table::of(&view);
    if arguments.common.json {
        tell_json(&table)?;
    } else {
        for line in table.in_words() {
            tell(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until a family is joined, and nothing is looked for any more in the others.
async fn join(mut inquiry: Inquiry) -> Result<Result<View, u8>, Error> {
    loop {
        if let Err(code) = inquiry.next().await? {
            return Ok(Err(code));
        }
        let view = inquiry.node.view();
        let lookups = inquiry.node.dht().lookups();
        let joined = |family: &FamilyView| family.joined;
        let settled = |it: &FamilyView| it.joined || lookups.iter().all(|l| l.family != it.family);
        if view.families.iter().any(joined) && view.families.iter().all(settled) {
            inquiry.node.close();
            return Ok(Ok(view));
        }
    }
}

impl Table {
    fn of(view: &View) -> Self {
        Table {
            families: view.families.iter().map(Network::of).collect(),
            queries: view.traffic.queries,
            answers: view.traffic.answered,
            sent_bytes: view.traffic.sent_bytes,
            received_bytes: view.traffic.received_bytes,
        }
    }

    fn in_words(&self) -> Vec<String> {
        let families = self.families.iter().flat_map(Network::in_words);
        let traffic = format!(
            "sent {} queries, {} were answered; {} bytes out, {} bytes in",
            self.queries, self.answers, self.sent_bytes, self.received_bytes
        );
        families.chain([traffic]).collect()
    }
}

impl Network {
    fn of(family: &FamilyView) -> Self {
        let buckets = family.buckets.iter().enumerate();
        let buckets: Vec<Bucket> = buckets.map(|(at, it)| Bucket::of(at, it)).collect();
        Network {
            family: match family.family {
                Family::V4 => "IPv4",
                Family::V6 => "IPv6",
                Family::Tab => "tabs",
            },
            id: family.id.to_string(),
            address: family.address.map(|address| address.to_string()),
            nodes: buckets.iter().map(|bucket| bucket.nodes.len()).sum(),
            buckets,
        }
    }

    fn in_words(&self) -> Vec<String> {
        if self.nodes == 0 {
            return vec![format!("{}: nobody", self.family), String::new()];
        }
        let address = match &self.address {
            Some(address) => format!(", seen at {address}"),
            None => String::new(),
        };
        let mut lines = vec![
            format!("{}: {} known", self.family, nodes(self.nodes)),
            format!("we are {}{address}", self.id),
            "bits of their identifiers that agree with ours, from the far half of all nodes to \
             the nearest ones:"
                .to_owned(),
        ];
        lines.extend(self.buckets.iter().flat_map(Bucket::in_words));
        lines.push(String::new());
        lines
    }
}

impl Bucket {
    fn of(common_bits: usize, bucket: &BucketView) -> Self {
        Bucket {
            common_bits,
            room: bucket.room,
            replacements: bucket.replacements,
            nodes: bucket.contacts.iter().map(Node::of).collect(),
        }
    }

    fn in_words(&self) -> Vec<String> {
        let waiting = match self.replacements {
            0 => String::new(),
            n => format!(", {n} more wait for a place"),
        };
        let (bits, have, room) = (self.common_bits, self.nodes.len(), self.room);
        let head = format!("{bits:>4}  {have} of {room}{waiting}");
        let nodes = self.nodes.iter().map(Node::in_words);
        std::iter::once(head).chain(nodes).collect()
    }
}

impl Node {
    fn of(contact: &ContactView) -> Self {
        Node {
            id: contact.contact.id.to_string(),
            address: contact.contact.address.to_string(),
            round_trip_ms: milliseconds(contact.round_trip),
            silent_seconds: contact.silent.as_secs(),
            failures: contact.failures,
            fitting: contact.fitting,
        }
    }

    fn in_words(&self) -> String {
        let Node {
            id,
            address,
            round_trip_ms,
            silent_seconds,
            ..
        } = self;
        let silent = match (self.failures, silent_seconds) {
            (0, 0) => String::new(),
            (0, seconds) => format!(", heard {seconds} s ago"),
            (n, _) => format!(", left {n} queries unanswered"),
        };
        format!("      {id}  {address}  {round_trip_ms} ms{silent}")
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
