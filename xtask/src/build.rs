//! `cargo xtask build`: the page, and the programs, of which the server carries the page.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::compress;
use crate::setup::{self, WasmOpt};
use crate::workspace::{Workspace, heading};

/// A page: its markup, the cargo profile of its program, and its folder in `dist/`, which
/// is also its path on the server.
struct Page {
    target: &'static str,
    profile: &'static str,
    path: &'static str,
}

/// The first comes first: Trunk empties the folder that it builds into.
const PAGES: [Page; 2] = [
    Page {
        target: "index.html",
        profile: "wasm-release",
        path: "",
    },
    Page {
        target: "lab/page/index.html",
        profile: "lab-release",
        path: "lab/",
    },
];

/// Builds what somebody would install.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    page(workspace)?;
    programs(workspace, &["tracker-relay", "native-peer"])?;
    eprintln!("\nThe programs are in {}", release(workspace).display());
    Ok(())
}

/// Builds the pages into `dist/`.
pub(crate) fn page(workspace: &Workspace) -> Result<()> {
    let wasm_opt = setup::page_tools(workspace)?;
    let sh = &workspace.sh;
    // Trunk's --offline is meant for the helpers that it would fetch by itself, but holds
    // for cargo as well: so what cargo needs is fetched before.
    cmd!(sh, "cargo fetch").run()?;
    // Trunk runs wasm-opt in release mode only; the profile is the same either way.
    let release = (wasm_opt == WasmOpt::Present).then_some("--release");
    for Page {
        target,
        profile,
        path,
    } in PAGES
    {
        heading(&format!("Building the page /{path}"));
        let dist = workspace.dist().join(path);
        cmd!(
            sh,
            "trunk build {target} --offline --skip-version-check {release...} --cargo-profile {profile} --dist {dist} --public-url /{path}"
        )
        .env_remove("NO_COLOR") // Trunk takes `true` and `false` only.
        .run()?;
    }
    let weight = compress::write_compressed(&workspace.dist())?;
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
