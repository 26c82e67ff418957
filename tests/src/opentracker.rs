//! opentracker, which serves HTTP and UDP.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::tracker::http::{AnnounceQuery, AnnounceResponse};
use swarm_core::wire::tracker::{Announce, Event};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

/// A file of its, in its folder.
const LIST: &str = "swarms";

/// Looks whether it has begun, and the pause between two: it tells nobody when it has.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// What starts it at this address, for TCP and UDP, to serve these swarms. It keeps what it needs in
/// a folder of its own.
pub async fn command(
    program: &Path,
    address: SocketAddr,
    folder: &Path,
    swarms: &[InfoHash],
) -> Result<Command> {
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    // It does not run as root, and can become nobody else where only root is known.
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000"]).arg(program);
    command.args(["-i", &host, "-p", &port, "-P", &port]);
    command.arg("-d").arg(folder);
    // Debian's knows the swarms that it is told and no others.
    let help = Command::new(program).arg("-h").output().await?;
    let said = [help.stdout, help.stderr].concat();
    if String::from_utf8_lossy(&said).contains("whitelistfile") {
        let lines: String = swarms.iter().map(|swarm| format!("{swarm}\n")).collect();
        std::fs::write(folder.join(LIST), lines)?;
        command.args(["-w", LIST]);
    }
    Ok(command)
}

/// Waits until a tracker takes an announce of this swarm: opentracker listens before it has read its
/// list.
pub async fn serves(address: SocketAddr, swarm: InfoHash) -> Result<()> {
    let gone = Announce {
        info_hash: swarm,
        peer_id: PeerId([b'x'; 20]),
        port: 1,
        uploaded: 0,
        downloaded: 0,
        left: Some(1),
        event: Event::Stopped,
        numwant: None,
        key: None,
    };
    let mut refused = None;
    for _ in 0..LOOKS {
        let asked = async {
            let mut stream = BufReader::new(TcpStream::connect(address).await?);
            ask(&mut stream, &AnnounceQuery::new(gone.clone())).await
        };
        match asked.await {
            Ok(()) => return Ok(()),
            Err(error) => refused = Some(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(refused
        .context("it was asked")?
        .context("the tracker takes no announce"))
}

/// Announces by HTTP, and reads the answer: an error if it is a refusal.
pub async fn ask(stream: &mut BufReader<TcpStream>, query: &AnnounceQuery) -> Result<()> {
    let query = query.to_query();
    let request = format!("GET /announce?{query} HTTP/1.1\r\nHost: here\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).await?;
    let (mut length, mut line) = (None, String::new());
    while line != "\r\n" {
        line.clear();
        let read = stream.read_line(&mut line).await?;
        anyhow::ensure!(read > 0, "the tracker closes");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = Some(value.trim().parse()?);
        }
    }
    let mut body = vec![0; length.context("an answer has a length")?];
    stream.read_exact(&mut body).await?;
    match AnnounceResponse::decode(&body)? {
        AnnounceResponse::Announced(_) => Ok(()),
        AnnounceResponse::Failure(reason) => bail!("the tracker refuses: {reason}"),
    }
}
