use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};

use super::*;
use crate::store::conformance::{PIECE, padded, torrent};

fn open(folder: &Path, metainfo: &Metainfo) -> Result<FileStore, Error> {
    FileStore::open(folder, metainfo, Wishes::default())
}

fn overwriting(folder: &Path, metainfo: &Metainfo) -> FileStore {
    let wishes = Wishes {
        overwrite: true,
        ..Wishes::default()
    };
    FileStore::open(folder, metainfo, wishes).unwrap()
}

fn bytes_of<'a>(metainfo: &Metainfo, bytes: &'a [u8], piece: PieceIndex) -> &'a [u8] {
    let layout = metainfo.layout();
    &bytes[layout.offset(piece) as usize..][..layout.length(piece) as usize]
}

/// What the engine does before it transfers: which pieces are here.
fn check(store: &FileStore, metainfo: &Metainfo) -> Bitfield {
    let mut have = Bitfield::empty(metainfo.layout().piece_count());
    for piece in metainfo.layout().pieces() {
        if store
            .read(piece)
            .is_ok_and(|data| is_right(metainfo, piece, &data))
        {
            have.insert(piece);
        }
    }
    have
}

/// Fetches what is lacking, as the engine would.
fn fetch(store: &FileStore, metainfo: &Metainfo, bytes: &[u8]) -> Result<usize, Error> {
    let have = check(store, metainfo);
    store.checked(&have)?;
    let mut fetched = 0;
    for piece in metainfo.layout().pieces().filter(|p| !have.has(*p)) {
        store.write(piece, bytes_of(metainfo, bytes, piece))?;
        fetched += 1;
    }
    assert!(store.read_back()?.is_empty());
    store.finish()?;
    Ok(fetched)
}

/// The names of all files below a folder, in order.
fn names_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(names_below(&path));
        } else {
            names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    names.sort();
    names
}

fn filled(folder: &Path, files: &[(&str, usize)]) -> (Metainfo, Vec<u8>) {
    let (metainfo, bytes) = torrent(files);
    fetch(&open(folder, &metainfo).unwrap(), &metainfo, &bytes).unwrap();
    (metainfo, bytes)
}

fn opening(folder: &Path, metainfo: &Metainfo) -> Result<bool, String> {
    open(folder, metainfo)
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
fn a_file_has_its_name_once_it_is_complete_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 2 * PIECE as usize), ("b", PIECE as usize)]);
    let store = open(folder.path(), &metainfo).unwrap();
    let [first, second, third] = [0, 1, 2].map(|i| metainfo.layout().piece(i).unwrap());
    store
        .write(first, bytes_of(&metainfo, &bytes, first))
        .unwrap();
    let names = names_below(folder.path());
    assert!(names.len() == 1 && names[0].ends_with(".part"), "{names:?}");
    store
        .write(second, bytes_of(&metainfo, &bytes, second))
        .unwrap();
    assert_eq!(names_below(folder.path()), ["a"]);

    // Another program goes on from there.
    drop(store);
    let store = open(folder.path(), &metainfo).unwrap();
    assert!(store.has_something());
    let have = check(&store, &metainfo);
    assert_eq!(have.iter().collect::<Vec<_>>(), [first, second]);
    store.checked(&have).unwrap();
    store
        .write(third, bytes_of(&metainfo, &bytes, third))
        .unwrap();
    store.finish().unwrap();
    assert_eq!(names_below(folder.path()), ["a", "b"]);
}

#[test]
fn a_download_goes_on_from_its_own_parts_even_if_they_were_spoilt() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 3 * PIECE as usize)]);
    let store = open(folder.path(), &metainfo).unwrap();
    let [first, second, _] = [0, 1, 2].map(|i| metainfo.layout().piece(i).unwrap());
    for piece in [first, second] {
        store
            .write(piece, bytes_of(&metainfo, &bytes, piece))
            .unwrap();
    }
    let part = folder
        .path()
        .join("täglich")
        .join(&store.names[0].part.name);
    let mut spoilt = fs::read(&part).unwrap();
    spoilt[5] ^= 1;
    fs::write(&part, spoilt).unwrap();
    let store = open(folder.path(), &metainfo).unwrap();
    assert_eq!(fetch(&store, &metainfo, &bytes).unwrap(), 2);
    assert_eq!(fs::read(folder.path().join("täglich/a")).unwrap(), bytes);
}

#[test]
fn what_was_changed_after_it_was_written_is_found_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 3 * PIECE as usize), ("b", 10)]);
    let store = open(folder.path(), &metainfo).unwrap();
    for piece in metainfo.layout().pieces() {
        store
            .write(piece, bytes_of(&metainfo, &bytes, piece))
            .unwrap();
    }
    let path = folder.path().join("täglich/a");
    spoil(&path, u64::from(PIECE));
    let second = metainfo.layout().piece(1).unwrap();
    assert_eq!(store.read_back().unwrap(), [second]);
    assert!(store.finish().is_err());
    store
        .write(second, bytes_of(&metainfo, &bytes, second))
        .unwrap();
    assert_eq!(store.read_back().unwrap(), []);
    store.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes[..3 * PIECE as usize]);
    assert_eq!(names_below(folder.path()), ["a", "b"]);
}

/// Changes a byte of a file, once the system's clock for files shows it, and hides when.
fn spoil(path: &Path, offset: u64) {
    let modified = || fs::metadata(path).unwrap().modified().unwrap();
    let before = modified();
    let file = || fs::OpenOptions::new().read(true).write(true).open(path);
    let mut byte = [0];
    let mut spoilt = file().unwrap();
    spoilt.seek(SeekFrom::Start(offset)).unwrap();
    spoilt.read_exact(&mut byte).unwrap();
    while modified() == before {
        spoilt.seek(SeekFrom::Start(offset)).unwrap();
        spoilt.write_all(&[byte[0] ^ 1]).unwrap();
    }
    spoilt.set_modified(before).unwrap();
}

#[test]
fn what_was_changed_between_two_writes_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 3 * PIECE as usize), ("b", 3 * PIECE as usize)]);
    let store = open(folder.path(), &metainfo).unwrap();
    for piece in metainfo.layout().pieces() {
        if piece.get() == 2 {
            let part = &store.names[0].part.name;
            spoil(&folder.path().join("täglich").join(part), 5);
        }
        store
            .write(piece, bytes_of(&metainfo, &bytes, piece))
            .unwrap();
    }
    assert_eq!(
        store.read_back().unwrap(),
        [metainfo.layout().piece(0).unwrap()]
    );
}

/// Where the system shows every change, nothing is read in vain.
#[cfg(target_os = "linux")]
#[test]
fn what_nobody_else_wrote_to_need_not_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 3 * PIECE as usize), ("b", 10)]);
    let store = open(folder.path(), &metainfo).unwrap();
    for piece in metainfo.layout().pieces() {
        wait_for_the_clock_of(folder.path());
        store
            .write(piece, bytes_of(&metainfo, &bytes, piece))
            .unwrap();
    }
    assert!((0..2).all(|file| store.is_as_we_left_it(file)));
}

/// Until a file that is changed now shows that it was changed later than one before.
fn wait_for_the_clock_of(folder: &Path) {
    let now = || {
        let file = tempfile::NamedTempFile::new_in(folder).unwrap();
        file.as_file().metadata().unwrap().modified().unwrap()
    };
    let before = now();
    while now() == before {}
}

#[test]
fn files_that_are_right_are_taken_wherever_they_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 40_000), ("b", 9_000), ("c", 40_000)]);
    let root = folder.path().join("täglich");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), &bytes[..40_000]).unwrap();
    // It lies within a piece of which nothing else is here: compared once that has come.
    fs::write(root.join("b"), &bytes[40_000..49_000]).unwrap();
    let store = open(folder.path(), &metainfo).unwrap();
    fetch(&store, &metainfo, &bytes).unwrap();
    assert_eq!(fs::read(root.join("c")).unwrap(), bytes[49_000..]);
    assert_eq!(names_below(folder.path()), ["a", "b", "c"]);
}

#[test]
fn a_file_of_ones_own_is_never_touched_unless_one_says_so() {
    // Of another length; as long, and wholly different; as long, and known to differ only
    // once the piece that it shares is here.
    for (name, files) in [
        ("length", [("a", 50_000), ("b", 5)]),
        ("bytes", [("a", 50_000), ("b", 5)]),
        ("late", [("b", 50_000), ("a", 5)]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (metainfo, bytes) = torrent(&files);
        let root = folder.path().join("täglich");
        fs::create_dir(&root).unwrap();
        let length = files.iter().find(|(n, _)| *n == "a").unwrap().1;
        let own = vec![b'!'; length + usize::from(name == "length")];
        fs::write(root.join("a"), &own).unwrap();

        let refused = open(folder.path(), &metainfo)
            .and_then(|store| fetch(&store, &metainfo, &bytes))
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("täglich/a is there already") && refused.contains("--overwrite"),
            "{name}: {refused}"
        );
        assert_eq!(fs::read(root.join("a")).unwrap(), own, "{name}");

        let store = overwriting(folder.path(), &metainfo);
        assert_eq!(fs::read(root.join("a")).unwrap(), own, "{name}: not yet");
        fetch(&store, &metainfo, &bytes).unwrap();
        let at = metainfo
            .files()
            .iter()
            .find(|f| f.path.file_name() == "a")
            .unwrap()
            .offset;
        let right = &bytes[at as usize..][..length];
        assert_eq!(fs::read(root.join("a")).unwrap(), right, "{name}");
        assert_eq!(names_below(folder.path()), ["a", "b"], "{name}");
    }
}

#[test]
fn what_is_right_in_a_file_that_is_overwritten_is_not_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 4 * PIECE as usize)]);
    let root = folder.path().join("täglich");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), &bytes[..3 * PIECE as usize]).unwrap();
    assert!(open(folder.path(), &metainfo).is_err());
    let store = overwriting(folder.path(), &metainfo);
    assert_eq!(fetch(&store, &metainfo, &bytes).unwrap(), 1);
    assert_eq!(fs::read(root.join("a")).unwrap(), bytes);
}

#[test]
fn a_file_that_comes_into_being_meanwhile_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 2 * PIECE as usize)]);
    let store = open(folder.path(), &metainfo).unwrap();
    let [first, second] = [0, 1].map(|i| metainfo.layout().piece(i).unwrap());
    store
        .write(first, bytes_of(&metainfo, &bytes, first))
        .unwrap();
    let path = folder.path().join("täglich/a");
    fs::write(&path, b"mine").unwrap();
    let error = store
        .write(second, bytes_of(&metainfo, &bytes, second))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("left alone") && error.contains(".part"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn two_that_fetch_into_one_folder_both_end_well() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 2 * PIECE as usize), ("b", PIECE as usize)]);
    let [one, two] = [0, 1].map(|_| open(folder.path(), &metainfo).unwrap());
    for piece in metainfo.layout().pieces() {
        one.write(piece, bytes_of(&metainfo, &bytes, piece))
            .unwrap();
        two.write(piece, bytes_of(&metainfo, &bytes, piece))
            .unwrap();
    }
    for store in [one, two] {
        assert_eq!(store.read_back().unwrap(), []);
        store.finish().unwrap();
    }
    assert_eq!(names_below(folder.path()), ["a", "b"]);
}

#[test]
fn what_is_not_wanted_does_not_stand_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 20_000), ("x/b", 20_000), ("c", 20_000)]);
    let root = folder.path().join("täglich");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("x"), b"not even a folder").unwrap();
    fs::create_dir(root.join("c")).unwrap();
    let wishes = Wishes {
        left_out: BTreeSet::from([1, 2]),
        overwrite: false,
    };
    let store = FileStore::open(folder.path(), &metainfo, wishes.clone()).unwrap();
    for piece in metainfo.layout().pieces().take(2) {
        store
            .write(piece, bytes_of(&metainfo, &bytes, piece))
            .unwrap();
        // What came along is kept, to be served and to be known the next time.
        assert_eq!(
            store.read(piece).unwrap(),
            bytes_of(&metainfo, &bytes, piece)
        );
    }
    assert_eq!(fs::read(root.join("a")).unwrap(), bytes[..20_000]);
    assert_eq!(fs::read(root.join("x")).unwrap(), b"not even a folder");
    let again = FileStore::open(folder.path(), &metainfo, wishes).unwrap();
    assert_eq!(check(&again, &metainfo).count(), 2);
}

#[test]
fn a_file_that_changes_after_it_was_completed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (metainfo, bytes) = torrent(&[("a", 3 * PIECE as usize), ("b", PIECE as usize)]);
    let store = open(folder.path(), &metainfo).unwrap();
    fetch(&store, &metainfo, &bytes).unwrap();
    let path = folder.path().join("täglich/a");
    let mut changed = bytes[..3 * PIECE as usize].to_vec();
    changed[PIECE as usize] ^= 1;
    changed.push(7);
    fs::write(&path, changed).unwrap();
    let [first, second] = [0, 1].map(|i| metainfo.layout().piece(i).unwrap());
    assert_eq!(
        store.read(first).unwrap(),
        bytes_of(&metainfo, &bytes, first)
    );
    assert!(matches!(store.read(second), Err(StoreError::Unreadable(_))));
    assert!(store.is_doubtful());
    assert_eq!(store.recheck().remove(0).lost, [second]);
    assert!(!store.is_doubtful());
    fs::remove_file(&path).unwrap();
    assert_eq!(store.read(first), Err(StoreError::Missing));
    assert_eq!(store.recheck().remove(0).lost.len(), 3);
}

#[test]
fn a_hidden_name_goes_into_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let files = vec![swarm_core::metainfo::NewFile {
        path: vec![".profile".to_owned()],
        length: 10,
    }];
    let builder = swarm_core::metainfo::Builder::new(None, files, None).unwrap();
    let metainfo = builder.finish(vec![0; 20], vec![], false);
    assert!(open(folder.path(), &metainfo).is_ok());
    fs::write(folder.path().join("letter.txt"), b"").unwrap();
    let error = open(folder.path(), &metainfo).unwrap_err().to_string();
    assert!(error.contains("hidden name .profile"), "{error}");
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
    let store = open(folder.path(), &metainfo).unwrap();
    symlink(outside.path(), folder.path().join("täglich")).unwrap();
    assert!(
        opening(folder.path(), &metainfo)
            .unwrap_err()
            .contains("symbolic link")
    );
    assert!(store.write(piece, &bytes).is_err());

    // A file that is a link, even to a file that has the right bytes.
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &metainfo).unwrap();
    fs::create_dir_all(folder.path().join("täglich/a")).unwrap();
    fs::write(outside.path().join("b"), &bytes).unwrap();
    symlink(outside.path().join("b"), folder.path().join("täglich/a/b")).unwrap();
    assert!(
        opening(folder.path(), &metainfo)
            .unwrap_err()
            .contains("symbolic link")
    );
    assert!(store.write(piece, &bytes).is_err());
    assert!(folder.path().join("täglich/a/b").is_symlink());
    assert_eq!(fs::read(outside.path().join("b")).unwrap(), bytes);
    // And one to nowhere.
    fs::remove_file(outside.path().join("b")).unwrap();
    assert!(store.finish().is_err());
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
    let store = open(folder.path(), &metainfo).unwrap();
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
