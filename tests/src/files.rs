//! Files with contents that can be told apart.
//!
//! What a torrent of several is made of is a list of paths and lengths.

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use swarm_core::rng::Rng;

/// A folder of several files, in it another folder.
pub const STUFF: [(&str, usize); 3] = [
    ("stuff/readme.txt", 700),
    ("stuff/below/large.bin", 5 << 20),
    ("stuff/other.bin", 3 << 20),
];

/// Writes the files of a list into a folder.
pub fn write_all(folder: &Path, list: &[(&str, usize)]) -> Result<()> {
    for (seed, (name, length)) in (0..).zip(list) {
        random(&folder.join(name), *length, seed)?;
    }
    Ok(())
}

/// Both folders have the files of a list, and they are the same.
pub fn assert_same(left: &Path, right: &Path, list: &[(&str, usize)]) -> Result<()> {
    for (name, _) in list {
        let [left, right] = [left, right].map(|folder| digest(&folder.join(name)));
        assert_eq!(left.with_context(|| name.to_string())?, right?, "{name}");
    }
    Ok(())
}

/// Unpacks an archive, as tabs save several files.
pub fn unpack(archive: &Path, into: &Path) -> Result<()> {
    zip::ZipArchive::new(fs::File::open(archive)?)?.extract(into)?;
    Ok(())
}

/// Writes `length` random bytes, the same for the same seed.
pub fn random(path: &Path, length: usize, seed: u64) -> Result<PathBuf> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut rng = Rng::new(seed);
    let mut file = BufWriter::new(fs::File::create(path)?);
    let mut chunk = vec![0; 1 << 20];
    let mut left = length;
    while left > 0 {
        let part = &mut chunk[..left.min(1 << 20)];
        rng.fill(part);
        file.write_all(part)?;
        left -= part.len();
    }
    file.flush()?;
    Ok(path.to_owned())
}

/// The SHA-256 of a file.
pub fn digest(path: &Path) -> Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut file = fs::File::open(path)?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&chunk[..read]);
    }
}
