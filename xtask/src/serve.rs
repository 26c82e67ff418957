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
    build::page(workspace)?;
    build::programs(workspace, &["tracker-relay"])?;
    let listen = args.listen.to_string();
    heading("Serving: open this address in a few tabs; Ctrl-C ends it");
    let server = build::release(workspace).join("tracker-relay");
    become_command(cmd!(workspace.sh, "{server} --listen {listen}"))
}
