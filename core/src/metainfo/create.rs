//! Making a torrent out of files.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde_bytes::ByteBuf;

use super::path::{self, SafePath};
use super::{Metainfo, parse, tree};
use crate::bencode;
use crate::id::InfoHash;
use crate::pieces::Layout;

/// A file that is to be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its path, below the folder that is shared; one part for a single file.
    pub path: Vec<String>,
    /// Bytes.
    pub length: u64,
}

/// Why a torrent can't be made of these files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// There are none.
    #[error("there is nothing to share")]
    NoFiles,
    /// All are empty.
    #[error("there is nothing to share: every file is empty")]
    Empty,
    /// Something about one of them, in words.
    #[error("{0}")]
    Invalid(String),
}

/// A torrent being made: lays the files out, takes the pieces' hashes, in any order.
#[derive(Clone, Debug)]
pub struct Builder {
    /// With paths made harmless and distinct already, so that no reader has to rename.
    name: String,
    content: Content,
    layout: Layout,
}

#[derive(Clone, Debug)]
enum Content {
    File,
    Folder(Vec<FileEntry>),
}

/// Room in a `.torrent` file for its trackers and all that is not the info dictionary.
const RESERVE: usize = 256 << 10;

impl Builder {
    /// One file under its own name (a path of one part and `folder` none), or a folder
    /// of files. `piece_length` none chooses one by size.
    ///
    /// The files keep their order: the n-th one here is the n-th of [`Metainfo::files`],
    /// whose path differs from the one given where that is not good on every platform.
    pub fn new(
        folder: Option<&str>,
        files: Vec<NewFile>,
        piece_length: Option<u32>,
    ) -> Result<Self, CreateError> {
        let length = total(&files)?;
        let piece_length = piece_length.unwrap_or_else(|| piece_length_for(length));
        let layout = Layout::new(length, piece_length).map_err(invalid)?;
        let (name, content) = match folder {
            None => (single_file(&files)?, Content::File),
            Some(folder) => contents(folder, files)?,
        };
        let builder = Builder {
            name,
            content,
            layout,
        };
        let hashes = layout.piece_count() as usize * 20;
        let rest = builder.info(Vec::new(), true);
        if hashes + rest.len() + RESERVE > Metainfo::MAX_LENGTH
            || bencode::value_length(&rest, parse::LIMITS).is_err()
        {
            return Err(invalid(
                "the torrent would be too large: take longer pieces or fewer files",
            ));
        }
        Ok(builder)
    }

    /// How the files are cut into pieces; read them in this order and hash each.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The torrent, from the hashes of all pieces in order, twenty bytes each.
    /// Panics when there are more or fewer.
    pub fn finish(self, hashes: Vec<u8>, trackers: Vec<String>, private: bool) -> Metainfo {
        let info = Bytes::from(self.info(hashes, private));
        let info_hash = InfoHash::of(&info);
        Metainfo::from_info(info, info_hash, trackers)
            .expect("twenty bytes for each piece of a layout that was checked")
    }

    fn info(&self, hashes: Vec<u8>, private: bool) -> Vec<u8> {
        let (length, files) = match &self.content {
            Content::File => (Some(self.layout.total_length()), None),
            Content::Folder(files) => (None, Some(files.as_slice())),
        };
        bencode::encode(&Info {
            files,
            length,
            name: &self.name,
            piece_length: self.layout.piece_length(),
            pieces: ByteBuf::from(hashes),
            private: private.then_some(1),
        })
    }
}

#[derive(Serialize)]
struct Info<'a> {
    files: Option<&'a [FileEntry]>,
    length: Option<u64>,
    name: &'a str,
    #[serde(rename = "piece length")]
    piece_length: u32,
    pieces: ByteBuf,
    private: Option<u8>,
}

#[derive(Clone, Debug, Serialize)]
struct FileEntry {
    length: u64,
    path: Vec<String>,
}

fn total(files: &[NewFile]) -> Result<u64, CreateError> {
    if files.is_empty() {
        return Err(CreateError::NoFiles);
    }
    if files.len() > Metainfo::MAX_FILES {
        return Err(invalid(format!("{} files are too many", files.len())));
    }
    let mut lengths = files.iter().map(|file| file.length);
    let length = lengths.try_fold(0_u64, u64::checked_add);
    match length.ok_or_else(|| invalid("the files are too long together"))? {
        0 => Err(CreateError::Empty),
        length => Ok(length),
    }
}

fn single_file(files: &[NewFile]) -> Result<String, CreateError> {
    match files {
        [file] if file.path.len() == 1 => {
            let name = path::harmless(&file.path[0]);
            name.ok_or_else(|| invalid("a file has no name that can be shared"))
        }
        _ => Err(invalid("several files need a folder's name")),
    }
}

fn contents(folder: &str, files: Vec<NewFile>) -> Result<(String, Content), CreateError> {
    if files.iter().any(|file| file.path.is_empty()) {
        return Err(invalid("a file has no name"));
    }
    let folder = path::harmless(folder);
    let folder = folder.ok_or_else(|| invalid("the folder has no name that can be shared"))?;
    let mut paths = Vec::with_capacity(files.len());
    let mut lengths = Vec::with_capacity(files.len());
    for file in files {
        let below = SafePath::new(&file.path).map_err(invalid)?;
        let below = below.parts().iter().map(|part| no_padding(part));
        paths.push(
            [folder.clone()]
                .into_iter()
                .chain(below)
                .collect::<Vec<_>>(),
        );
        lengths.push(file.length);
    }
    let paths = tree::distinct_paths(paths.iter().map(Vec::as_slice)).map_err(invalid)?;
    let name = paths[0].parts()[0].clone();
    let entries = lengths
        .into_iter()
        .zip(paths)
        .map(|(length, path)| FileEntry {
            length,
            path: path.parts()[1..].to_vec(),
        });
    Ok((name, Content::Folder(entries.collect())))
}

/// A name that nobody takes for padding, not even of a padding file that BitComet left.
fn no_padding(part: &str) -> String {
    part.replace(parse::BITCOMET_PADDING, "_padding-file_")
}

fn invalid(what: impl fmt::Display) -> CreateError {
    CreateError::Invalid(what.to_string())
}

/// The piece length for this many bytes: 256 KiB up to 64 MiB, 1 MiB up to 2 GiB, then the
/// power of two that makes at most 2048 pieces, and never more than 16 MiB.
///
/// A piece is what a tab writes at once and what it can serve on: IndexedDB takes whole
/// mebibytes fastest (measured: 190 MB/s in values of 1 MiB, 145 in values of 256 KiB, and
/// far less below), while a small torrent needs enough pieces for its peers to have different
/// ones. More than some thousand pieces make long bitfields and much bookkeeping, and pieces
/// above 16 MiB take too much of a tab's memory while they are incomplete.
pub fn piece_length_for(length: u64) -> u32 {
    const MIB: u32 = 1 << 20;
    if length <= 64 * u64::from(MIB) {
        return MIB / 4;
    }
    let mut piece_length = MIB;
    while piece_length < 16 * MIB && length > 2048 * u64::from(piece_length) {
        piece_length *= 2;
    }
    piece_length
}
