//! From bytes to a checked [`Metainfo`].
//!
//! The info dictionary travels as it came, because its bytes are what is hashed (BEP 3).
//! Hybrid torrents (BEP 52) are read through their v1 keys.
//!
//! All kinds of programs made the torrents that are about, so whatever is not needed is
//! taken as it comes: a field of another type, or an empty one, counts as missing, and
//! unknown keys may be there twice. Keys that we read may not: two programs could then
//! disagree on what a torrent is.

use std::sync::Arc;

use bytes::Bytes;

use super::{File, Inner, Metainfo, MetainfoError, Names, path, trackers, tree, web_seed};
use crate::bencode::{DecodeLimits, Value};
use crate::id::InfoHash;
use crate::pieces::{Layout, Padding};

/// What a torrent may take of our memory while it is read.
pub(super) const LIMITS: DecodeLimits = DecodeLimits {
    length: Metainfo::MAX_LENGTH,
    // A hybrid torrent's file tree takes one for each folder.
    depth: 100,
    // Fifteen for each of the most files; six is usual.
    values: 4_000_000,
};

/// How BitComet, which knew no `attr`, names its padding.
pub(super) const BITCOMET_PADDING: &str = "_____padding_file_";

/// A file before its path is checked.
struct Draft {
    path: Vec<String>,
    length: u64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    /// It only fills its piece so that the next file begins on a new one (BEP 47).
    Padding,
    /// A file without a name or bytes, by which some programs say that a folder is empty.
    Placeholder,
}

/// Reads a `.torrent` file. What follows its dictionary (a line break, what an editor or a
/// server added) is not looked at.
pub(super) fn torrent(bytes: &[u8]) -> Result<Metainfo, MetainfoError> {
    let root = Value::first_of(bytes, LIMITS)?;
    let [info, announce, announce_list, url_list] = fields(
        root,
        "it",
        [b"info", b"announce", b"announce-list", b"url-list"],
    )?;
    let info = info.ok_or_else(|| invalid("not a torrent file: it has no info dictionary"))?;
    // The list has the single address too, or is there instead of it (BEP 12).
    let tiers = announce_list.and_then(Value::list).into_iter().flatten();
    // Some programs leave the tiers out.
    let listed = tiers.enumerate().flat_map(|(number, tier)| {
        let trackers = tier.list().into_iter().flatten().chain([tier]);
        trackers.map(move |tracker| (number, tracker))
    });
    let single = announce.map(|tracker| (usize::MAX, tracker));
    let addresses = listed.chain(single);
    let addresses = addresses.filter_map(|(tier, tracker)| Some((tier, text(tracker.string()?))));
    let trackers = trackers::clean_tiers(addresses);
    let info = Bytes::copy_from_slice(info.raw());
    let info_hash = InfoHash::of(&info);
    let metainfo = checked(info, info_hash, Vec::new())?;
    // A list, or a single one as a string (BEP 19).
    let seeds = url_list.into_iter();
    let seeds = seeds.flat_map(|urls| urls.list().into_iter().flatten().chain([urls]));
    let seeds = web_seed::clean(seeds.filter_map(|url| Some(text(url.string()?))));
    Ok(metainfo.with_tiers(trackers).with_web_seeds(seeds))
}

/// Reads an info dictionary whose hash is known, with clean trackers.
pub(super) fn checked(
    info: Bytes,
    info_hash: InfoHash,
    trackers: Vec<String>,
) -> Result<Metainfo, MetainfoError> {
    let fields = InfoFields::of(Value::of(&info, LIMITS)?)?;
    let pieces = fields.pieces()?;
    let name = fields.name(info_hash)?;
    let piece_length = fields.piece_length()?;
    let drafts = fields.drafts(&name)?;
    let (files, padding, length, renamed) = laid_out(drafts)?;
    let names = Names {
        torrent: fields.raw_name().filter(|raw| *raw != name),
        files: renamed,
    };
    if files.is_empty() && padding.is_empty() {
        return Err(invalid("it has no files"));
    }
    let layout = Layout::new(length, piece_length).map_err(|error| invalid(error.to_string()))?;
    let real = files.iter().map(|file| file.length).sum();
    if real == 0 {
        return Err(invalid("it has nothing but padding"));
    }
    let needed = u64::from(layout.piece_count()) * 20;
    if pieces.len() as u64 != needed {
        return Err(invalid(format!(
            "{} pieces need {needed} bytes of hashes, not {}",
            layout.piece_count(),
            pieces.len()
        )));
    }
    let hashes = info.slice_ref(pieces);
    let multi_file = fields.files().is_some();
    let private = fields.private.and_then(Value::integer).unwrap_or(0) != 0;
    Ok(Metainfo(Arc::new(Inner {
        info_hash,
        name,
        layout,
        padding,
        length: real,
        hashes,
        files,
        multi_file,
        private,
        trackers,
        tiers: Vec::new(),
        web_seeds: Vec::new(),
        names,
        info,
    })))
}

/// The values of an info dictionary that we read, of whatever type.
struct InfoFields<'a> {
    name: Option<Value<'a>>,
    /// Beside a `name` in some older encoding.
    name_utf8: Option<Value<'a>>,
    piece_length: Option<Value<'a>>,
    pieces: Option<Value<'a>>,
    length: Option<Value<'a>>,
    files: Option<Value<'a>>,
    private: Option<Value<'a>>,
    /// Something of version 2 is there.
    version_2: bool,
}

impl<'a> InfoFields<'a> {
    fn of(info: Value<'a>) -> Result<Self, MetainfoError> {
        let [
            name,
            name_utf8,
            piece_length,
            pieces,
            length,
            files,
            private,
            meta_version,
            file_tree,
        ] = fields(
            info,
            "the info dictionary",
            [
                b"name",
                b"name.utf-8",
                b"piece length",
                b"pieces",
                b"length",
                b"files",
                b"private",
                b"meta version",
                b"file tree",
            ],
        )?;
        Ok(InfoFields {
            name,
            name_utf8,
            piece_length,
            pieces,
            length,
            files,
            private,
            version_2: meta_version.is_some() || file_tree.is_some(),
        })
    }

    fn pieces(&self) -> Result<&'a [u8], MetainfoError> {
        let pieces = self.pieces.ok_or_else(|| {
            invalid(if self.version_2 {
                "a torrent of BitTorrent v2 alone; only v1 and hybrid torrents can be opened"
            } else {
                "the info dictionary has no piece hashes"
            })
        })?;
        let pieces = pieces.string();
        pieces.ok_or_else(|| invalid("the piece hashes are not a string"))
    }

    /// A name that is good on every platform: where there is none in it, the info-hash.
    fn name(&self, info_hash: InfoHash) -> Result<String, MetainfoError> {
        let name = self.raw_name();
        let name = name.ok_or_else(|| invalid("the torrent has no name"))?;
        Ok(path::harmless(&name).unwrap_or_else(|| info_hash.to_string()))
    }

    /// The name that it has.
    fn raw_name(&self) -> Option<String> {
        let utf8 = self.name_utf8.and_then(Value::string);
        let name = utf8.filter(|name| !name.is_empty());
        name.or_else(|| self.name.and_then(Value::string)).map(text)
    }

    fn piece_length(&self) -> Result<u32, MetainfoError> {
        let length = self.piece_length.and_then(Value::integer);
        let length = length.ok_or_else(|| invalid("the torrent has no piece length"))?;
        u32::try_from(length).map_err(|_| {
            invalid(format!(
                "a piece length of {length} bytes is not acceptable"
            ))
        })
    }

    /// The list of files, if it has any. A `length` beside it says nothing.
    fn files(&self) -> Option<impl Iterator<Item = Value<'a>> + use<'a>> {
        let mut files = self.files.and_then(Value::list)?.peekable();
        files.peek().is_some().then_some(files)
    }

    /// The files as they are described: one under its own name, or some in a folder.
    fn drafts(&self, name: &str) -> Result<Vec<Draft>, MetainfoError> {
        let Some(files) = self.files() else {
            let length = self.length.and_then(Value::integer);
            let length =
                length.ok_or_else(|| invalid("it says neither its length nor its files"))?;
            return Ok(vec![Draft {
                path: vec![name.to_owned()],
                length: checked_length(length)?,
                kind: Kind::File,
            }]);
        };
        let mut drafts = Vec::new();
        for file in files {
            if drafts.len() == Metainfo::MAX_FILES {
                return Err(invalid(format!(
                    "more than {} files are too many",
                    Metainfo::MAX_FILES
                )));
            }
            drafts.push(draft(name, file)?);
        }
        Ok(drafts)
    }
}

fn draft(folder: &str, file: Value<'_>) -> Result<Draft, MetainfoError> {
    let [length, plain, utf8, attr] = fields(
        file,
        "a file's description",
        [b"length", b"path", b"path.utf-8", b"attr"],
    )?;
    // A letter for each attribute (BEP 47).
    let attributes = attr.and_then(Value::string).unwrap_or_default();
    let length = if attributes.contains(&b'l') {
        // A symbolic link, which becomes an empty file: we never follow or create links.
        0
    } else {
        let length = length.and_then(Value::integer);
        checked_length(length.ok_or_else(|| invalid("a file has no length"))?)?
    };
    let below = utf8.and_then(parts).or_else(|| plain.and_then(parts));
    let is_padding = attributes.contains(&b'p')
        || below
            .iter()
            .flatten()
            .any(|part| part.contains(BITCOMET_PADDING));
    if is_padding {
        return Ok(Draft {
            path: Vec::new(),
            length,
            kind: Kind::Padding,
        });
    }
    let below = below.ok_or_else(|| invalid("a file has no path"))?;
    let nameless = below.last().is_some_and(String::is_empty);
    Ok(Draft {
        path: [folder.to_owned()].into_iter().chain(below).collect(),
        length,
        kind: match length {
            0 if nameless => Kind::Placeholder,
            _ => Kind::File,
        },
    })
}

/// The parts of a path, if there are any and all are strings.
fn parts(path: Value<'_>) -> Option<Vec<String>> {
    let parts = path.list()?.map(|part| part.string().map(text));
    let parts: Vec<String> = parts.collect::<Option<_>>()?;
    (!parts.is_empty()).then_some(parts)
}

/// Files one behind the other: those that a person sees, the padding, bytes in all, and what the
/// torrent calls those below its folder that have another name here.
type LaidOut = (Vec<File>, Padding, u64, Vec<(usize, Vec<String>)>);

fn laid_out(drafts: Vec<Draft>) -> Result<LaidOut, MetainfoError> {
    let is_file = |draft: &&Draft| draft.kind == Kind::File;
    let shown = drafts.iter().filter(is_file);
    let paths = tree::distinct_paths(shown.map(|draft| draft.path.as_slice()))
        .map_err(|error| invalid(error.to_string()))?;
    let mut files = Vec::with_capacity(paths.len());
    let mut paths = paths.into_iter();
    let mut padding = Vec::new();
    let mut renamed = Vec::new();
    let mut offset = 0_u64;
    for (draft, number) in drafts.into_iter().zip(0..) {
        let end = offset.checked_add(draft.length);
        let end = end.ok_or_else(|| invalid("the files are too long together"))?;
        match draft.kind {
            Kind::Padding => padding.push(offset..end),
            Kind::Placeholder => {}
            Kind::File => {
                let path = paths.next().expect("a path for each file");
                if path.parts() != draft.path {
                    renamed.push((files.len(), draft.path[1..].to_vec()));
                }
                files.push(File {
                    path,
                    length: draft.length,
                    offset,
                    number,
                });
            }
        }
        offset = end;
    }
    Ok((files, Padding::new(padding), offset, renamed))
}

/// The values of these keys of a dictionary, each there at most once.
fn fields<'a, const N: usize>(
    value: Value<'a>,
    what: &str,
    keys: [&[u8]; N],
) -> Result<[Option<Value<'a>>; N], MetainfoError> {
    let entries = value.entries();
    let entries = entries
        .ok_or_else(|| invalid(format!("not a torrent file: {what} is not a dictionary")))?;
    let mut found = [None; N];
    for (key, value) in entries {
        let Some(index) = keys.iter().position(|wanted| *wanted == key) else {
            continue;
        };
        if found[index].replace(value).is_some() {
            let key = String::from_utf8_lossy(keys[index]);
            return Err(invalid(format!(
                "not a torrent file: {what} has the key {key} twice"
            )));
        }
    }
    Ok(found)
}

fn checked_length(length: i64) -> Result<u64, MetainfoError> {
    u64::try_from(length).map_err(|_| invalid("a file has a negative length"))
}

/// Text in an encoding that is not UTF-8 loses what can't be read; the same for everybody.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn invalid(what: impl Into<String>) -> MetainfoError {
    MetainfoError::Invalid(what.into())
}
