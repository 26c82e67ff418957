use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::store::conformance::{PIECE, torrent};

/// Files of these bytes, shared as if they had been hashed a moment ago.
fn shared(folder: &Path, files: &[(&str, usize)]) -> (SharedFiles, Vec<u8>) {
    let (metainfo, bytes) = torrent(files);
    let mut rest = &bytes[..];
    let mut places = Vec::new();
    for (name, length) in files {
        let (own, others) = rest.split_at(*length);
        rest = others;
        let path = folder.join(name);
        fs::write(&path, own).unwrap();
        places.push((path.clone(), Stamp::from(&fs::metadata(&path).unwrap())));
    }
    let files = SharedFiles::new(*metainfo.layout(), places);
    for piece in files.layout().pieces() {
        files.read(piece).unwrap();
    }
    files.hashed(metainfo);
    (files, bytes)
}

/// What is read of all files now, piece by piece.
fn pieces(files: &SharedFiles) -> Vec<Option<Bytes>> {
    let layout = files.layout();
    layout.pieces().map(|p| files.read(p).ok()).collect()
}

fn whole(files: &SharedFiles) -> Vec<u8> {
    let pieces = pieces(files).into_iter();
    pieces.flat_map(|piece| piece.unwrap()).collect()
}

/// Gives a file another time, as `touch` does.
fn touch(path: &Path) {
    let later = SystemTime::now() + Duration::from_secs(60);
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(later).unwrap();
}

const BIG: usize = 3 * PIECE as usize;

#[test]
fn pieces_go_across_files() {
    let folder = tempfile::tempdir().unwrap();
    let long = PIECE as usize * 2 + 9;
    let (files, bytes) = shared(
        folder.path(),
        &[
            ("0", 0),
            ("1", long),
            ("2", 0),
            ("3", 1),
            ("4", 2),
            ("5", 0),
        ],
    );
    assert_eq!(whole(&files), bytes);
}

#[test]
fn a_file_that_was_only_touched_is_shared_on() {
    let folder = tempfile::tempdir().unwrap();
    let (files, bytes) = shared(folder.path(), &[("a", BIG), ("b", BIG)]);
    assert!(!files.is_doubtful());
    touch(&folder.path().join("b"));
    assert_eq!(whole(&files), bytes);
    assert!(files.is_doubtful(), "a person is told");
    let changed = files.recheck();
    let [changed] = &changed[..] else {
        panic!("{changed:?}")
    };
    assert!(changed.file.ends_with('b'), "{changed:?}");
    assert_eq!((changed.lost.len(), changed.pieces), (0, 3));
    // Once.
    assert_eq!(whole(&files), bytes);
    assert!(!files.is_doubtful());
}

#[test]
fn only_the_pieces_that_differ_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (files, bytes) = shared(folder.path(), &[("a", BIG), ("b", BIG)]);
    let path = folder.path().join("b");
    let mut new = fs::read(&path).unwrap();
    new[PIECE as usize + 7] ^= 1;
    new.push(0);
    fs::write(&path, &new).unwrap();
    touch(&path);
    let read = pieces(&files);
    for (index, piece) in read.iter().enumerate() {
        let right = bytes.chunks(PIECE as usize).nth(index).unwrap();
        match index {
            4 => assert!(piece.is_none(), "it differs"),
            _ => assert_eq!(piece.as_deref(), Some(right)),
        }
    }
    let lost: Vec<_> = files.recheck().remove(0).lost;
    assert_eq!(lost, [files.layout().piece(4).unwrap()]);
}

#[test]
fn a_deleted_file_does_not_spoil_the_pieces_of_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let half = BIG + PIECE as usize / 2;
    let (files, bytes) = shared(folder.path(), &[("a", half), ("b", half), ("c", 5)]);
    fs::remove_file(folder.path().join("b")).unwrap();
    let [before, inside, across] = [3, 4, 7].map(|i| files.layout().piece(i).unwrap());
    assert_eq!(files.read(before).unwrap(), bytes[BIG..][..PIECE as usize]);
    assert_eq!(files.read(across).unwrap(), bytes[2 * half..]);
    let Err(StoreError::Unreadable(reason)) = files.read(inside) else {
        panic!("it is gone")
    };
    assert!(reason.contains('b'), "{reason}");
    let changed = files.recheck().remove(0);
    assert!(changed.unreadable.is_some());
    let lost: Vec<_> = changed.lost.iter().map(|piece| piece.get()).collect();
    assert_eq!(lost, [4, 5, 6]);
}

#[test]
fn a_file_that_changes_while_it_is_hashed_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, b"1234").unwrap();
    let stamp = Stamp::from(&fs::metadata(&path).unwrap());
    let files = SharedFiles::new(Layout::new(4, PIECE).unwrap(), [(path.clone(), stamp)]);
    fs::write(&path, b"12345").unwrap();
    let piece = files.layout().piece(0).unwrap();
    let Err(StoreError::Unreadable(reason)) = files.read(piece) else {
        panic!("it changed")
    };
    assert!(reason.contains("changed since it was hashed"), "{reason}");
}
