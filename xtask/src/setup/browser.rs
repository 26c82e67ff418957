//! What tests outside of native Rust run in: browsers with their drivers, and Node.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Result, bail};
use xshell::cmd;

use super::announce;
use super::page::cargo_tool;
use crate::workspace::Workspace;

const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

const FIREFOXES: [&str; 2] = ["firefox-esr", "firefox"];

/// Makes sure of a Chromium and its driver; the driver's path.
pub(crate) fn browser(workspace: &Workspace) -> Result<PathBuf> {
    let driver = || {
        BROWSERS
            .iter()
            .find_map(|browser| workspace.find(browser))?;
        workspace.find("chromedriver")
    };
    if driver().is_none() {
        apt_install(
            workspace,
            "Chromium and its driver",
            &["chromium", "chromium-driver"],
        )?;
    }
    match driver() {
        Some(driver) => Ok(driver),
        None => bail!("Chromium or chromedriver is not on PATH though it has been installed"),
    }
}

/// The version of geckodriver. Nothing else in the project names it; each serves every newer
/// Firefox too.
const GECKODRIVER: &str = "0.37.1";

/// Makes sure of a Firefox and its driver; the driver's path.
pub(crate) fn firefox(workspace: &Workspace) -> Result<PathBuf> {
    let is_there = || FIREFOXES.iter().any(|name| workspace.find(name).is_some());
    if !is_there() {
        apt_install(workspace, "Firefox", &["firefox-esr"])?;
    }
    if !is_there() {
        bail!("Firefox is not on PATH though it has been installed");
    }
    // Debian has no package of it; any version that is there already will do.
    if workspace.find("geckodriver").is_none() {
        cargo_tool(
            workspace,
            "geckodriver",
            "geckodriver",
            GECKODRIVER,
            &["--locked"],
            "3 minutes",
        )?;
    }
    match workspace.find("geckodriver") {
        Some(driver) => Ok(driver),
        None => bail!("geckodriver is not on PATH though it has been installed"),
    }
}

/// Makes sure of WebKit's driver, which brings a browser along, and of a screen for it; the
/// driver's path.
pub(crate) fn webkit(workspace: &Workspace) -> Result<PathBuf> {
    let driver = || {
        workspace.find("Xvfb")?;
        workspace.find("WebKitWebDriver")
    };
    if driver().is_none() {
        apt_install(
            workspace,
            "WebKit and its driver",
            &["webkit2gtk-driver", "xvfb"],
        )?;
    }
    match driver() {
        Some(driver) => Ok(driver),
        None => bail!("Xvfb or WebKitWebDriver is not on PATH though it has been installed"),
    }
}

/// The version of axe-core. Nothing else in the project names it.
const AXE: &str = "4.14.1";

/// Makes sure of axe, which looks for what keeps people out of a page; the script's path.
pub(crate) fn axe(workspace: &Workspace) -> Result<PathBuf> {
    let sh = &workspace.sh;
    let tools = workspace.tools();
    let folder = tools.join("node_modules").join("axe-core");
    let script = folder.join("axe.min.js");
    let claims = |package: &str| package.contains(&format!("\"version\": \"{AXE}\""));
    if sh
        .read_file(folder.join("package.json"))
        .is_ok_and(|package| claims(&package))
    {
        return Ok(script);
    }
    if workspace.find("npm").is_none() {
        apt_install(workspace, "npm", &["npm"])?;
    }
    announce(&format!("axe-core {AXE}"), "seconds");
    cmd!(
        sh,
        "npm install --prefix {tools} --no-audit --no-fund --loglevel=error axe-core@{AXE}"
    )
    .run()?;
    Ok(script)
}

/// Makes sure of Node.
pub(crate) fn node(workspace: &Workspace) -> Result<()> {
    if workspace.find("node").is_none() {
        apt_install(workspace, "Node", &["nodejs"])?;
    }
    Ok(())
}

/// Whether this process has fetched what packages there are, which takes seconds each time.
static LISTS_ARE_NEW: AtomicBool = AtomicBool::new(false);

/// Installs Debian packages, when this is a system that has them and we may.
pub(super) fn apt_install(workspace: &Workspace, what: &str, packages: &[&str]) -> Result<()> {
    let sh = &workspace.sh;
    let sudo: &[&str] = match workspace.find("apt-get") {
        Some(_) if cmd!(sh, "id -u").quiet().read()? == "0" => &[],
        Some(_)
            if cmd!(sh, "sudo -n true")
                .quiet()
                .ignore_stderr()
                .run()
                .is_ok() =>
        {
            &["sudo", "-n"]
        }
        _ => bail!(
            "{what} is missing. Install it so that it is on PATH, then try again. \
             On Debian: apt-get install {}",
            packages.join(" ")
        ),
    };
    announce(&format!("{what} with apt-get"), "a minute");
    let env: &[&str] = &["env", "DEBIAN_FRONTEND=noninteractive"];
    let apt_get: Vec<&str> = [sudo, env, &["apt-get"]].concat();
    let [program, args @ ..] = apt_get.as_slice() else {
        unreachable!("apt-get is always there");
    };
    if !LISTS_ARE_NEW.load(Relaxed) {
        cmd!(sh, "{program} {args...} update -qq").run()?;
        LISTS_ARE_NEW.store(true, Relaxed);
    }
    cmd!(
        sh,
        "{program} {args...} install -qq -y --no-install-recommends {packages...}"
    )
    .run()?;
    Ok(())
}
