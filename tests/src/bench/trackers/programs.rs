//! The trackers: ours, aquatic_ws, WebTorrent's own, and opentracker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use anyhow::Result;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;

use super::super::others::{Process, find, installed};
use super::ordinary;
use crate::{opentracker, programs};

const HOST: &str = "127.0.0.1";
/// Where the first of them listens. Each has a port of its own: not all take one at which another
/// has had clients a moment ago.
static PORT: AtomicU16 = AtomicU16::new(16_969);

/// Nobody of ours is slowed down, though all come from one address.
const UNBOUNDED: [&str; 4] = ["--address-work", "10000", "--max-connections", "30000"];

/// A tracker that can be started.
pub(super) enum Kind {
    Ours,
    Aquatic(PathBuf),
    /// The script that runs it in Node.
    BittorrentTracker(PathBuf),
    Opentracker(PathBuf),
}

/// A tracker that runs.
pub(super) struct Server {
    pub(super) process: Process,
    /// Where it listens, UDP too.
    pub(super) address: SocketAddr,
    _settings: TempDir,
}

impl Kind {
    /// Ours, and those of others that are there.
    pub(super) fn of_webtorrent() -> Vec<Self> {
        let others = [
            find("aquatic_ws").map(Kind::Aquatic),
            installed("tracker.mjs").map(Kind::BittorrentTracker),
        ];
        [Kind::Ours]
            .into_iter()
            .chain(others.into_iter().flatten())
            .collect()
    }

    /// The same for ordinary clients.
    pub(super) fn of_ordinary() -> Vec<Self> {
        let other = find("opentracker").map(Kind::Opentracker);
        [Kind::Ours].into_iter().chain(other).collect()
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::Aquatic(_) => "aquatic_ws",
            Kind::BittorrentTracker(_) => "bittorrent-tracker",
            Kind::Opentracker(_) => "opentracker",
        }
    }

    /// A client may ask for more through the same connection.
    pub(super) fn keeps_connections(&self) -> bool {
        !matches!(self, Kind::Opentracker(_))
    }

    pub(super) async fn start(&self) -> Result<Server> {
        let settings = TempDir::new()?;
        let port = free_port().await.to_string();
        let address = format!("{HOST}:{port}");
        let command = match self {
            Kind::Ours => {
                let mut command = Command::new(programs::program("tracker-relay"));
                command.args(["--listen", &address, "--udp", &address]);
                command.args(UNBOUNDED);
                command
            }
            Kind::Aquatic(program) => {
                let file = settings.path().join("aquatic.toml");
                // One worker of each kind is its default, and what it is advised to have here.
                let text = format!("[network]\naddress = \"{address}\"\nenable_tls = false\n");
                std::fs::write(&file, text)?;
                let mut command = Command::new(program);
                command.arg("-c").arg(file);
                command
            }
            Kind::BittorrentTracker(script) => {
                let mut command = Command::new("node");
                command.arg(script).args([HOST, &port]);
                command
            }
            Kind::Opentracker(program) => {
                let swarms = ordinary::swarms();
                opentracker::command(program, address.parse()?, settings.path(), &swarms).await?
            }
        };
        let mut process = Process::start(command)?;
        process.listens(&address).await?;
        let server = Server {
            process,
            address: address.parse()?,
            _settings: settings,
        };
        if let Kind::Opentracker(_) = self {
            opentracker::serves(server.address, ordinary::swarms()[0]).await?;
        }
        Ok(server)
    }
}

/// The next port at which nobody listens: who was left there by a run that was cut short would be
/// measured in another's name.
async fn free_port() -> u16 {
    loop {
        let port = PORT.fetch_add(1, Relaxed);
        if TcpListener::bind((HOST, port)).await.is_ok() {
            return port;
        }
    }
}

impl Server {
    pub(super) async fn kill(self) -> Result<()> {
        self.process.kill().await
    }
}
