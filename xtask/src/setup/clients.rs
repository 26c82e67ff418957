//! Other people's BitTorrent clients, for tests with them.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use xshell::cmd;

use super::announce;
use super::browser::{apt_install, node};
use crate::workspace::Workspace;

/// What they are run with, and which versions there are to be.
const SOURCES: &str = "tests/clients";

/// Programs, what they are, and Debian's packages of them.
const FROM_DEBIAN: [(&str, &str, &str); 7] = [
    ("aria2c", "aria2", "aria2"),
    ("transmission-cli", "Transmission", "transmission-cli"),
    ("qbittorrent-nox", "qBittorrent", "qbittorrent-nox"),
    ("opentracker", "opentracker", "opentracker"),
    ("ip", "ip for a network of the tests' own", "iproute2"),
    ("nft", "nftables for the routers in it", "nftables"),
    ("npm", "npm", "npm"),
];

/// Makes sure of WebTorrent, libtorrent, aria2, Transmission, qBittorrent and opentracker; the folder of the first two,
/// which are installed for this project alone.
pub(crate) fn clients(workspace: &Workspace) -> Result<PathBuf> {
    let sh = &workspace.sh;
    node(workspace)?;
    let (what, packages): (Vec<_>, Vec<_>) = FROM_DEBIAN
        .iter()
        .filter(|(program, ..)| workspace.find(program).is_none())
        .map(|&(_, what, package)| (what, package))
        .unzip();
    if !packages.is_empty() {
        apt_install(workspace, &what.join(", "), &packages)?;
    }
    let folder = workspace.tools().join("clients");
    std::fs::create_dir_all(&folder)?;
    let sources = workspace.root.join(SOURCES);
    // Which versions were installed last.
    let stamp = folder.join("installed");
    let wanted = ["package.json", "requirements.txt"]
        .map(|name| std::fs::read_to_string(sources.join(name)));
    let [packages, requirements] = wanted;
    let wanted = packages? + &requirements?;
    for entry in std::fs::read_dir(&sources)? {
        let entry = entry?;
        std::fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    announce("WebTorrent and libtorrent", "half a minute");
    // No scripts: what one of the packages would fetch comes as a package too.
    cmd!(
        sh,
        "npm install --prefix {folder} --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error"
    )
    .run()?;
    let venv = folder.join("venv");
    let make = || {
        cmd!(sh, "python3 -m venv --clear {venv}")
            .ignore_stderr()
            .run()
    };
    if make().is_err() {
        apt_install(workspace, "Python", &["python3", "python3-venv"])?;
        make().context("Python makes no environment for libtorrent")?;
    }
    let pip = venv.join("bin/pip");
    let requirements = folder.join("requirements.txt");
    cmd!(
        sh,
        "{pip} install --quiet --disable-pip-version-check -r {requirements}"
    )
    .run()?;
    if !venv.join("bin/python").exists() {
        bail!("{} has no Python", venv.display());
    }
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}
