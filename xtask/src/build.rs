//! `cargo xtask build`: the page, and the programs, of which the server carries the page.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::compress;
use crate::setup::{self, WasmOpt};
use crate::workspace::{Workspace, heading};

/// A page: its markup, the cargo profile of its program, and its folder in `dist/`, which
/// is also its path on the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    target: &'static str,
    profile: &'static str,
    path: &'static str,
}

/// The page that people share with.
pub(crate) const MAIN: Page = Page {
    target: "index.html",
    profile: "wasm-release",
    path: "",
};

/// The lab's.
pub(crate) const LAB: Page = Page {
    target: "lab/page/index.html",
    profile: "lab-release",
    path: "lab/",
};

/// Options of `build`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the lab's page, into dist/lab
    #[arg(long)]
    lab: bool,
}

/// Builds all that somebody would install, or what was asked for.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.lab {
        return page(workspace, &[LAB]);
    }
    everything(workspace)
}

/// Every page, and the programs with the pages in them.
pub(crate) fn everything(workspace: &Workspace) -> Result<()> {
    all_pages(workspace)?;
    programs(workspace, &["tracker-relay", "native-peer"])?;
    eprintln!("\nThe programs are in {}", release(workspace).display());
    Ok(())
}

/// Builds every page into `dist/`. The main one comes first: Trunk empties the folder that
/// it builds into.
pub(crate) fn all_pages(workspace: &Workspace) -> Result<()> {
    page(workspace, &[MAIN, LAB])
}

/// Builds pages into their folders of `dist/`.
pub(crate) fn page(workspace: &Workspace, pages: &[Page]) -> Result<()> {
    let wasm_opt = setup::page_tools(workspace)?;
    let sh = &workspace.sh;
    // Trunk's --offline is meant for the helpers that it would fetch by itself, but holds
    // for cargo as well: so what cargo needs is fetched before.
    cmd!(sh, "cargo fetch").run()?;
    // Trunk runs wasm-opt in release mode only; the profile is the same either way.
    let release = (wasm_opt == WasmOpt::Present).then_some("--release");
    for &Page {
        target,
        profile,
        path,
    } in pages
    {
        heading(&format!("Building the page /{path}"));
        // Its addresses are relative: it works at any path behind a proxy.
        let dist = workspace.dist().join(path);
        cmd!(
            sh,
            "trunk build {target} --offline --skip-version-check {release...} --cargo-profile {profile} --dist {dist} --public-url ./"
        )
        .env_remove("NO_COLOR") // Trunk takes `true` and `false` only.
        .run()?;
    }
    // One page's folder, or what holds them all.
    let folder = match pages {
        [page] => workspace.dist().join(page.path),
        _ => workspace.dist(),
    };
    let weight = compress::write_compressed(&folder)?;
    eprintln!("\nWhat a tab downloads, in bytes:\n{weight}");
    Ok(())
}

/// Builds programs as people run them. The page must be there: the server embeds it.
pub(crate) fn programs(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    heading(&format!("Building {}", packages.join(" and ")));
    let packages = packages.iter().flat_map(|package| ["-p", package]);
    cmd!(workspace.sh, "cargo build --release {packages...}").run()?;
    Ok(())
}

/// Where [`programs`] are.
pub(crate) fn release(workspace: &Workspace) -> PathBuf {
    workspace.target.join("release")
}
