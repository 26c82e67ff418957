//! What every store must do, whatever it is made of.

use js_sys::{Array, Uint8Array};
use swarm_core::engine::{Reached, StoreError};
use swarm_core::id::InfoHash;
use swarm_core::pieces::{Priority, Strategy};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use super::{Backend, Content, Files, Indexed, Key, Record, Sharing, Store, Wishes};
use crate::worker::js::{bytes_of, read_blob, scope};

pub(super) const A: InfoHash = InfoHash([0xaa; 20]);
pub(super) const B: InfoHash = InfoHash([0xbb; 20]);

/// Runs a check on a new store of each kind.
macro_rules! conformance {
    ($($check:ident)*) => {
        mod in_files {
            use super::*;
            $(#[wasm_bindgen_test]
            async fn $check() {
                super::$check(new_files(stringify!($check)).await).await;
            })*
        }
        mod indexed_db {
            use super::*;
            $(#[wasm_bindgen_test]
            async fn $check() {
                super::$check(new_database(stringify!($check)).await).await;
            })*
        }
        mod in_memory {
            use super::*;
            $(#[wasm_bindgen_test]
            async fn $check() {
                super::$check(Store::in_memory(64 << 20)).await;
            })*
        }
    };
}

conformance! {
    pieces_come_back_as_they_were
    a_piece_that_is_not_there_is_missing
    writes_under_way_together_all_arrive
    a_long_piece_is_there_once_its_stretches_are_confirmed
    a_stretch_takes_the_place_of_what_was_written_before
    stretches_that_were_not_right_are_freed_alone
    a_torrent_is_removed_as_a_whole_and_alone
    records_come_back_in_the_order_of_adding
    a_source_comes_back
}

async fn pieces_come_back_as_they_were(store: Store) {
    for key in [(A, 0), (A, 1 << 20), (B, 0)] {
        assert_eq!(store.write(key, piece(key)).await, Ok(()));
    }
    for key in [(A, 0), (A, 1 << 20), (B, 0)] {
        let read = store.read(key).await.unwrap();
        assert_eq!(bytes_of(&read), piece(key).to_vec());
    }
    assert_eq!(store.pieces(A).await.unwrap(), [0, 1 << 20]);
    // The second time is as good as the first.
    store.write((A, 0), piece((A, 0))).await.unwrap();
    assert_eq!(store.pieces(A).await.unwrap(), [0, 1 << 20]);
}

async fn a_piece_that_is_not_there_is_missing(store: Store) {
    store.write((A, 1), piece((A, 1))).await.unwrap();
    assert_eq!(store.read((A, 0)).await, Err(StoreError::Missing));
    assert_eq!(store.read((B, 1)).await, Err(StoreError::Missing));
    assert_eq!(store.pieces(B).await.unwrap(), [] as [u32; 0]);
}

async fn writes_under_way_together_all_arrive(store: Store) {
    let writes: Vec<_> = (0..200)
        .map(|index| spawn(store.clone(), (A, index)))
        .collect();
    for write in writes {
        JsFuture::from(write).await.unwrap();
    }
    assert_eq!(store.pieces(A).await.unwrap(), (0..200).collect::<Vec<_>>());
    let read = store.read((A, 199)).await.unwrap();
    assert_eq!(bytes_of(&read), piece((A, 199)).to_vec());
}

/// What there is of a piece: where its stretches begin, and the first byte of each.
pub(super) async fn stretches(store: &Store, key: Key) -> Vec<(u32, u8)> {
    let found = store.stretches(key, 0..u32::MAX).await.unwrap();
    let first = |bytes: &js_sys::ArrayBuffer| bytes_of(bytes)[0];
    found
        .iter()
        .map(|(at, bytes)| (*at, first(bytes)))
        .collect()
}

pub(super) async fn write_stretch(store: &Store, key: Key, begin: u32, bytes: &[u8]) {
    let bytes = Uint8Array::from(bytes);
    store.write_stretch(key, begin, bytes).await.unwrap();
}

async fn a_long_piece_is_there_once_its_stretches_are_confirmed(store: Store) {
    write_stretch(&store, (A, 2), 1000, &[2; 500]).await;
    write_stretch(&store, (A, 2), 0, &[1; 1000]).await;
    write_stretch(&store, (A, 3), 0, &[3; 1000]).await;
    assert_eq!(store.pieces(A).await.unwrap(), [] as [u32; 0]);
    store.confirm((A, 2)).await.unwrap();
    assert_eq!(store.pieces(A).await.unwrap(), [2]);
    assert_eq!(stretches(&store, (A, 2)).await, [(0, 1), (1000, 2)]);
    let second = store.stretches((A, 2), 1000..1500).await.unwrap();
    assert_eq!(bytes_of(&second[0].1), vec![2; 500]);
    assert_eq!(second.len(), 1);
    // It has none of its bytes in one place.
    assert_eq!(store.read((A, 2)).await, Err(StoreError::Missing));
}

async fn a_stretch_takes_the_place_of_what_was_written_before(store: Store) {
    for begin in [0, 100, 200] {
        write_stretch(&store, (A, 0), begin, &[1; 100]).await;
    }
    write_stretch(&store, (A, 0), 0, &[2; 200]).await;
    assert_eq!(stretches(&store, (A, 0)).await, [(0, 2), (200, 1)]);
}

async fn stretches_that_were_not_right_are_freed_alone(store: Store) {
    for key in [(A, 0), (A, 1), (A, 2), (A, 3), (B, 1)] {
        write_stretch(&store, key, 0, &[1; 10]).await;
    }
    store.reject((A, 1)).await.unwrap();
    assert_eq!(stretches(&store, (A, 1)).await, []);
    assert_eq!(stretches(&store, (B, 1)).await, [(0, 1)]);
    store.keep_only(A, &[2]).await.unwrap();
    for (piece, left) in [(0, 0), (2, 1), (3, 0)] {
        assert_eq!(stretches(&store, (A, piece)).await.len(), left, "{piece}");
    }
    store.keep_only(A, &[]).await.unwrap();
    assert_eq!(stretches(&store, (A, 2)).await, []);
    assert_eq!(stretches(&store, (B, 1)).await, [(0, 1)]);
}

async fn a_torrent_is_removed_as_a_whole_and_alone(store: Store) {
    for info_hash in [A, B] {
        store.put_record(&record(info_hash, 1.0)).await.unwrap();
        store.put_source(info_hash, &blob(b"source")).await.unwrap();
        store
            .write((info_hash, 0), piece((info_hash, 0)))
            .await
            .unwrap();
        write_stretch(&store, (info_hash, 1), 0, &[1; 10]).await;
        store.confirm((info_hash, 1)).await.unwrap();
    }
    store.remove(A).await.unwrap();
    assert_eq!(store.records().await.unwrap(), [record(B, 1.0)]);
    assert_eq!(store.pieces(A).await.unwrap(), [] as [u32; 0]);
    assert_eq!(store.pieces(B).await.unwrap(), [0, 1]);
    assert_eq!(stretches(&store, (A, 1)).await, []);
    assert_eq!(stretches(&store, (B, 1)).await, [(0, 1)]);
    assert!(store.source(A).await.unwrap().is_none());
    assert!(store.source(B).await.unwrap().is_some());
}

async fn records_come_back_in_the_order_of_adding(store: Store) {
    let mut changed = record(B, 1.0);
    store.put_record(&changed).await.unwrap();
    store.put_record(&record(A, 2.0)).await.unwrap();
    changed.content = Content::Torrent(vec![1, 2, 3]);
    changed.paused = true;
    changed.wishes = Wishes {
        strategy: Strategy::Sequential,
        priorities: vec![Priority::Normal, Priority::Skip],
    };
    store.put_record(&changed).await.unwrap();
    assert_eq!(store.records().await.unwrap(), [changed, record(A, 2.0)]);
}

async fn a_source_comes_back(store: Store) {
    store
        .put_source(A, &blob(b"the bytes of a file"))
        .await
        .unwrap();
    let source = store.source(A).await.unwrap().unwrap();
    assert_eq!(
        bytes_of(&read_blob(&source).await.unwrap()),
        &b"the bytes of a file"[..]
    );
    assert!(store.source(B).await.unwrap().is_none());
}

#[wasm_bindgen_test]
async fn a_database_is_the_same_after_it_was_opened_again() {
    let store = new_database("reopened").await;
    store.write((A, 5), piece((A, 5))).await.unwrap();
    store.put_record(&record(A, 1.0)).await.unwrap();
    drop(store);
    let store = open("reopened").await;
    assert_eq!(store.records().await.unwrap(), [record(A, 1.0)]);
    assert_eq!(store.pieces(A).await.unwrap(), [5]);
}

#[wasm_bindgen_test]
async fn a_database_of_the_first_version_gets_the_stores_that_came_later() {
    let name = "first-version";
    let factory = scope().indexed_db().unwrap().unwrap();
    factory
        .delete_database(&format!("conformance-{name}"))
        .unwrap();
    let request = factory
        .open_with_u32(&format!("conformance-{name}"), 1)
        .unwrap();
    let (opened, is_open) = futures_channel::oneshot::channel();
    let made = request.clone();
    let make = wasm_bindgen::closure::Closure::once_into_js(move || {
        let database: web_sys::IdbDatabase = made.result().unwrap().unchecked_into();
        for store in ["torrents", "pieces", "sources"] {
            database.create_object_store(store).unwrap();
        }
    });
    let done = wasm_bindgen::closure::Closure::once_into_js(move || opened.send(()).unwrap());
    request.set_onupgradeneeded(Some(make.unchecked_ref()));
    request.set_onsuccess(Some(done.unchecked_ref()));
    is_open.await.unwrap();
    let database: web_sys::IdbDatabase = request.result().unwrap().unchecked_into();
    database.close();

    let store = open(name).await;
    write_stretch(&store, (A, 0), 0, &[1; 10]).await;
    assert_eq!(stretches(&store, (A, 0)).await, [(0, 1)]);
}

#[wasm_bindgen_test]
fn a_record_without_wishes_as_earlier_versions_kept_it_is_read() {
    let mut record = record(A, 1.0);
    // They wrote this, and nothing behind it.
    let bytes = postcard::to_allocvec(&record).unwrap();
    let kept = Uint8Array::from(&bytes[..]).into();
    assert_eq!(Record::decode(&kept), Ok(record.clone()));
    record.wishes.priorities.push(Priority::Skip);
    assert_eq!(Record::decode(&record.encode()), Ok(record));
}

#[wasm_bindgen_test]
fn a_record_without_removed_trackers_is_read_and_one_with_them_is_as_before() {
    let mut record = record(A, 1.0);
    record.more.trackers.push("ws://example.org/".into());
    let bytes = postcard::to_allocvec(&(&record, &record.wishes, &record.more)).unwrap();
    let kept = Uint8Array::from(&bytes[..]).into();
    assert_eq!(Record::decode(&kept), Ok(record.clone()));
    record.tracking.removed.push("ws://example.org/".into());
    record.tracking.added.push("ws://example.net/".into());
    let tracked = (&record, &record.wishes, &record.more, &record.tracking);
    let bytes = postcard::to_allocvec(&tracked).unwrap();
    let kept = Uint8Array::from(&bytes[..]).into();
    assert_eq!(Record::decode(&kept), Ok(record.clone()));
    record.met.push("ws://example.com/".into());
    record.sharing.given = 1 << 40;
    record.sharing.enough = Some(Reached::Ratio);
    assert_eq!(Record::decode(&record.encode()), Ok(record));
}

#[wasm_bindgen_test]
async fn memory_is_bounded_and_freed() {
    let length = u64::from(piece((A, 0)).length());
    let store = Store::in_memory(length);
    store.write((A, 0), piece((A, 0))).await.unwrap();
    assert!(matches!(
        store.write((A, 1), piece((A, 1))).await,
        Err(StoreError::Full(_))
    ));
    store.remove(A).await.unwrap();
    store.write((B, 0), piece((B, 0))).await.unwrap();
    store.remove(B).await.unwrap();
    for _ in 0..2 {
        let all = piece((A, 0));
        store.write_stretch((A, 0), 0, all).await.unwrap();
        store.reject((A, 0)).await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_database_that_the_browser_closed_is_opened_again() {
    let name = "closed";
    let store = new_database(name).await;
    let Backend::Indexed(indexed) = &store.0.backend else {
        unreachable!("it is a database");
    };
    store.write((A, 0), piece((A, 0))).await.unwrap();
    indexed.close();
    assert!(store.read((A, 0)).await.is_err());
    // What is to be kept is kept, and what was there is there again.
    store.write((A, 1), piece((A, 1))).await.unwrap();
    assert_eq!(store.pieces(A).await.unwrap(), [0, 1]);
}

pub(super) async fn new_database(name: &str) -> Store {
    let factory = scope().indexed_db().unwrap().unwrap();
    factory
        .delete_database(&format!("conformance-{name}"))
        .unwrap();
    open(name).await
}

async fn open(name: &str) -> Store {
    let database = Indexed::open(&format!("conformance-{name}")).await.unwrap();
    Store::new(Backend::Indexed(database))
}

/// A new store in files.
pub(super) async fn new_files(name: &str) -> Store {
    drop(new_database(&format!("files-{name}")).await);
    open_files(name).await
}

/// The store of this name as a tab finds it that is loaded again.
pub(super) async fn open_files(name: &str) -> Store {
    let name = format!("conformance-files-{name}");
    let database = Indexed::open(&name).await.unwrap();
    let files = Files::open(&name, database).await;
    Store::new(Backend::Files(files.expect("this browser has files")))
}

fn spawn(store: Store, key: Key) -> js_sys::Promise {
    wasm_bindgen_futures::future_to_promise(async move {
        store
            .write(key, piece(key))
            .await
            .map_err(|error| error.to_string())?;
        Ok(wasm_bindgen::JsValue::UNDEFINED)
    })
}

/// Bytes that differ between pieces, of a length that is no round number.
pub(super) fn piece((info_hash, index): Key) -> Uint8Array {
    let bytes: Vec<u8> = (0..70_001_u32)
        .map(|i| (i * 7 + index) as u8 ^ info_hash.0[0])
        .collect();
    Uint8Array::from(&bytes[..])
}

pub(super) fn record(info_hash: InfoHash, added: f64) -> Record {
    Record {
        info_hash,
        content: Content::Link(Some("name".into())),
        paused: false,
        added,
        wishes: Wishes::default(),
        more: super::schema::More::default(),
        tracking: super::schema::Tracking::default(),
        web_seeds: Vec::new(),
        met: Vec::new(),
        sharing: Sharing::default(),
    }
}

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).unwrap()
}
