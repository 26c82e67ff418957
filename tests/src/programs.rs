//! Where the programs under test are.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The built page; set by `cargo xtask test`.
pub const PAGE: &str = "TABSWARM_PAGE";
/// The folder of `tracker-relay` and `native-peer`; set by `cargo xtask test`.
pub const PROGRAMS: &str = "TABSWARM_BIN_DIR";

/// The folder of the built page.
pub fn page() -> PathBuf {
    folder(PAGE)
}

/// The program of this name.
pub fn program(name: &str) -> PathBuf {
    folder(PROGRAMS).join(name)
}

/// Our command-line peer, which leaves the DHT alone unless it is told of a node to join it by:
/// the well-known ones have nothing to do with tests.
pub fn native_peer() -> Command {
    without_dht(Command::new(program("native-peer")))
}

/// Has our command-line peer, however it is started, leave the DHT alone.
pub(crate) fn without_dht(mut command: Command) -> Command {
    command.env("TABSWARM_NO_DHT", "1");
    command
}

/// Our command-line peer shares this; with the link that it prints. Killed when dropped.
pub async fn seed(path: &Path, options: &[&str]) -> Result<(Child, String)> {
    let mut command = native_peer();
    command.arg("seed").args(options).arg(path);
    linked(&mut command).await
}

/// Starts a command that prints a link before anything else. Killed when dropped.
pub async fn linked(command: &mut Command) -> Result<(Child, String)> {
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let stdout = child.stdout.take().context("standard output is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let link = lines.next_line().await?;
    let link = link.context("native-peer ended before it said a link")?;
    // Nobody reads on, but its pipe must stay open.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((child, link))
}

/// A part of the page that people share with, by when it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What has to be there before a person can do something.
    Interface,
    /// The program of the worker behind it, which is loaded meanwhile.
    Engine,
    /// What is loaded when somebody opens the picture of a swarm, and not before.
    Picture,
    /// What is loaded when somebody asks for something else that few need.
    Rest,
}

impl Part {
    /// The one to which a file belongs.
    fn of(name: &str) -> Self {
        let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        match () {
            () if begins(&["engine-"]) => Part::Engine,
            () if begins(&["picture-", "swarm-"]) => Part::Picture,
            () if begins(&["qr.js"]) => Part::Rest,
            () => Part::Interface,
        }
    }
}

/// Bytes of the files of a part of the page, as they travel: those compressed to `extension`, `br`
/// or `gz`. The lab's are not among them.
pub fn page_weight(part: Part, extension: &str) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(page())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.extension().is_some_and(|it| it == extension) && Part::of(&name) == part {
            bytes += path.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Chromium's driver: where `cargo xtask` says, or where Debian puts it.
pub fn chromedriver() -> Result<PathBuf> {
    driver("CHROMEDRIVER", "chromedriver")
}

/// Firefox's driver: where `cargo xtask` says, or on the PATH.
pub fn geckodriver() -> Result<PathBuf> {
    driver("GECKODRIVER", "geckodriver")
}

/// WebKit's driver: where `cargo xtask` says, or where Debian puts it.
pub fn webkit_driver() -> Result<PathBuf> {
    driver("WEBKITDRIVER", "WebKitWebDriver")
}

fn driver(variable: &str, name: &str) -> Result<PathBuf> {
    let told = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = std::env::split_paths(&path).map(|folder| folder.join(name));
    told.into_iter()
        .chain(usual)
        .find(|path| path.exists())
        .with_context(|| format!("{name} is not installed"))
}

fn folder(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            panic!("{variable} is not set: run these tests with `cargo xtask test tabs`")
        })
}
