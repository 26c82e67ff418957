//! Two small torrents: one with pieces of several blocks, one whose metadata is so long that
//! it takes two messages.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{Builder, Metainfo, NewFile};
use swarm_core::pieces::PieceIndex;

/// A torrent with the bytes that belong to it.
pub(super) struct Fixture {
    pub(super) metainfo: Metainfo,
    pub(super) content: Bytes,
}

/// The torrents of a run.
pub(super) static FIXTURES: LazyLock<[Fixture; 2]> =
    LazyLock::new(|| [several_blocks(), long_metadata()]);

impl Fixture {
    pub(super) fn info_hash(&self) -> InfoHash {
        self.metainfo.info_hash()
    }

    pub(super) fn pieces(&self) -> u32 {
        self.metainfo.layout().piece_count()
    }

    pub(super) fn piece(&self, piece: PieceIndex) -> Bytes {
        let layout = self.metainfo.layout();
        let begin = usize::try_from(layout.offset(piece)).expect("a small torrent");
        self.content
            .slice(begin..begin + layout.length(piece) as usize)
    }
}

/// The torrent of this info-hash.
pub(super) fn fixture(info_hash: InfoHash) -> Option<&'static Fixture> {
    FIXTURES.iter().find(|f| f.info_hash() == info_hash)
}

/// One of them.
pub(super) fn any_torrent(u: &mut Unstructured<'_>) -> Result<&'static Fixture> {
    Ok(&FIXTURES[usize::from(u.ratio(1, 3)?)])
}

/// SHA-1, which is what an info-hash is too.
pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    InfoHash::of(bytes).0
}

/// Six pieces of two blocks, the last one with a block of 1,000 bytes.
fn several_blocks() -> Fixture {
    let file = NewFile {
        path: vec!["data.bin".to_owned()],
        length: 5 * (32 << 10) + (16 << 10) + 1000,
    };
    make(None, vec![file], 32 << 10)
}

/// Ten pieces of one block, no multiple of sixteen bytes long, in many files.
fn long_metadata() -> Fixture {
    let files = (0..90_u64).map(|number| NewFile {
        path: vec![format!("{number}-{}", "long-name-".repeat(20))],
        length: 997,
    });
    make(Some("folder"), files.collect(), 9001)
}

fn make(folder: Option<&str>, files: Vec<NewFile>, piece_length: u32) -> Fixture {
    let builder = Builder::new(folder, files, Some(piece_length)).expect("a good torrent");
    let length = usize::try_from(builder.layout().total_length()).expect("a small torrent");
    let content: Vec<u8> = (0..length)
        .map(|i| (i ^ (i >> 8) ^ (i >> 13)) as u8)
        .collect();
    let hashes = content.chunks(piece_length as usize).flat_map(sha1);
    Fixture {
        metainfo: builder.finish(hashes.collect(), Vec::new(), false),
        content: content.into(),
    }
}
