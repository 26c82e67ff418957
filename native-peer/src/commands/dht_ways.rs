//! A node of the DHT as the command line asks for it.

use dht_node::{DhtNode, Listen, Options, TableFile, WELL_KNOWN};
use sha1::{Digest, Sha1};
use swarm_core::dht::Config;

use crate::Error;
use crate::arguments::DhtWays;
use crate::state;
use crate::text::complain;

/// A node as a person wants it. Must be called within a Tokio runtime.
pub(super) fn open(ways: &DhtWays, config: Config) -> Result<DhtNode, Error> {
    let port = ways.dht_port.unwrap_or_default();
    DhtNode::open(Options {
        config,
        listen: Listen::Port(port),
        bootstrap: names(ways),
        file: table_file(ways),
    })
    .map_err(|error| Error::ListenUdp { port, error })
}

/// Nodes to join by.
pub(super) fn names(ways: &DhtWays) -> Vec<String> {
    match ways.dht_bootstrap.as_slice() {
        [] => WELL_KNOWN.map(str::to_owned).to_vec(),
        own => own.to_vec(),
    }
}

/// Where those who were met are remembered: a file for each list of nodes to join by, so that
/// networks that have nothing to do with each other stay apart.
fn table_file(ways: &DhtWays) -> Option<TableFile> {
    let mut names = ways.dht_bootstrap.clone();
    names.sort();
    names.dedup();
    let name = match names.as_slice() {
        [] => "dht.table".to_owned(),
        own => {
            let hash = Sha1::digest(own.join(" "));
            let digits = hash[..4].iter().map(|byte| format!("{byte:02x}"));
            format!("dht-{}.table", digits.collect::<String>())
        }
    };
    let file = TableFile::open(state::folder()?.join(name));
    file.inspect_err(|error| complain(&format!("the table of the DHT is not kept: {error}")))
        .ok()
}
