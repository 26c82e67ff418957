//! What earlier versions wrote.

use super::*;
use crate::record::entry::{Head, Of};

/// As format 2 wrote it.
fn entry(what: What) -> Entry {
    let (before, time) = (Outputs::default(), Duration::ZERO);
    let head = Head { before, time, what };
    let head = postcard::to_allocvec(&head).unwrap();
    Entry {
        head: postcard::from_bytes(&head).unwrap(),
        body: Bytes::new(),
    }
}

#[test]
fn answers_of_format_2_are_for_the_torrent_that_is_there() {
    let metainfo = metainfo();
    let info_hash = metainfo.info_hash();
    let mut torrents = Torrents::default();
    torrents.describe(&metainfo);
    let of = || Of {
        info_hash,
        piece: 3,
        part: None,
    };
    let add = |info_hash| What::AddLink {
        info_hash,
        name: None,
        check: false,
        paused: false,
    };
    let mut added = |what| match entry(what).input(&mut torrents) {
        Ok(Some(Input::Store(job, _))) => Some(job.added),
        Ok(Some(_)) => None,
        other => panic!("{other:?}"),
    };
    for what in [
        add(info_hash),
        add(InfoHash([7; 20])),
        // The engine does not add it twice.
        add(info_hash),
    ] {
        assert_eq!(added(what), None);
    }
    assert_eq!(added(What::Hashed(of(), [1; 20])), Some(0));
    assert_eq!(added(What::Remove(info_hash)), None);
    assert_eq!(added(add(info_hash)), None);
    assert_eq!(added(What::Read(of(), Ok(()))), Some(2));
    assert_eq!(added(What::Written(of(), Ok(()))), Some(2));
    assert_eq!(added(What::Verified(of(), Ok([1; 20]))), Some(2));
}

#[test]
fn format_2_is_read() {
    let mut recording = session();
    recording[MAGIC.len() - 1] = 2;
    assert_eq!(replay(&recording).unwrap().inputs(), 4);
}
