//! Other people's trackers and peers, for benchmarks beside ours.

use anyhow::Result;
use xshell::cmd;

use super::announce;
use super::browser::apt_install;
use crate::workspace::Workspace;

/// Program and package, version, options, and how long it takes. Optimised as their makers do it,
/// as far as it costs no hour; without TLS or a page of their own, which nobody asks for here.
const BUILT: [(&str, &str, &[&str], &str); 2] = [
    (
        "aquatic_ws",
        "0.9.0",
        &["--no-default-features", "--features", "mimalloc"],
        "5 minutes",
    ),
    (
        "rqbit",
        "9.1.0",
        &["--no-default-features", "--features", "rust-tls"],
        "10 minutes",
    ),
];

/// Makes sure of aquatic_ws, rqbit and opentracker, unless they are on the PATH already. Goes on
/// without those that can't be had: what would be measured beside them is left out.
pub(crate) fn others(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    for (program, version, options, time) in BUILT {
        if workspace.find(program).is_some() {
            continue;
        }
        announce(&format!("{program} {version}, from source"), time);
        let root = workspace.tools();
        let install = cmd!(
            sh,
            "cargo install {program} --version {version} --locked --root {root} {options...}"
        );
        // Its own target folder: it is built once, and shares nothing with the project.
        if let Err(error) = install.env_remove("CARGO_TARGET_DIR").run() {
            eprintln!("{program} is not to be had here: {error:#}");
        }
    }
    if workspace.find("opentracker").is_none()
        && let Err(error) = apt_install(workspace, "opentracker", &["opentracker"])
    {
        eprintln!("opentracker is not to be had here: {error:#}");
    }
    Ok(())
}
