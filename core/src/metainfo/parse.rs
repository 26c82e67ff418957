//! From bytes to a checked [`Metainfo`].
//!
//! The info dictionary travels as it came, because its bytes are what is hashed (BEP 3).
//! Hybrid torrents (BEP 52) are read through their v1 keys.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_bytes::ByteBuf;

use super::{File, Inner, Metainfo, MetainfoError, trackers, tree};
use crate::bencode::{self, Dict, Limits};
use crate::id::InfoHash;
use crate::pieces::Layout;

/// What a torrent may take of our memory while it is read.
pub(super) const LIMITS: Limits = Limits {
    length: Metainfo::MAX_LENGTH,
    // A hybrid torrent's file tree takes one for each folder.
    depth: 100,
    values: 2_000_000,
};

#[derive(Deserialize)]
struct RawTorrent {
    announce: Option<ByteBuf>,
    /// Tiers (BEP 12).
    #[serde(rename = "announce-list")]
    announce_list: Option<Vec<Vec<ByteBuf>>>,
}

/// An info dictionary but for `pieces`, which is not copied.
#[derive(Deserialize)]
struct RawInfo {
    name: Option<ByteBuf>,
    /// Beside a `name` in some older encoding.
    #[serde(rename = "name.utf-8")]
    name_utf8: Option<ByteBuf>,
    #[serde(rename = "piece length")]
    piece_length: i64,
    length: Option<i64>,
    files: Option<Vec<Dict<RawFile>>>,
    private: Option<i64>,
}

#[derive(Deserialize)]
struct RawFile {
    length: Option<i64>,
    path: Option<Vec<ByteBuf>>,
    #[serde(rename = "path.utf-8")]
    path_utf8: Option<Vec<ByteBuf>>,
    /// A letter for each attribute (BEP 47): `p` padding, `l` symbolic link.
    attr: Option<ByteBuf>,
}

/// A file before its path is checked.
struct Draft {
    path: Vec<String>,
    length: u64,
    padding: bool,
}

/// Reads a `.torrent` file.
pub(super) fn torrent(bytes: &[u8]) -> Result<Metainfo, MetainfoError> {
    let Dict(RawTorrent {
        announce,
        announce_list,
    }) = bencode::decode(bytes, LIMITS)?;
    let info = bencode::raw_value(bytes, b"info", LIMITS)?
        .ok_or_else(|| invalid("not a torrent file: it has no info dictionary"))?;
    let listed = announce_list.into_iter().flatten().flatten();
    // The list has the single address too, or is there instead of it (BEP 12).
    let addresses = listed.chain(announce).map(text);
    let info = Bytes::copy_from_slice(info);
    let info_hash = InfoHash::of(&info);
    checked(info, info_hash, trackers::clean(addresses))
}

/// Reads an info dictionary whose hash is known, with clean trackers.
pub(super) fn checked(
    info: Bytes,
    info_hash: InfoHash,
    trackers: Vec<String>,
) -> Result<Metainfo, MetainfoError> {
    let hashes = hashes(&info)?;
    let Dict(raw) = bencode::decode::<Dict<RawInfo>>(&info, LIMITS)?;
    let multi_file = raw.files.is_some();
    let private = raw.private.is_some_and(|flag| flag != 0);
    let piece_length = u32::try_from(raw.piece_length).map_err(|_| {
        let length = raw.piece_length;
        invalid(format!(
            "a piece length of {length} bytes is not acceptable"
        ))
    })?;
    let files = files(drafts(raw)?)?;
    let last = files.last().ok_or_else(|| invalid("it has no files"))?;
    let layout = Layout::new(last.offset + last.length, piece_length)
        .map_err(|error| invalid(error.to_string()))?;
    if hashes.len() as u64 != u64::from(layout.piece_count()) * 20 {
        return Err(invalid(format!(
            "{} pieces need {} bytes of hashes, not {}",
            layout.piece_count(),
            u64::from(layout.piece_count()) * 20,
            hashes.len()
        )));
    }
    Ok(Metainfo(Arc::new(Inner {
        info_hash,
        name: files[0].path.parts()[0].clone(),
        layout,
        hashes,
        files,
        multi_file,
        private,
        trackers,
        info,
    })))
}

/// The string under `pieces`, without a copy.
fn hashes(info: &Bytes) -> Result<Bytes, MetainfoError> {
    let raw = |key: &[u8]| bencode::raw_value(info, key, LIMITS);
    let Some(pieces) = raw(b"pieces")? else {
        let version_2 = raw(b"meta version")?.is_some() || raw(b"file tree")?.is_some();
        return Err(invalid(if version_2 {
            "a torrent of BitTorrent v2 alone; only v1 and hybrid torrents can be opened"
        } else {
            "the info dictionary has no piece hashes"
        }));
    };
    match pieces.iter().position(|byte| *byte == b':') {
        Some(colon) if pieces[0].is_ascii_digit() => Ok(info.slice_ref(&pieces[colon + 1..])),
        _ => Err(invalid("the piece hashes are not a string")),
    }
}

/// The files as they are described: one under its own name, or some in a folder.
fn drafts(raw: RawInfo) -> Result<Vec<Draft>, MetainfoError> {
    let name = raw.name_utf8.or(raw.name).map(text);
    let name = name.ok_or_else(|| invalid("the torrent has no name"))?;
    match (raw.length, raw.files) {
        (Some(_), Some(_)) => Err(invalid("it says that it is a file and a folder at once")),
        (None, None) => Err(invalid("it says neither its length nor its files")),
        (Some(length), None) => Ok(vec![Draft {
            path: vec![name],
            length: checked_length(length)?,
            padding: false,
        }]),
        (None, Some(files)) if files.len() > Metainfo::MAX_FILES => {
            Err(invalid(format!("{} files are too many", files.len())))
        }
        (None, Some(files)) => {
            let files = files.into_iter();
            files.map(|Dict(file)| draft(&name, file)).collect()
        }
    }
}

fn draft(folder: &str, raw: RawFile) -> Result<Draft, MetainfoError> {
    let attributes = raw.attr.unwrap_or_default();
    let length = match raw.length {
        Some(length) => checked_length(length)?,
        // A symbolic link, which becomes an empty file: we never follow or create links.
        None if attributes.contains(&b'l') => 0,
        None => return Err(invalid("a file has no length")),
    };
    let below = raw.path_utf8.or(raw.path).unwrap_or_default();
    if below.is_empty() {
        return Err(invalid("a file has no path"));
    }
    let mut path = vec![folder.to_owned()];
    path.extend(below.into_iter().map(text));
    Ok(Draft {
        path,
        length,
        padding: attributes.contains(&b'p'),
    })
}

fn files(drafts: Vec<Draft>) -> Result<Vec<File>, MetainfoError> {
    let paths = tree::distinct_paths(drafts.iter().map(|draft| draft.path.as_slice()))
        .map_err(|error| invalid(error.to_string()))?;
    let mut offset = 0_u64;
    let file = |((draft, path), number): ((Draft, _), u32)| {
        let file = File {
            path,
            number,
            length: draft.length,
            offset,
            padding: draft.padding,
        };
        offset = offset
            .checked_add(draft.length)
            .ok_or_else(|| invalid("the files are too long together"))?;
        Ok(file)
    };
    drafts.into_iter().zip(paths).zip(0..).map(file).collect()
}

fn checked_length(length: i64) -> Result<u64, MetainfoError> {
    u64::try_from(length).map_err(|_| invalid("a file has a negative length"))
}

/// Text in an encoding that is not UTF-8 loses what can't be read; the same for everybody.
fn text(bytes: ByteBuf) -> String {
    String::from_utf8(bytes.into_vec())
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn invalid(what: impl Into<String>) -> MetainfoError {
    MetainfoError::Invalid(what.into())
}
