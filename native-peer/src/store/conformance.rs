//! What every store must do, whatever it keeps its pieces in.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use sha1::{Digest, Sha1};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::{Builder, Metainfo, NewFile};
use swarm_core::pieces::PieceIndex;

use super::{FileStore, MemoryStore, Store};

pub(super) const PIECE: u32 = 16 * 1024;

/// A torrent of a folder with these files, and all its bytes.
pub(super) fn torrent(files: &[(&str, usize)]) -> (Metainfo, Vec<u8>) {
    let described = files.iter().map(|(path, length)| NewFile {
        path: path.split('/').map(str::to_owned).collect(),
        length: *length as u64,
    });
    let builder = Builder::new(Some("täglich"), described.collect(), Some(PIECE)).unwrap();
    let layout = *builder.layout();
    let total = files.iter().map(|(_, length)| length).sum();
    let bytes: Vec<u8> = (0..total)
        .map(|i| (i / 7 + i / 16384 * 31 + i % 251) as u8)
        .collect();
    let pieces = bytes.chunks(layout.piece_length() as usize);
    let hashes = pieces.flat_map(|piece| <[u8; 20]>::from(Sha1::digest(piece)));
    (builder.finish(hashes.collect(), vec![], false), bytes)
}

/// Several files, one of many pieces, some that share a piece, an empty one, several
/// scripts, a last piece that is short.
fn several() -> (Metainfo, Vec<u8>) {
    torrent(&[
        ("first.bin", 3 * PIECE as usize + 100),
        ("leer/nichts", 0),
        ("tief/unten/Übung 한국어.txt", 50),
        ("tief/unten/الصور.bin", 70),
        ("zuletzt", PIECE as usize + 1),
    ])
}

/// A torrent whose second and fourth entries are padding (BEP 47), and all its bytes.
pub(super) fn padded() -> (Metainfo, Vec<u8>) {
    const LENGTHS: [usize; 5] = [
        PIECE as usize + 9,
        PIECE as usize - 9,
        5,
        3 * PIECE as usize,
        7,
    ];
    let mut entries = String::new();
    let mut bytes = Vec::new();
    for (number, length) in LENGTHS.into_iter().enumerate() {
        let padding = number % 2 == 1;
        let attr = if padding { "4:attr1:p" } else { "" };
        entries += &format!("d{attr}6:lengthi{length}e4:pathl1:{number}ee");
        bytes.resize(bytes.len() + length, u8::from(!padding) * 0xaa);
    }
    let pieces = bytes.len().div_ceil(PIECE as usize);
    let hashes = "x".repeat(pieces * 20);
    let info = format!(
        "d5:filesl{entries}e4:name1:f12:piece lengthi{PIECE}e6:pieces{}:{hashes}e",
        hashes.len()
    );
    let torrent = format!("d4:info{info}e");
    (Metainfo::from_torrent(torrent.as_bytes()).unwrap(), bytes)
}

fn piece<'a>(metainfo: &Metainfo, bytes: &'a [u8], index: PieceIndex) -> &'a [u8] {
    let layout = metainfo.layout();
    &bytes[layout.offset(index) as usize..][..layout.length(index) as usize]
}

/// Makes a store for a torrent; the folder is for those that want one, and the same for
/// every store of one test.
type Make = fn(&Path, &Metainfo) -> Arc<dyn Store>;

fn with_store(make: Make, test: impl FnOnce(&dyn Fn() -> Arc<dyn Store>, &Metainfo, &[u8])) {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = several();
    test(&|| make(folder.path(), &metainfo), &metainfo, &bytes);
}

fn nothing_is_there_at_first(make: Make) {
    with_store(make, |open, metainfo, _| {
        let store = open();
        for index in metainfo.layout().pieces() {
            assert_eq!(store.read(index), Err(StoreError::Missing));
        }
    });
}

fn what_is_written_is_read_back(make: Make) {
    with_store(make, |open, metainfo, bytes| {
        let store = open();
        for index in metainfo.layout().pieces() {
            store.write(index, piece(metainfo, bytes, index)).unwrap();
            assert_eq!(store.read(index).unwrap(), piece(metainfo, bytes, index));
        }
        store.finish().unwrap();
        for index in metainfo.layout().pieces() {
            assert_eq!(store.read(index).unwrap(), piece(metainfo, bytes, index));
        }
    });
}

fn the_order_of_writing_does_not_matter(make: Make) {
    with_store(make, |open, metainfo, bytes| {
        let store = open();
        let mut order: Vec<_> = metainfo.layout().pieces().collect();
        order.reverse();
        for &index in &order {
            store.write(index, piece(metainfo, bytes, index)).unwrap();
        }
        for &index in &order {
            assert_eq!(store.read(index).unwrap(), piece(metainfo, bytes, index));
        }
    });
}

fn a_piece_may_be_written_again(make: Make) {
    with_store(make, |open, metainfo, bytes| {
        let store = open();
        let index = metainfo.layout().piece(3).unwrap();
        let wrong = vec![0xee; metainfo.layout().length(index) as usize];
        store.write(index, &wrong).unwrap();
        store.write(index, piece(metainfo, bytes, index)).unwrap();
        assert_eq!(store.read(index).unwrap(), piece(metainfo, bytes, index));
    });
}

fn an_unfinished_torrent_is_not_finished(make: Make) {
    with_store(make, |open, metainfo, bytes| {
        let store = open();
        let first = metainfo.layout().piece(0).unwrap();
        store.write(first, piece(metainfo, bytes, first)).unwrap();
        assert!(store.finish().is_err());
    });
}

fn a_piece_in_parts_is_kept_once_all_of_it_is_right(make: Make) {
    with_store(make, |open, metainfo, bytes| {
        let store = open();
        for index in metainfo.layout().pieces() {
            let right = piece(metainfo, bytes, index);
            let hash = <[u8; 20]>::from(Sha1::digest(right));
            // Across the ends of files, and the last part first.
            let half = right.len() / 2;
            store
                .write_part(index, half as u32, &right[half..])
                .unwrap();
            store.write_part(index, 0, &vec![0xee; half]).unwrap();
            assert_ne!(store.verify(index), Ok(hash));
            assert!(store.finish().is_err(), "what is wrong does not count");
            store.write_part(index, 0, &right[..half]).unwrap();
            assert_eq!(store.verify(index), Ok(hash));
            let begin = half as u32 / 2;
            let length = half as u32;
            assert_eq!(
                store.read_part(index, begin, length).unwrap(),
                right[begin as usize..][..half]
            );
            assert_eq!(store.read(index).unwrap(), right);
        }
        store.finish().unwrap();
    });
}

fn pieces_may_be_written_and_read_at_once(make: Make) {
    with_store(make, |open, metainfo, bytes| {
        let store = open();
        thread::scope(|scope| {
            for index in metainfo.layout().pieces() {
                let store = &store;
                scope.spawn(move || {
                    store.write(index, piece(metainfo, bytes, index)).unwrap();
                    assert_eq!(store.read(index).unwrap(), piece(metainfo, bytes, index));
                });
            }
        });
        store.finish().unwrap();
    });
}

macro_rules! conforms {
    ($store:ident, $make:expr, [$($test:ident),* $(,)?]) => {
        mod $store {
            use super::*;
            $(#[test]
            fn $test() {
                super::$test($make);
            })*
        }
    };
    ($store:ident, $make:expr) => {
        conforms!($store, $make, [
            nothing_is_there_at_first,
            what_is_written_is_read_back,
            the_order_of_writing_does_not_matter,
            a_piece_may_be_written_again,
            an_unfinished_torrent_is_not_finished,
            a_piece_in_parts_is_kept_once_all_of_it_is_right,
            pieces_may_be_written_and_read_at_once,
        ]);
    };
}

conforms!(memory, |_, metainfo| Arc::new(MemoryStore::new(metainfo)));
conforms!(files, |folder, metainfo| Arc::new(
    FileStore::open(folder, metainfo, crate::store::file::Wishes::default()).unwrap()
));
