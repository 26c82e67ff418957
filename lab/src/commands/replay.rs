//! `lab replay`

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use swarm_lab::replay::replay;

use super::output::out;

/// What can be typed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What a tab saved, or what native-peer wrote with --record.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print every input: its number, its time, what it is.
    #[arg(long)]
    dump: bool,
}

/// Replays a recording; an error if it goes another way.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let name = arguments.file.display();
    let file = File::open(&arguments.file).with_context(|| format!("cannot open {name}"))?;
    let began = Instant::now();
    let mut out = io::BufWriter::new(out());
    let report = replay(file, |number, entry| {
        if arguments.dump {
            writeln!(out, "{number:>8} {entry}")?;
        }
        Ok(())
    })
    .with_context(|| format!("{name} cannot be replayed"))?;
    writeln!(out, "replayed in   {:.3} s", began.elapsed().as_secs_f64())?;
    writeln!(out, "{report}")?;
    out.flush()?;
    if !report.is_identical() {
        bail!("{name} does not replay identically");
    }
    Ok(())
}
