use std::fs;

use super::*;
use crate::store::conformance::{PIECE, padded, torrent};

fn filled(folder: &Path, files: &[(&str, usize)]) -> (Metainfo, Vec<u8>) {
    let (metainfo, bytes) = torrent(files);
    let store = FileStore::open(folder, &metainfo).unwrap();
    let layout = metainfo.layout();
    for index in layout.pieces() {
        let start = layout.offset(index) as usize;
        store
            .write(index, &bytes[start..start + layout.length(index) as usize])
            .unwrap();
    }
    store.finish().unwrap();
    (metainfo, bytes)
}

fn opening(folder: &Path, metainfo: &Metainfo) -> Result<bool, String> {
    FileStore::open(folder, metainfo)
        .map(|store| store.has_something())
        .map_err(|e| e.to_string())
}

#[test]
fn files_lie_below_the_folder_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = filled(
        folder.path(),
        &[("a/한국어.bin", 20_000), ("a/leer", 0), ("b", 5)],
    );
    let root = folder.path().join("täglich");
    assert_eq!(
        fs::read(root.join("a/한국어.bin")).unwrap(),
        bytes[..20_000]
    );
    assert_eq!(fs::read(root.join("a/leer")).unwrap(), b"");
    assert_eq!(fs::read(root.join("b")).unwrap(), bytes[20_000..]);
    assert_eq!(opening(folder.path(), &metainfo), Ok(true));
}

#[test]
fn a_fresh_folder_has_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, _) = torrent(&[("a/b", 10)]);
    assert_eq!(opening(folder.path(), &metainfo), Ok(false));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_became_shorter_or_vanished_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = filled(folder.path(), &[("a", 2 * PIECE as usize), ("b", 10)]);
    let path = folder.path().join("täglich/a");
    fs::write(&path, &bytes[..PIECE as usize + 5]).unwrap();
    let store = FileStore::open(folder.path(), &metainfo).unwrap();
    let [first, second, third] = [0, 1, 2].map(|i| metainfo.layout().piece(i).unwrap());
    assert_eq!(store.read(first).unwrap(), bytes[..PIECE as usize]);
    assert_eq!(store.read(second), Err(StoreError::Missing));
    assert!(store.read(third).is_ok());
    assert!(
        store
            .finish()
            .unwrap_err()
            .to_string()
            .contains("bytes instead of")
    );
    fs::remove_file(&path).unwrap();
    assert_eq!(store.read(first), Err(StoreError::Missing));
}

#[test]
fn a_longer_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, _) = torrent(&[("a", 10)]);
    let path = folder.path().join("täglich/a");
    fs::create_dir(folder.path().join("täglich")).unwrap();
    fs::write(&path, b"eleven byte").unwrap();
    let error = opening(folder.path(), &metainfo).unwrap_err();
    assert!(
        error.contains("11 bytes, more than the torrent's 10"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"eleven byte");
}

#[test]
fn what_is_no_file_in_its_place_is_refused() {
    let (metainfo, _) = torrent(&[("a/b", 10)]);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("täglich/a/b")).unwrap();
    assert!(
        opening(folder.path(), &metainfo)
            .unwrap_err()
            .contains("is a folder")
    );

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("täglich"), b"").unwrap();
    assert!(
        opening(folder.path(), &metainfo)
            .unwrap_err()
            .contains("in the place of its folder")
    );
}

#[cfg(unix)]
#[test]
fn no_symbolic_link_leads_outside() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a/b", 10)]);
    let piece = metainfo.layout().piece(0).unwrap();

    // A folder that is a link, before and after the store was opened.
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path(), &metainfo).unwrap();
    symlink(outside.path(), folder.path().join("täglich")).unwrap();
    assert!(
        opening(folder.path(), &metainfo)
            .unwrap_err()
            .contains("symbolic link")
    );
    assert!(store.write(piece, &bytes).is_err());

    // A file that is a link, even to a file that has the right bytes.
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path(), &metainfo).unwrap();
    fs::create_dir_all(folder.path().join("täglich/a")).unwrap();
    fs::write(outside.path().join("b"), &bytes).unwrap();
    symlink(outside.path().join("b"), folder.path().join("täglich/a/b")).unwrap();
    assert!(
        opening(folder.path(), &metainfo)
            .unwrap_err()
            .contains("symbolic link")
    );
    assert!(store.write(piece, &bytes).is_err());
    assert!(matches!(store.read(piece), Err(StoreError::Unreadable(_))));
    // And one to nowhere.
    fs::remove_file(outside.path().join("b")).unwrap();
    assert!(store.write(piece, &bytes).is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn the_folder_itself_may_be_a_link() {
    let place = tempfile::tempdir().unwrap();
    let link = place.path().join("link");
    fs::create_dir(place.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    filled(&link, &[("a", 10)]);
    assert!(place.path().join("real/täglich/a").is_file());
}

#[test]
fn padding_is_read_as_zeros_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = padded();
    let layout = *metainfo.layout();
    let store = FileStore::open(folder.path(), &metainfo).unwrap();
    for index in layout.pieces() {
        let piece = &bytes[layout.offset(index) as usize..][..layout.length(index) as usize];
        store.write(index, piece).unwrap();
    }
    store.finish().unwrap();
    let root = folder.path().join("f");
    let mut names: Vec<_> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["0", "2", "4"]);
    assert_eq!(fs::read(root.join("2")).unwrap(), [0xaa; 5]);
    for index in layout.pieces() {
        let piece = &bytes[layout.offset(index) as usize..][..layout.length(index) as usize];
        assert_eq!(store.read(index).unwrap(), piece);
    }
}
