//! A web server with a folder's files: a web seed (BEP 19), and what it may do wrong.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// What it should.
    Honest,
    /// Every byte that it sends is wrong.
    Lies,
    /// It breaks off after so many bytes in all, and then answers nobody.
    Stops(usize),
    /// It knows no ranges.
    IgnoresRange,
}

/// A running server. Ends when dropped.
#[derive(Debug)]
pub struct WebServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    manner: Mutex<Manner>,
    /// What was asked for, as a line for each: method, path and range.
    asked: Mutex<Vec<String>>,
}

impl WebServer {
    /// Serves what is in a folder, on a free port.
    pub async fn start(folder: &Path, manner: Manner) -> Result<Self> {
        Self::start_on("127.0.0.1", folder, manner).await
    }

    /// The same at this address of the machine.
    pub async fn start_on(host: &str, folder: &Path, manner: Manner) -> Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            manner: Mutex::new(manner),
            asked: Mutex::default(),
        });
        let of_task = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&of_task);
                // Whoever is served may go away at any time.
                tokio::spawn(async move { drop(shared.serve(stream).await) });
            }
        });
        Ok(WebServer {
            address,
            shared,
            task,
        })
    }

    /// The folder's address.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// It does something else from now on.
    pub fn set_manner(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
    }

    /// What it was asked for so far: method, path and range.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    async fn serve(&self, stream: TcpStream) -> Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                match line.trim_end() {
                    "" => break,
                    line => head.push(line.to_owned()),
                }
            }
            self.answer(stream.get_mut(), &head).await?;
        }
    }

    async fn answer(&self, stream: &mut TcpStream, head: &[String]) -> Result<()> {
        let mut request = head.first().context("a request")?.split(' ');
        let (method, path) = (request.next(), request.next());
        let (method, path) = (method.context("a method")?, path.context("a path")?);
        let range = head.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_range = name.eq_ignore_ascii_case("range");
            is_range.then(|| value.trim().to_owned())
        });
        let said = range.as_deref().unwrap_or("-");
        lock(&self.asked).push(format!("{method} {path} {said}"));
        let file = self.folder.join(decoded(path.trim_start_matches('/'))?);
        let Ok(whole) = tokio::fs::read(&file).await else {
            let answer = "HTTP/1.1 404 Not Found\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nno";
            return Ok(stream.write_all(answer.as_bytes()).await?);
        };
        let manner = *lock(&self.manner);
        let range = range
            .as_deref()
            .and_then(|range| bounds(range, whole.len()));
        let (status, first, end) = match range {
            Some((first, end)) if !matches!(manner, Manner::IgnoresRange) => {
                ("206 Partial Content", first, end)
            }
            _ => ("200 OK", 0, whole.len()),
        };
        let mut body = whole[first..end].to_vec();
        let all = whole.len();
        let length = body.len();
        let last = end.saturating_sub(1);
        if let Manner::Lies = manner {
            body.iter_mut().for_each(|byte| *byte ^= 0x55);
        }
        let head = format!(
            "HTTP/1.1 {status}\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: {length}\r\nContent-Range: bytes {first}-{last}/{all}\r\n\r\n"
        );
        if let Manner::Stops(left) = manner {
            let sent = left.min(length);
            *lock(&self.manner) = Manner::Stops(left - sent);
            if left == 0 {
                anyhow::bail!("it answers nobody");
            }
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body[..sent]).await?;
            if sent < length {
                anyhow::bail!("it breaks off");
            }
            return Ok(());
        }
        stream.write_all(head.as_bytes()).await?;
        Ok(stream.write_all(&body).await?)
    }
}

/// The first byte and the end of what a header `Range` asks for.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last: usize = match last {
        "" => length - 1,
        last => last.parse().ok()?,
    };
    (first <= last && last < length).then_some((first, last + 1))
}

/// A path without its percent signs.
fn decoded(path: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits)?, 16)?);
    }
    Ok(String::from_utf8(bytes)?)
}
