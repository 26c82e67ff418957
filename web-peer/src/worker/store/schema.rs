//! What the database of a slot looks like, and how it came to look like this.

use std::ops::Range;
use std::time::Duration;

use js_sys::{Array, Uint8Array};
use serde::{Deserialize, Serialize};
use swarm_core::engine::{Reached, StoreError};
use swarm_core::id::InfoHash;
use swarm_core::pieces::{Priority, Strategy};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbDatabase, IdbKeyRange};

use super::Key;

/// Raised by every change of the stores; [`migrate`] then has one more step. What is added
/// to a record goes behind what was there, see [`Record::decode`].
pub(super) const VERSION: u32 = 3;

/// Info-hash (hex) → [`Record`], then its [`Wishes`], [`More`] and [`Tracking`], web seeds, what
/// it has met, and [`Sharing`] (postcard).
pub(super) const TORRENTS: &str = "torrents";
/// Info-hash (hex), piece index → the whole piece (`ArrayBuffer`), verified; or `true` for a
/// piece whose bytes are in stretches ([`STRETCHES`], [`PLACES`]) and verified.
pub(super) const PIECES: &str = "pieces";
/// Info-hash (hex), piece index, first byte within the piece → a stretch of the piece
/// (`ArrayBuffer`), verified if its piece is in [`PIECES`].
pub(super) const STRETCHES: &str = "stretches";
/// The key of a piece as in [`PIECES`], or of a stretch as in [`STRETCHES`] → the [`Extent`] of
/// its torrent's file that has its bytes: the first, and how many. Whole pieces are verified.
pub(super) const PLACES: &str = "places";
/// Info-hash (hex) → the torrent's bytes (`Blob`), when it was made in this tab.
pub(super) const SOURCES: &str = "sources";

/// Brings a database of version `from` (0: a new one) up to [`VERSION`].
pub(super) fn migrate(database: &IdbDatabase, from: u32) -> Result<(), JsValue> {
    if from < 1 {
        for store in [TORRENTS, PIECES, SOURCES] {
            database.create_object_store(store)?;
        }
    }
    if from < 2 {
        database.create_object_store(STRETCHES)?;
    }
    if from < 3 {
        database.create_object_store(PLACES)?;
    }
    Ok(())
}

/// Bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first of them.
    pub(super) at: u64,
    /// How many they are.
    pub(super) length: u32,
}

impl Extent {
    /// The byte behind the last.
    pub(super) fn end(&self) -> u64 {
        self.at + u64::from(self.length)
    }

    pub(super) fn encode(&self) -> JsValue {
        Array::of2(
            &JsValue::from_f64(self.at as f64),
            &JsValue::from_f64(f64::from(self.length)),
        )
        .into()
    }

    pub(super) fn decode(value: &JsValue) -> Option<Self> {
        let numbers = value.dyn_ref::<Array>()?;
        let (at, length) = (numbers.get(0).as_f64()?, numbers.get(1).as_f64()?);
        let is_sound = at >= 0.0 && (0.0..=f64::from(u32::MAX)).contains(&length);
        is_sound.then_some(Extent {
            at: at as u64,
            length: length as u32,
        })
    }
}

/// A torrent as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) struct Record {
    /// Which one.
    pub(in crate::worker) info_hash: InfoHash,
    /// What is known about it.
    pub(in crate::worker) content: Content,
    /// A person paused it.
    pub(in crate::worker) paused: bool,
    /// When it was added, in milliseconds of Unix time.
    pub(in crate::worker) added: f64,
    /// What a person wants of it. Kept behind the rest.
    #[serde(skip)]
    pub(in crate::worker) wishes: Wishes,
    /// Kept behind the wishes.
    #[serde(skip)]
    pub(in crate::worker) more: More,
    /// Kept behind that.
    #[serde(skip)]
    pub(in crate::worker) tracking: Tracking,
    /// The web seeds that its link names, for when its metadata is here. Kept behind
    /// that.
    #[serde(skip)]
    pub(in crate::worker) web_seeds: Vec<String>,
    /// Trackers that peers told of and that had it in their swarm, the latest first. Kept behind
    /// that.
    #[serde(skip)]
    pub(in crate::worker) met: Vec<String>,
    /// How much it was shared. Kept behind that.
    #[serde(skip)]
    pub(in crate::worker) sharing: Sharing,
}

/// How much a torrent was shared since a person last began to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) struct Sharing {
    /// Bytes that others got.
    pub(in crate::worker) given: u64,
    /// For how long all of it was here.
    pub(in crate::worker) time: Duration,
    /// There was enough of it: it is paused because of that.
    pub(in crate::worker) enough: Option<Reached>,
}

/// Trackers of a torrent that it does not name itself, and of those that it names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) struct Tracking {
    /// Those that a person removed.
    pub(in crate::worker) removed: Vec<String>,
    /// Those that other links to it named.
    pub(in crate::worker) added: Vec<String>,
}

/// What else there is to know about a torrent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) struct More {
    /// The trackers that its link names, for when its metadata is here.
    pub(in crate::worker) trackers: Vec<String>,
    /// The files that its link asks for (BEP 53), until its metadata is here.
    pub(in crate::worker) files: Option<String>,
    /// The kept copy of its source was compared with the hashes.
    pub(in crate::worker) checked: bool,
    /// Pieces that are not in that copy, ascending.
    pub(in crate::worker) lost: Vec<u32>,
}

/// What a person wants of a torrent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) struct Wishes {
    /// How pieces are chosen.
    pub(in crate::worker) strategy: Strategy,
    /// How much each file is wanted; files beyond the end are normal.
    pub(in crate::worker) priorities: Vec<Priority>,
}

/// What is known about a torrent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::worker) enum Content {
    /// A link without metadata so far; its name, if it has one.
    Link(Option<String>),
    /// The `.torrent` file; pieces are kept as they are verified.
    Torrent(Vec<u8>),
    /// The `.torrent` file; all bytes are in one source.
    Made(Vec<u8>),
}

impl Record {
    pub(super) fn encode(&self) -> JsValue {
        let links = (&self.web_seeds, &self.met, &self.sharing);
        let more = (&self.wishes, &self.more, &self.tracking, links);
        let bytes = postcard::to_allocvec(&(self, more));
        let bytes = bytes.expect("plain data can be serialised");
        Uint8Array::from(&bytes[..]).into()
    }

    /// A record that can't be read is the storage's failure, not a reason to panic. Those of
    /// earlier versions end where wishes begin, or behind them, or where tracking, web seeds, what
    /// it has met or how much it was shared begin.
    pub(super) fn decode(value: &JsValue) -> Result<Self, StoreError> {
        let bytes = value
            .dyn_ref::<Uint8Array>()
            .map(Uint8Array::to_vec)
            .unwrap_or_default();
        let read = || {
            let (mut record, mut rest) = postcard::take_from_bytes::<Record>(&bytes)?;
            if !rest.is_empty() {
                (record.wishes, rest) = postcard::take_from_bytes(rest)?;
            }
            if !rest.is_empty() {
                (record.more, rest) = postcard::take_from_bytes(rest)?;
            }
            if !rest.is_empty() {
                (record.tracking, rest) = postcard::take_from_bytes(rest)?;
            }
            if !rest.is_empty() {
                (record.web_seeds, rest) = postcard::take_from_bytes(rest)?;
            }
            if !rest.is_empty() {
                (record.met, rest) = postcard::take_from_bytes(rest)?;
            }
            if !rest.is_empty() {
                record.sharing = postcard::from_bytes(rest)?;
            }
            Ok(record)
        };
        read().map_err(|error: postcard::Error| {
            StoreError::Failed(format!("a kept torrent is unreadable: {error}"))
        })
    }
}

/// The key of a torrent or source.
pub(super) fn torrent_key(info_hash: InfoHash) -> JsValue {
    JsValue::from_str(&info_hash.to_string())
}

/// The key of a piece.
pub(super) fn piece_key((info_hash, piece): Key) -> JsValue {
    Array::of2(
        &torrent_key(info_hash),
        &JsValue::from_f64(f64::from(piece)),
    )
    .into()
}

/// The index in a piece's key.
pub(super) fn piece_of_key(key: &JsValue) -> Option<u32> {
    let index = key.dyn_ref::<Array>()?.get(1).as_f64()?;
    (index >= 0.0 && index <= f64::from(u32::MAX)).then_some(index as u32)
}

/// The key of a stretch of a piece.
pub(super) fn stretch_key((info_hash, piece): Key, begin: u32) -> JsValue {
    Array::of3(
        &torrent_key(info_hash),
        &JsValue::from_f64(f64::from(piece)),
        &JsValue::from_f64(f64::from(begin)),
    )
    .into()
}

/// Where a stretch begins in its piece, by its key.
pub(super) fn begin_of_key(key: &JsValue) -> Option<u32> {
    let begin = key.dyn_ref::<Array>()?.get(2).as_f64()?;
    (begin >= 0.0 && begin <= f64::from(u32::MAX)).then_some(begin as u32)
}

/// The keys of the stretches that begin within these bytes of a piece.
pub(super) fn stretch_range(key: Key, bytes: Range<u32>) -> Result<IdbKeyRange, JsValue> {
    let (first, end) = (stretch_key(key, bytes.start), stretch_key(key, bytes.end));
    IdbKeyRange::bound_with_lower_open_and_upper_open(&first, &end, false, true)
}

/// The keys of all stretches of the pieces from `first` on, up to `end` if there is one: an
/// array sorts before those that it begins.
pub(super) fn stretches_of(
    info_hash: InfoHash,
    first: u32,
    end: Option<u32>,
) -> Result<IdbKeyRange, JsValue> {
    let first = piece_key((info_hash, first));
    let end = match end {
        Some(end) => piece_key((info_hash, end)),
        None => behind_all(info_hash),
    };
    IdbKeyRange::bound(&first, &end)
}

/// The keys of all pieces of a torrent, or of all its stretches.
pub(super) fn piece_range(info_hash: InfoHash) -> Result<IdbKeyRange, JsValue> {
    let first = Array::of1(&torrent_key(info_hash));
    IdbKeyRange::bound(&first, &behind_all(info_hash))
}

/// In IndexedDB an array sorts behind every number.
fn behind_all(info_hash: InfoHash) -> JsValue {
    Array::of2(&torrent_key(info_hash), &Array::new()).into()
}
