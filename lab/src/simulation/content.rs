//! The torrent that is shared, of which nobody has a copy of their own.

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::chunk::Chunk as _;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{Builder, Metainfo, NewFile};
use swarm_core::pieces::PieceIndex;
use swarm_core::rng::Rng;

use super::chunk::{LabChunk, Place};
use crate::Scenario;

/// Each piece begins so many bytes behind the one before in one buffer of random bytes:
/// all differ, and together they need little more memory than one.
const STEP: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) metainfo: Metainfo,
    right: Bytes,
    /// What liars send.
    wrong: Bytes,
    length: usize,
}

impl Content {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let (pieces, length) = (scenario.pieces as usize, scenario.piece_length as usize);
        let mut bytes = vec![0; (pieces - 1) * STEP + length];
        Rng::new(scenario.seed).fork("content").fill(&mut bytes);
        let wrong: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        let file = NewFile {
            path: vec!["simulated.bin".to_owned()],
            length: (pieces * length) as u64,
        };
        let builder = Builder::new(None, vec![file], Some(scenario.piece_length))
            .expect("a scenario's torrent was checked");
        let hashes = (0..pieces)
            .flat_map(|i| <[u8; 20]>::from(Sha1::digest(&bytes[i * STEP..i * STEP + length])))
            .collect();
        Content {
            metainfo: builder.finish(hashes, Vec::new(), false),
            right: bytes.into(),
            wrong: wrong.into(),
            length,
        }
    }

    pub(super) fn info_hash(&self) -> InfoHash {
        self.metainfo.info_hash()
    }

    /// Bytes of each piece.
    pub(super) fn piece_length(&self) -> usize {
        self.length
    }

    pub(super) fn piece(&self, piece: PieceIndex, corrupt: bool) -> LabChunk {
        LabChunk::One(self.place(piece, corrupt))
    }

    fn place(&self, piece: PieceIndex, corrupt: bool) -> Place {
        let begin = piece.as_usize() * STEP;
        let buffer = if corrupt { &self.wrong } else { &self.right };
        Place::new(buffer, begin..begin + self.length)
    }

    /// The SHA-1, which is known beforehand when the bytes are right.
    pub(super) fn digest(&self, piece: PieceIndex, data: &LabChunk) -> [u8; 20] {
        match data {
            LabChunk::One(place) if place.is(&self.place(piece, false)) => {
                self.metainfo.piece_hash(piece)
            }
            _ => Sha1::digest(data.to_bytes()).into(),
        }
    }
}
