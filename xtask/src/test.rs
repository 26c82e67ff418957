//! `cargo xtask test`: native, as WebAssembly, and in real tabs.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use xshell::cmd;

use crate::workspace::{Workspace, heading};
use crate::{build, setup};

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this part
    part: Option<Part>,
    /// For the tests themselves, such as a name to filter by
    #[arg(last = true)]
    test_args: Vec<String>,
}

/// Where tests run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Every crate's tests, natively
    Native,
    /// The core's tests under Node, web-peer's in a headless browser
    Wasm,
    /// Tabs of a real browser, with the real server and command-line peer
    Tabs,
    /// Tabs of Firefox, alone and with those of Chromium
    Firefox,
    /// Tabs of WebKit, alone and with those of Chromium
    Webkit,
    /// Other people's BitTorrent clients, with the real server and command-line peer
    Clients,
}

impl Part {
    /// Whether its tests open the pages.
    fn needs_pages(self) -> bool {
        !matches!(self, Self::Native | Self::Wasm)
    }
}

/// The module of tests that need other people's clients, and a network of their own.
const OTHERS: &str = "with_other_clients::";

/// The module of tests that need Firefox too.
const FIREFOX: &str = "in_firefox::";

/// The module of tests that need WebKit too.
const WEBKIT: &str = "in_webkit::";

/// Seconds for all of web-peer's tests in the browser together.
const BROWSER_TIMEOUT: &str = "300";

/// Runs one part, or all.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let parts = match &args.part {
        Some(part) => std::slice::from_ref(part),
        None => Part::value_variants(),
    };
    // Once for all parts: what packs them does its minute of work again each time.
    if parts.iter().any(|part| part.needs_pages()) {
        build::all_pages(workspace)?;
    }
    for part in parts {
        match part {
            Part::Native => native(workspace, &args.test_args)?,
            Part::Wasm => wasm(workspace, &args.test_args)?,
            Part::Tabs => tabs(workspace, &args.test_args)?,
            Part::Firefox => firefox(workspace, &args.test_args)?,
            Part::Webkit => webkit(workspace, &args.test_args)?,
            Part::Clients => clients(workspace, &args.test_args)?,
        }
    }
    heading("All tests passed");
    Ok(())
}

fn native(workspace: &Workspace, args: &[String]) -> Result<()> {
    heading("Native tests");
    cmd!(workspace.sh, "cargo test --workspace -- {args...}").run()?;
    Ok(())
}

fn wasm(workspace: &Workspace, args: &[String]) -> Result<()> {
    let sh = &workspace.sh;
    setup::wasm_target(workspace, "wasm32-wasip1")?;
    setup::node(workspace)?;
    heading("The core's tests as WebAssembly, under Node");
    // A panic aborts there: what a test has said so far would be lost if it was captured.
    cmd!(
        sh,
        "cargo test -p swarm-core --target wasm32-wasip1 -- --nocapture {args...}"
    )
    .run()?;

    setup::wasm_target(workspace, "wasm32-unknown-unknown")?;
    setup::wasm_bindgen(workspace)?;
    let driver = setup::browser(workspace)?;
    heading("web-peer's tests in a headless browser");
    cmd!(
        sh,
        "cargo test -p web-peer --target wasm32-unknown-unknown -- {args...}"
    )
    .env("CHROMEDRIVER", driver)
    .env("WASM_BINDGEN_TEST_TIMEOUT", BROWSER_TIMEOUT)
    .run()?;
    Ok(())
}

fn tabs(workspace: &Workspace, args: &[String]) -> Result<()> {
    let sh = &workspace.sh;
    let driver = setup::browser(workspace)?;
    let axe = setup::axe(workspace)?;
    programs(workspace)?;
    heading("Tests in real tabs");
    // A plain `cargo test` ignores what needs a browser. One after the other, because each
    // test keeps several tabs busy.
    cmd!(
        sh,
        "cargo test -p swarm-tests --test * -- --ignored --test-threads=1 --skip {OTHERS} --skip {FIREFOX} --skip {WEBKIT} {args...}"
    )
    .env("CHROMEDRIVER", driver)
    .env("TABSWARM_AXE", axe)
    .env("TABSWARM_PAGE", workspace.dist())
    .env("TABSWARM_BIN_DIR", debug(workspace))
    .run()?;
    Ok(())
}

fn firefox(workspace: &Workspace, args: &[String]) -> Result<()> {
    let sh = &workspace.sh;
    let chromium = setup::browser(workspace)?;
    let firefox = setup::firefox(workspace)?;
    programs(workspace)?;
    heading("Tests in Firefox");
    let all = args.is_empty().then_some(FIREFOX);
    cmd!(
        sh,
        "cargo test -p swarm-tests --test firefox --test play -- --ignored --test-threads=1 {all...} {args...}"
    )
    .env("CHROMEDRIVER", chromium)
    .env("GECKODRIVER", firefox)
    .env("TABSWARM_PAGE", workspace.dist())
    .env("TABSWARM_BIN_DIR", debug(workspace))
    .run()?;
    Ok(())
}

fn webkit(workspace: &Workspace, args: &[String]) -> Result<()> {
    let sh = &workspace.sh;
    let chromium = setup::browser(workspace)?;
    let webkit = setup::webkit(workspace)?;
    programs(workspace)?;
    heading("Tests in WebKit");
    let all = args.is_empty().then_some(WEBKIT);
    cmd!(
        sh,
        "cargo test -p swarm-tests --test webkit --test play -- --ignored --test-threads=1 {all...} {args...}"
    )
    .env("CHROMEDRIVER", chromium)
    .env("WEBKITDRIVER", webkit)
    .env("TABSWARM_PAGE", workspace.dist())
    .env("TABSWARM_BIN_DIR", debug(workspace))
    .run()?;
    Ok(())
}

fn clients(workspace: &Workspace, args: &[String]) -> Result<()> {
    let sh = &workspace.sh;
    let clients = setup::clients(workspace)?;
    let driver = setup::browser(workspace)?;
    // All is built first: in the network that the tests run in there is nothing to fetch from.
    programs(workspace)?;
    heading("Tests with other clients");
    cmd!(
        sh,
        "sh tests/clients/network.sh cargo test --offline -p swarm-tests --test clients --test ordinary --test webtorrent --test dht -- --ignored --test-threads=1 {args...}"
    )
    .env("CHROMEDRIVER", driver)
    .env("TABSWARM_CLIENTS", clients)
    .env("TABSWARM_PAGE", workspace.dist())
    .env("TABSWARM_BIN_DIR", debug(workspace))
    .run()?;
    Ok(())
}

/// Builds the programs that tests start, and the tests, as [`native`] has built them already:
/// asked for in any other way, cargo would compile half of their libraries a second time, with
/// other features. Nothing there is about speed.
fn programs(workspace: &Workspace) -> Result<()> {
    heading("Building the programs that tests start");
    cmd!(
        workspace.sh,
        "cargo test -p swarm-tests -p tracker-relay -p native-peer --no-run"
    )
    .run()?;
    Ok(())
}

/// Where [`programs`] are.
fn debug(workspace: &Workspace) -> PathBuf {
    workspace.target.join("debug")
}
