//! Machines at home, each behind a router of its own: the internet that `tests/clients/homes.sh` makes
//! for the command that it runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::programs;
use crate::server::Server;
use crate::wait::until;

/// Where the test is, and its server.
const INTERNET: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// A port that the routers pass on to the machine behind them.
const PASSED_ON: u16 = 9515;

/// A home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// Its router keeps a socket's port the same for everybody that the socket speaks with.
    Left,
    /// The same.
    Right,
    /// Its router takes another port for each (RFC 4787, 4.1).
    Strict,
}

impl Home {
    /// Our command-line peer on the machine there, without the DHT.
    pub fn native_peer(self) -> Command {
        programs::without_dht(self.command(&programs::program("native-peer")))
    }

    /// Runs a program there.
    fn command(self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.name()]).arg(program);
        command.kill_on_drop(true);
        command
    }

    /// Starts Chromium's driver there; its address for us.
    pub(crate) async fn chromedriver(self) -> Result<(String, Child)> {
        let child = self
            .command(&programs::chromedriver()?)
            .arg(format!("--port={PASSED_ON}"))
            .arg(format!("--allowed-ips={INTERNET}"))
            .arg("--allowed-origins=*")
            .stdout(Stdio::null())
            .spawn()
            .context("chromedriver does not start")?;
        let address = SocketAddr::from((self.router(), PASSED_ON));
        let answers = || async { Ok(TcpStream::connect(address).await.is_ok()) };
        until("chromedriver to listen", answers, |answers| *answers).await?;
        Ok((format!("http://{address}"), child))
    }

    fn name(self) -> &'static str {
        match self {
            Home::Left => "left",
            Home::Right => "right",
            Home::Strict => "strict",
        }
    }

    /// Its router's address, as others see it.
    fn router(self) -> Ipv4Addr {
        let last = match self {
            Home::Left => 10,
            Home::Right => 20,
            Home::Strict => 30,
        };
        Ipv4Addr::new(203, 0, 113, last)
    }
}

/// A server that spares its relay, and tells everybody their address outside (STUN).
pub async fn server() -> Result<Server> {
    let stun = format!("{INTERNET}:3478");
    let options = ["--relay", "spare", "--stun", &stun];
    Server::start_on_with((INTERNET, 0).into(), &options).await
}
