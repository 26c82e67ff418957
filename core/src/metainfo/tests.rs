//! Against bytes and hashes that other programs made (Python's hashlib, libtorrent), and
//! against torrents that nobody should make.

use sha1::{Digest, Sha1};

use super::*;

mod padding;
mod refusals;
mod tolerance;

const TRACKER: &str = "wss://t.example/swarm";

fn new_file(path: &str, length: u64) -> NewFile {
    let path = path.split('/').map(str::to_owned).collect();
    NewFile { path, length }
}

fn piece_hashes(data: &[u8], piece_length: usize) -> Vec<u8> {
    let pieces = data.chunks(piece_length);
    pieces
        .flat_map(|piece| Sha1::digest(piece).to_vec())
        .collect()
}

fn mixed() -> Metainfo {
    let files = vec![
        new_file("a.txt", 11),
        new_file("leer/пусто.txt", 0),
        new_file("leer/日記.txt", 20_000),
    ];
    let mut data = b"first file\n".to_vec();
    data.extend((0..20_000_u32).map(|i| (i % 7) as u8));
    Builder::new(Some("Mixed Ünicode"), files, Some(16_384))
        .unwrap()
        .finish(
            piece_hashes(&data, 16_384),
            vec![TRACKER.into(), "udp://u.example:80".into()],
            true,
        )
}

#[test]
fn a_single_file_becomes_the_torrent_that_others_make_of_it() {
    let data: Vec<u8> = (0..40_000_u32).map(|i| (i % 251) as u8).collect();
    let builder = Builder::new(None, vec![new_file("hello.bin", 40_000)], Some(16_384)).unwrap();
    assert_eq!(builder.layout().piece_count(), 3);
    let metainfo = builder.finish(piece_hashes(&data, 16_384), vec![], false);
    assert_eq!(
        metainfo.info_hash().to_string(),
        "03d11dc0cb4b593a5d2bda56968d8a5b9f053916"
    );
    assert!(!metainfo.is_multi_file() && !metainfo.is_private());
    assert_eq!(metainfo.files()[0].path.to_string(), "hello.bin");
    let last = metainfo.layout().piece(2).unwrap();
    assert_eq!(
        metainfo.piece_hash(last)[..],
        Sha1::digest(&data[32_768..])[..]
    );
}

#[test]
fn a_folder_becomes_the_torrent_that_others_make_of_it() {
    let metainfo = mixed();
    assert_eq!(
        metainfo.info_hash().to_string(),
        "2a5def209b75d841f78b3f4f90502b0335b0377b"
    );
    let torrent = metainfo.to_torrent();
    assert_eq!(
        InfoHash::of(&torrent).to_string(),
        "c74e1ca408a4caed07a778a9bf37564ab426d73b"
    );
    assert_eq!(Metainfo::from_torrent(&torrent), Ok(metainfo.clone()));
    assert!(metainfo.is_multi_file() && metainfo.is_private());
    let paths: Vec<String> = metainfo
        .files()
        .iter()
        .map(|f| f.path.to_string())
        .collect();
    assert_eq!(
        paths,
        [
            "Mixed Ünicode/a.txt",
            "Mixed Ünicode/leer/пусто.txt",
            "Mixed Ünicode/leer/日記.txt"
        ]
    );
}

#[test]
fn the_info_dictionary_is_hashed_as_it_came() {
    // Unsorted, with a key that we don't know.
    let mut info = b"d4:name1:a6:lengthi3e12:piece lengthi16384e6:pieces20:".to_vec();
    info.extend(Sha1::digest(b"abc"));
    info.extend(b"1:xle7:privatei0ee");
    let torrent = [b"d4:info", info.as_slice(), b"e"].concat();
    let metainfo = Metainfo::from_torrent(&torrent).unwrap();
    assert_eq!(
        metainfo.info_hash().to_string(),
        "79be9a658892009e25ac1dc526705c869055c4a0"
    );
    assert_eq!(metainfo.info()[..], info);
    assert_eq!(metainfo.to_torrent(), torrent);
    assert!(!metainfo.is_private());
}

#[test]
fn a_hybrid_torrent_is_read_through_its_v1_keys() {
    let metainfo = Metainfo::from_torrent(include_bytes!("testdata/hybrid.torrent")).unwrap();
    assert_eq!(
        metainfo.info_hash().to_string(),
        "2e07efaf93659055091f19a75a97101661c40018"
    );
    assert_eq!(metainfo.trackers(), [TRACKER]);
    let files = metainfo.files().iter();
    let files: Vec<_> = files.map(|f| (f.path.to_string(), f.number)).collect();
    let expected = [
        ("Hybrid/a.txt", 0),
        ("Hybrid/sub/b.bin", 2),
        ("Hybrid/sub/c.bin", 4),
    ];
    assert!(
        files
            .iter()
            .map(|(p, number)| (p.as_str(), *number))
            .eq(expected)
    );
    assert_eq!(metainfo.files()[1].offset, 16_384);
    let padding = metainfo.padding().ranges();
    assert_eq!(padding, [11..16_384, 36_384..49_152, 49_252..65_536]);
}

#[test]
fn a_torrent_of_version_2_alone_is_refused_in_words() {
    let refused = Metainfo::from_torrent(include_bytes!("testdata/v2.torrent")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a torrent of BitTorrent v2 alone; only v1 and hybrid torrents can be opened"
    );
}

/// A torrent of these parts of an info dictionary, with a name, and one piece.
fn with_info(parts: &str) -> Result<Metainfo, MetainfoError> {
    let pieces = "x".repeat(20);
    Metainfo::from_torrent(format!("d4:infod6:pieces20:{pieces}{parts}ee").as_bytes())
}

#[test]
fn files_that_would_collide_are_told_apart() {
    let file = |path: &str| format!("d6:lengthi1e4:path{path}e");
    let files = ["l1:be", "l1:Be", "l2:b?e", "l2:b_e", "l1:ce", "l1:C1:de"].map(file);
    let parts = format!("4:name1:a12:piece lengthi16384e5:filesl{}e", files.concat());
    let metainfo = with_info(&parts).unwrap();
    let paths: Vec<String> = metainfo
        .files()
        .iter()
        .map(|f| f.path.to_string())
        .collect();
    let expected = ["a/b", "a/B (2)", "a/b_", "a/b_ (2)", "a/c (2)", "a/C/d"];
    assert_eq!(paths, expected);
}

#[test]
fn symbolic_links_and_foreign_encodings_do_no_harm() {
    let link = "d4:attr1:l4:pathl1:be12:symlink pathl3:etcee";
    let file = "d6:lengthi3e4:pathl3:p\u{e4}e10:path.utf-8l3:p\u{e4}ee";
    let parts = format!("4:name1:a12:piece lengthi16384e5:filesl{link}{file}e");
    let metainfo = with_info(&parts).unwrap();
    assert_eq!(metainfo.files()[0].length, 0);
    assert_eq!(metainfo.files()[1].path.to_string(), "a/pä");

    let mut torrent = b"d4:infod6:lengthi3e4:name2:p\xe412:piece lengthi16384e6:pieces20:".to_vec();
    torrent.extend(b"xxxxxxxxxxxxxxxxxxxxee");
    let metainfo = Metainfo::from_torrent(&torrent).unwrap();
    assert_eq!(metainfo.name(), "p\u{fffd}");
    assert_eq!(metainfo.to_torrent(), torrent);
}

#[test]
fn trackers_are_flattened_and_cleaned() {
    let list = "ll5:udp:a3:x yel5:udp:b5:udp:a0:ee";
    let torrent = format!(
        "d8:announce5:udp:c13:announce-list{list}4:infod6:lengthi3e4:name1:a\
         12:piece lengthi16384e6:pieces20:{}ee",
        "x".repeat(20)
    );
    let metainfo = Metainfo::from_torrent(torrent.as_bytes()).unwrap();
    assert_eq!(metainfo.trackers(), ["udp:a", "udp:b", "udp:c"]);
    let tiers: Vec<_> = metainfo.tiers().collect();
    let again = Metainfo::from_torrent(&metainfo.to_torrent()).unwrap();
    assert_eq!(again.tiers().collect::<Vec<_>>(), tiers);
    let other = metainfo.with_trackers(vec![TRACKER.into()]);
    assert_eq!(other.trackers(), [TRACKER]);
    assert_eq!(other.info_hash(), metainfo.info_hash());
    assert_eq!(Metainfo::from_torrent(&other.to_torrent()), Ok(other));
}

#[test]
fn metadata_from_a_peer_must_have_the_right_hash() {
    let metainfo = mixed();
    let info = metainfo.info().clone();
    let trackers = metainfo.trackers().to_vec();
    let again = Metainfo::from_info(info.clone(), metainfo.info_hash(), trackers);
    assert_eq!(again, Ok(metainfo));
    let other = InfoHash([7; 20]);
    let refused = Metainfo::from_info(info, other, vec![]);
    assert_eq!(refused, Err(MetainfoError::WrongInfoHash));
}

#[test]
fn spans_of_files_cover_every_byte_in_order() {
    arbtest::arbtest(|u| {
        let lengths: Vec<u8> = u.arbitrary()?;
        let files: Vec<NewFile> = lengths
            .iter()
            .enumerate()
            .map(|(i, length)| new_file(&i.to_string(), u64::from(*length)))
            .collect();
        let piece_length = u.int_in_range(1..=300)?;
        let Ok(builder) = Builder::new(Some("x"), files, Some(piece_length)) else {
            return Ok(());
        };
        let hashes = vec![0; builder.layout().piece_count() as usize * 20];
        let metainfo = builder.finish(hashes, vec![], false);
        let mut next = 0;
        for piece in metainfo.layout().pieces() {
            for span in metainfo.piece_spans(piece) {
                let file = &metainfo.files()[span.file];
                assert_eq!(file.offset + span.offset, next);
                assert!(span.length > 0 && span.offset + u64::from(span.length) <= file.length);
                next += u64::from(span.length);
            }
            let end = metainfo.layout().offset(piece) + u64::from(metainfo.layout().length(piece));
            assert_eq!(next, end);
        }
        assert_eq!(metainfo.spans(next, 100).count(), 0);
        assert_eq!(metainfo.spans(u64::MAX, u32::MAX).count(), 0);
        Ok(())
    });
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let one = |path| Builder::new(None, vec![new_file(path, 1)], None).map(drop);
    let none = Builder::new(Some("x"), vec![], None).map(drop);
    assert_eq!(none, Err(CreateError::NoFiles));
    let empty = Builder::new(Some("x"), vec![new_file("a", 0)], None).map(drop);
    assert_eq!(empty, Err(CreateError::Empty));
    assert_eq!(one("a"), Ok(()));
    assert!(one("..").is_err());
    assert!(one("\\").is_err());
    assert!(one("a/b").is_err());
    assert!(Builder::new(Some("."), vec![new_file("a", 1)], None).is_err());
    let huge = vec![new_file("a", u64::MAX), new_file("b", 1)];
    assert!(Builder::new(Some("x"), huge, None).is_err());
    let fine = vec![new_file("a", 1 << 30)];
    assert!(Builder::new(Some("x"), fine, Some(1024)).is_err());
    let no_name = vec![NewFile {
        path: vec![],
        length: 1,
    }];
    assert!(Builder::new(Some("x"), no_name, None).is_err());
}

#[test]
fn what_is_created_is_read_back() {
    arbtest::arbtest(|u| {
        let folder: Option<String> = u.arbitrary()?;
        let files: Vec<(Vec<String>, u16)> = u.arbitrary()?;
        let files: Vec<NewFile> = files
            .into_iter()
            .map(|(path, length)| NewFile {
                path,
                length: length.into(),
            })
            .collect();
        let lengths: Vec<u64> = files.iter().map(|file| file.length).collect();
        let Ok(builder) = Builder::new(folder.as_deref(), files, None) else {
            return Ok(());
        };
        let hashes = vec![9; builder.layout().piece_count() as usize * 20];
        let metainfo = builder.finish(hashes, u.arbitrary()?, u.arbitrary()?);
        assert!(metainfo.files().iter().map(|file| file.length).eq(lengths));
        assert_eq!(Metainfo::from_torrent(&metainfo.to_torrent()), Ok(metainfo));
        Ok(())
    });
}

#[test]
fn damaged_torrents_give_a_torrent_or_an_error() {
    let sound = [
        mixed().to_torrent(),
        include_bytes!("testdata/hybrid.torrent").to_vec(),
    ];
    for torrent in &sound {
        for end in 0..torrent.len() {
            assert!(Metainfo::from_torrent(&torrent[..end]).is_err());
        }
    }
    arbtest::arbtest(|u| {
        let mut torrent = u.choose(&sound)?.clone();
        for _ in 0..u.int_in_range(1..=8)? {
            let at = u.choose_index(torrent.len())?;
            match u.int_in_range(0..=2)? {
                0 => torrent[at] = u.arbitrary()?,
                1 => drop(torrent.remove(at)),
                _ => torrent.insert(at, *u.choose(b"0123456789-:dliep")?),
            }
        }
        if let Ok(metainfo) = Metainfo::from_torrent(&torrent) {
            assert_eq!(Metainfo::from_torrent(&metainfo.to_torrent()), Ok(metainfo));
        }
        Ok(())
    });
}

#[test]
fn piece_lengths_grow_with_the_torrent() {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    for (length, piece_length) in [
        (0, 256 * KIB),
        (64 * MIB, 256 * KIB),
        (64 * MIB + 1, MIB),
        (2 * GIB, MIB),
        (2 * GIB + 1, 2 * MIB),
        (4 * GIB, 2 * MIB),
        (5 * GIB, 4 * MIB),
        (32 * GIB, 16 * MIB),
        (1024 * GIB, 16 * MIB),
        (u64::MAX, 16 * MIB),
    ] {
        assert_eq!(
            u64::from(piece_length_for(length)),
            piece_length,
            "{length}"
        );
    }
}

#[test]
fn a_link_chooses_files_by_their_numbers() {
    use crate::pieces::Priority::{Normal, Skip};
    let priorities = |text: &str| text.parse::<Selection>().unwrap().priorities(&mixed());
    assert_eq!(priorities("0,2-9"), Some(vec![Normal, Skip, Normal]));
    assert_eq!(priorities("1"), Some(vec![Skip, Normal, Skip]));
    assert_eq!(
        priorities("3,17"),
        None,
        "files that the torrent does not have"
    );
}
