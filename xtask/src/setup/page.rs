//! What building the page takes: wasm targets, wasm-bindgen, Trunk, wasm-opt.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::cmd;

use super::announce;
use crate::workspace::Workspace;

/// Whether a page can be shrunk by wasm-opt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WasmOpt {
    /// It is on `PATH`, in the version that Trunk asks for.
    Present,
    /// There is no npm to get it with.
    Absent,
}

/// Makes sure of everything that `trunk build` and `trunk serve` call.
pub(crate) fn page_tools(workspace: &Workspace) -> Result<WasmOpt> {
    wasm_target(workspace, "wasm32-unknown-unknown")?;
    wasm_bindgen(workspace)?;
    trunk(workspace)?;
    wasm_opt(workspace)
}

/// Makes sure that Rust can compile for `target`.
pub(crate) fn wasm_target(workspace: &Workspace, target: &str) -> Result<()> {
    let sh = &workspace.sh;
    let sysroot = cmd!(sh, "rustc --print sysroot").quiet().read()?;
    if Path::new(&sysroot)
        .join("lib/rustlib")
        .join(target)
        .is_dir()
    {
        return Ok(());
    }
    if workspace.find("rustup").is_none() {
        bail!("Rust's target {target} is missing, and there is no rustup to add it with");
    }
    announce(&format!("Rust's target {target}"), "seconds");
    cmd!(sh, "rustup target add {target}").run()?;
    Ok(())
}

/// Makes sure of wasm-bindgen and its test runner, in exactly the crate's version.
pub(crate) fn wasm_bindgen(workspace: &Workspace) -> Result<()> {
    let version = locked_version(workspace, "wasm-bindgen")?;
    // Not `--locked`: that version's lock file names crates that have been withdrawn.
    let options: &[&str] = &[];
    cargo_tool(
        workspace,
        "wasm-bindgen",
        "wasm-bindgen-cli",
        &version,
        options,
        "2 minutes",
    )
}

/// Makes sure of Trunk, in the version that Trunk.toml asks for.
fn trunk(workspace: &Workspace) -> Result<()> {
    let version = workspace.toml_string("Trunk.toml", &["trunk-version"])?;
    let version = version.trim_start_matches('=');
    cargo_tool(
        workspace,
        "trunk",
        "trunk",
        version,
        &["--locked"],
        "6 minutes",
    )
}

/// Makes sure of wasm-opt, in the version that Trunk.toml asks for.
fn wasm_opt(workspace: &Workspace) -> Result<WasmOpt> {
    let sh = &workspace.sh;
    let wanted = workspace.toml_string("Trunk.toml", &["tools", "wasm_opt"])?;
    let version = wanted.trim_start_matches("version_");
    if installed_version(workspace, "wasm-opt").as_deref() == Some(version) {
        return Ok(WasmOpt::Present);
    }
    if workspace.find("npm").is_none() {
        eprintln!(
            "There is no npm to install wasm-opt with: the page will be larger than it need be."
        );
        return Ok(WasmOpt::Absent);
    }
    announce(&format!("wasm-opt {version}"), "seconds");
    let tools = workspace.tools();
    cmd!(
        sh,
        "npm install --prefix {tools} --no-audit --no-fund --loglevel=error binaryen@{version}.0.0"
    )
    .run()?;
    Ok(WasmOpt::Present)
}

/// Installs a cargo package unless its program is there in that version.
fn cargo_tool(
    workspace: &Workspace,
    program: &str,
    package: &str,
    version: &str,
    options: &[&str],
    time: &str,
) -> Result<()> {
    let sh = &workspace.sh;
    let installed = installed_version(workspace, program);
    if installed.as_deref() == Some(version) {
        return Ok(());
    }
    announce(&format!("{package} {version}"), time);
    let install = cmd!(
        sh,
        "cargo install {package} --version {version} {options...}"
    );
    let install = match installed {
        None => install,
        // Somebody's other projects may need the version that is there: leave it alone.
        Some(_) => install.arg("--root").arg(workspace.tools()),
    };
    // Its own target folder: tools are built once, and share nothing with the project.
    install.env_remove("CARGO_TARGET_DIR").run()?;
    Ok(())
}

/// The version that a program on `PATH` claims, as `NAME VERSION`.
fn installed_version(workspace: &Workspace, program: &str) -> Option<String> {
    let program = workspace.find(program)?;
    let output = cmd!(workspace.sh, "{program} --version")
        .quiet()
        .ignore_stderr();
    let output = output.read().ok()?;
    // `wasm-opt version 132 (version_132)` has a word more than others.
    let version = output
        .split_whitespace()
        .skip(1)
        .find(|word| *word != "version")?;
    Some(version.to_owned())
}

/// The version of a package in Cargo.lock.
fn locked_version(workspace: &Workspace, package: &str) -> Result<String> {
    let lock = workspace.toml("Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let version = packages
        .into_iter()
        .flatten()
        .find(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package))
        .and_then(|entry| entry.get("version")?.as_str());
    Ok(version
        .with_context(|| format!("Cargo.lock has no {package}"))?
        .to_owned())
}
