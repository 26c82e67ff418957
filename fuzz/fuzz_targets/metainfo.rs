//! What is read as a torrent file can be written, and is the same torrent then.
#![no_main]

use libfuzzer_sys::fuzz_target;
use swarm_core::metainfo::Metainfo;

fuzz_target!(|input: &[u8]| {
    let Ok(torrent) = Metainfo::from_torrent(input) else {
        return;
    };
    for piece in torrent.layout().pieces() {
        torrent.piece_hash(piece);
        let covered: u64 = torrent
            .piece_spans(piece)
            .map(|span| u64::from(span.length))
            .sum();
        assert_eq!(covered, u64::from(torrent.layout().length(piece)));
    }
    assert_eq!(
        Metainfo::from_torrent(&torrent.to_torrent()).as_ref(),
        Ok(&torrent)
    );
    let info = torrent.info().clone();
    let trackers = torrent.trackers().to_vec();
    assert_eq!(
        Metainfo::from_info(info, torrent.info_hash(), trackers),
        Ok(torrent)
    );
});
