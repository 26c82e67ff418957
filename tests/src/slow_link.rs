//! A TCP forwarder with a rate, between a browser and the server: the world outside of
//! loopback, and the time to watch something in its middle.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running forwarder. Stops when dropped.
#[derive(Debug)]
pub struct SlowLink {
    /// Where it listens.
    pub address: SocketAddr,
    rate: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl SlowLink {
    /// Forwards to `target`, at first without a limit.
    pub async fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let rate = Arc::new(AtomicU64::new(0));
        let shared = rate.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(target).await else {
                    continue;
                };
                let (client_read, client_write) = client.into_split();
                let (server_read, server_write) = server.into_split();
                tokio::spawn(forward(client_read, server_write, shared.clone()));
                tokio::spawn(forward(server_read, client_write, shared.clone()));
            }
        });
        Ok(SlowLink {
            address,
            rate,
            task,
        })
    }

    /// The page's address through this link.
    pub fn page(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Bytes a second of each direction of each connection from now on; 0 is no limit.
    pub fn set_rate(&self, bytes_per_second: u64) {
        self.rate.store(bytes_per_second, Ordering::Relaxed);
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, rate: Arc<AtomicU64>) {
    let mut chunk = vec![0; 64 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut chunk).await else {
            return;
        };
        if to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
        let rate = rate.load(Ordering::Relaxed);
        if rate > 0 {
            // This is the link's speed, not a wait for something.
            tokio::time::sleep(Duration::from_secs_f64(read as f64 / rate as f64)).await;
        }
    }
}
