//! `cargo xtask dev`: the page with live reload.

use anyhow::Result;
use xshell::cmd;

use crate::setup;
use crate::workspace::{Workspace, become_command, heading};

/// Options of `dev`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Options for `trunk serve`
    #[arg(last = true)]
    trunk: Vec<String>,
}

/// Becomes `trunk serve`; everything else is in Trunk.toml.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    setup::page_tools(workspace)?;
    heading(
        "Serving with live reload; in another terminal `cargo run -p tracker-relay -- \
         --allow-origin http://127.0.0.1:8081` is its tracker",
    );
    let options = &args.trunk;
    let trunk = cmd!(
        workspace.sh,
        "trunk serve --skip-version-check {options...}"
    );
    become_command(trunk.env_remove("NO_COLOR")) // Trunk takes `true` and `false` only.
}
