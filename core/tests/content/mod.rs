//! Torrents of made-up bytes, and what stores say of them.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::collections::BTreeMap;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{Done, Job, Work};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{Builder, Metainfo, NewFile};
use swarm_core::rng::Rng;

/// A torrent of these files, and random bytes for it.
pub(crate) fn of_files(
    folder: Option<&str>,
    files: Vec<NewFile>,
    piece_length: u32,
    seed: u64,
) -> (Metainfo, Bytes) {
    let length: u64 = files.iter().map(|file| file.length).sum();
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    Rng::new(seed).fill(&mut bytes);
    let hashes = bytes
        .chunks(piece_length as usize)
        .flat_map(|piece| <[u8; 20]>::from(Sha1::digest(piece)))
        .collect();
    let builder = Builder::new(folder, files, Some(piece_length)).unwrap();
    (builder.finish(hashes, Vec::new(), false), bytes.into())
}

/// A torrent of one file, and random bytes for it.
pub(crate) fn of_one(name: &str, length: u64, piece_length: u32, seed: u64) -> (Metainfo, Bytes) {
    let path = vec![name.to_owned()];
    of_files(None, vec![NewFile { path, length }], piece_length, seed)
}

/// What a store says that keeps whole pieces.
pub(crate) fn kept(store: &mut BTreeMap<u32, Bytes>, job: Job, work: Work) -> Done {
    let piece = job.piece.get();
    match work {
        Work::Read { .. } => Done::Read(Ok(store[&piece].clone())),
        Work::Write { data } => {
            store.insert(piece, data);
            Done::Written(Ok(()))
        }
        Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
        Work::Verify => unreachable!("pieces are short"),
    }
}

/// What a store says that has every byte from the start, and so needs to keep none.
pub(crate) fn had(bytes: &Bytes, piece_length: u32, job: Job, work: Work) -> Done {
    match work {
        Work::Read { .. } => {
            let begin = (job.piece.get() * piece_length) as usize;
            Done::Read(Ok(bytes.slice(begin..begin + piece_length as usize)))
        }
        Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
        Work::Write { .. } => Done::Written(Ok(())),
        Work::Verify => unreachable!("pieces are short"),
    }
}

/// The same torrent, which is private (BEP 27).
pub(crate) fn made_private(metainfo: &Metainfo) -> Metainfo {
    let mut info = metainfo.info().to_vec();
    // Behind the last key of what is written here, which is "pieces".
    info.truncate(info.len() - 1);
    info.extend(b"7:privatei1ee");
    let info_hash = InfoHash::of(&info);
    Metainfo::from_info(info.into(), info_hash, Vec::new()).unwrap()
}
