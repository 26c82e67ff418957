//! Other people's BitTorrent clients: WebTorrent, libtorrent, aria2, Transmission and qBittorrent.
//!
//! `cargo xtask test clients` installs them, says where they are, and runs the tests in a
//! network of their own, in which this machine is [`HOST`].

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use swarm_core::id::InfoHash;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::process::{Child, Command};

use crate::wait::PATIENCE;
use crate::{opentracker, programs};

/// The address of everybody there.
pub const HOST: &str = "10.77.0.1";

/// The same by IPv6, as in an address with a port.
pub const HOST6: &str = "[fd77::1]";

/// The folder that the clients are installed in; set by `cargo xtask test`.
pub const CLIENTS: &str = "TABSWARM_CLIENTS";

/// A running client or server. Killed when dropped.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = Self::spawn(command.stdout(Stdio::piped()))?;
        let stdout = child.stdout.take();
        let stdout = stdout.context("standard output is piped")?;
        Ok(Self::new(child, Box::new(stdout)))
    }

    /// One that tells how it is on standard error.
    fn start_and_hear_errors(command: &mut Command) -> Result<Self> {
        let mut child = Self::spawn(command.stderr(Stdio::piped()))?;
        let stderr = child.stderr.take();
        let stderr = stderr.context("standard error is piped")?;
        Ok(Self::new(child, Box::new(stderr)))
    }

    fn new(child: Child, said: Box<dyn AsyncRead + Send + Unpin>) -> Self {
        let lines = BufReader::new(said).lines();
        Running { child, lines }
    }

    fn spawn(command: &mut Command) -> Result<Child> {
        command
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?} does not start"))
    }

    /// Waits for a line that contains this.
    pub async fn says(&mut self, words: &str) -> Result<()> {
        let said = async {
            while let Some(line) = self.lines.next_line().await? {
                if line.contains(words) {
                    return Ok(());
                }
            }
            bail!("it ended, and never said {words:?}")
        };
        let said = tokio::time::timeout(PATIENCE, said).await;
        said.with_context(|| format!("it never said {words:?}"))?
    }

    /// Waits for lines that contain these, in any order.
    pub async fn says_all(&mut self, words: &[&str]) -> Result<()> {
        let mut missing = words.to_vec();
        let said = async {
            while !missing.is_empty() {
                let line = self.lines.next_line().await?;
                let line = line.context("it ended")?;
                missing.retain(|words| !line.contains(words));
            }
            Ok(())
        };
        let said = tokio::time::timeout(PATIENCE, said).await;
        said.unwrap_or_else(|_| bail!("it is silent"))
            .with_context(|| format!("it never said {missing:?}"))
    }

    /// The rest of the next line that begins with this.
    pub async fn tells(&mut self, head: &str) -> Result<String> {
        let told = async {
            while let Some(line) = self.lines.next_line().await? {
                if let Some(rest) = line.strip_prefix(head) {
                    return Ok(rest.trim().to_owned());
                }
            }
            bail!("it ended, and never told {head:?}")
        };
        let told = tokio::time::timeout(PATIENCE, told).await;
        told.with_context(|| format!("it never told {head:?}"))?
    }

    /// Waits until it has everything.
    pub async fn complete(&mut self) -> Result<()> {
        self.says("complete").await
    }

    /// Ends it, and waits until its ports are free.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

/// A `tracker-relay` that listens on these ports of [`HOST`], UDP too.
pub async fn tracker(http: u16, udp: u16) -> Result<Running> {
    tracker_at(HOST, http, udp).await
}

/// The same at [`HOST6`] alone.
pub async fn tracker_by_ipv6(http: u16, udp: u16) -> Result<Running> {
    tracker_at(HOST6, http, udp).await
}

async fn tracker_at(host: &str, http: u16, udp: u16) -> Result<Running> {
    let mut command = Command::new(programs::program("tracker-relay"));
    command.arg("--listen").arg(format!("{host}:{http}"));
    command.arg("--udp").arg(format!("{host}:{udp}"));
    // A link between two of these that does not come about is tried again with the next announce.
    command.arg("--interval").arg("15");
    let mut server = Running::start(&mut command)?;
    server.says("http://").await?;
    Ok(server)
}

/// opentracker at this port of [`HOST`], for TCP and UDP, which serves one swarm and has its files in
/// this folder.
pub async fn opentracker(port: u16, folder: &Path, swarm: InfoHash) -> Result<Running> {
    let address = format!("{HOST}:{port}").parse()?;
    let program = Path::new("opentracker");
    let mut command = opentracker::command(program, address, folder, &[swarm]).await?;
    let server = Running::start(&mut command)?;
    opentracker::serves(address, swarm).await?;
    Ok(server)
}

/// A `tracker-relay` that is a node of the DHT too, at this port of [`HOST`], by which others
/// join: the whole of what they are told is its address.
pub async fn bootstrap(http: u16, udp: u16) -> Result<(Running, String)> {
    let address = format!("{HOST}:{udp}");
    let mut command = Command::new(programs::program("tracker-relay"));
    command.arg("--listen").arg(format!("{HOST}:{http}"));
    let mut server = Running::start(command.arg("--dht").arg(&address))?;
    server.says("http://").await?;
    Ok((server, address))
}

/// Who makes a node of the DHT.
#[derive(Clone, Copy, Debug)]
pub enum DhtMaker {
    /// libtorrent.
    Libtorrent,
    /// WebTorrent.
    Webtorrent,
}

/// A node of the DHT at this port, which joins by another and then does what `command` says,
/// see `dht_node.mjs`.
pub async fn dht_node(
    maker: DhtMaker,
    port: u16,
    bootstrap: &str,
    command: &[&str],
) -> Result<Running> {
    let mut program = match maker {
        DhtMaker::Libtorrent => {
            let mut program = libtorrent_script();
            program.arg("dht");
            program
        }
        DhtMaker::Webtorrent => {
            let mut program = Command::new("node");
            program.arg(installed("dht_node.mjs"));
            program
        }
    };
    program.arg(format!("{HOST}:{port}")).arg(bootstrap);
    let mut node = Running::start(program.args(command))?;
    node.says("ready").await?;
    Ok(node)
}

/// What `native-peer dht` answers to a question, as JSON, whatever the exit code.
pub async fn ask_dht(state: &Path, bootstrap: &str, question: &[&str]) -> Result<Value> {
    let mut command = programs::native_peer();
    command.arg("dht").args(question).arg("--json");
    command.args(["--dht-bootstrap", bootstrap]);
    let output = command.env("XDG_STATE_HOME", state).output().await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).context(said)
}

/// WebTorrent in Node: shares what is in the folder, and gets what is not.
pub fn webtorrent(torrent: &Path, folder: &Path) -> Result<Running> {
    let mut command = Command::new("node");
    command.arg(installed("webtorrent_client.mjs"));
    Running::start(command.arg(torrent).arg(folder))
}

/// The tracker of WebTorrent, `bittorrent-tracker`, on this port of [`HOST`].
pub async fn bittorrent_tracker(port: u16) -> Result<Running> {
    let mut command = Command::new("node");
    command.arg(installed("tracker.mjs"));
    let mut tracker = Running::start(command.arg(HOST).arg(port.to_string()))?;
    tracker.says("listening").await?;
    Ok(tracker)
}

/// A website with WebTorrent in its page.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
}

impl Site {
    /// Starts one on a free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Ok(Site { address })
    }

    /// What the browser says of its pages.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The page's address.
    pub fn page(&self) -> String {
        format!("http://{}/", self.address)
    }
}

/// Answers one request.
async fn serve(stream: TcpStream) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    while stream.read_line(&mut request).await? > 2 {}
    let (file, kind) = match request.split(' ').nth(1) {
        Some("/webtorrent.min.js") => (
            "node_modules/webtorrent/dist/webtorrent.min.js",
            "text/javascript",
        ),
        _ => ("webtorrent_tab.html", "text/html"),
    };
    let body = tokio::fs::read(installed(file)).await?;
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    Ok(stream.flush().await?)
}

/// The same with libtorrent, which listens on this port.
pub fn libtorrent(torrent: &Path, folder: &Path, port: u16) -> Result<Running> {
    Running::start(libtorrent_script().args(libtorrent_run(torrent.as_ref(), folder, port)))
}

/// The same, and it listens at [`HOST6`] alone.
pub fn libtorrent_by_ipv6(torrent: &Path, folder: &Path, port: u16) -> Result<Running> {
    let mut command = libtorrent_script();
    command.arg("run").arg(torrent).arg(folder);
    Running::start(command.arg(format!("{HOST6}:{port}")))
}

/// The same, in the DHT too, joined by a node. The torrent may be a magnet link.
pub fn libtorrent_in_dht(
    torrent: &OsStr,
    folder: &Path,
    port: u16,
    bootstrap: &str,
) -> Result<Running> {
    let mut command = libtorrent_script();
    command.args(libtorrent_run(torrent, folder, port));
    Running::start(command.arg(bootstrap))
}

fn libtorrent_run(torrent: &OsStr, folder: &Path, port: u16) -> [OsString; 4] {
    let address = format!("{HOST}:{port}");
    ["run".into(), torrent.into(), folder.into(), address.into()]
}

/// The same with aria2.
pub fn aria2(torrent: &Path, folder: &Path, port: u16) -> Result<Running> {
    Running::start(aria2_command(folder, port).arg(torrent))
}

/// The same, in the DHT too, joined by a node. The torrent may be a magnet link.
pub fn aria2_in_dht(torrent: &OsStr, folder: &Path, port: u16, bootstrap: &str) -> Result<Running> {
    let mut command = aria2_command(folder, port);
    command.arg(format!("--dht-entry-point={bootstrap}"));
    Running::start(command.arg(torrent))
}

fn aria2_command(folder: &Path, port: u16) -> Command {
    let mut command = Command::new("aria2c");
    command.args([
        "--no-conf",
        // Without it aria2 has no UDP trackers. Nobody is there to tell it of others.
        "--enable-dht=true",
        "--enable-dht6=false",
        "--disable-ipv6=true",
        "--bt-enable-lpd=false",
        "--enable-peer-exchange=false",
        "--bt-tracker-interval=2",
        "--seed-ratio=0",
        "--check-integrity=true",
        "--summary-interval=0",
        &format!("--interface={HOST}"),
        &format!("--listen-port={port}"),
        &format!("--dht-listen-port={}", port + 1),
    ]);
    let hook = installed("complete.sh");
    command.arg(format!("--on-bt-download-complete={}", hook.display()));
    let table = folder.join("dht.dat");
    command.arg(format!("--dht-file-path={}", table.display()));
    command.arg("--dir").arg(folder);
    command
}

/// The same with Transmission, whose configuration goes beside the folder.
pub fn transmission(torrent: &Path, folder: &Path, port: u16) -> Result<Running> {
    let mut command = Command::new("transmission-cli");
    // What is in the folder is verified by itself; to ask for it stops the torrent for good.
    command.args(["--no-portmap", "--encryption-tolerated"]);
    command
        .arg("--config-dir")
        .arg(folder.with_extension("transmission"));
    command.arg("--port").arg(port.to_string());
    command.arg("--finish").arg(installed("complete.sh"));
    Running::start(command.arg("--download-dir").arg(folder).arg(torrent))
}

/// The same with qBittorrent, which is asked at the next port how far it is, and whose
/// configuration goes beside the folder.
pub fn qbittorrent(torrent: &Path, folder: &Path, port: u16) -> Result<Running> {
    let mut command = Command::new(installed("venv/bin/python"));
    command.arg(installed("qbittorrent_client.py"));
    command.arg(torrent).arg(folder);
    Running::start(command.arg(HOST).arg(port.to_string()))
}

/// Our command-line peer gets a torrent into a folder, or what is missing of it, and goes on
/// sharing it.
pub fn native_peer(torrent: &Path, folder: &Path, options: &[&str]) -> Result<Running> {
    native_peer_of(torrent.as_ref(), folder, options)
}

/// The same; the torrent may be a link, or an info-hash. What it remembers of the DHT goes beside
/// the folder.
pub fn native_peer_of(torrent: &OsStr, folder: &Path, options: &[&str]) -> Result<Running> {
    let mut command = programs::native_peer();
    command.env("XDG_STATE_HOME", folder.with_extension("state"));
    command.arg("get").arg(torrent).arg("--output").arg(folder);
    Running::start_and_hear_errors(command.arg("--seed").args(options))
}

/// Sees every packet: says of each that tells of a torrent by UDP, or of peer exchange by TCP,
/// which way that is (`leak by the DHT`, `leak by local discovery`, `leak by peer exchange`).
pub struct Watch {
    watch: Running,
    port: u16,
}

impl Watch {
    /// Begins to. The UDP port is one that nobody has.
    pub async fn start(info_hash: &InfoHash, port: u16) -> Result<Self> {
        let mut command = Command::new(installed("venv/bin/python"));
        command.arg(installed("watch.py"));
        command.arg(info_hash.to_string()).arg(port.to_string());
        let mut watch = Running::start(&mut command)?;
        watch.says("ready").await?;
        Ok(Watch { watch, port })
    }

    /// Waits for all of these.
    pub async fn sees(&mut self, leaks: &[&str]) -> Result<()> {
        self.watch.says_all(leaks).await
    }

    /// How many there were until now.
    pub async fn end(mut self) -> Result<u64> {
        let socket = UdpSocket::bind((HOST, 0)).await?;
        socket.send_to(b"that was all", (HOST, self.port)).await?;
        Ok(self.watch.tells("leaks: ").await?.parse()?)
    }
}

/// Writes a torrent of a file or folder, with these trackers.
pub async fn make_torrent(path: &Path, torrent: &Path, trackers: &[&str]) -> Result<()> {
    let mut command = libtorrent_script();
    command.arg("make").arg(path).arg(torrent).args(trackers);
    if !command.status().await?.success() {
        bail!("no torrent was made of {}", path.display());
    }
    Ok(())
}

fn libtorrent_script() -> Command {
    let mut command = Command::new(installed("venv/bin/python"));
    command.args(["-W", "ignore"]);
    command.arg(installed("libtorrent_client.py"));
    command
}

fn installed(name: &str) -> PathBuf {
    let folder = std::env::var_os(CLIENTS).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| {
        panic!("{CLIENTS} is not set: run these tests with `cargo xtask test clients`")
    });
    folder.join(name)
}
