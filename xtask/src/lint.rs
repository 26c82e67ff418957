//! `cargo xtask lint`: what must hold before tests are worth running.

mod circles;
mod words;

use anyhow::{Result, bail};
use xshell::cmd;

use crate::setup;
use crate::workspace::{Workspace, heading};

/// Crates that would let the core do I/O, read a clock or ask for randomness.
const FORBIDDEN_IN_CORE: [&str; 5] = ["getrandom", "js-sys", "tokio", "wasm-bindgen", "web-sys"];

/// Packages whose modules depend on each other in one direction only.
const WITHOUT_CIRCLES: [&str; 14] = [
    "core",
    "dht-node",
    "fuzz/targets",
    "lab",
    "lab/page",
    "native-peer",
    "page-kit",
    "picture",
    "rtc-link",
    "tests",
    "tracker-relay",
    "web-peer",
    "webtorrent-json",
    "xtask",
];

/// Formatting, clippy for both worlds, the core's documentation and dependencies, circles, languages, types.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    let wasm = "wasm32-unknown-unknown";
    setup::wasm_target(workspace, wasm)?;

    heading("Formatting");
    cmd!(sh, "cargo fmt --all --check").run()?;
    heading("Clippy, native");
    cmd!(sh, "cargo clippy --workspace --all-targets -- -D warnings").run()?;
    heading("Clippy, wasm32");
    cmd!(
        sh,
        "cargo clippy -p swarm-core -p page-kit -p swarm-picture -p web-peer -p lab-page --target {wasm} -- -D warnings"
    )
    .run()?;
    // Alone it has a core without what pages don't need, which is looked at with it.
    heading("Clippy, the core of a page");
    cmd!(
        sh,
        "cargo clippy -p web-peer --target {wasm} -- -D warnings"
    )
    .run()?;
    heading("The core's documentation");
    cmd!(sh, "cargo doc -p swarm-core --no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    heading("What the core depends on");
    check_core(workspace)?;
    heading("Circles between modules");
    for package in WITHOUT_CIRCLES {
        circles::check(&workspace.root.join(package).join("src"))?;
    }
    heading("The page's languages");
    words::check(&workspace.root)?;
    heading("The types of the module for other pages");
    check_types(workspace)
}

/// The module's types fit how the example uses it.
fn check_types(workspace: &Workspace) -> Result<()> {
    let Some(tsc) = setup::typescript(workspace)? else {
        return Ok(());
    };
    let options = [
        "--noEmit",
        "--allowJs",
        "--checkJs",
        "--noImplicitAny",
        "false",
        "--target",
        "esnext",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
    ];
    let example = workspace.root.join("web-peer/embed/example.js");
    cmd!(workspace.sh, "{tsc} {options...} {example}").run()?;
    Ok(())
}

fn check_core(workspace: &Workspace) -> Result<()> {
    let tree = cmd!(
        workspace.sh,
        "cargo tree -p swarm-core --edges all --target all --prefix none"
    );
    let tree = tree.read()?;
    let mut found: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| FORBIDDEN_IN_CORE.contains(name))
        .collect();
    found.sort_unstable();
    found.dedup();
    if !found.is_empty() {
        bail!("swarm-core must not depend on {}", found.join(", "));
    }
    eprintln!("None of {}.", FORBIDDEN_IN_CORE.join(", "));
    Ok(())
}
