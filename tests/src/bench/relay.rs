//! The relay between two native clients, against the least that a WebSocket relay can do.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use swarm_core::id::{ChannelId, InfoHash, PeerId};
use swarm_core::wire::relay::{
    Announce, ClientMessage, DataFrame, Open, SUBPROTOCOL, ServerMessage,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, accept_async, connect_async};

use super::process::{cpu_seconds, peak_mib};
use super::report::Report;
use super::{Figure, median};
use crate::server::Server;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Bytes of one run.
const AMOUNT: usize = 1 << 30;
/// Runs of each; the median counts.
const RUNS: usize = 3;

/// The figures for payloads of 64 and 256 KiB.
pub async fn run(report: &mut Report) {
    for kib in [64, 256] {
        let measured = frames(kib).await;
        report.take(format_args!("relay, {kib} KiB frames"), measured);
    }
}

async fn frames(kib: usize) -> Result<Vec<Figure>> {
    let payload = kib << 10;
    let (mut speed, mut cost, mut absolute) = (Vec::new(), Vec::new(), Vec::new());
    let mut memory = 0.0_f64;
    // In turns, so that a noisy minute of the machine hits both.
    for _ in 0..RUNS {
        let bare = through_forwarder(payload).await?;
        let ours = through_relay(payload).await?;
        speed.push(ours.mb_per_second / bare.mb_per_second);
        cost.push(ours.cpu_per_gb / bare.cpu_per_gb);
        absolute.push(ours.mb_per_second);
        memory = memory.max(ours.peak_mib);
    }
    let name = |what: &str| format!("relay, {kib} KiB frames: {what}");
    Ok(vec![
        Figure::new(name("speed"), median(absolute), "MB/s", ""),
        Figure::new(
            name("speed over a bare forwarder's"),
            median(speed),
            "×",
            "aim: at least 0.9",
        ),
        Figure::new(
            name("CPU a byte over a bare forwarder's"),
            median(cost),
            "×",
            "aim: at most 1.2",
        ),
        Figure::new(name("server's peak memory"), memory, "MiB", ""),
    ])
}

struct Run {
    mb_per_second: f64,
    cpu_per_gb: f64,
    peak_mib: f64,
}

async fn through_forwarder(payload: usize) -> Result<Run> {
    let (child, address) = spawn_forwarder().await?;
    let sender = connect(address, None).await?;
    let receiver = connect(address, None).await?;
    let frame = DataFrame::new(ChannelId(1), &vec![7; payload]).into_message();
    let run = transfer(
        child.id().context("the forwarder runs")?,
        sender,
        receiver,
        &frame,
        None,
    )
    .await?;
    drop(child);
    Ok(run)
}

async fn through_relay(payload: usize) -> Result<Run> {
    let server = Server::start().await?;
    let info_hash = InfoHash([9; 20]);
    let mut receiver = connect(server.address, Some(SUBPROTOCOL)).await?;
    let member = loop {
        if let ServerMessage::Welcome(welcome) = next(&mut receiver).await? {
            break welcome.member;
        }
    };
    announce(&mut receiver, info_hash).await?;
    let mut sender = connect(server.address, Some(SUBPROTOCOL)).await?;
    announce(&mut sender, info_hash).await?;
    // The receiver's announce must be known before the sender asks for it.
    while !matches!(next(&mut receiver).await?, ServerMessage::Peers(_)) {}
    send(
        &mut sender,
        ClientMessage::Open(Open {
            request: 1,
            info_hash,
            member,
            credit: 1 << 16,
        }),
    )
    .await?;
    let channel = loop {
        if let ServerMessage::Incoming(incoming) = next(&mut receiver).await? {
            break incoming.channel;
        }
    };
    send(
        &mut receiver,
        ClientMessage::Accept {
            channel,
            credit: WINDOW,
        },
    )
    .await?;
    let credit = loop {
        if let ServerMessage::Accepted { credit, .. } = next(&mut sender).await? {
            break credit;
        }
    };
    let frame = DataFrame::new(channel, &vec![7; payload]).into_message();
    transfer(
        server.pid(),
        sender,
        receiver,
        &frame,
        Some((channel, credit)),
    )
    .await
}

/// What the receiver lets be under way, as a peer does.
const WINDOW: u32 = 4 << 20;

/// Moves [`AMOUNT`] bytes. With a channel, under its credit.
async fn transfer(
    pid: u32,
    sender: Socket,
    receiver: Socket,
    frame: &Bytes,
    channel: Option<(ChannelId, u32)>,
) -> Result<Run> {
    let cpu = cpu_seconds(pid);
    let begin = Instant::now();
    let receiving = tokio::spawn(receive_all(receiver, channel.map(|(channel, _)| channel)));
    let sending = send_all(sender, frame, channel.map(|(_, credit)| credit));
    let (_sender, received) = tokio::try_join!(sending, async { receiving.await? })?;
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Run {
        mb_per_second: received as f64 / 1e6 / seconds,
        cpu_per_gb: (cpu_seconds(pid) - cpu) / (received as f64 / 1e9),
        peak_mib: peak_mib(pid),
    })
}

async fn send_all(mut socket: Socket, frame: &Bytes, credit: Option<u32>) -> Result<Socket> {
    let mut credit = credit.map(u64::from);
    let payload = frame.len() as u64;
    let mut sent = 0;
    while sent < AMOUNT {
        while credit.is_some_and(|credit| credit < payload) {
            socket.flush().await?;
            if let ServerMessage::Credit { bytes, .. } = next(&mut socket).await? {
                credit = credit.map(|credit| credit + u64::from(bytes));
            }
        }
        socket.feed(Message::Binary(frame.clone())).await?;
        credit = credit.map(|credit| credit - payload);
        sent += frame.len();
    }
    socket.flush().await?;
    Ok(socket)
}

async fn receive_all(mut socket: Socket, channel: Option<ChannelId>) -> Result<usize> {
    let (mut received, mut owed) = (0, 0);
    while received < AMOUNT {
        let Some(message) = socket.next().await else {
            bail!("the relay closed")
        };
        let length = message?.into_data().len();
        received += length;
        owed += length;
        if let Some(channel) = channel
            && owed >= WINDOW as usize / 4
        {
            let bytes = u32::try_from(owed)?;
            send(&mut socket, ClientMessage::Credit { channel, bytes }).await?;
            owed = 0;
        }
    }
    Ok(received)
}

async fn connect(address: SocketAddr, subprotocol: Option<&'static str>) -> Result<Socket> {
    let mut request = format!("ws://{address}/swarm").into_client_request()?;
    if let Some(name) = subprotocol {
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", name.parse()?);
    }
    Ok(connect_async(request).await?.0)
}

async fn announce(socket: &mut Socket, info_hash: InfoHash) -> Result<()> {
    let announce = Announce {
        info_hash,
        peer_id: PeerId([1; 20]),
        left: None,
        pieces: None,
        numwant: 0,
        rtc: false,
    };
    send(socket, ClientMessage::Announce(announce)).await
}

async fn send(socket: &mut Socket, message: ClientMessage) -> Result<()> {
    Ok(socket.send(Message::Binary(message.encode())).await?)
}

async fn next(socket: &mut Socket) -> Result<ServerMessage> {
    loop {
        match socket.next().await.context("the relay closed")?? {
            Message::Binary(bytes) => return Ok(ServerMessage::decode(bytes)?),
            Message::Close(reason) => bail!("the relay closed: {reason:?}"),
            _ => {}
        }
    }
}

/// The argument with which the benchmark's own program becomes the forwarder.
pub const FORWARDER: &str = "--bare-forwarder";

async fn spawn_forwarder() -> Result<(Child, SocketAddr)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(FORWARDER)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child
        .stdout
        .take()
        .context("its standard output is piped")?;
    let line = BufReader::new(stdout)
        .lines()
        .next_line()
        .await?
        .context("it says where it listens")?;
    Ok((child, line.trim().parse()?))
}

/// The least: two connections, every message of one goes to the other, through a short
/// queue, written as they come.
pub async fn forward(print: impl FnOnce(SocketAddr)) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print(listener.local_addr()?);
    let mut halves = Vec::new();
    for _ in 0..2 {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        halves.push(accept_async(stream).await?.split());
    }
    let (Some((write_b, read_b)), Some((write_a, read_a))) = (halves.pop(), halves.pop()) else {
        bail!("two connections were accepted");
    };
    let pump =
        |mut read: futures_util::stream::SplitStream<WebSocketStream<TcpStream>>,
         mut write: futures_util::stream::SplitSink<WebSocketStream<TcpStream>, Message>| {
            let (queue, mut queued) = mpsc::channel(16);
            tokio::spawn(async move {
                while let Some(message) = queued.recv().await {
                    if write.send(message).await.is_err() {
                        return;
                    }
                }
            });
            async move {
                while let Some(Ok(message)) = read.next().await {
                    if message.is_binary() && queue.send(message).await.is_err() {
                        return;
                    }
                }
            }
        };
    tokio::join!(pump(read_a, write_b), pump(read_b, write_a));
    Ok(())
}
