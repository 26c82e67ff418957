//! Ordinary clients at a tracker: fifty of each of a thousand swarms, over HTTP and UDP.

use std::time::Duration;

use anyhow::{Result, bail};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::tracker::http::AnnounceQuery;
use swarm_core::wire::tracker::udp::{Request, Response};
use swarm_core::wire::tracker::{Announce, Event};
use tokio::io::BufReader;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use super::programs::Server;
use crate::opentracker::ask;

/// Announces of all.
const ANNOUNCES: u32 = 100_000;
/// Those that take a connection each: there are no more ports in a minute.
const CONNECTIONS: u32 = 20_000;
const SWARMS: u32 = 1000;
/// Connections, or datagrams, on their way at once.
const WINDOW: u32 = 32;
/// A datagram may be lost where nobody reads in time.
const LOST: Duration = Duration::from_secs(2);

fn swarm(number: u32) -> InfoHash {
    let mut hash = [0; 20];
    hash[..4].copy_from_slice(&(number % SWARMS).to_be_bytes());
    InfoHash(hash)
}

/// All swarms.
pub(super) fn swarms() -> Vec<InfoHash> {
    (0..SWARMS).map(swarm).collect()
}

/// One of as many announces.
fn announce(number: u32) -> Announce {
    Announce {
        info_hash: swarm(number),
        peer_id: PeerId([b'x'; 20]),
        port: u16::try_from(number / SWARMS % 50 + 1).unwrap_or(1),
        uploaded: 0,
        downloaded: 0,
        left: Some(1),
        event: Event::Update,
        numwant: None,
        key: None,
    }
}

async fn announces(stream: &mut BufReader<TcpStream>, number: u32) -> Result<()> {
    ask(stream, &AnnounceQuery::new(announce(number))).await
}

/// Announces in a second of the server's processor time, through a connection for each, as clients
/// make them.
pub(super) async fn http(server: &Server) -> Result<f64> {
    let before = server.process.cpu_seconds();
    let mut callers = tokio::task::JoinSet::new();
    for first in 0..WINDOW {
        let address = server.address;
        callers.spawn(async move {
            for number in (first..CONNECTIONS).step_by(WINDOW as usize) {
                let socket = TcpSocket::new_v4()?;
                // Its port is free again at once.
                socket.set_zero_linger()?;
                let mut stream = BufReader::new(socket.connect(address).await?);
                announces(&mut stream, number).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(asked) = callers.join_next().await {
        asked??;
    }
    let used = server.process.cpu_seconds() - before;
    Ok(f64::from(CONNECTIONS) / used)
}

/// The same through one connection.
pub(super) async fn http_kept(server: &Server) -> Result<f64> {
    let before = server.process.cpu_seconds();
    let mut stream = BufReader::new(TcpStream::connect(server.address).await?);
    for number in 0..ANNOUNCES {
        announces(&mut stream, number).await?;
    }
    let used = server.process.cpu_seconds() - before;
    Ok(f64::from(ANNOUNCES) / used)
}

/// Announces in a second of the server's processor time, by UDP.
pub(super) async fn udp(server: &Server) -> Result<f64> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(server.address).await?;
    let mut buffer = [0; 2048];
    let connect = Request::Connect { transaction: 0 };
    socket.send(&connect.encode()).await?;
    let length = socket.recv(&mut buffer).await?;
    let Response::Connect { connection, .. } = Response::decode(&buffer[..length], false)? else {
        bail!("the server gives no connection id");
    };
    let before = server.process.cpu_seconds();
    let mut answered = 0;
    for batch in 0..ANNOUNCES / WINDOW {
        for number in batch * WINDOW..(batch + 1) * WINDOW {
            let request = Request::Announce {
                connection,
                transaction: number,
                announce: announce(number),
                path: Vec::new(),
            };
            socket.send(&request.encode()).await?;
        }
        for _ in 0..WINDOW {
            match tokio::time::timeout(LOST, socket.recv(&mut buffer)).await {
                Ok(length) => match Response::decode(&buffer[..length?], false)? {
                    Response::Announce { .. } => answered += 1,
                    other => bail!("the tracker says {other:?}"),
                },
                Err(_) => break,
            }
        }
    }
    let used = server.process.cpu_seconds() - before;
    Ok(f64::from(answered) / used)
}
