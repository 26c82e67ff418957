//! A torrent as it is typed: the name of a file, or a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use swarm_core::metainfo::{Metainfo, MetainfoError, TorrentLink, nodes_of_torrent};

use crate::Error;
use crate::text::plain;

/// What was typed.
pub(super) enum Source {
    /// And the nodes of the DHT that its file names.
    Torrent(Metainfo, Vec<String>),
    Link(TorrentLink),
}

impl Source {
    /// A file of that name wins over a link.
    pub(super) fn read(text: &OsStr) -> Result<Self, Error> {
        let path = Path::new(text);
        if path.exists() {
            return read_torrent(path);
        }
        let looks_like_a_file = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("torrent"));
        match text.to_string_lossy().parse::<TorrentLink>() {
            Ok(link) => Ok(Source::Link(link)),
            // The system says it best.
            Err(_) if looks_like_a_file => read_torrent(path),
            Err(source) => Err(Error::Link {
                text: shortened(&text.to_string_lossy()),
                source,
            }),
        }
    }
}

fn read_torrent(path: &Path) -> Result<Source, Error> {
    let mut bytes = Vec::new();
    // One byte more than is accepted is enough to refuse it.
    let limit = Metainfo::MAX_LENGTH as u64 + 1;
    let file = File::open(path).map_err(Error::file("read", path))?;
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(Error::file("read", path))?;
    let metainfo = Metainfo::from_torrent(&bytes).map_err(|source| Error::Torrent {
        path: path.to_owned(),
        // What was not read is not what is wrong with it.
        source: match bytes.len() > Metainfo::MAX_LENGTH {
            true => too_large(),
            false => source,
        },
    })?;
    Ok(Source::Torrent(metainfo, nodes_of_torrent(&bytes)))
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
