//! Pieces that are not what was written any more when a tab is loaded again.

use swarm_core::engine::StoreError;
use swarm_core::metainfo::{Builder, NewFile};

use super::*;
use crate::worker::pieces::read_piece;

const PIECE: u32 = 16 << 10;

#[wasm_bindgen_test]
async fn a_piece_that_was_damaged_is_neither_served_nor_saved() {
    let slot = 1040;
    let bytes = noise(PIECE * 2 + 5);
    let page = Page::new(Store::open(slot).await.unwrap());
    let files = [NewFile {
        path: vec!["a".to_owned()],
        length: bytes.len() as u64,
    }];
    let builder = Builder::new(None, files.to_vec(), Some(PIECE)).unwrap();
    let mut hashes = Vec::new();
    for piece in bytes.chunks(PIECE as usize) {
        hashes.extend(page.host.hasher.hash(&Uint8Array::from(piece)).await);
    }
    let metainfo = builder.finish(hashes, Vec::new(), false);
    let info_hash = metainfo.info_hash();
    page.open("a.torrent", &metainfo.to_torrent());
    page.added().await;
    for (index, piece) in (0..).zip(bytes.chunks(PIECE as usize)) {
        let mut piece = piece.to_vec();
        // As if a power cut had left something else there.
        piece[0] ^= u8::from(index == 1);
        let piece = Uint8Array::from(&piece[..]);
        let written = page.host.store.write((info_hash, index), piece).await;
        assert_eq!(written, Ok(()));
    }

    page.host.store.close();
    Store::open(slot).await.unwrap().records().await.unwrap();
    let page = Page::new(Store::open(slot).await.unwrap());
    resume_all(&page.host).await;
    page.state(|state| !state.view.torrents.is_empty()).await;
    assert_eq!(page.only().have, [0b1110_0000]);
    let (store, hasher) = (&page.host.store, &page.host.hasher);
    for (index, is_right) in [(0, true), (1, false), (2, true)] {
        let piece = metainfo.layout().piece(index).unwrap();
        let read = read_piece(store, hasher, &metainfo, piece).await;
        let expected = bytes.chunks(PIECE as usize).nth(index as usize);
        match read {
            Ok(read) => assert_eq!(Some(&bytes_of(&read)[..]), expected),
            Err(StoreError::Unreadable(_)) => assert!(!is_right),
            Err(error) => panic!("{error}"),
        }
        assert!(store.is_proven((info_hash, index)));
    }
    assert_eq!(store.pieces(info_hash).await.unwrap(), [0, 2]);
    page.send(ToWorker::Save {
        info_hash,
        file: None,
    });
    assert!(page.error().await.contains("can't be saved"));
    store.remove(info_hash).await.unwrap();
}
