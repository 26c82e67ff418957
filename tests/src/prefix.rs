//! A reverse proxy that serves a server under a path, as `https://example.org/share/`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running proxy. Stops when dropped.
#[derive(Debug)]
pub struct Prefix {
    /// Where it listens.
    pub address: SocketAddr,
    path: &'static str,
    outside: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Prefix {
    /// Serves `target` under `path`, such as `/share`, and nothing elsewhere.
    pub async fn to(target: SocketAddr, path: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let outside = Arc::<Mutex<Vec<String>>>::default();
        let shared = outside.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, target, path, shared.clone()));
            }
        });
        Ok(Prefix {
            address,
            path,
            outside,
            task,
        })
    }

    /// The page's address through this proxy.
    pub fn page(&self) -> String {
        format!("http://{}{}/", self.address, self.path)
    }

    /// What was asked for outside of the path.
    pub fn outside(&self) -> Vec<String> {
        self.outside.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request, then the connection ends; or a WebSocket, to its end.
async fn serve(
    client: TcpStream,
    target: SocketAddr,
    path: &'static str,
    outside: Arc<Mutex<Vec<String>>>,
) -> Result<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let Some((rest, head)) = head
        .strip_prefix("GET ")
        .and_then(|head| Some((head.strip_prefix(path)?.strip_prefix('/')?, head)))
    else {
        let line = head.lines().next().unwrap_or_default().to_owned();
        outside.lock().expect("nobody panics with it").push(line);
        let nothing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return Ok(client.write_all(nothing).await?);
    };
    let mut server = TcpStream::connect(target).await?;
    if head.to_ascii_lowercase().contains("\r\nupgrade: websocket") {
        server.write_all(format!("GET /{rest}").as_bytes()).await?;
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let rest = rest.replacen("\r\nConnection: keep-alive", "", 1);
    let rest = rest.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(format!("GET /{rest}").as_bytes()).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    Ok(client.write_all(&answer).await?)
}
