//! What fuzzing takes: a nightly compiler and cargo-fuzz.

use anyhow::{Result, bail};
use xshell::cmd;

use super::page::cargo_tool;
use crate::workspace::Workspace;

/// The version of cargo-fuzz. Nothing else in the project names it.
const CARGO_FUZZ: &str = "0.13.2";

/// Makes sure of cargo-fuzz; a compiler is nothing to install without being asked.
pub(crate) fn cargo_fuzz(workspace: &Workspace) -> Result<()> {
    let nightly = cmd!(workspace.sh, "cargo +nightly --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr();
    if nightly.run().is_err() {
        bail!(
            "fuzzing needs a nightly compiler, and there is none. \
             Get it with: rustup toolchain install nightly --profile minimal"
        );
    }
    cargo_tool(
        workspace,
        "cargo-fuzz",
        "cargo-fuzz",
        CARGO_FUZZ,
        &["--locked"],
        "a minute",
    )
}
