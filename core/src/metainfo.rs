//! Torrents as files (BEP 3) and as links (BEP 9).

use std::sync::Arc;

use bytes::Bytes;

use crate::bencode;
use crate::id::InfoHash;
use crate::pieces::{Layout, Padding, PieceIndex};
use crate::wire;

pub mod address;
pub mod create;
mod fold;
pub mod link;
mod nodes;
mod padding;
mod parse;
pub mod path;
mod peers;
pub mod selection;
#[cfg(test)]
mod tests;
mod trackers;
mod tree;
mod web_seed;

pub use address::{Origin, TrackerAddress, Unfit};
pub use create::{Builder, CreateError, NewFile, piece_length_for};
pub use link::{TorrentLink, TorrentLinkError};
pub use nodes::nodes_of_torrent;
pub use path::{PathError, SafePath};
pub use peers::peers_of_link;
pub use selection::Selection;
pub use web_seed::WebSeedAddress;

/// A torrent's description: all that is needed to fetch and verify it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metainfo(Arc<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    info_hash: InfoHash,
    /// The info dictionary as it came, because its bytes are what is hashed.
    info: Bytes,
    name: String,
    layout: Layout,
    padding: Padding,
    /// Bytes of all files.
    length: u64,
    /// Twenty bytes for each piece.
    hashes: Bytes,
    files: Vec<File>,
    multi_file: bool,
    private: bool,
    trackers: Vec<String>,
    /// How many of them, from the first on, are in each tier (BEP 12); those beyond have one each.
    tiers: Vec<usize>,
    web_seeds: Vec<String>,
    names: Names,
}

/// What the torrent calls things that have another name here, because that is not good on every
/// platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    torrent: Option<String>,
    /// The paths of files below the torrent's folder, by index, in order.
    files: Vec<(usize, Vec<String>)>,
}

/// One file of a torrent. Padding (BEP 47) is none: see [`Metainfo::padding`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it goes, relative to the download folder; for a multi-file torrent the
    /// first part is the torrent's name.
    pub path: SafePath,
    /// Bytes.
    pub length: u64,
    /// Its first byte within the torrent.
    pub offset: u64,
    /// Its place in the info dictionary's list, counted from zero, padding included; links
    /// name files by it (BEP 53).
    pub number: u32,
}

/// A stretch of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSpan {
    /// The first byte within the stretch of the torrent that was asked for. Between two spans
    /// is padding: zeros.
    pub begin: u32,
    /// Index into [`Metainfo::files`].
    pub file: usize,
    /// The first byte within the file.
    pub offset: u64,
    /// How many bytes; never zero.
    pub length: u32,
}

/// Why some bytes are not a torrent that we can take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetainfoError {
    /// Not bencoding, or the wrong shape.
    #[error("not a torrent file: {0}")]
    Bencode(#[from] crate::bencode::BencodeError),
    /// The info dictionary's hash is not the one that was asked for.
    #[error("the metadata does not match its info-hash")]
    WrongInfoHash,
    /// Anything else, in words.
    #[error("{0}")]
    Invalid(String),
}

impl Metainfo {
    /// The longest `.torrent` file accepted, in bytes.
    pub const MAX_LENGTH: usize = wire::MAX_METADATA;

    /// The most files of a torrent, padding included: some 100 MiB while it is read.
    pub const MAX_FILES: usize = 1 << 18;

    /// Reads a `.torrent` file.
    pub fn from_torrent(bytes: &[u8]) -> Result<Self, MetainfoError> {
        parse::torrent(bytes)
    }

    /// Reads an info dictionary that came from a peer (BEP 9).
    pub fn from_info(
        info: Bytes,
        expected: InfoHash,
        trackers: Vec<String>,
    ) -> Result<Self, MetainfoError> {
        if InfoHash::of(&info) != expected {
            return Err(MetainfoError::WrongInfoHash);
        }
        parse::checked(info, expected, trackers::clean(trackers))
    }

    /// The bytes of a `.torrent` file: the info dictionary as it came, the trackers and the web
    /// seeds.
    /// A hybrid torrent's `piece layers` (BEP 52) are not among them.
    pub fn to_torrent(&self) -> Vec<u8> {
        let mut torrent = b"d".to_vec();
        if let Some(first) = self.trackers().first() {
            torrent.extend(bencode::encode(&"announce"));
            torrent.extend(bencode::encode(first));
        }
        if self.trackers().len() > 1 {
            let tiers: Vec<&[String]> = self.tiers().collect();
            torrent.extend(bencode::encode(&"announce-list"));
            torrent.extend(bencode::encode(&tiers));
        }
        torrent.extend(bencode::encode(&"info"));
        torrent.extend_from_slice(self.info());
        if !self.web_seeds().is_empty() {
            torrent.extend(bencode::encode(&"url-list"));
            torrent.extend(bencode::encode(&self.web_seeds()));
        }
        torrent.push(b'e');
        torrent
    }

    /// The torrent's info-hash.
    pub fn info_hash(&self) -> InfoHash {
        self.0.info_hash
    }
    /// The info dictionary's bytes.
    pub fn info(&self) -> &Bytes {
        &self.0.info
    }
    /// The torrent's name: of its file, or of its folder. The first part of every path, and
    /// as harmless.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// How it is cut into pieces.
    pub fn layout(&self) -> &Layout {
        &self.0.layout
    }
    /// The SHA-1 that a piece must have.
    pub fn piece_hash(&self, piece: PieceIndex) -> [u8; 20] {
        let (hashes, _) = self.0.hashes.as_chunks();
        hashes[piece.as_usize()]
    }
    /// Which of its bytes are padding (BEP 47): part of what is hashed and sent, but zeros,
    /// and of no file.
    pub fn padding(&self) -> &Padding {
        &self.0.padding
    }
    /// Pieces that are padding and nothing else, and as it should be: everybody has them.
    pub fn pieces_of_padding(&self) -> Vec<PieceIndex> {
        padding::pieces(self)
    }
    /// Bytes of a piece up to its last that is no padding: what must be kept of it.
    pub fn kept_length(&self, piece: PieceIndex) -> u32 {
        let last = self.piece_spans(piece).last();
        last.map_or(0, |span| span.begin + span.length)
    }
    /// Bytes of all files, padding not counted.
    pub fn length(&self) -> u64 {
        self.0.length
    }
    /// Its files, in order. At least one.
    pub fn files(&self) -> &[File] {
        &self.0.files
    }
    /// It is a folder, even if of one file.
    pub fn is_multi_file(&self) -> bool {
        self.0.multi_file
    }
    /// Peers only from its own trackers (BEP 27).
    pub fn is_private(&self) -> bool {
        self.0.private
    }
    /// Tracker addresses (BEP 12), flattened, in order, each once, at most a hundred. Of any
    /// scheme, and nothing else checked of them.
    pub fn trackers(&self) -> &[String] {
        &self.0.trackers
    }
    /// The same, tier by tier: one of each is to be announced to (BEP 12).
    pub fn tiers(&self) -> impl Iterator<Item = &[String]> {
        let mut rest = self.trackers();
        let mut lengths = self.0.tiers.iter().copied();
        std::iter::from_fn(move || {
            let length = lengths.next().unwrap_or(1).min(rest.len());
            let (tier, others) = rest.split_at(length);
            rest = others;
            (!tier.is_empty()).then_some(tier)
        })
    }
    /// A copy with these trackers, each with the number of its tier, clean and in order.
    fn with_tiers(&self, trackers: Vec<(usize, String)>) -> Self {
        let mut inner = Inner::clone(&self.0);
        let tiers = trackers.chunk_by(|(a, _), (b, _)| a == b);
        inner.tiers = tiers.map(<[_]>::len).collect();
        if inner.tiers.iter().all(|length| *length == 1) {
            inner.tiers.clear();
        }
        inner.trackers = trackers.into_iter().map(|(_, tracker)| tracker).collect();
        Metainfo(Arc::new(inner))
    }
    /// A copy with these trackers (they are not part of the info-hash), without those that
    /// can't be addresses.
    #[must_use]
    pub fn with_trackers(&self, trackers: Vec<String>) -> Self {
        let mut inner = Inner::clone(&self.0);
        inner.trackers = trackers::clean(trackers);
        inner.tiers = Vec::new();
        Metainfo(Arc::new(inner))
    }
    /// Addresses of web seeds (BEP 19), in order, each once, at most 32, all of them of the form
    /// that [`WebSeedAddress::parse`] reads.
    pub fn web_seeds(&self) -> &[String] {
        &self.0.web_seeds
    }

    /// A copy with these web seeds (they are not part of the info-hash), without those that
    /// can't be used.
    #[must_use]
    pub fn with_web_seeds(&self, web_seeds: Vec<String>) -> Self {
        let mut inner = Inner::clone(&self.0);
        inner.web_seeds = web_seed::clean(web_seeds);
        Metainfo(Arc::new(inner))
    }

    /// The path of a file as the torrent has it, with the torrent's name first: harmless
    /// nowhere but in an address.
    fn names_of(&self, file: usize) -> impl Iterator<Item = &str> {
        let Names { torrent, files } = &self.0.names;
        let safe = self.files()[file].path.parts();
        let name = torrent.as_ref().unwrap_or(&safe[0]);
        let renamed = files.binary_search_by_key(&file, |(index, _)| *index);
        let below = renamed.map_or(&safe[1..], |found| &files[found].1);
        let names = [name].into_iter().chain(below).map(String::as_str);
        // Those lead elsewhere, and are no names.
        names.filter(|name| !matches!(*name, "" | "." | ".."))
    }

    /// The stretches of files that `length` bytes from `offset` in the torrent cover, in
    /// order, padding and files of length zero left out.
    pub fn spans(&self, offset: u64, length: u32) -> impl Iterator<Item = FileSpan> + '_ {
        let end = offset.saturating_add(u64::from(length));
        let first = self
            .files()
            .partition_point(|file| file.offset + file.length <= offset);
        let files = self.files().iter().enumerate().skip(first);
        files
            .take_while(move |(_, file)| file.offset < end)
            .filter(|(_, file)| file.length > 0)
            .map(move |(index, file)| {
                let from = offset.max(file.offset);
                let to = end.min(file.offset + file.length);
                let short = |bytes| u32::try_from(bytes).expect("no more than was asked for");
                FileSpan {
                    begin: short(from - offset),
                    file: index,
                    offset: from - file.offset,
                    length: short(to - from),
                }
            })
    }
    /// The stretches of files that a piece covers.
    pub fn piece_spans(&self, piece: PieceIndex) -> impl Iterator<Item = FileSpan> + '_ {
        self.spans(self.layout().offset(piece), self.layout().length(piece))
    }
}
