//! `native-peer dht lookup`

use std::process::ExitCode;

use serde::Serialize;
use swarm_core::dht::{NodeId, Request};

use super::inquiry::{Answer, Inquiry};
use super::show::{Found, tell, tell_json};
use crate::Error;
use crate::arguments::Lookup;
use crate::commands::session::runtime;
use crate::commands::source::Source;
use crate::text::complain;

/// The names are a promise to scripts.
#[derive(Serialize)]
struct Peers {
    info_hash: String,
    peers: Vec<String>,
    #[serde(flatten)]
    found: Found,
}

pub(super) fn run(arguments: &Lookup) -> Result<ExitCode, Error> {
    let info_hash = match Source::read(&arguments.torrent)? {
        Source::Link(link, _) => link.info_hash,
        Source::Torrent(metainfo, _) if metainfo.is_private() => {
            return Err(Error::Usage(
                "a private torrent is not looked for in the DHT".to_owned(),
            ));
        }
        Source::Torrent(metainfo, _) => metainfo.info_hash(),
    };
    let asked = runtime()?.block_on(async {
        let inquiry = Inquiry::begin(&arguments.common)?;
        inquiry.ask(Request::Search(info_hash)).await
    })?;
    let answer = match asked {
        Ok(answer) => answer,
        Err(code) => return Ok(code.into()),
    };
    let Answer {
        peers,
        stats,
        closest,
        failure,
        ..
    } = answer;
    if let Some(failure) = failure {
        return Err(Error::Other(failure.to_string()));
    }
    let found = Found::new(NodeId::from(info_hash), &stats, &closest);
    let peers: Vec<String> = peers.iter().map(ToString::to_string).collect();
    let none = peers.is_empty();
    if arguments.common.json {
        let info_hash = info_hash.to_string();
        tell_json(&Peers {
            info_hash,
            peers,
            found,
        })?;
    } else {
        for peer in &peers {
            tell(peer)?;
        }
        for line in found.in_words("the first peer") {
            complain(&line);
        }
        match peers.len() {
            0 => complain("nobody announced this torrent"),
            1 => complain("1 peer"),
            n => complain(&format!("{n} peers")),
        }
    }
    Ok(ExitCode::from(u8::from(none)))
}
