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
use xshell::cmd;

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
    let folder = workspace.root.join(PACKAGE).join("tests");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).context("looking for tests in tabs")? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("rs")) {
            let name = path.file_stem().context("a test without a name")?;
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Builds these tests, and the programs that they start, unoptimised: nothing there is about speed.
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
    built.sort_by(|one, other| one.name.cmp(&other.name));
    ensure!(built.len() == names.len(), "cargo has not built every test");
    Ok(built)
}

/// Runs of these tests what a plain `cargo test` ignores, because it needs browsers or clients; one
/// after the other, because each keeps several tabs busy. `inside` is what runs the programs, if
/// they are not to be started as they are.
pub(super) fn run(
    workspace: &Workspace,
    tests: &[Test],
    inside: &[&Path],
    args: &[&str],
    env: &[(&str, &Path)],
) -> Result<()> {
    let sh = &workspace.sh;
    // Where cargo would run them.
    let _folder = sh.push_dir(workspace.root.join(PACKAGE));
    for Test { name, program } in tests {
        eprintln!("\n     Running {PACKAGE}/tests/{name}.rs");
        let mut words = inside.iter().copied().chain([&**program]);
        let first = words.next().context("nothing to run")?;
        cmd!(
            sh,
            "{first} {words...} --ignored --test-threads=1 {args...}"
        )
        .envs(env.iter().copied())
        .env("TABSWARM_PAGE", workspace.dist())
        .env("TABSWARM_BIN_DIR", workspace.target.join("debug"))
        .run()?;
    }
    Ok(())
}
