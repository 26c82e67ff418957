//! What every store must do, whatever it is made of.

use js_sys::{Array, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use swarm_core::pieces::{Priority, Strategy};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use super::{Backend, Content, Indexed, Key, Record, Store, Wishes};
use crate::worker::js::{bytes_of, read_blob, scope};

const A: InfoHash = InfoHash([0xaa; 20]);
const B: InfoHash = InfoHash([0xbb; 20]);

/// Runs a check on a new store of each kind.
macro_rules! conformance {
    ($($check:ident)*) => {
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

async fn a_torrent_is_removed_as_a_whole_and_alone(store: Store) {
    for info_hash in [A, B] {
        store.put_record(&record(info_hash, 1.0)).await.unwrap();
        store.put_source(info_hash, &blob(b"source")).await.unwrap();
        store
            .write((info_hash, 0), piece((info_hash, 0)))
            .await
            .unwrap();
    }
    store.remove(A).await.unwrap();
    assert_eq!(store.records().await.unwrap(), [record(B, 1.0)]);
    assert_eq!(store.pieces(A).await.unwrap(), [] as [u32; 0]);
    assert_eq!(store.pieces(B).await.unwrap(), [0]);
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
}

async fn new_database(name: &str) -> Store {
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
fn piece((info_hash, index): Key) -> Uint8Array {
    let bytes: Vec<u8> = (0..70_001_u32)
        .map(|i| (i * 7 + index) as u8 ^ info_hash.0[0])
        .collect();
    Uint8Array::from(&bytes[..])
}

fn record(info_hash: InfoHash, added: f64) -> Record {
    Record {
        info_hash,
        content: Content::Link(Some("name".into())),
        paused: false,
        added,
        wishes: Wishes::default(),
        more: super::schema::More::default(),
    }
}

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).unwrap()
}
