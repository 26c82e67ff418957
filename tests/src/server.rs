//! A `tracker-relay` process.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
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

    /// Starts one on a free port with these options.
    pub async fn start_with(options: &[&str]) -> Result<Self> {
        Self::start_on_with("127.0.0.1:0".parse()?, options).await
    }

    /// Starts one on this address.
    pub async fn start_on(address: SocketAddr) -> Result<Self> {
        Self::start_on_with(address, &[]).await
    }

    /// Starts one on this address with these options.
    pub async fn start_on_with(address: SocketAddr, options: &[&str]) -> Result<Self> {
        let mut child = Command::new(programs::program("tracker-relay"))
            .arg("--listen")
            .arg(address.to_string())
            .arg("--page")
            .arg(programs::page())
            .args(options)
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
        format!("{}/", self.origin())
    }

    /// The tracker's address.
    pub fn tracker(&self) -> String {
        format!("ws://{}/swarm", self.address)
    }

    /// The origin of its pages.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bytes of channels that it has passed on, as it says itself.
    pub async fn relayed_bytes(&self) -> Result<u64> {
        let health = self.health().await?;
        health["relayed_bytes"].as_u64().context("a number")
    }

    /// How often it told somebody their own address (STUN).
    pub async fn told_addresses(&self) -> Result<u64> {
        let health = self.health().await?;
        health["answered"]["stun"].as_u64().context("a number")
    }

    async fn health(&self) -> Result<serde_json::Value> {
        let mut stream = TcpStream::connect(self.address).await?;
        let request = format!(
            "GET /health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("an answer")?;
        Ok(serde_json::from_str(body)?)
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
