//! Pieces that are too long to be held in memory whole.

use swarm_core::engine::StoreError;
use swarm_core::metainfo::{Builder, Metainfo, NewFile};

use super::*;
use crate::worker::parts::{CUT, read_part};

const PIECE: u32 = CUT.whole + CUT.part;
/// The last piece is short enough to be held whole.
const LENGTH: u32 = PIECE + 300_001;

/// Two files, of which the second begins in the middle of a part.
async fn torrent(page: &Page, bytes: &[u8]) -> Metainfo {
    let first = 5_000_000;
    let files = [("a", first), ("b", bytes.len() as u64 - first)].map(|(name, length)| NewFile {
        path: vec![name.to_owned()],
        length,
    });
    let builder = Builder::new(Some("long"), files.to_vec(), Some(PIECE)).unwrap();
    let mut hashes = Vec::new();
    for piece in bytes.chunks(PIECE as usize) {
        hashes.extend(page.host.hasher.hash(&Uint8Array::from(piece)).await);
    }
    builder.finish(hashes, Vec::new(), false)
}

/// A tab that takes part in it.
async fn leecher(slot: u32, bytes: &[u8]) -> (Page, Metainfo) {
    let page = Page::new(Store::open(slot).await.unwrap());
    let metainfo = torrent(&page, bytes).await;
    page.open("long.torrent", &metainfo.to_torrent());
    page.added().await;
    (page, metainfo)
}

/// Writes the long piece as it may come: part by part, one of them in two stretches.
async fn write_parts(page: &Page, info_hash: InfoHash, bytes: &[u8]) {
    let cuts = (0..PIECE)
        .step_by(CUT.part as usize)
        .chain([3 * CUT.part + 16_384]);
    let mut cuts: Vec<u32> = cuts.collect();
    cuts.sort_unstable();
    let ends = cuts.iter().copied().skip(1).chain([PIECE]);
    for (begin, end) in cuts.iter().copied().zip(ends) {
        let data = Uint8Array::from(&bytes[begin as usize..end as usize]);
        let written = page
            .host
            .store
            .write_stretch((info_hash, 0), begin, data)
            .await;
        assert_eq!(written, Ok(()));
    }
}

async fn verify(page: &Page, metainfo: &Metainfo) -> Result<[u8; 20], StoreError> {
    let piece = metainfo.layout().piece(0).unwrap();
    let verified = page.host.verify(0, metainfo.info_hash(), piece).await;
    verified.expect("it was to be verified")
}

/// Whether the first piece, and the second, are there after a reload.
async fn reloaded(slot: u32, before: &Page) -> (Page, Vec<u8>) {
    before.host.store.close();
    // Opening waits for the transaction before it.
    Store::open(slot).await.unwrap().records().await.unwrap();
    let page = Page::new(Store::open(slot).await.unwrap());
    resume_all(&page.host).await;
    page.state(|state| !state.view.torrents.is_empty()).await;
    let have = page.only().have;
    (page, have)
}

#[wasm_bindgen_test]
async fn a_long_piece_is_kept_in_parts_served_from_them_and_saved() {
    let slot = 1030;
    let bytes = noise(LENGTH);
    let (page, metainfo) = leecher(slot, &bytes).await;
    let info_hash = metainfo.info_hash();
    write_parts(&page, info_hash, &bytes).await;
    let first = metainfo.layout().piece(0).unwrap();
    assert_eq!(
        verify(&page, &metainfo).await,
        Ok(metainfo.piece_hash(first))
    );
    let last = Uint8Array::from(&bytes[PIECE as usize..]);
    page.host.store.write((info_hash, 1), last).await.unwrap();

    let (page, have) = reloaded(slot, &page).await;
    assert_eq!(have, [0b1100_0000]);
    for part in [0, 3, PIECE / CUT.part - 1] {
        let (begin, length) = CUT.stretch(PIECE, part);
        let read = read_part(&page.host.store, &metainfo, first, begin, length).await;
        let expected = &bytes[begin as usize..(begin + length) as usize];
        assert!(read.unwrap().to_vec() == expected, "part {part}");
    }
    for (file, expected) in [(0, &bytes[..5_000_000]), (1, &bytes[5_000_000..])] {
        page.send(ToWorker::Save {
            info_hash,
            file: Some(file),
        });
        assert!(page.saved().await.1 == expected, "file {file}");
    }
    page.host.store.remove(info_hash).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_long_piece_that_is_wrong_or_was_never_verified_is_freed() {
    let slot = 1031;
    let mut bytes = noise(LENGTH);
    let (page, metainfo) = leecher(slot, &bytes).await;
    let info_hash = metainfo.info_hash();
    let stretches = async |page: &Page| {
        let found = page.host.store.stretches((info_hash, 0), 0..PIECE).await;
        found.unwrap().len()
    };
    assert_eq!(verify(&page, &metainfo).await, Err(StoreError::Missing));
    write_parts(&page, info_hash, &bytes).await;
    assert_eq!(stretches(&page).await, 18);
    bytes[7 << 20] ^= 1;
    write_parts(&page, info_hash, &bytes).await;
    assert!(
        verify(&page, &metainfo).await.is_ok(),
        "a hash, though a wrong one"
    );
    assert_eq!(stretches(&page).await, 0);

    bytes[7 << 20] ^= 1;
    write_parts(&page, info_hash, &bytes).await;
    let (page, have) = reloaded(slot, &page).await;
    assert_eq!(have, [0]);
    assert_eq!(stretches(&page).await, 0);
    page.host.store.remove(info_hash).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_long_piece_that_an_earlier_version_kept_whole_is_served() {
    let bytes = noise(LENGTH);
    let page = Page::new(Store::in_memory(64 << 20));
    let metainfo = torrent(&page, &bytes).await;
    let key = (metainfo.info_hash(), 0);
    let whole = Uint8Array::from(&bytes[..PIECE as usize]);
    page.host.store.write(key, whole).await.unwrap();
    let piece = metainfo.layout().piece(0).unwrap();
    let (begin, length) = CUT.stretch(PIECE, 5);
    let read = read_part(&page.host.store, &metainfo, piece, begin, length).await;
    assert!(read.unwrap().to_vec() == bytes[begin as usize..(begin + length) as usize]);
}

#[wasm_bindgen_test]
async fn padding_in_a_long_piece_need_not_be_kept() {
    let page = Page::new(Store::in_memory(64 << 20));
    let mut bytes = noise(CUT.whole + 1);
    bytes.resize(PIECE as usize, 0);
    let mut torrent = format!(
        "d4:infod5:filesld6:lengthi{}e4:pathl1:aeed4:attr1:p6:lengthi{}e4:pathl3:padeee4:name1:n\
         12:piece lengthi{PIECE}e6:pieces20:",
        CUT.whole + 1,
        CUT.part - 1
    )
    .into_bytes();
    torrent.extend(page.host.hasher.hash(&Uint8Array::from(&bytes[..])).await);
    torrent.extend(b"ee");
    page.open("padded.torrent", &torrent);
    let info_hash = page.added().await;
    let metainfo = page.host.torrents.metainfo(info_hash).unwrap();
    // Of the last part only the block that is no padding came.
    for begin in (0..PIECE).step_by(CUT.part as usize) {
        let length = if begin == CUT.whole { 16_384 } else { CUT.part };
        let data = Uint8Array::from(&bytes[begin as usize..(begin + length) as usize]);
        let written = page
            .host
            .store
            .write_stretch((info_hash, 0), begin, data)
            .await;
        assert_eq!(written, Ok(()));
    }
    let piece = metainfo.layout().piece(0).unwrap();
    assert_eq!(
        verify(&page, &metainfo).await,
        Ok(metainfo.piece_hash(piece))
    );
}
