//! What each command takes.

mod dht;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use swarm_core::metainfo::WebSeedAddress;

pub(crate) use dht::{
    Dht, DhtCommand, DhtCommon, DhtWays, GetValue, Key, Lookup, PutValue, Table, hex,
};

use crate::error::Error;
use crate::pace::{Pace, SeedLimits};
use crate::recording::Recording;

/// Keeps torrents out of the DHT, for who never wants them there.
const NO_DHT: &str = "TABSWARM_NO_DHT";

/// Shares files and folders.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// A file or a folder; several become one folder. Symbolic links, pipes and devices
    /// within folders are left out.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) shape: Shape,
    #[command(flatten)]
    pub(crate) ways: Ways,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) enough: SeedLimits,
    #[command(flatten)]
    pub(crate) record: ToRecord,
}

/// Fetches a torrent.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// A .torrent file, a share link, a magnet link or an info-hash; `-` reads one of them from
    /// standard input.
    #[arg(value_name = "TORRENT")]
    pub(crate) torrent: OsString,
    /// Where the files go; made if it is not there. A file is called NAME.xxxxxxxx.part until
    /// all of it is there. Files that have its name already are checked: they are taken if
    /// they are what the torrent has, and otherwise left alone, which is an error.
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FOLDER",
        default_value = "."
    )]
    pub(crate) output: PathBuf,
    /// Replace files of the torrent's names that are not what it has, each once what replaces
    /// it is complete. What is right in them is not fetched again.
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) ways: Ways,
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Fetch the pieces in order, for looking into a file while it arrives. Slower for the
    /// swarm as a whole, which does best when the rarest pieces go first.
    #[arg(long)]
    pub(crate) sequential: bool,
    /// Once everything is here, go on sharing it until Ctrl-C, or for as long as --seed-ratio or
    /// --seed-time say: those alone will do as well.
    #[arg(long)]
    pub(crate) seed: bool,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) enough: SeedLimits,
    #[command(flatten)]
    pub(crate) record: ToRecord,
}

/// Says how others are found and reached.
#[derive(Debug, Args)]
pub(crate) struct Ways {
    /// A tracker to meet others at, beside those of the torrent; may be given several times.
    /// A Tabswarm server (ws://host:8080, or the address of its page), or one of ordinary
    /// BitTorrent (http://host/announce, https://host/announce, udp://host:port). If no
    /// Tabswarm server is named, that of the environment variable TABSWARM_TRACKER; if no
    /// tracker, peer or DHT node is, ws://127.0.0.1:8080/swarm.
    #[arg(long = "tracker", value_name = "ADDRESS")]
    pub(crate) trackers: Vec<String>,
    /// A peer to call by TCP; may be given several times.
    #[arg(long = "peer", value_name = "HOST:PORT", value_parser = dht_node::host_and_port)]
    pub(crate) peers: Vec<String>,
    /// The port at which others can call us by TCP; any that is free, if it is 0.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Use no TCP: neither call peers nor listen.
    #[arg(long)]
    pub(crate) no_tcp: bool,
    /// Neither look for peers in the local network nor tell it of the torrent (BEP 14).
    #[arg(long)]
    pub(crate) no_lsd: bool,
    /// Make no WebRTC connections: be linked with tabs through the relay alone, and with
    /// WebTorrent's clients not at all.
    #[arg(long)]
    pub(crate) no_webrtc: bool,
    #[command(flatten)]
    pub(crate) dht: DhtWays,
    /// Neither look for peers in the DHT nor announce the torrent there (BEP 5). Otherwise
    /// everybody can find it there, unless it is private. The environment variable
    /// TABSWARM_NO_DHT=1 says the same where neither of the other two options is given.
    #[arg(long, conflicts_with_all = ["dht_port", "dht_bootstrap"])]
    pub(crate) no_dht: bool,
    /// Be a bridge for tabs: what a tab that is linked with us asks for, and what only other
    /// BitTorrent clients have, we fetch from those and pass on. Tabs choose what that is. It
    /// takes eight torrents at once and 8 GB in the folder for temporary files (TMPDIR), each
    /// until ten minutes after the last tab has left, or for an hour if others want its place;
    /// --up and --down count for all together. Private torrents are not carried. Needs the DHT,
    /// TCP and WebRTC.
    #[arg(long, conflicts_with_all = ["no_dht", "no_tcp", "no_webrtc", "relay_only"])]
    pub(crate) bridge: bool,
    /// Use nothing but Tabswarm servers and their relay: no peer learns our address.
    #[arg(long, conflicts_with_all = ["peers", "port", "dht_port", "dht_bootstrap"])]
    pub(crate) relay_only: bool,
}

impl Ways {
    /// The DHT is one of them.
    pub(crate) fn has_dht(&self) -> bool {
        let off = std::env::var_os(NO_DHT).is_some_and(|it| !it.is_empty() && it != "0");
        let tcp = !self.no_tcp && !self.relay_only;
        tcp && !self.no_dht && (self.dht.is_asked_for() || !off)
    }
}

/// Chooses among a torrent's files.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Fetch only files that match; may be given several times. Without it, those that the
    /// link asks for (so=), or all. A pattern is a file's name,
    /// a folder's (all that is in it), or a part of the path with / between the names, as
    /// `show` lists them; * stands for any characters, / too, ? for one. Case counts.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Leave out files that match, even those that --only names; may be given several times.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) skip: Vec<String>,
}

/// Records the session.
#[derive(Debug, Args)]
pub(crate) struct ToRecord {
    /// Record all that this peer is told, with its time, for `lab replay`. The file must
    /// not be there yet. It grows by every byte that is received or read, and whoever has
    /// it can see what was shared and with whom.
    #[arg(long = "record", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl ToRecord {
    /// The recording, if one is wanted.
    pub(crate) fn begin(&self) -> Result<Option<Recording>, Error> {
        self.file.as_deref().map(Recording::create).transpose()
    }
}

/// Makes a .torrent file.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// A file or a folder; several become one folder. Symbolic links, pipes and devices
    /// within folders are left out.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The .torrent file to write; one that is there is replaced. `-` writes it to standard output,
    /// and says the info-hash on standard error.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) shape: Shape,
    /// A tracker to name in it; may be given several times.
    #[arg(long = "tracker", value_name = "ADDRESS")]
    pub(crate) trackers: Vec<String>,
    /// Ask peers to use no other way to find each other than its trackers (BEP 27).
    #[arg(long)]
    pub(crate) private: bool,
}

/// How files become a torrent.
#[derive(Debug, Args)]
pub(crate) struct Shape {
    /// What to call it. By default like the file or the folder.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Bytes of a piece, a power of two from 16K to 64M; K and M may be used. By default it
    /// is chosen by size.
    #[arg(long, value_name = "BYTES", value_parser = piece_length)]
    pub(crate) piece_length: Option<u32>,
    /// An address at which the files can be had by HTTP (http:// or https://, BEP 19); may be
    /// given several times. Of a single file its own address, or that of the folder it is in
    /// (with / at the end); of a folder the address of what that is in. Who lacks pieces that no
    /// peer gives fetches them from there.
    #[arg(long = "web-seed", value_name = "URL", value_parser = web_seed)]
    pub(crate) web_seeds: Vec<String>,
}

/// Shows a torrent.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A .torrent file, a share link, a magnet link or an info-hash; `-` reads one of them from
    /// standard input.
    #[arg(value_name = "TORRENT")]
    pub(crate) torrent: OsString,
    /// As one JSON object: name, info_hash, piece_length and length (in bytes), pieces (how many),
    /// files (path and length of each), trackers, web_seeds, private. What a link does not tell is
    /// null.
    #[arg(long)]
    pub(crate) json: bool,
}

/// An address in one way of writing.
fn web_seed(text: &str) -> Result<String, String> {
    let address = WebSeedAddress::parse(text.trim());
    let address = address.map_err(
        |_| "it must be an address such as https://example.org/files/, all of it percent-encoded",
    )?;
    Ok(address.as_str().to_owned())
}

fn piece_length(text: &str) -> Result<u32, String> {
    let upper = text.trim().to_ascii_uppercase();
    let upper = upper.trim_end_matches("IB").trim_end_matches('B');
    let (digits, unit) = match upper.as_bytes().last() {
        Some(b'K') => (&upper[..upper.len() - 1], 1 << 10),
        Some(b'M') => (&upper[..upper.len() - 1], 1 << 20),
        _ => (upper, 1),
    };
    let bytes = digits
        .trim()
        .parse::<u32>()
        .ok()
        .and_then(|n| n.checked_mul(unit));
    bytes
        .filter(|n| n.is_power_of_two() && (16 << 10..=64 << 20).contains(n))
        .ok_or_else(|| "it must be a power of two from 16K to 64M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn piece_lengths_are_powers_of_two_with_or_without_units() {
        for (text, bytes) in [
            ("16384", 16 << 10),
            ("16K", 16 << 10),
            ("1m", 1 << 20),
            ("64MiB", 64 << 20),
        ] {
            assert_eq!(piece_length(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "K",
            "8K",
            "100000",
            "128M",
            "-16384",
            "99999999999M",
            "ü",
            "1G",
        ] {
            assert!(piece_length(text).is_err(), "{text}");
        }
    }
}
