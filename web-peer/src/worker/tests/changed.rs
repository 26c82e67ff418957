//! Files that change while they are shared.

use swarm_core::metainfo::{Builder, Metainfo, NewFile};

use super::*;
use crate::worker::js::concat;

/// Bytes of a piece.
const PIECE: usize = 16 << 10;

fn blob(bytes: &[u8]) -> Blob {
    concat(&[file("x", bytes).unchecked_into()]).unwrap()
}

async fn torrent_of(page: &Page, files: &[(&str, &[u8])]) -> (Metainfo, Vec<u8>) {
    let described = files.iter().map(|(name, bytes)| NewFile {
        path: vec![(*name).to_owned()],
        length: bytes.len() as u64,
    });
    let builder = Builder::new(Some("folder"), described.collect(), Some(PIECE as u32)).unwrap();
    let whole: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    let mut hashes = Vec::new();
    for piece in whole.chunks(PIECE) {
        hashes.extend(page.host.hasher.hash(&Uint8Array::from(piece)).await);
    }
    (builder.finish(hashes, Vec::new(), false), whole)
}

#[wasm_bindgen_test]
async fn what_changed_while_it_was_copied_is_lost_alone_and_its_file_named() {
    let slot = 1020;
    let page = Page::new(Store::open(slot).await.unwrap());
    let (first, second) = (noise(PIECE as u32 * 2), noise(PIECE as u32 * 3 + 5));
    let files = [("a.txt", &first[..]), ("b.txt", &second[..])];
    let (metainfo, whole) = torrent_of(&page, &files).await;
    // What the browser copies is no longer what was hashed.
    let mut changed = whole.clone();
    changed[PIECE * 4 + 7] ^= 1;
    page.host.seed(metainfo.clone(), blob(&changed));

    let said = page.error().await;
    assert!(
        said.contains("b.txt” changed") && !said.contains("a.txt"),
        "{said}"
    );
    assert!(said.contains("one of 6 pieces is lost"), "{said}");
    let lacks_some = |state: &State| state.view.torrents[0].progress < 1.0;
    page.state(lacks_some).await;
    assert_eq!(page.only().have, [0b1111_0100]);

    // A reloaded tab knows it as well.
    page.host.store.close();
    Store::open(slot).await.unwrap().records().await.unwrap();
    let reloaded = Page::new(Store::open(slot).await.unwrap());
    resume_all(&reloaded.host).await;
    let is_here = |state: &State| !state.view.torrents.is_empty();
    reloaded.state(is_here).await;
    assert_eq!(reloaded.only().have, [0b1111_0100]);

    // Once it was fetched anew, everything is as it was.
    let info_hash = metainfo.info_hash();
    let piece = &whole[PIECE * 4..PIECE * 5];
    let store = &reloaded.host.store;
    store
        .write((info_hash, 4), Uint8Array::from(piece))
        .await
        .unwrap();
    store.close();
    let again = Page::new(Store::open(slot).await.unwrap());
    resume_all(&again.host).await;
    let state = again.state(is_here).await;
    assert_eq!(state.view.torrents[0].state, TorrentState::Seeding);
    for (index, (_, bytes)) in files.iter().enumerate() {
        again.send(ToWorker::Save {
            info_hash,
            file: Some(index as u32),
        });
        assert_eq!(again.saved().await.1, *bytes);
    }
    again.host.store.remove(info_hash).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_copy_that_was_never_compared_is_compared_when_the_tab_is_back() {
    let slot = 1021;
    let page = Page::new(Store::open(slot).await.unwrap());
    let bytes = noise(PIECE as u32 * 3);
    let (metainfo, mut whole) = torrent_of(&page, &[("a.txt", &bytes)]).await;
    let info_hash = metainfo.info_hash();
    whole[0] ^= 1;
    let mut record =
        crate::worker::commands::record(info_hash, Content::Made(metainfo.to_torrent()));
    let store = &page.host.store;
    store.put_source(info_hash, &blob(&whole)).await.unwrap();
    store.put_record(&record).await.unwrap();
    resume_all(&page.host).await;
    assert!(page.error().await.contains("a.txt” changed"));
    let is_here = |state: &State| !state.view.torrents.is_empty();
    page.state(is_here).await;
    assert_eq!(page.only().have, [0b0110_0000]);

    record.more.checked = true;
    record.more.lost = vec![0];
    let kept = page
        .host
        .torrents
        .look(info_hash, |torrent| torrent.record.clone());
    assert_eq!(kept, Some(record));
    store.remove(info_hash).await.unwrap();
}
