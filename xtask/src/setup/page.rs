//! What building the page takes: wasm targets, wasm-bindgen, Trunk, wasm-opt.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

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

/// Makes sure of the standard library's source; whether it is there.
pub(crate) fn std_source(workspace: &Workspace) -> Result<bool> {
    let sh = &workspace.sh;
    let sysroot = cmd!(sh, "rustc --print sysroot").quiet().read()?;
    let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
    if library.join("Cargo.lock").is_file() {
        return Ok(true);
    }
    if workspace.find("rustup").is_none() {
        eprintln!(
            "There is no rustup to get the standard library's source with: the page will be \
             larger than it need be."
        );
        return Ok(false);
    }
    announce("the standard library's source", "seconds");
    cmd!(sh, "rustup component add rust-src").run()?;
    Ok(true)
}

/// Makes sure of wasm-bindgen and its test runner, in exactly the crate's version.
pub(crate) fn wasm_bindgen(workspace: &Workspace) -> Result<()> {
    let version = locked_version(workspace, "wasm-bindgen")?;
    // Not `--locked`: that version's lock file names crates that have been withdrawn.
    // Without TLS: it talks to a browser on this machine only.
    cargo_tool(
        workspace,
        "wasm-bindgen",
        "wasm-bindgen-cli",
        &version,
        &["--no-default-features"],
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
        // Without TLS: what it would fetch is here already.
        &["--locked", "--no-default-features"],
        "5 minutes",
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

/// The version of esbuild. Nothing else in the project names it.
const ESBUILD: &str = "0.28.2";

/// Makes sure of esbuild, which minifies the page's scripts; whether it is there.
pub(crate) fn esbuild(workspace: &Workspace) -> Result<bool> {
    let sh = &workspace.sh;
    if let Some(program) = workspace.find("esbuild") {
        // It says its version and nothing else.
        let version = cmd!(sh, "{program} --version").quiet().ignore_stderr();
        if version.read().is_ok_and(|version| version == ESBUILD) {
            return Ok(true);
        }
    }
    if workspace.find("npm").is_none() {
        eprintln!(
            "There is no npm to install esbuild with: the page will be larger than it need be."
        );
        return Ok(false);
    }
    announce(&format!("esbuild {ESBUILD}"), "seconds");
    let tools = workspace.tools();
    cmd!(
        sh,
        "npm install --prefix {tools} --no-audit --no-fund --loglevel=error esbuild@{ESBUILD}"
    )
    .run()?;
    Ok(true)
}

/// What draws QR codes, and its version. Nothing else in the project names it.
const QR: &str = "lean-qr";
const QR_VERSION: &str = "2.7.4";

/// Makes sure of the library that draws QR codes; none where there is no npm to get it with, else
/// the folder of packages in which it is.
pub(crate) fn qr_library(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let sh = &workspace.sh;
    let packages = workspace.tools().join("node_modules");
    let manifest = packages.join(QR).join("package.json");
    let version = format!("\"version\": \"{QR_VERSION}\"");
    if sh
        .read_file(manifest)
        .is_ok_and(|text| text.contains(&version))
    {
        return Ok(Some(packages));
    }
    if workspace.find("npm").is_none() {
        eprintln!("There is no npm to install {QR} with: the page will draw no QR codes.");
        return Ok(None);
    }
    announce(&format!("{QR} {QR_VERSION}"), "seconds");
    let tools = workspace.tools();
    cmd!(
        sh,
        "npm install --prefix {tools} --no-audit --no-fund --loglevel=error {QR}@{QR_VERSION}"
    )
    .run()?;
    Ok(Some(packages))
}

/// The version of TypeScript's compiler. Nothing else in the project names it.
const TYPESCRIPT: &str = "7.0.2";

/// Makes sure of TypeScript's compiler, which only checks; none where there is no npm to get it with.
pub(crate) fn typescript(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let sh = &workspace.sh;
    let tools = workspace.tools();
    let program = tools.join("node_modules/.bin/tsc");
    let version = cmd!(sh, "{program} --version").quiet().ignore_stderr();
    if program.exists() && version.read()?.ends_with(TYPESCRIPT) {
        return Ok(Some(program));
    }
    if workspace.find("npm").is_none() {
        eprintln!("There is no npm to install TypeScript with: types are not checked.");
        return Ok(None);
    }
    announce(&format!("TypeScript {TYPESCRIPT}"), "seconds");
    cmd!(
        sh,
        "npm install --prefix {tools} --no-audit --no-fund --loglevel=error typescript@{TYPESCRIPT}"
    )
    .run()?;
    Ok(Some(program))
}

/// How tools are compiled: they run for seconds, so that what a product would win by
/// optimising hard is lost many times over while they are built. Trunk's own release
/// profile links all of it at once (fat LTO), on one core.
const TOOL_PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

/// Installs a cargo package unless its program is there in that version: as somebody has
/// built it, where there is cargo-binstall to fetch that with, else from source.
pub(super) fn cargo_tool(
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
    // Somebody's other projects may need the version that is there: leave it alone.
    let root: &[OsString] = match installed {
        None => &[],
        Some(_) => &["--root".into(), workspace.tools().into()],
    };
    if workspace.find("cargo-binstall").is_some() {
        announce(&format!("{package} {version}"), "seconds");
        // It fails where nobody offers a build for this machine: then there is the source.
        let strategies = "crate-meta-data,quick-install";
        let fetch = cmd!(
            sh,
            "cargo binstall --no-confirm --strategies {strategies} {root...} {package}@{version}"
        );
        if fetch.run().is_ok() && installed_version(workspace, program).as_deref() == Some(version)
        {
            return Ok(());
        }
    }
    announce(&format!("{package} {version}, from source"), time);
    let install = cmd!(
        sh,
        "cargo install {package} --version {version} {options...} {root...}"
    );
    // Its own target folder: tools are built once, and share nothing with the project.
    let install = install.env_remove("CARGO_TARGET_DIR").envs(TOOL_PROFILE);
    install.run()?;
    if installed_version(workspace, program).as_deref() != Some(version) {
        bail!("{program} {version} is installed, but not on PATH: add cargo's bin folder to it");
    }
    Ok(())
}

/// The version of a program on `PATH`.
fn installed_version(workspace: &Workspace, program: &str) -> Option<String> {
    let program = workspace.find(program)?;
    let claim = cmd!(workspace.sh, "{program} --version")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()?;
    claimed_version(&claim).map(str::to_owned)
}

/// The version in what a program says to `--version`.
fn claimed_version(claim: &str) -> Option<&str> {
    // `wasm-opt version 132 (version_132)` has a word more than others.
    let mut words = claim.split_whitespace().skip(1);
    words.find(|word| *word != "version")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(claimed_version("trunk 0.21.14"), Some("0.21.14"));
        assert_eq!(
            claimed_version("wasm-opt version 132 (version_132)"),
            Some("132")
        );
        assert_eq!(claimed_version("what?"), None);
    }

    #[test]
    fn the_project_says_which_versions_it_needs() {
        let workspace = Workspace::open().unwrap();
        assert!(
            locked_version(&workspace, "wasm-bindgen")
                .unwrap()
                .starts_with("0.2.")
        );
        assert!(locked_version(&workspace, "no-such-package").is_err());
        let trunk = workspace
            .toml_string("Trunk.toml", &["trunk-version"])
            .unwrap();
        assert!(
            trunk.starts_with('='),
            "Trunk.toml must ask for one version: {trunk}"
        );
        let wasm_opt = workspace
            .toml_string("Trunk.toml", &["tools", "wasm_opt"])
            .unwrap();
        assert!(wasm_opt.starts_with("version_"), "{wasm_opt}");
    }
}
