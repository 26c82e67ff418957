//! A long way: a TCP forwarder that delivers every byte some time after it came, however many
//! are on their way.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// A running forwarder. Stops to accept when dropped.
#[derive(Debug)]
pub struct FarLink {
    /// Where it listens.
    pub address: SocketAddr,
    /// Bytes that went to clients.
    delivered: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl FarLink {
    /// Forwards to `target`; each way takes `delay`.
    pub async fn to(target: SocketAddr, delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (counter, delivered) = watch::channel(0);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(target).await else {
                    continue;
                };
                // Whatever waits, waits here.
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (client_read, client_write) = client.into_split();
                let (server_read, server_write) = server.into_split();
                let count = counter.clone();
                carry(client_read, server_write, delay, |_| {});
                carry(server_read, client_write, delay, move |bytes| {
                    count.send_modify(|count| *count += bytes);
                });
            }
        });
        Ok(FarLink {
            address,
            delivered,
            task,
        })
    }

    /// The tracker behind it.
    pub fn tracker(&self) -> String {
        format!("ws://{}/swarm", self.address)
    }

    /// When so many bytes have been delivered to clients.
    pub async fn delivers(&self, bytes: u64) -> Result<Instant> {
        let mut delivered = self.delivered.clone();
        let enough = delivered.wait_for(|count| *count >= bytes).await;
        enough.context("the forwarder runs on")?;
        Ok(Instant::now())
    }
}

impl Drop for FarLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    mut written: impl FnMut(u64) + Send + 'static,
) {
    let (way, mut arriving) = mpsc::unbounded_channel::<(Instant, Bytes)>();
    tokio::spawn(async move {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(CHUNK);
            let Ok(1..) = from.read_buf(&mut buffer).await else {
                return;
            };
            let due = Instant::now() + delay;
            if way.send((due, buffer.split().freeze())).is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((due, bytes)) = arriving.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
            written(bytes.len() as u64);
        }
    });
}
