//! What is no torrent that we can take, and what is said of it.

use super::*;

#[test]
fn bad_torrents_are_refused_in_words() {
    let name = "4:name1:a";
    let cut = "12:piece lengthi16384e";
    for (parts, words) in [
        (format!("{name}{cut}"), "neither its length nor its files"),
        (
            format!("{name}{cut}5:filesi3e"),
            "neither its length nor its files",
        ),
        (format!("{cut}6:lengthi3e"), "no name"),
        (format!("4:namei3e{cut}6:lengthi3e"), "no name"),
        (format!("10:name.utf-80:{cut}6:lengthi3e"), "no name"),
        (format!("{name}{cut}6:lengthi0e"), "no bytes"),
        (format!("{name}{cut}6:lengthi-3e"), "negative"),
        (
            format!("{name}{cut}6:lengthi16385e"),
            "2 pieces need 40 bytes",
        ),
        (
            format!("{name}{cut}6:lengthi9223372036854775807e"),
            "too many",
        ),
        (
            format!("{name}{cut}6:length3:abc"),
            "neither its length nor its files",
        ),
        (
            format!("{name}{cut}6:lengthi3e6:lengthi3e"),
            "the info dictionary has the key length twice",
        ),
        (format!("{name}6:lengthi3e"), "piece length"),
        (
            format!("{name}12:piece lengthi0e6:lengthi3e"),
            "piece length",
        ),
        (
            format!("{name}12:piece lengthi-1e6:lengthi3e"),
            "piece length",
        ),
        (
            format!("{name}12:piece lengthi4294967296e6:lengthi3e"),
            "piece length",
        ),
        (
            format!("{name}12:piece length1:36:lengthi3e"),
            "no piece length",
        ),
        (
            format!("{name}12:piece lengthi536870913e6:lengthi3e"),
            "piece length",
        ),
        (
            format!("{name}{cut}5:filesle"),
            "neither its length nor its files",
        ),
        (format!("{name}{cut}5:filesld6:lengthi3eee"), "no path"),
        (
            format!("{name}{cut}5:filesld6:lengthi3e4:pathleee"),
            "no path",
        ),
        (
            format!("{name}{cut}5:filesld6:lengthi3e4:path1:bee"),
            "no path",
        ),
        (
            format!("{name}{cut}5:filesld6:lengthi3e4:pathl1:bi7eeee"),
            "no path",
        ),
        (format!("{name}{cut}5:filesld4:pathl1:beee"), "no length"),
        (
            format!("{name}{cut}5:filesld6:length1:34:pathl1:beee"),
            "no length",
        ),
        (
            format!("{name}{cut}5:filesld6:lengthi3e4:pathl1:be4:pathl1:ceee"),
            "a file's description has the key path twice",
        ),
        (
            format!("{name}{cut}5:filesld4:attr1:p6:lengthi3eee"),
            "nothing but padding",
        ),
        (
            format!("{name}{cut}5:filesld6:lengthi0e4:pathl0:eeee"),
            "no files",
        ),
        (
            format!("{name}{cut}5:filesli3ee"),
            "a file's description is not a dictionary",
        ),
        // A list is not taken for a file's dictionary.
        (
            format!("{name}{cut}5:filesll1:pi3el1:beeee"),
            "a file's description is not a dictionary",
        ),
    ] {
        let error = with_info(&parts).expect_err(&parts).to_string();
        assert!(error.contains(words), "{parts}: {error}");
        assert!(!error.contains('\n'));
    }
    for (torrent, words) in [
        (&b""[..], "ends too early"),
        (b"<html>", "a value should begin"),
        (b"de", "no info dictionary"),
        (b"le", "not a torrent file"),
        (b"d4:infolee", "the info dictionary is not a dictionary"),
        (b"d4:infode4:infodee", "has the key info twice"),
        (b"d4:infodee", "no piece hashes"),
        (b"d4:infod6:piecesi1eee", "not a string"),
        (b"d4:infod6:piecesl1::eee", "not a string"),
    ] {
        let error = Metainfo::from_torrent(torrent)
            .expect_err("bad torrent")
            .to_string();
        assert!(error.contains(words), "{torrent:?}: {error}");
    }
    let huge = vec![b'1'; Metainfo::MAX_LENGTH + 1];
    assert!(Metainfo::from_torrent(&huge).is_err());
}
