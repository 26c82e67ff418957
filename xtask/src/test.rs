//! `cargo xtask test`: native, as WebAssembly, and in real tabs.

mod in_tabs;

use std::path::Path;
use std::thread;

use anyhow::Result;
use clap::ValueEnum;
use in_tabs::Way;
use xshell::cmd;

use crate::together::{run_in_one_piece, side_by_side};
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
    let needs_core = parts.contains(&Part::Wasm);
    // Once for all parts: what packs them does its minute of work again each time.
    if parts.iter().any(|part| part.needs_pages()) {
        build_pages(workspace, needs_core.then_some(&args.test_args))?;
    } else if needs_core {
        prepare_core_in_node(workspace)?;
        core_in_node(workspace, &args.test_args)?;
    }
    for part in parts {
        match part {
            Part::Native => native(workspace, &args.test_args)?,
            Part::Wasm => web_peer(workspace, &args.test_args)?,
            Part::Tabs if parts.contains(&Part::Firefox) => thread::scope(|scope| {
                // Its driver may have to be compiled, for minutes; tests in tabs wait most of the time.
                let beside = workspace.clone();
                let firefox = scope.spawn(move || setup::firefox(&beside));
                tabs(workspace, &args.test_args)?;
                firefox.join().expect("it does not panic").map(drop)
            })?,
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

/// Builds the pages, and runs the core's tests meanwhile if there are options for them: neither needs
/// anything of the other, and what links a page takes one processor for minutes.
fn build_pages(workspace: &Workspace, core: Option<&Vec<String>>) -> Result<()> {
    let Some(args) = core else {
        return build::all_pages(workspace);
    };
    prepare_core_in_node(workspace)?;
    let beside = workspace.clone();
    thread::scope(|scope| {
        let core = scope.spawn(move || core_in_node(&beside, args));
        build::all_pages(workspace)?;
        core.join().expect("it does not panic")
    })
}

fn prepare_core_in_node(workspace: &Workspace) -> Result<()> {
    setup::wasm_target(workspace, "wasm32-wasip1")?;
    setup::node(workspace)
}

fn core_in_node(workspace: &Workspace, args: &[String]) -> Result<()> {
    let sh = &workspace.sh;
    heading("The core's tests as WebAssembly, under Node");
    let core = ["-p", "swarm-core", "--target", "wasm32-wasip1"];
    cmd!(sh, "cargo test {core...} --no-run").run()?;
    // Each runs in one thread, and so takes one processor. A panic aborts there: what a test has
    // said so far would be lost if it was captured.
    let test = |workspace: &Workspace, target: &Vec<String>| {
        let sh = &workspace.sh;
        let command = cmd!(
            sh,
            "cargo test {core...} {target...} -- --nocapture {args...}"
        );
        run_in_one_piece(&format!("The core's {}", target.join(" ")), command)
    };
    side_by_side(workspace, &core_targets(workspace)?, test)?;
    Ok(())
}

fn web_peer(workspace: &Workspace, args: &[String]) -> Result<()> {
    let sh = &workspace.sh;
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
    let way = Way {
        inside: &[],
        args: &with(&others, args),
        env: &[("CHROMEDRIVER", &chromium), ("TABSWARM_AXE", &axe)],
        at_once: false,
    };
    in_tabs::run(workspace, &tests, &way)
}

fn firefox(workspace: &Workspace, args: &[String]) -> Result<()> {
    let chromium = setup::browser(workspace)?;
    let firefox = setup::firefox(workspace)?;
    let tests = in_tabs::build(workspace, &["firefox", "play"])?;
    heading("Tests in Firefox");
    let way = Way {
        inside: &[],
        args: &or(FIREFOX, args),
        env: &[("CHROMEDRIVER", &chromium), ("GECKODRIVER", &firefox)],
        at_once: false,
    };
    in_tabs::run(workspace, &tests, &way)
}

fn webkit(workspace: &Workspace, args: &[String]) -> Result<()> {
    let chromium = setup::browser(workspace)?;
    let webkit = setup::webkit(workspace)?;
    let tests = in_tabs::build(workspace, &["webkit", "play"])?;
    heading("Tests in WebKit");
    let way = Way {
        inside: &[],
        args: &or(WEBKIT, args),
        env: &[("CHROMEDRIVER", &chromium), ("WEBKITDRIVER", &webkit)],
        at_once: false,
    };
    in_tabs::run(workspace, &tests, &way)
}

fn clients(workspace: &Workspace, args: &[String]) -> Result<()> {
    let clients = setup::clients(workspace)?;
    let chromium = setup::browser(workspace)?;
    let firefox = setup::firefox(workspace)?;
    // Those that take long first; then those at home.
    let names = ["ordinary", "webtorrent", "dht", "clients", "homes"];
    let tests = in_tabs::build(workspace, &names)?;
    let (others, homes) = tests.split_at(names.len() - 1);
    for (title, network, tests) in [
        ("Tests with other clients", "network.sh", others),
        ("Tests behind routers", "homes.sh", homes),
    ] {
        heading(title);
        let network = workspace.root.join("tests/clients").join(network);
        let way = Way {
            inside: &[Path::new("sh"), &network],
            args: &with(&[], args),
            env: &[
                ("CHROMEDRIVER", &chromium),
                ("GECKODRIVER", &firefox),
                ("TABSWARM_CLIENTS", &clients),
            ],
            // Each has a network of its own. Who asks for some tests wants to see how they go.
            at_once: args.is_empty(),
        };
        in_tabs::run(workspace, tests, &way)?;
    }
    Ok(())
}

/// The core's tests, as cargo is asked for them: in the library, in what stands in its documentation,
/// and in files.
fn core_targets(workspace: &Workspace) -> Result<Vec<Vec<String>>> {
    let files = in_tabs::names(&workspace.root.join("core/tests"))?;
    let files = files
        .into_iter()
        .map(|name| vec!["--test".to_owned(), name]);
    let others = ["--lib", "--doc"].map(|option| vec![option.to_owned()]);
    Ok(others.into_iter().chain(files).collect())
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
