//! A node of the DHT as the command line asks for it.

use dht_node::{DhtNode, Listen, Options, TableFile, WELL_KNOWN};
use sha1::{Digest, Sha1};
use swarm_core::dht::Config;

use crate::Error;
use crate::arguments::DhtWays;
use crate::state;
use crate::text::complain;

/// A node as a person wants it, which joins by these nodes too if that person names none. Must be
/// called within a Tokio runtime.
pub(super) fn open(ways: &DhtWays, named: &[String], config: Config) -> Result<DhtNode, Error> {
    let port = ways.dht_port.unwrap_or_default();
    DhtNode::open(Options {
        config,
        listen: Listen::Port(port),
        bootstrap: names(ways, named),
        file: table_file(ways),
    })
    .map_err(|error| Error::ListenUdp { port, error })
}

/// Nodes to join by: those of a person, who may mean a network of their own; or else those that a
/// torrent names, and the well-known ones.
pub(super) fn names(ways: &DhtWays, named: &[String]) -> Vec<String> {
    match ways.dht_bootstrap.as_slice() {
        [] => {
            let well_known = WELL_KNOWN.map(str::to_owned);
            named.iter().cloned().chain(well_known).collect()
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torrents_nodes_come_first_and_a_persons_alone() {
        let mut ways = DhtWays {
            dht_port: None,
            dht_bootstrap: Vec::new(),
        };
        let named = ["their.node:1".to_owned()];
        assert_eq!(names(&ways, &named)[..1], named);
        assert_eq!(names(&ways, &named)[1..], WELL_KNOWN);
        ways.dht_bootstrap.push("my.node:2".to_owned());
        assert_eq!(names(&ways, &named), ["my.node:2"]);
    }
}
