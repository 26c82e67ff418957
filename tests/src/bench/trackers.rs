//! What the tracker costs: WebTorrent's clients, ordinary ones over HTTP and UDP.
//!
//! All comes from this machine and this process, so figures are for each second of the server's
//! processor time, not of the clock.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::tracker::http::AnnounceQuery;
use swarm_core::wire::tracker::udp::{Request, Response};
use swarm_core::wire::tracker::{Announce, Event};
use swarm_core::wire::webtorrent::{
    self, Answer, ClientMessage, MessageLimits, Offer, OfferId, ServerMessage,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use webtorrent_json::{decode_server, encode_client};

use super::Figure;
use super::process::{cpu_seconds, peak_mib};
use crate::server::Server;

/// Clients of WebTorrent's at once.
const PEERS: [u32; 2] = [1000, 5000];
/// Offers of each announce, as WebTorrent makes them.
const OFFERS: u8 = 5;
/// Announces of each client.
const ROUNDS: u32 = 5;
/// Bytes of a session description, about as Chromium makes them.
const SDP: usize = 700;
/// Announces of ordinary clients, and of how many.
const ANNOUNCES: u32 = 100_000;
const SWARMS: u32 = 1000;
/// Datagrams on their way at once.
const WINDOW: u32 = 32;
/// Where the server takes them.
const UDP: &str = "127.0.0.1:16969";

/// Nobody is slowed down, though all come from one address.
const UNBOUNDED: [&str; 2] = ["--address-work", "10000"];

/// The figures.
pub async fn run() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for peers in PEERS {
        figures.extend(webtorrent(peers).await?);
    }
    figures.push(http().await?);
    figures.push(udp().await?);
    Ok(figures)
}

async fn webtorrent(peers: u32) -> Result<[Figure; 3]> {
    let server = Server::start_with(&UNBOUNDED).await?;
    let mut sockets = Vec::new();
    for _ in 0..peers {
        let url = format!("ws://{}/", server.address);
        sockets.push(connect_async(url).await?.0);
    }
    let before = cpu_seconds(server.pid());
    let mut clients = tokio::task::JoinSet::new();
    for (number, socket) in (0..).zip(sockets) {
        clients.spawn(client(number, socket));
    }
    let (mut announces, mut handed) = (0, 0);
    while let Some(counted) = clients.join_next().await {
        let (announced, given) = counted??;
        announces += announced;
        handed += given;
    }
    let used = cpu_seconds(server.pid()) - before;
    let name = |what: &str| format!("WebTorrent, {peers} peers: {what}");
    let against = format!("of a core; {OFFERS} offers each");
    Ok([
        Figure::new(
            name("announces"),
            f64::from(announces) / used,
            "/s",
            against,
        ),
        Figure::new(
            name("messages sent, answers and offers too"),
            f64::from(announces + handed) / used,
            "/s",
            "of a core",
        ),
        Figure::new(
            name("server's peak memory"),
            peak_mib(server.pid()),
            "MiB",
            "",
        ),
    ])
}

/// Announces, answers what it is offered, and counts what it is told: answers to announces, and
/// what others sent. Ends when it has heard nothing for a while.
async fn client(
    number: u32,
    mut socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
) -> Result<(u32, u32)> {
    let (mut announced, mut handed) = (0, 0);
    let mut name = [b'x'; 20];
    name[..4].copy_from_slice(&number.to_be_bytes());
    let info_hash = InfoHash([7; 20]);
    let mut left = ROUNDS;
    let announce = |round: u32| {
        let offer = |offer: u8| {
            let mut id = name;
            id[4..8].copy_from_slice(&round.to_be_bytes());
            id[8] = offer;
            Offer {
                id: OfferId(id),
                sdp: "a=candidate\r\n".repeat(SDP / 13),
            }
        };
        let announce = webtorrent::Announce {
            info_hash,
            peer_id: PeerId(name),
            uploaded: 0,
            downloaded: 0,
            left: Some(1),
            event: Event::Update,
            numwant: Some(OFFERS.into()),
            offers: (0..OFFERS).map(offer).collect(),
        };
        Message::text(encode_client(&ClientMessage::Announce(announce)))
    };
    socket.send(announce(left)).await?;
    loop {
        let next = tokio::time::timeout(Duration::from_secs(5), socket.next()).await;
        let Ok(next) = next else {
            return Ok((announced, handed));
        };
        let Message::Text(text) = next.context("the server is gone")?? else {
            continue;
        };
        match decode_server(&text, &MessageLimits::default())? {
            ServerMessage::Announced { .. } => {
                announced += 1;
                left -= 1;
                if left > 0 {
                    socket.send(announce(left)).await?;
                }
            }
            ServerMessage::Offer { peer_id, offer, .. } => {
                handed += 1;
                let answer = ClientMessage::Answer(Answer {
                    info_hash,
                    peer_id: PeerId(name),
                    to: peer_id,
                    id: offer.id,
                    sdp: offer.sdp,
                });
                socket.send(Message::text(encode_client(&answer))).await?;
            }
            ServerMessage::Answer { .. } => handed += 1,
            other => bail!("the server says {other:?}"),
        }
    }
}

/// One of as many announces: fifty clients of each swarm.
fn announce(number: u32) -> Announce {
    let mut hash = [0; 20];
    hash[..4].copy_from_slice(&(number % SWARMS).to_be_bytes());
    Announce {
        info_hash: InfoHash(hash),
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

async fn http() -> Result<Figure> {
    let server = Server::start_with(&UNBOUNDED).await?;
    let before = cpu_seconds(server.pid());
    let mut stream = BufReader::new(TcpStream::connect(server.address).await?);
    for number in 0..ANNOUNCES {
        let query = AnnounceQuery::new(announce(number)).to_query();
        let request = format!("GET /announce?{query} HTTP/1.1\r\nHost: here\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes()).await?;
        let (mut length, mut line) = (0, String::new());
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).await?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
    }
    let used = cpu_seconds(server.pid()) - before;
    let name = "HTTP tracker, one connection: announces";
    Ok(Figure::new(
        name,
        f64::from(ANNOUNCES) / used,
        "/s",
        "of a core",
    ))
}

async fn udp() -> Result<Figure> {
    let options = [&UNBOUNDED[..], &["--udp", UDP]].concat();
    let server = Server::start_with(&options).await?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(UDP.parse::<SocketAddr>()?).await?;
    let mut buffer = [0; 2048];
    let connect = Request::Connect { transaction: 0 };
    socket.send(&connect.encode()).await?;
    let length = socket.recv(&mut buffer).await?;
    let Response::Connect { connection, .. } = Response::decode(&buffer[..length], false)? else {
        bail!("the server gives no connection id");
    };
    let before = cpu_seconds(server.pid());
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
            socket.recv(&mut buffer).await?;
        }
    }
    let used = cpu_seconds(server.pid()) - before;
    let name = "UDP tracker: announces";
    Ok(Figure::new(
        name,
        f64::from(ANNOUNCES) / used,
        "/s",
        "of a core",
    ))
}
