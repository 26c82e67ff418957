//! What other programs write, and others open: every rule with an input of its own.

use super::*;

/// The parts of a sound info dictionary, but for its name and files.
const CUT: &str = "12:piece lengthi16384e";

/// The paths of a torrent's files, which must open.
fn paths(torrent: &Metainfo) -> Vec<String> {
    let files = torrent.files().iter();
    files.map(|file| file.path.to_string()).collect()
}

/// A torrent of a folder `f` with files of these raw descriptions.
fn folder(files: &str) -> Metainfo {
    with_info(&format!("4:name1:f{CUT}5:filesl{files}e")).unwrap()
}

/// A file's raw description: its length and the parts of its path.
fn file(length: u64, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|p| format!("{}:{p}", p.len())).collect();
    format!("d6:lengthi{length}e4:pathl{parts}ee")
}

fn folder_of(files: &[(u64, &[&str])]) -> Vec<String> {
    let files: String = files
        .iter()
        .map(|(length, path)| file(*length, path))
        .collect();
    paths(&folder(&files))
}

#[test]
fn names_that_would_lead_elsewhere_are_made_safe() {
    let name = |name: &str| {
        let parts = format!("4:name{}:{name}{CUT}6:lengthi3e", name.len());
        with_info(&parts).unwrap().name().to_owned()
    };
    assert_eq!(name("Demo R1/beta6 (x86)"), "Demo R1beta6 (x86)");
    assert_eq!(name("temp/../../abc"), "temp....abc");
    assert_eq!(name("C:\\Users\\me"), "C_Usersme");
    for (files, expected) in [
        (&[(3, &["", "movie.mkv"][..])][..], &["f/movie.mkv"][..]),
        (&[(3, &["..", "..", "bar"])], &["f/bar"]),
        (&[(3, &["/", ".", "bar"])], &["f/bar"]),
        (&[(3, &["foo/../../../bar", "x"])], &["f/foo......bar/x"]),
        (
            &[(1, &["."]), (1, &["/"]), (1, &[""])],
            &["f/_", "f/_ (2)", "f/_ (3)"],
        ),
        (
            &[(1, &["abcde"]), (2, &["/abcde"])],
            &["f/abcde", "f/abcde (2)"],
        ),
        (&[(3, &["back\\slash.bin"])], &["f/backslash.bin"]),
    ] {
        assert_eq!(folder_of(files), expected, "{files:?}");
    }
}

#[test]
fn a_name_with_nothing_in_it_is_the_info_hash() {
    for name in ["0:", "2:..", "1:.", "2:/\\"] {
        let torrent = with_info(&format!("4:name{name}{CUT}6:lengthi3e")).unwrap();
        assert_eq!(torrent.name(), torrent.info_hash().to_string());
        let file = file(3, &["a"]);
        let torrent = with_info(&format!("4:name{name}{CUT}5:filesl{file}e")).unwrap();
        assert_eq!(paths(&torrent), [format!("{}/a", torrent.info_hash())]);
    }
}

#[test]
fn the_placeholder_of_an_empty_folder_is_no_file() {
    let files: &[(u64, &[&str])] = &[(3, &["a", "b"]), (0, &["a", "empty", ""]), (0, &["c"])];
    assert_eq!(folder_of(files), ["f/a/b", "f/c"]);
    let files: String = files
        .iter()
        .map(|(length, path)| file(*length, path))
        .collect();
    let numbers: Vec<u32> = folder(&files).files().iter().map(|f| f.number).collect();
    assert_eq!(numbers, [0, 2]);
}

#[test]
fn what_follows_a_torrent_files_dictionary_is_ignored() {
    let torrent = mixed().to_torrent();
    for rest in [&b"\n"[..], b"\r\n\0\0", b"e", b"d4:infodee", &[b'x'; 1000]] {
        let longer = [&torrent[..], rest].concat();
        assert_eq!(Metainfo::from_torrent(&longer), Ok(mixed()));
    }
    // Not on the wire, where the hash says how long it is.
    let info = Bytes::from([&mixed().info()[..], b"\n"].concat());
    let hash = InfoHash::of(&info);
    assert!(Metainfo::from_info(info, hash, vec![]).is_err());
}

#[test]
fn keys_that_nobody_reads_may_be_anything() {
    let mut info =
        b"d0:i1e3:123i1e3:123i2e2:\xff\xfele6:lengthi3e4:name1:a12:piece lengthi16384e6:pieces20:"
            .to_vec();
    info.extend([b'x'; 20]);
    info.push(b'e');
    let torrent = [b"d1:xi1e1:xi2e4:info", &info[..], b"e"].concat();
    let read = Metainfo::from_torrent(&torrent).unwrap();
    assert_eq!(read.info()[..], info);
    assert_eq!(read.info_hash(), InfoHash::of(&info));
    // And so it comes from a peer.
    let again = Metainfo::from_info(Bytes::from(info), read.info_hash(), vec![]);
    assert_eq!(again, Ok(read));
}

#[test]
fn what_is_of_another_type_or_empty_counts_as_missing() {
    let fine = file(3, &["x"]);
    for (parts, expected) in [
        ("4:name1:a10:name.utf-80:6:lengthi3e", "a"),
        ("4:name1:a10:name.utf-8i7e6:lengthi3e", "a"),
        ("4:name1:a10:name.utf-81:b6:lengthi3e", "b"),
        ("4:name1:a6:lengthi3e7:private3:yes", "a"),
        ("4:name1:a6:lengthi3e5:filesi0e", "a"),
        ("4:name1:a6:lengthi3e5:filesde", "a"),
        ("4:name1:a6:lengthi3e5:filesle", "a"),
        ("4:name1:a6:lengthi3e6:md5sumli1ee4:attr1:p", "a"),
        (&format!("4:name1:a6:lengthi9e5:filesl{fine}e"), "a/x"),
        (&format!("4:name1:a6:length1:95:filesl{fine}e"), "a/x"),
        (
            "4:name1:a5:filesld4:attri1e6:lengthi3e4:pathl1:ye10:path.utf-8leee",
            "a/y",
        ),
        (
            "4:name1:a5:filesld6:lengthi3e4:pathl1:ye10:path.utf-8li1eeee",
            "a/y",
        ),
    ] {
        let torrent = with_info(&format!("{CUT}{parts}")).expect(parts);
        assert_eq!(paths(&torrent), [expected], "{parts}");
        assert!(!torrent.is_private());
        assert_eq!(torrent.length(), 3);
    }
}

#[test]
fn lists_of_trackers_in_any_shape_are_read() {
    let trackers = |list: &str| {
        let pieces = "x".repeat(20);
        let info = format!("d6:lengthi3e4:name1:a{CUT}6:pieces20:{pieces}e");
        let torrent = format!("d8:announce4:ws:a13:announce-list{list}4:info{info}e");
        Metainfo::from_torrent(torrent.as_bytes())
            .expect(list)
            .trackers()
            .to_vec()
    };
    for list in [
        "0:",
        "le",
        "llee",
        "l0:e",
        "ll0:ee",
        "d1:0l4:ws:bee",
        "i1e",
        "lleli1eee",
    ] {
        assert_eq!(trackers(list), ["ws:a"], "{list}");
    }
    assert_eq!(trackers("l4:ws:be"), ["ws:b", "ws:a"], "without tiers");
    assert_eq!(trackers("li1el4:ws:bed1:04:ws:cee"), ["ws:b", "ws:a"]);
}

#[test]
fn an_announce_that_is_no_text_is_no_tracker() {
    let info = "d6:lengthi3e4:name1:a12:piece lengthi16384e6:pieces20:xxxxxxxxxxxxxxxxxxxxe";
    let torrent = format!("d8:announceli1ee13:creation date9:yesterday4:info{info}8:url-listi1ee");
    let torrent = Metainfo::from_torrent(torrent.as_bytes()).unwrap();
    assert!(torrent.trackers().is_empty());
}

#[test]
fn a_symbolic_link_has_no_bytes_whatever_it_says() {
    let link = "d4:attr1:l6:lengthi5e4:pathl1:le12:symlink pathl1:aee";
    let torrent = folder(&format!("{link}{}", file(3, &["a"])));
    let lengths: Vec<u64> = torrent.files().iter().map(|file| file.length).collect();
    assert_eq!(lengths, [0, 3]);
    assert_eq!(torrent.files()[1].offset, 0);
}

#[test]
fn long_piece_lengths_are_taken() {
    for length in [128_u32 << 20, 256 << 20, 536_854_528, 512 << 20] {
        let parts = format!("4:name1:a12:piece lengthi{length}e6:lengthi3e");
        assert_eq!(with_info(&parts).unwrap().layout().piece_length(), length);
    }
}

#[test]
fn two_hundred_and_ten_thousand_files_open() {
    let files = (0..210_000_u32).map(|i| {
        let (folder, name) = (format!("{:x}", i >> 10), format!("{i:x}"));
        file(1, &[&folder, &name])
    });
    let files: String = files.collect();
    let pieces = "x".repeat(13 * 20);
    let info = format!("d5:filesl{files}e4:name4:many{CUT}6:pieces260:{pieces}e");
    let torrent = format!("d4:info{info}e");
    let torrent = Metainfo::from_torrent(torrent.as_bytes()).unwrap();
    assert_eq!(torrent.files().len(), 210_000);
    assert_eq!(torrent.files()[209_999].path.to_string(), "many/cd/3344f");
}

#[test]
fn more_files_than_memory_is_meant_for_are_refused() {
    let files = file(1, &["a"]).repeat(Metainfo::MAX_FILES + 1);
    let parts = format!("4:name1:a{CUT}5:filesl{files}e");
    let refused = with_info(&parts).unwrap_err().to_string();
    assert!(refused.contains("too many"), "{refused}");
}
