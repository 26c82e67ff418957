//! `cargo xtask fuzz`: libFuzzer on every target, or on one, for so many seconds each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::setup;
use crate::together::{run_in_one_piece, side_by_side};
use crate::workspace::{Workspace, heading};

/// Options of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds for each target
    #[arg(default_value_t = 60)]
    seconds: u64,
    /// Only this target
    #[arg(long)]
    target: Option<String>,
    /// Draws the same inputs each time; 0 draws others each time
    #[arg(long, default_value_t = 0)]
    seed: u32,
}

/// The longest input, in bytes: what long ones find, short ones find sooner.
const MAX_LENGTH: &str = "4096";

/// Builds the targets, then runs each; fails when one crashed.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let targets = targets(workspace, args.target.as_deref())?;
    setup::cargo_fuzz(workspace)?;
    heading("Building the fuzz targets");
    // The core has no `unsafe`, so that a sanitizer would find nothing that a panic does not
    // tell; without one everything builds and runs several times as fast.
    let sh = &workspace.sh;
    let only = &args.target;
    cmd!(sh, "cargo +nightly fuzz build --sanitizer none {only...}").run()?;
    // Each takes one processor.
    let crashed = side_by_side(workspace, &targets, |workspace, target| {
        fuzz(workspace, target, args)
    })?;
    let crashed = crashed.concat();
    if crashed.is_empty() {
        heading("Nothing crashed");
        return Ok(());
    }
    for crash in &crashed {
        eprintln!("{} crashes its target.", crash.display());
    }
    bail!(
        "inputs that crash were copied to fuzz/crashes. `cargo test -p swarm-fuzz-targets` \
         repeats them, with FUZZ_TRACE=1 it tells how it comes about. Mend the cause, then \
         commit the file with it: the test keeps it mended"
    )
}

/// The names in fuzz/Cargo.toml, or the one that was asked for.
fn targets(workspace: &Workspace, only: Option<&str>) -> Result<Vec<String>> {
    let manifest = workspace.toml("fuzz/Cargo.toml")?;
    let bins = manifest.get("bin").and_then(toml::Value::as_array);
    let names = bins
        .into_iter()
        .flatten()
        .filter_map(|bin| bin.get("name")?.as_str())
        .map(str::to_owned);
    let names: Vec<String> = names.collect();
    match only {
        None => Ok(names),
        Some(only) if names.iter().any(|name| name == only) => Ok(vec![only.to_owned()]),
        Some(only) => bail!("there is no fuzz target {only}, only {}", names.join(", ")),
    }
}

/// Fuzzes one target; copies of the inputs that crashed it.
fn fuzz(workspace: &Workspace, target: &str, args: &Args) -> Result<Vec<PathBuf>> {
    let sh = &workspace.sh;
    let fuzz = workspace.root.join("fuzz");
    // What is found goes there and is used again; what is committed is only read.
    let scratch = workspace.target.join("fuzz").join(target);
    let found = scratch.join("crashes");
    let corpus = scratch.join("corpus");
    if found.exists() {
        fs::remove_dir_all(&found).context("removing what an earlier run found")?;
    }
    for folder in [&found, &corpus] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let seeds = fuzz.join("corpus").join(target);
    let artifacts = format!("-artifact_prefix={}/", found.display());
    let time = format!("-max_total_time={}", args.seconds);
    let seed = format!("-seed={}", args.seed);
    let length = format!("-max_len={MAX_LENGTH}");
    let run = cmd!(
        sh,
        "cargo +nightly fuzz run --sanitizer none {target} {corpus} {seeds} --
         {artifacts} {time} {length} {seed} -print_final_stats=1 -verbosity=0"
    );
    let result = run_in_one_piece(&format!("Fuzzing {target}"), run);
    let crashes = keep(&found, &fuzz.join("crashes").join(target))?;
    if crashes.is_empty() {
        // Then it is not an input that is to blame.
        result?;
    }
    Ok(crashes)
}

/// Copies every file of `from` to `to`; the copies.
fn keep(from: &Path, to: &Path) -> Result<Vec<PathBuf>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::create_dir_all(to)?;
        let copy = to.join(entry.file_name());
        fs::copy(entry.path(), &copy)?;
        kept.push(copy);
    }
    kept.sort();
    Ok(kept)
}
