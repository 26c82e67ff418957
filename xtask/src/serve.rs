//! `cargo xtask serve`: the page and the server, ready to open.

use std::net::SocketAddr;

use anyhow::Result;
use xshell::cmd;

use crate::build;
use crate::workspace::{Workspace, become_command, heading};

/// Options of `serve`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the server listens
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// Builds everything, then becomes the server.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    build::run(workspace)?;
    let sh = &workspace.sh;
    heading("Building the server");
    cmd!(sh, "cargo build --release -p tracker-relay").run()?;
    let listen = args.listen.to_string();
    heading(&format!(
        "Open http://{listen} in a few tabs; Ctrl-C ends the server"
    ));
    become_command(cmd!(
        sh,
        "cargo run --quiet --release -p tracker-relay -- --listen {listen}"
    ))
}
