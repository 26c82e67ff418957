//! Only what is verified is said to be here, and what a person sees makes sense.

use std::collections::BTreeSet;

use bytes::Bytes;
use swarm_core::engine::Config;
use swarm_core::engine::view::{Known, Told};
use swarm_core::id::InfoHash;
use swarm_core::node::Node;
use swarm_core::pieces::{BLOCK, Bitfield, PieceIndex};
use swarm_core::time::Time;

use super::fixtures::{Fixture, fixture, sha1};
use super::model::Model;

impl Model {
    /// The engine wants a piece to be kept.
    pub(super) fn check_write(&self, info_hash: InfoHash, piece: PieceIndex, data: &Bytes) {
        let fixture = fixture(info_hash).expect("writes are for known torrents");
        assert_eq!(sha1(data), fixture.metainfo.piece_hash(piece));
        self.check_unverified(info_hash, piece);
    }

    /// What is here is not written over.
    pub(super) fn check_unverified(&self, info_hash: InfoHash, piece: PieceIndex) {
        let known = self.verified.get(&info_hash);
        assert!(known.is_some_and(|verified| !verified.contains(&piece.get())));
    }

    pub(super) fn check_have(&self, info_hash: InfoHash, piece: u32) {
        let verified = self.verified.get(&info_hash);
        assert!(
            verified.is_some_and(|verified| verified.contains(&piece)),
            "piece {piece} is announced, and not verified and written"
        );
    }

    pub(super) fn check_claim(&self, info_hash: InfoHash, bits: &[u8]) {
        if bits.is_empty() {
            return;
        }
        let fixture = fixture(info_hash).expect("claims are about known torrents");
        let claimed = Bitfield::from_bytes(bits, fixture.pieces()).expect("a good bitfield");
        for piece in claimed.iter() {
            self.check_have(info_hash, piece.get());
        }
    }

    pub(super) fn check_left(&self, info_hash: InfoHash, left: u64) {
        let fixture = fixture(info_hash).expect("what is left is of known torrents");
        let layout = fixture.metainfo.layout();
        let verified = self.verified.get(&info_hash).into_iter().flatten();
        let had: u64 = verified
            .filter_map(|piece| layout.piece(*piece))
            .map(|piece| u64::from(layout.length(piece)))
            .sum();
        assert!(
            left >= layout.total_length() - had,
            "less left than there is"
        );
    }

    /// What a person sees.
    pub(super) fn check_view(&mut self, engine: &Node, now: Time, config: &Config) {
        let view = engine.view(now);
        let shown: BTreeSet<InfoHash> = view.torrents.iter().map(|t| t.info_hash).collect();
        assert!(
            shown.iter().eq(self.verified.keys()),
            "torrents come and go as told"
        );
        for torrent in &view.torrents {
            assert!(
                (0.0..=1.0).contains(&torrent.progress),
                "{} of a torrent is here",
                torrent.progress
            );
            let contents = engine.contents(torrent.info_hash);
            let contents = contents.expect("what is shown is there");
            let have = contents.have.map_or(&[][..], Bitfield::as_bytes);
            self.check_claim(torrent.info_hash, have);
            let length = contents.metainfo.map_or(0, |m| m.layout().piece_length());
            let bytes = contents.in_progress().count() as u64 * u64::from(length);
            let far = config.requests.far as u64 * u64::from(BLOCK);
            let room = config.bytes_in_progress + far + 2 * u64::from(length);
            assert!(bytes <= room, "{bytes} bytes in progress");
            // Who comes back after its last channel broke has the place that it had.
            let paths = &config.paths;
            let beyond = paths.guests + paths.adrift;
            assert!(torrent.peers.len() <= config.max_peers + beyond);
            // Whoever is told only what is new knows all of it.
            let (told, known) = self.viewers.entry(torrent.info_hash).or_default();
            if let Some(changes) = told.news(&contents) {
                known.learn(changes);
            }
            assert!(told.news(&contents).is_none(), "nothing is told twice");
            let mut fresh = Known::default();
            fresh.learn(Told::default().news(&contents).unwrap_or_default());
            assert_eq!(*known, fresh);
        }
        self.viewers
            .retain(|info_hash, _| shown.contains(info_hash));
    }
}

pub(super) fn check_block(fixture: &Fixture, piece: u32, begin: u32, data: &[u8]) {
    let layout = fixture.metainfo.layout();
    let piece = layout.piece(piece).expect("a piece that exists");
    let begin = begin as usize;
    let right = fixture.piece(piece);
    assert!(
        right.get(begin..begin + data.len()) == Some(data),
        "a block of a verified piece is wrong"
    );
}
