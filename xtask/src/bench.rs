//! `cargo xtask bench`: how fast it is, and what it costs.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::workspace::{Workspace, heading};
use crate::{build, setup};

const PARTS: [&str; 16] = include!("../../tests/src/bench/parts.in");

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these parts
    #[arg(value_parser = PARTS)]
    parts: Vec<String>,
    /// Install other people's programs too, to measure ours beside them; without it, only those
    /// that are there already are
    #[arg(long)]
    others: bool,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Builds what is measured, and measures it.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let driver = setup::browser(workspace)?;
    let mut clients = workspace.tools().join("clients");
    if args.others {
        setup::others(workspace)?;
        clients = setup::clients(workspace)?;
    }
    build::everything(workspace)?;
    heading("Benchmarks");
    let parts = &args.parts;
    let json = args
        .json
        .iter()
        .flat_map(|file| ["--json".into(), file.clone().into_os_string()]);
    cmd!(
        workspace.sh,
        "cargo run --release -p swarm-tests --bin bench -- {parts...} {json...}"
    )
    .env("CHROMEDRIVER", driver)
    .env("TABSWARM_CLIENTS", clients)
    .env("TABSWARM_PAGE", workspace.dist())
    .env("TABSWARM_BIN_DIR", workspace.target.join("release"))
    .run()?;
    Ok(())
}
