//! What files add to what every store must do.

use js_sys::Uint8Array;
use swarm_core::engine::StoreError;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use super::super::conformance::{
    A, B, new_database, new_files, open_files, piece, record, stretches, write_stretch,
};
use super::super::{Backend, Store};
use super::*;
use crate::worker::js::bytes_of;

fn files(store: &Store) -> &Files {
    match &store.0.backend {
        Backend::Files(files) => files,
        _ => unreachable!("it is in files"),
    }
}

/// The bytes in the file of a torrent that nobody has open.
async fn length(store: &Store, info_hash: InfoHash) -> f64 {
    let file = files(store).folder.file(&info_hash.to_string()).await;
    let file = file.unwrap();
    let length = file.get_size().unwrap();
    file.close();
    length
}

async fn has(store: &Store, index: u32) -> bool {
    let read = store.read((A, index)).await;
    read.is_ok_and(|read| bytes_of(&read) == piece((A, index)).to_vec())
}

/// A store with the first pieces of a torrent, in this order.
async fn with_pieces(name: &str, pieces: &[u32]) -> Store {
    let store = new_files(name).await;
    store.put_record(&record(A, 1.0)).await.unwrap();
    for index in pieces {
        store.write((A, *index), piece((A, *index))).await.unwrap();
    }
    store
}

#[wasm_bindgen_test]
async fn pieces_are_there_after_a_reload_and_are_to_be_proven_once() {
    let name = "reloaded";
    let store = with_pieces(name, &[5, 2]).await;
    assert!(store.is_proven((A, 5)));
    store.close();

    let store = open_files(name).await;
    assert_eq!(store.pieces(A).await.unwrap(), [2, 5]);
    assert!(has(&store, 5).await && has(&store, 2).await);
    assert!(!store.is_proven((A, 5)));
    store.prove((A, 5), true).await.unwrap();
    assert!(store.is_proven((A, 5)));
    store.prove((A, 2), false).await.unwrap();
    assert_eq!(store.pieces(A).await.unwrap(), [5]);
    assert_eq!(store.read((A, 2)).await, Err(StoreError::Missing));
    // It is fetched anew, where there is room.
    store.write((A, 2), piece((A, 2))).await.unwrap();
    assert!(has(&store, 2).await && store.is_proven((A, 2)));
    store.close();
    let kept = f64::from(2 * piece((A, 0)).length());
    assert_eq!(length(&store, A).await, kept);
    assert_eq!(store.take_lost(A), 0);
}

#[wasm_bindgen_test]
async fn what_a_shortened_file_had_is_lost_and_the_rest_is_not() {
    let name = "shortened";
    let store = with_pieces(name, &[0, 1, 2]).await;
    write_stretch(&store, (A, 3), 0, &[3; 1000]).await;
    store.confirm((A, 3)).await.unwrap();
    store.close();
    let file = files(&store).folder.file(&A.to_string()).await.unwrap();
    let kept = 2 * piece((A, 0)).length() - 1;
    file.truncate_with_u32(kept).unwrap();
    file.close();

    let store = open_files(name).await;
    assert_eq!(store.pieces(A).await.unwrap(), [0]);
    assert_eq!(store.take_lost(A), 3);
    assert_eq!(store.take_lost(A), 0);
    assert!(has(&store, 0).await);
    assert_eq!(store.read((A, 1)).await, Err(StoreError::Missing));
    assert_eq!(stretches(&store, (A, 3)).await, []);
    store.write((A, 1), piece((A, 1))).await.unwrap();
    assert!(has(&store, 1).await);

    // While it is open as well.
    let index = &files(&store).file(A).await.unwrap().index;
    index.borrow_mut().insert(
        (9, None),
        super::super::schema::Extent {
            at: 1 << 20,
            length: 1,
        },
    );
    assert_eq!(store.read((A, 9)).await, Err(StoreError::Missing));
}

#[wasm_bindgen_test]
async fn a_file_that_is_gone_is_made_anew() {
    let name = "gone";
    let store = with_pieces(name, &[0]).await;
    store.close();
    files(&store).folder.remove(&A.to_string()).await;
    let store = open_files(name).await;
    assert_eq!(store.pieces(A).await.unwrap(), [] as [u32; 0]);
    assert_eq!(store.take_lost(A), 1);
    store.write((A, 0), piece((A, 0))).await.unwrap();
    assert!(has(&store, 0).await);
}

#[wasm_bindgen_test]
async fn files_of_no_torrent_are_removed_at_the_start() {
    let name = "orphans";
    let store = with_pieces(name, &[0]).await;
    store.write((B, 0), piece((B, 0))).await.unwrap();
    store.close();
    let store = open_files(name).await;
    assert_eq!(files(&store).folder.names().await.unwrap(), [A.to_string()]);
    assert_eq!(store.pieces(B).await.unwrap(), [] as [u32; 0]);
    assert_eq!(store.take_lost(B), 0);
    store.remove(A).await.unwrap();
    store.remove(B).await.unwrap();
    let none: [String; 0] = [];
    assert_eq!(files(&store).folder.names().await.unwrap(), none);
}

#[wasm_bindgen_test]
async fn what_earlier_versions_kept_in_the_database_is_served() {
    let name = "files-earlier";
    let store = new_database(name).await;
    store.put_record(&record(A, 1.0)).await.unwrap();
    for index in [0, 1] {
        store.write((A, index), piece((A, index))).await.unwrap();
    }
    for (index, begin) in [(2, 0), (2, 100), (3, 0)] {
        write_stretch(&store, (A, index), begin, &[1; 100]).await;
    }
    store.confirm((A, 2)).await.unwrap();
    drop(store);

    let store = open_files("earlier").await;
    assert_eq!(store.pieces(A).await.unwrap(), [0, 1, 2]);
    assert!(has(&store, 0).await && store.is_proven((A, 0)));
    assert_eq!(stretches(&store, (A, 2)).await, [(0, 1), (100, 1)]);
    store.keep_only(A, &[0, 1, 2]).await.unwrap();
    assert_eq!(stretches(&store, (A, 3)).await, []);
    // What is written from now on goes into the file, and is what counts.
    store.write((A, 4), piece((A, 4))).await.unwrap();
    store.write((A, 1), piece((A, 1))).await.unwrap();
    write_stretch(&store, (A, 2), 0, &[2; 200]).await;
    assert_eq!(stretches(&store, (A, 2)).await, [(0, 2)]);
    assert_eq!(store.pieces(A).await.unwrap(), [0, 1, 2, 4]);
    store.remove(A).await.unwrap();
    assert_eq!(store.pieces(A).await.unwrap(), [] as [u32; 0]);
    assert_eq!(stretches(&store, (A, 2)).await, []);
}

#[wasm_bindgen_test]
async fn a_file_that_a_dying_worker_still_has_is_waited_for() {
    let name = "taken-over";
    let before = with_pieces(name, &[0]).await;
    let store = open_files(name).await;
    let reads = store.clone();
    let (done, read) = oneshot::channel();
    spawn_local(async move {
        let _ = done.send(has(&reads, 0).await);
    });
    // Whatever is answered by now, it has tried once.
    store.records().await.unwrap();
    before.close();
    assert!(read.await.unwrap());
}

#[wasm_bindgen_test]
async fn a_torrent_that_is_added_again_while_it_is_removed_keeps_its_new_pieces() {
    let store = with_pieces("again", &[0, 1]).await;
    let removing = store.clone();
    let (done, removed) = oneshot::channel();
    spawn_local(async move {
        let _ = done.send(removing.remove(A).await);
    });
    // So that the removal is under way.
    let turn = js_sys::Promise::resolve(&JsValue::NULL);
    wasm_bindgen_futures::JsFuture::from(turn).await.unwrap();
    store.write((A, 1), piece((A, 1))).await.unwrap();
    removed.await.unwrap().unwrap();
    assert_eq!(store.pieces(A).await.unwrap(), [1]);
    assert!(has(&store, 1).await);
}

#[wasm_bindgen_test]
async fn a_torrent_that_is_removed_while_its_file_is_opened_fails_no_other() {
    let store = with_pieces("removed", &[]).await;
    let writes = [A, B].map(|info_hash| {
        let (done, written) = oneshot::channel();
        let store = store.clone();
        spawn_local(async move {
            let key = (info_hash, 0);
            let _ = done.send(store.write(key, piece(key)).await);
        });
        written
    });
    // So that they are under way.
    let turn = js_sys::Promise::resolve(&JsValue::NULL);
    wasm_bindgen_futures::JsFuture::from(turn).await.unwrap();
    store.remove(A).await.unwrap();
    let [_, other] = writes;
    assert_eq!(other.await.unwrap(), Ok(()));
    assert_eq!(store.pieces(A).await.unwrap(), [] as [u32; 0]);
    assert_eq!(store.pieces(B).await.unwrap(), [0]);
}

#[wasm_bindgen_test]
async fn storage_that_the_browser_cleared_is_made_anew() {
    let store = with_pieces("cleared", &[0]).await;
    files(&store).indexed.close();
    // What is to be kept is kept, and what was there is there again.
    store.write((A, 1), piece((A, 1))).await.unwrap();
    assert_eq!(store.pieces(A).await.unwrap(), [0, 1]);
    assert!(has(&store, 0).await && has(&store, 1).await);
}

#[wasm_bindgen_test]
async fn bytes_that_cannot_be_written_leave_no_mark_and_no_gap() {
    let store = with_pieces("refused", &[0]).await;
    let file = files(&store).file(A).await.unwrap();
    file.close();
    let written = store.write((A, 1), piece((A, 1))).await;
    assert!(matches!(written, Err(StoreError::Failed(_))), "{written:?}");
    assert_eq!(store.pieces(A).await.unwrap(), [0]);
    let end = u64::from(piece((A, 0)).length());
    assert_eq!(file.index.borrow().end(), end);
    let whole = Uint8Array::new_with_length(10);
    assert!(file.write(&whole).is_err());
}
