//! Files with contents that can be told apart.

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use sha2::{Digest, Sha256};
use swarm_core::rng::Rng;

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
