//! WebKit as GTK has it, on a screen of its own that nobody sees.
//!
//! Its driver, WebKitWebDriver, starts the MiniBrowser that comes with it, in which nothing is
//! kept once it has ended: there is no file system of the origin's own, as in Safari's private
//! windows. Debian's is built without WebRTC.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::programs;
use crate::wait::until;

/// The driver, and the screen that its browser is on. Both end when it is dropped.
#[derive(Debug)]
pub(crate) struct WebKit {
    /// The driver's address.
    pub(crate) address: String,
    _driver: Child,
    _screen: Child,
    /// Where it keeps its settings, and finds out where downloads go.
    _home: TempDir,
}

impl WebKit {
    /// Starts both; downloads go to this folder.
    pub(crate) async fn start(downloads: &Path) -> Result<Self> {
        let mut screen = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1200x900x24"])
            .args(["-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("Xvfb does not start")?;
        let stdout = screen
            .stdout
            .take()
            .context("its standard output is piped")?;
        let number = BufReader::new(stdout).lines().next_line().await?;
        let number = number.context("Xvfb ended before it had a screen")?;

        let home = TempDir::new()?;
        // As the XDG user directories are told: xdg-user-dirs, user-dirs.dirs(5).
        std::fs::write(
            home.path().join("user-dirs.dirs"),
            format!("XDG_DOWNLOAD_DIR=\"{}\"\n", downloads.display()),
        )?;
        let port = free_port()?;
        let driver = Command::new(programs::webkit_driver()?)
            .arg(format!("--port={port}"))
            .env("DISPLAY", format!(":{}", number.trim()))
            .env("GDK_BACKEND", "x11")
            .env("XDG_CONFIG_HOME", home.path())
            .env("XDG_CACHE_HOME", home.path())
            .env("XDG_DATA_HOME", home.path())
            // No desktop is here: neither its bus, for which a program would be started, nor what
            // reads a screen out, nor a graphics card. What goes wrong besides is said.
            .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
            .env("NO_AT_BRIDGE", "1")
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("WebKitWebDriver does not start")?;
        let answers = || async {
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                .await
                .is_ok())
        };
        until("WebKitWebDriver to listen", answers, |answers| *answers).await?;
        Ok(WebKit {
            address: format!("http://127.0.0.1:{port}"),
            _driver: driver,
            _screen: screen,
            _home: home,
        })
    }
}

/// A port of this machine that nobody listens on: the driver takes none by itself.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
