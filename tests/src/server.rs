//! A `tracker-relay` process.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::programs;

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts one on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_on("127.0.0.1:0".parse()?).await
    }

    /// Starts one on this address.
    pub async fn start_on(address: SocketAddr) -> Result<Self> {
        let mut child = Command::new(programs::program("tracker-relay"))
            .arg("--listen")
            .arg(address.to_string())
            .arg("--page")
            .arg(programs::page())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("tracker-relay does not start")?;
        let stdout = child
            .stdout
            .take()
            .context("its standard output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = loop {
            let line = lines
                .next_line()
                .await?
                .context("tracker-relay ended before it listened")?;
            let found = line
                .split_whitespace()
                .find_map(|word| word.strip_prefix("http://"));
            if let Some(address) = found {
                break address.trim_end_matches('/').parse()?;
            }
        };
        // Nobody reads on, but its pipe must stay open.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Server { child, address })
    }

    /// The page's address.
    pub fn page(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The tracker's address.
    pub fn tracker(&self) -> String {
        format!("ws://{}/swarm", self.address)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Pulls the plug.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
