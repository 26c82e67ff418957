//! Tests in tabs of real browsers, and with other people's clients: those of the package `swarm-tests`.
//!
//! They are built with all other packages, as the native tests are, and then started one by one.
//! `cargo test -p swarm-tests` would do both, but what packages are asked for together decides
//! which features their libraries get: a hundred and fifty would be compiled a second time.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Cmd, cmd};

use crate::together::{run_in_one_piece, side_by_side};
use crate::workspace::{Workspace, heading};

/// Where the package is.
const PACKAGE: &str = "tests";

/// Tests of the server and of the command-line peer that start their programs: cargo builds those
/// with them, and tabs need the programs.
const WITH_PROGRAMS: [&str; 2] = ["binary", "command_line"];

/// A program with tests in it.
pub(super) struct Test {
    name: String,
    program: PathBuf,
}

/// The names of all that there are.
pub(super) fn all(workspace: &Workspace) -> Result<Vec<String>> {
    names(&workspace.root.join(PACKAGE).join("tests"))
}

/// What cargo calls the tests in a package's folder of tests: files, and folders with a `main.rs`.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("looking for tests")? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("rs")) || path.join("main.rs").is_file() {
            let name = path.file_stem().context("a test without a name")?;
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Builds these tests, which come in the same order, and the programs that they start, unoptimised:
/// nothing there is about speed.
pub(super) fn build<Name: AsRef<str>>(workspace: &Workspace, names: &[Name]) -> Result<Vec<Test>> {
    heading("Building the programs that tests start");
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let targets = WITH_PROGRAMS.iter().chain(&names);
    let targets = targets.flat_map(|name| ["--test", name]);
    let messages = cmd!(
        workspace.sh,
        "cargo test --workspace --no-run --message-format json-render-diagnostics {targets...}"
    )
    .read()?;
    let manifest = workspace.root.join(PACKAGE).join("Cargo.toml");
    let mut built = Vec::new();
    for message in messages.lines() {
        let message: Value = serde_json::from_str(message).context("reading what cargo says")?;
        let (Some(program), Some(name)) = (
            message["executable"].as_str(),
            message["target"]["name"].as_str(),
        ) else {
            continue;
        };
        // Other packages have tests of the same names.
        let is_ours = message["manifest_path"].as_str().map(Path::new) == Some(&*manifest);
        if is_ours && names.contains(&name) {
            built.push(Test {
                name: name.to_owned(),
                program: program.into(),
            });
        }
    }
    built.sort_by_key(|test| names.iter().position(|name| *name == test.name));
    ensure!(built.len() == names.len(), "cargo has not built every test");
    Ok(built)
}

/// How tests are run.
pub(super) struct Way<'a> {
    /// What runs the programs, if they are not to be started as they are.
    pub(super) inside: &'a [&'a Path],
    /// Options for the tests.
    pub(super) args: &'a [&'a str],
    /// Where what they need is.
    pub(super) env: &'a [(&'a str, &'a Path)],
    /// Several programs at once, as they mostly wait, and have nothing in common.
    pub(super) at_once: bool,
}

/// Runs of these tests what a plain `cargo test` ignores, because it needs browsers or clients; those
/// of a program one after the other, because each keeps several tabs busy.
pub(super) fn run(workspace: &Workspace, tests: &[Test], way: &Way<'_>) -> Result<()> {
    // Where cargo would run them.
    let _folder = workspace.sh.push_dir(workspace.root.join(PACKAGE));
    if way.at_once {
        side_by_side(workspace, tests, |workspace, test| {
            run_in_one_piece(&test.title(), test.command(workspace, way)?)
        })?;
        return Ok(());
    }
    for test in tests {
        eprintln!("\n     {}", test.title());
        test.command(workspace, way)?.run()?;
    }
    Ok(())
}

impl Test {
    fn title(&self) -> String {
        format!("Running {PACKAGE}/tests/{}.rs", self.name)
    }

    fn command<'a>(&self, workspace: &'a Workspace, way: &Way<'_>) -> Result<Cmd<'a>> {
        let mut words = way.inside.iter().copied().chain([&*self.program]);
        let first = words.next().context("nothing to run")?;
        let args = way.args;
        let command = cmd!(
            workspace.sh,
            "{first} {words...} --ignored --test-threads=1 {args...}"
        );
        Ok(command
            .envs(way.env.iter().copied())
            .env("TABSWARM_PAGE", workspace.dist())
            .env("TABSWARM_BIN_DIR", workspace.target.join("debug")))
    }
}
