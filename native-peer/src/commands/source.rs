//! A torrent as it is typed: the name of a file, or a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;

use swarm_core::metainfo::{
    Metainfo, MetainfoError, TorrentLink, TorrentLinkError, nodes_of_torrent, peers_of_link,
};

use crate::Error;
use crate::text::plain;

/// What was typed.
pub(super) enum Source {
    /// And the nodes of the DHT that its file names.
    Torrent(Metainfo, Vec<String>),
    /// And the peers that it names.
    Link(TorrentLink, Vec<SocketAddr>),
}

impl Source {
    /// A file of that name wins over a link, and `-` is whatever comes by standard input.
    pub(super) fn read(text: &OsStr) -> Result<Self, Error> {
        if text == "-" {
            return read_input();
        }
        let path = Path::new(text);
        if path.exists() {
            return read_torrent(path);
        }
        let looks_like_a_file = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("torrent"));
        let text = text.to_string_lossy();
        match link(&text) {
            Ok(link) => Ok(link),
            // The system says it best.
            Err(_) if looks_like_a_file => read_torrent(path),
            Err(source) => Err(Error::Link {
                text: shortened(&text),
                source,
            }),
        }
    }
}

fn link(text: &str) -> Result<Source, TorrentLinkError> {
    Ok(Source::Link(text.parse()?, peers_of_link(text)))
}

/// A `.torrent` file or a link.
fn read_input() -> Result<Source, Error> {
    let name = Path::new("standard input");
    let bytes = read_all(io::stdin().lock(), name)?;
    match str::from_utf8(&bytes).map(|text| link(text.trim())) {
        Ok(Ok(link)) => Ok(link),
        _ => torrent(&bytes, name),
    }
}

fn read_torrent(path: &Path) -> Result<Source, Error> {
    let file = File::open(path).map_err(Error::file("read", path))?;
    torrent(&read_all(file, path)?, path)
}

fn read_all(from: impl Read, name: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    // One byte more than is accepted is enough to refuse it.
    let limit = Metainfo::MAX_LENGTH as u64 + 1;
    from.take(limit)
        .read_to_end(&mut bytes)
        .map_err(Error::file("read", name))?;
    Ok(bytes)
}

fn torrent(bytes: &[u8], name: &Path) -> Result<Source, Error> {
    let metainfo = Metainfo::from_torrent(bytes).map_err(|source| Error::Torrent {
        path: name.to_owned(),
        // What was not read is not what is wrong with it.
        source: match bytes.len() > Metainfo::MAX_LENGTH {
            true => too_large(),
            false => source,
        },
    })?;
    Ok(Source::Torrent(metainfo, nodes_of_torrent(bytes)))
}

fn too_large() -> MetainfoError {
    let limit = Metainfo::MAX_LENGTH >> 20;
    MetainfoError::Invalid(format!("it is larger than {limit} MiB"))
}

/// Enough of a text to recognise it by.
fn shortened(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut short: String = plain(text).chars().take(LIMIT).collect();
    if text.chars().count() > LIMIT {
        short.push('…');
    }
    short
}
