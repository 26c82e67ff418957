//! Files and folders become torrents: found, hashed, described.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use sha1::{Digest, Sha1};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::{Builder, Metainfo};

use crate::Error;
use crate::store::{SharedFiles, Store};

pub mod find;

pub use find::{Found, Remark, find};

/// More threads than this only make a disk's head jump.
const MAX_THREADS: usize = 4;

/// How a torrent is to be made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What to call it; none takes the name of the file or folder.
    pub name: Option<String>,
    /// Bytes of a piece; none chooses by size.
    pub piece_length: Option<u32>,
    /// Trackers to name in the torrent.
    pub trackers: Vec<String>,
    /// Web seeds (BEP 19) to name in it.
    pub web_seeds: Vec<String>,
    /// Peers only from its own trackers (BEP 27).
    pub private: bool,
}

/// A torrent that was made, and where its bytes are.
#[derive(Debug)]
pub struct Made {
    /// The torrent.
    pub metainfo: Metainfo,
    /// Its bytes.
    pub files: SharedFiles,
    /// What is left out, or called otherwise.
    pub remarks: Vec<Remark>,
}

/// Hears how hashing goes; called from several threads.
pub trait Progress: Sync {
    /// It begins: so many bytes in all.
    fn begin(&self, name: &str, bytes: u64);
    /// So many bytes more are hashed.
    fn advance(&self, bytes: u64);
}

/// Makes a torrent of files and folders. Blocks, for as long as it takes to read them.
pub fn make(paths: &[PathBuf], options: Options, progress: &dyn Progress) -> Result<Made, Error> {
    let Found {
        folder,
        name,
        files,
        remarks,
    } = find(paths, options.name.as_deref())?;
    let (described, places): (Vec<_>, Vec<_>) = files
        .into_iter()
        .map(|f| (f.described, (f.path, f.stamp)))
        .unzip();
    let builder = Builder::new(folder.as_deref(), described, options.piece_length)?;
    let files = SharedFiles::new(*builder.layout(), places);
    progress.begin(&name, files.layout().total_length());
    let hashes = hash(&files, progress).map_err(unreadable)?;
    let metainfo = builder.finish(hashes, options.trackers, options.private);
    let metainfo = metainfo.with_web_seeds(options.web_seeds);
    files.hashed(metainfo.clone());
    Ok(Made {
        metainfo,
        files,
        remarks,
    })
}

/// Nobody has read them before.
fn unreadable(error: StoreError) -> Error {
    match error {
        StoreError::Unreadable(why) => Error::Other(format!("cannot read {why}")),
        error => Error::Store(error),
    }
}

/// The SHA-1 of every piece in order, on a few threads.
fn hash(files: &SharedFiles, progress: &dyn Progress) -> Result<Vec<u8>, StoreError> {
    let layout = files.layout();
    let next = AtomicU32::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed)
            && let Some(piece) = layout.piece(next.fetch_add(1, Ordering::Relaxed))
        {
            let data = files
                .read(piece)
                .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            done.push((piece, Sha1::digest(&data)));
            progress.advance(data.len() as u64);
        }
        Ok(done)
    };
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS);
    let results: Vec<Result<_, StoreError>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
            .collect()
    });
    let mut hashes = vec![0; layout.piece_count() as usize * 20];
    for result in results {
        for (piece, digest) in result? {
            hashes[piece.as_usize() * 20..][..20].copy_from_slice(&digest);
        }
    }
    Ok(hashes)
}
