//! `cargo xtask serve`: the page and the server, ready to open.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
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

/// What `/lab/` shows until the lab is there.
const UNTIL_THEN: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="5">
<title>The lab is being built</title>
<p>The lab is being built. It takes a minute or two, and this page shows it then.
<p><a href="../">Back to Tabswarm</a>
"#;

/// Builds the page and the server, starts to build the lab, and becomes the server.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let begun = Instant::now();
    // Said before minutes of building, and not after them.
    TcpListener::bind(args.listen)
        .with_context(|| format!("can't listen on {}, `--listen` takes another", args.listen))?;
    build::page(workspace, &[build::MAIN])?;
    let dist = workspace.dist();
    let lab = dist.join("lab");
    fs::create_dir_all(&lab).context("making the lab's folder")?;
    fs::write(lab.join("index.html"), UNTIL_THEN).context("writing the lab's first page")?;
    build::programs(workspace, &["tracker-relay"])?;
    let listen = args.listen.to_string();
    let seconds = begun.elapsed().as_secs();
    heading(&format!(
        "Built in {} min {:02} s. Serving: open this address in a few tabs; Ctrl-C ends it",
        seconds / 60,
        seconds % 60
    ));
    begin_lab()?;
    let server = build::release(workspace).join("tracker-relay");
    // From the folder, not as built in: the lab comes into it while the page is in use.
    become_command(cmd!(
        workspace.sh,
        "{server} --listen {listen} --page {dist}"
    ))
}

/// Builds the lab beside the server: it is the larger half of the work, and the page does
/// not need it.
fn begin_lab() -> Result<()> {
    eprintln!("The lab, at /lab/, is built meanwhile; its messages are in between.");
    let program = std::env::current_exe().context("finding this program")?;
    Command::new(program)
        .args(["build", "--lab"])
        .stdin(Stdio::null())
        .spawn()
        .context("starting to build the lab")?;
    Ok(())
}
