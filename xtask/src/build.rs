//! `cargo xtask build`: the page, and the programs, of which the server carries the page.

use std::path::{Path, PathBuf};

use anyhow::Result;
use xshell::cmd;

use crate::compress;
use crate::embed;
use crate::setup::{self, WasmOpt};
use crate::shrink;
use crate::workspace::{Workspace, heading};

/// A page: its markup, the cargo profile of its program, and its folder in `dist/`, which
/// is also its path on the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    target: &'static str,
    profile: &'static str,
    path: &'static str,
    std: Std,
}

/// The standard library that a page's program is linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Std {
    /// As Rust ships it: compiled for speed, and with the words of every panic.
    Shipped,
    /// Compiled for size with the program, half a minute of work. A panic is a trap without
    /// words, which the page tells by its position.
    Small,
}

/// The page that people share with.
pub(crate) const MAIN: Page = Page {
    target: "index.html",
    profile: "wasm-release",
    path: "",
    std: Std::Small,
};

/// The lab's.
pub(crate) const LAB: Page = Page {
    target: "lab/page/index.html",
    profile: "lab-release",
    path: "lab/",
    std: Std::Shipped,
};

/// Options of `build`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the page that people share with, into dist/
    #[arg(long, conflicts_with = "lab")]
    page: bool,
    /// Only the lab's page, into dist/lab
    #[arg(long)]
    lab: bool,
}

/// Builds all that somebody would install, or what was asked for.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.page {
        return page(workspace, &[MAIN]);
    }
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
    let has_std_source = setup::std_source(workspace)?;
    let has_esbuild = setup::esbuild(workspace)?;
    let sh = &workspace.sh;
    // Trunk runs wasm-opt in release mode only; the profile is the same either way.
    let release = (wasm_opt == WasmOpt::Present).then_some("--release");
    for &Page {
        target,
        profile,
        path,
        std,
    } in pages
    {
        heading(&format!("Building the page /{path}"));
        let env = match std {
            Std::Small if has_std_source => small_std(),
            _ => Vec::new(),
        };
        // Trunk's --offline is meant for the helpers that it would fetch by itself, but holds
        // for cargo as well: so what cargo needs is fetched before. What the standard library needs is
        // fetched for a target that is named.
        for target in [&[][..], &["--target", "wasm32-unknown-unknown"]] {
            cmd!(sh, "cargo fetch {target...}")
                .envs(env.clone())
                .run()?;
        }
        // Its addresses are relative: it works at any path behind a proxy.
        let dist = workspace.dist().join(path);
        cmd!(
            sh,
            "trunk build {target} --offline --skip-version-check {release...} --cargo-profile {profile} --dist {dist} --public-url ./"
        )
        .env_remove("NO_COLOR") // Trunk takes `true` and `false` only.
        .envs(env)
        .run()?;
        shrink::page(workspace, &dist, has_esbuild)?;
        if path == MAIN.path {
            embed::write(workspace, &dist, has_esbuild)?;
        }
        if path == MAIN.path && has_esbuild {
            draw_codes(workspace, &dist)?;
        }
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

/// What draws QR codes is a script of its own, which a tab loads when somebody asks for one.
fn draw_codes(workspace: &Workspace, dist: &Path) -> Result<()> {
    let Some(packages) = setup::qr_library(workspace)? else {
        return Ok(());
    };
    let (script, out) = (
        workspace.root.join("web-peer/assets/qr.js"),
        dist.join("qr.js"),
    );
    let options = ["--bundle", "--minify", "--format=esm", "--log-level=error"];
    cmd!(
        workspace.sh,
        "esbuild {script} {options...} --outfile={out}"
    )
    .env("NODE_PATH", packages)
    .quiet()
    .run()?;
    Ok(())
}

/// What makes cargo compile the standard library too, with the stable compiler: as variables,
/// because a manifest that asks for it is refused everywhere else.
fn small_std() -> Vec<(&'static str, String)> {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    [
        ("RUSTC_BOOTSTRAP", "1".to_owned()),
        ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort".to_owned()),
        (
            "CARGO_UNSTABLE_BUILD_STD_FEATURES",
            "optimize_for_size".to_owned(),
        ),
        (
            "RUSTFLAGS",
            format!("{flags} -Zunstable-options -Cpanic=immediate-abort"),
        ),
    ]
    .into()
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
