//! `cargo xtask test`: native, as WebAssembly, and in real tabs.

mod in_tabs;

use std::path::Path;

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
    let chromium = setup::browser(workspace)?;
    let axe = setup::axe(workspace)?;
    let tests = in_tabs::build(workspace, &in_tabs::all(workspace)?)?;
    heading("Tests in real tabs");
    let others = ["--skip", OTHERS, "--skip", FIREFOX, "--skip", WEBKIT];
    let env = [("CHROMEDRIVER", &*chromium), ("TABSWARM_AXE", &*axe)];
    in_tabs::run(workspace, &tests, &[], &with(&others, args), &env)
}

fn firefox(workspace: &Workspace, args: &[String]) -> Result<()> {
    let chromium = setup::browser(workspace)?;
    let firefox = setup::firefox(workspace)?;
    let tests = in_tabs::build(workspace, &["firefox", "play"])?;
    heading("Tests in Firefox");
    let env = [("CHROMEDRIVER", &*chromium), ("GECKODRIVER", &*firefox)];
    in_tabs::run(workspace, &tests, &[], &or(FIREFOX, args), &env)
}

fn webkit(workspace: &Workspace, args: &[String]) -> Result<()> {
    let chromium = setup::browser(workspace)?;
    let webkit = setup::webkit(workspace)?;
    let tests = in_tabs::build(workspace, &["webkit", "play"])?;
    heading("Tests in WebKit");
    let env = [("CHROMEDRIVER", &*chromium), ("WEBKITDRIVER", &*webkit)];
    in_tabs::run(workspace, &tests, &[], &or(WEBKIT, args), &env)
}

fn clients(workspace: &Workspace, args: &[String]) -> Result<()> {
    let clients = setup::clients(workspace)?;
    let chromium = setup::browser(workspace)?;
    let names = ["clients", "dht", "ordinary", "webtorrent"];
    let tests = in_tabs::build(workspace, &names)?;
    heading("Tests with other clients");
    let network = workspace.root.join("tests/clients/network.sh");
    let inside = [Path::new("sh"), &network];
    let env = [
        ("CHROMEDRIVER", &*chromium),
        ("TABSWARM_CLIENTS", &*clients),
    ];
    in_tabs::run(workspace, &tests, &inside, &with(&[], args), &env)
}

/// Options for the tests, ours and those of whoever asked.
fn with<'a>(ours: &[&'a str], args: &'a [String]) -> Vec<&'a str> {
    let args = args.iter().map(String::as_str);
    ours.iter().copied().chain(args).collect()
}

/// What was asked for, or else all tests of a module.
fn or<'a>(module: &'a str, args: &'a [String]) -> Vec<&'a str> {
    let module = args.is_empty().then_some(module);
    with(module.as_slice(), args)
}
