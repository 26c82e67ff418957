//! `lab generate`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use swarm_core::rng::Rng;

use super::interrupt::{self, Interrupt};
use super::output::out;
use super::units::{show_bytes, whole_bytes};

/// Bytes that are made at a time.
const CHUNK: usize = 1 << 20;

/// Makes test files out of a seed: the same bytes everywhere.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Where the files go.
    #[arg(long, default_value = ".", value_name = "DIRECTORY")]
    directory: PathBuf,
    /// How many files: piece_0.bin, piece_1.bin, …
    #[arg(long, default_value_t = 10)]
    count: u32,
    /// The size of each file.
    #[arg(long, default_value = "100MB", value_parser = whole_bytes)]
    size: u64,
    /// Another seed gives other bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

impl Generate {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let path = |number| self.directory.join(format!("piece_{number}.bin"));
        if !self.force
            && let Some(there) = (0..self.count).map(path).find(|path| path.exists())
        {
            let there = there.display();
            bail!("{there} is there already; --force replaces it");
        }
        fs::create_dir_all(&self.directory)
            .with_context(|| format!("cannot make {}", self.directory.display()))?;
        let interrupt = Interrupt::listen()?;
        let bar = bar(u64::from(self.count) * self.size);
        for number in 0..self.count {
            let path = path(number);
            bar.set_message(format!("piece_{number}.bin"));
            let step = |bytes| {
                bar.inc(bytes);
                !interrupt.is_pressed()
            };
            if !generate(&path, content(self.seed, number), self.size, step)? {
                bar.finish_and_clear();
                return Ok(ExitCode::from(interrupt::EXIT_CODE));
            }
        }
        bar.finish_and_clear();
        writeln!(
            out(),
            "{} files of {} in {}",
            self.count,
            show_bytes(self.size as f64),
            self.directory.display()
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The bytes of a file come from here.
fn content(seed: u64, number: u32) -> Rng {
    Rng::new(seed).fork(&format!("file {number}"))
}

/// Writes one file, whole or not at all; false if `step` said to stop. What was there stays
/// until the new file is complete.
fn generate(
    path: &Path,
    rng: Rng,
    size: u64,
    step: impl FnMut(u64) -> bool,
) -> anyhow::Result<bool> {
    let unfinished = path.with_extension("bin.part");
    let written = File::create(&unfinished).and_then(|file| {
        let whole = fill(BufWriter::with_capacity(CHUNK, file), rng, size, step)?;
        if whole {
            fs::rename(&unfinished, path)?;
        }
        Ok(whole)
    });
    if !matches!(written, Ok(true)) {
        // It may not even have been created.
        let _ = fs::remove_file(&unfinished);
    }
    written.with_context(|| {
        format!(
            "cannot write {} ({})",
            path.display(),
            show_bytes(size as f64)
        )
    })
}

/// False if it was stopped on the way.
fn fill(
    mut out: impl Write,
    mut rng: Rng,
    size: u64,
    mut step: impl FnMut(u64) -> bool,
) -> io::Result<bool> {
    let mut chunk = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let length = left.min(CHUNK as u64);
        // Whole chunks are drawn, or a file's last bytes would depend on its length.
        rng.fill(&mut chunk);
        out.write_all(&chunk[..length as usize])?;
        left -= length;
        if !step(length) {
            return Ok(false);
        }
    }
    out.flush()?;
    Ok(true)
}

fn bar(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
    );
    ProgressBar::new(bytes).with_style(style.expect("a good template"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha1::{Digest, Sha1};

    fn bytes(seed: u64, number: u32, size: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        assert!(fill(&mut bytes, content(seed, number), size, |_| true).unwrap());
        bytes
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_everywhere() {
        let one = bytes(1, 0, 3_000_000);
        assert_eq!(one.len(), 3_000_000);
        let digest: [u8; 20] = Sha1::digest(&one).into();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "384390b96b6823fee31c4cb88c24c09aacbe773f");
        assert!(one.starts_with(&bytes(1, 0, 1_500_000)));
        assert_ne!(bytes(1, 1, 100), bytes(1, 0, 100));
        assert_ne!(bytes(2, 0, 100), bytes(1, 0, 100));
    }

    #[test]
    fn a_full_disk_is_an_error() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.saturating_sub(bytes.len());
                match self.0 {
                    0 => Err(io::ErrorKind::StorageFull.into()),
                    _ => Ok(bytes.len()),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = fill(Full(2 << 20), content(1, 0), 3 << 20, |_| true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
