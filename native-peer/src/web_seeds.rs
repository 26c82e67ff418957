//! Ranges of files by HTTP, from web seeds: a task for each, and connections that are kept for
//! the next one.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, HOST, HeaderName, RANGE, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use swarm_core::metainfo::WebSeedAddress;
use swarm_core::node::{Answer, Fetch, Input, WebInput};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use url::{Position, Url};

use crate::announce::reach::{followed, is_local, look_up};
use crate::announce::{AGENT, REDIRECTS, authority, redirected, tls};

/// Stretches of bodies that wait for the host, each of some hundred KiB at most: what comes
/// faster than it can be handled stays in the network.
const WAITING: usize = 16;
/// Connections that are kept: as many as web seeds of a torrent are asked at once, and some.
const KEPT: usize = 4;

type Sender = SendRequest<Empty<Bytes>>;

/// A connection, and with whom.
#[derive(Debug)]
struct Open {
    sender: Sender,
    with: SocketAddr,
}

/// Connections of which nobody makes use, and whom they lead to, the latest last.
type Pool = Arc<Mutex<Vec<(String, Open)>>>;

/// See the module. Must be made and used within a Tokio runtime; dropping it gives up what is
/// under way.
#[derive(Debug)]
pub(crate) struct WebSeeds {
    fetching: BTreeMap<u32, AbortHandle>,
    sender: mpsc::Sender<(u32, WebInput)>,
    receiver: mpsc::Receiver<(u32, WebInput)>,
    pool: Pool,
}

impl WebSeeds {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        WebSeeds {
            fetching: BTreeMap::new(),
            sender,
            receiver,
            pool: Pool::default(),
        }
    }

    /// Begins to fetch something.
    pub(crate) fn fetch(&mut self, fetch: Fetch) {
        let (sender, pool) = (self.sender.clone(), Arc::clone(&self.pool));
        let number = fetch.number;
        let task = tokio::spawn(async move {
            let end = match transfer(&fetch, &sender, &pool).await {
                Ok(()) => WebInput::End,
                Err(why) => WebInput::Failed(why),
            };
            // The host may be gone.
            let _ = sender.send((number, end)).await;
        });
        self.fetching.insert(number, task.abort_handle());
    }

    /// Nothing more of it is of interest.
    pub(crate) fn drop(&mut self, number: u32) {
        if let Some(task) = self.fetching.remove(&number) {
            task.abort();
        }
    }

    /// What comes next; waits forever while nothing is under way. Dropping the future loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> Input {
        loop {
            let received = self.receiver.recv().await;
            let (number, input) = received.expect("we hold a sender ourselves");
            let known = match input {
                WebInput::End | WebInput::Failed(_) => self.fetching.remove(&number).is_some(),
                _ => self.fetching.contains_key(&number),
            };
            if known {
                return Input::Web(number, input);
            }
        }
    }
}

impl Drop for WebSeeds {
    fn drop(&mut self) {
        for task in self.fetching.values() {
            task.abort();
        }
    }
}

const NOT_FOLLOWED: &str = "it sends us to where we don't go on its word alone";
const LOCAL_QUERY: &str = "it is in a local network, and its address has a query";

/// Fetches a range, by way of wherever we are sent.
async fn transfer(
    fetch: &Fetch,
    host: &mpsc::Sender<(u32, WebInput)>,
    pool: &Pool,
) -> Result<(), String> {
    let mut url = Url::parse(&fetch.url).map_err(words)?;
    let mut sent_by = None;
    for _ in 0..=REDIRECTS {
        let (open, response) = get(&url, sent_by, &fetch.range(), pool).await?;
        sent_by = Some(open.with.ip());
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            url = sent_to(&url, &response).ok_or(NOT_FOLLOWED)?;
            continue;
        }
        let answer = Answer {
            status: status.as_u16(),
            length: header(&response, &CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            first: header(&response, &CONTENT_RANGE).and_then(Answer::first_of),
        };
        let number = fetch.number;
        let gone = |_| "nobody waits for it".to_owned();
        let answered = WebInput::Answered(answer);
        host.send((number, answered)).await.map_err(gone)?;
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            if let Ok(bytes) = frame.map_err(words)?.into_data()
                && !bytes.is_empty()
            {
                let received = WebInput::Received(bytes);
                host.send((number, received)).await.map_err(gone)?;
            }
        }
        keep(pool, &url, open);
        return Ok(());
    }
    Err("it sends us from one address to the next".to_owned())
}

/// Where we are sent: neither from where nobody listens to where anybody may, nor from the
/// Internet into a local network.
fn sent_to(url: &Url, response: &Response<Incoming>) -> Option<Url> {
    let next = redirected(url, response)?;
    let is_local = |url: &Url| {
        let read = WebSeedAddress::parse(&url[..Position::AfterQuery]);
        read.ok().map(|address| address.origin().local)
    };
    (!is_local(&next)? || is_local(url)?).then_some(next)
}

/// The head of the answer, through a connection that there is, or another one. `sent_by` is who
/// sent us, if somebody did.
async fn get(
    url: &Url,
    sent_by: Option<IpAddr>,
    range: &str,
    pool: &Pool,
) -> Result<(Open, Response<Incoming>), String> {
    while let Some(mut open) = kept(pool, url) {
        let Ok(fit) = fit(url, sent_by, vec![open.with]) else {
            continue;
        };
        let with = fit[0];
        // It may have been closed in the meantime.
        if open.sender.ready().await.is_ok()
            && let Ok(response) = open.sender.send_request(request(url, range)).await
        {
            return Ok((Open { with, ..open }, response));
        }
    }
    let (host, _) = authority(url).ok_or("it has no host")?;
    let addresses = fit(url, sent_by, look_up(url).await.map_err(words)?)?;
    let stream = TcpStream::connect(addresses.as_slice()).await;
    let stream = stream.map_err(words)?;
    let with = stream.peer_addr().map_err(words)?;
    let mut sender = match url.scheme() {
        "https" => open(tls::connect(&host, stream).await.map_err(words)?).await,
        _ => open(stream).await,
    }?;
    let response = sender.send_request(request(url, range)).await;
    Ok((Open { sender, with }, response.map_err(words)?))
}

/// Those of them that may be asked for this; at least one. What a query does in a local network
/// is not ours to try.
fn fit(
    url: &Url,
    sent_by: Option<IpAddr>,
    addresses: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, &'static str> {
    let mut fit = followed(sent_by, addresses);
    if fit.is_empty() {
        return Err(NOT_FOLLOWED);
    }
    if url.query().is_some() {
        fit.retain(|address| !is_local(*address));
    }
    if fit.is_empty() {
        return Err(LOCAL_QUERY);
    }
    Ok(fit)
}

async fn open<S>(stream: S) -> Result<Sender, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(words)?;
    tokio::spawn(connection);
    Ok(sender)
}

fn request(url: &Url, range: &str) -> Request<Empty<Bytes>> {
    Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, AGENT)
        .header(RANGE, range)
        .body(Empty::new())
        .expect("an address that was parsed has a host and a path")
}

/// Whom a connection leads to.
fn place(url: &Url) -> &str {
    &url[..Position::AfterPort]
}

/// A connection that leads there, if there is one.
fn kept(pool: &Pool, url: &Url) -> Option<Open> {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    let found = pool.iter().rposition(|(to, _)| to == place(url))?;
    Some(pool.remove(found).1)
}

fn keep(pool: &Pool, url: &Url, open: Open) {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    pool.push((place(url).to_owned(), open));
    if pool.len() > KEPT {
        pool.remove(0);
    }
}

fn header<'a>(response: &'a Response<Incoming>, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// What went wrong, down to the cause.
fn words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sends_us_nearer_than_they_are_and_queries_stay_out_of_local_networks() {
        let fit = |url: &str, from: Option<&str>, to: &[&str]| {
            let url = Url::parse(url).unwrap();
            let from = from.map(|from| from.parse().unwrap());
            let to = to.iter().map(|to| to.parse().unwrap()).collect();
            super::fit(&url, from, to).map(|fit| fit.len())
        };
        let (public, private, own) = ("9.9.9.9:80", "192.168.1.1:80", "127.0.0.1:80");
        let plain = "http://a.example/file";
        assert_eq!(fit(plain, None, &[public, private, own]), Ok(3));
        assert_eq!(fit(plain, Some("9.9.9.9"), &[public, private, own]), Ok(1));
        assert_eq!(fit(plain, Some("9.9.9.9"), &[own]), Err(NOT_FOLLOWED));
        assert_eq!(fit(plain, Some("192.168.1.9"), &[private]), Ok(1));
        let query = "http://a.example/apply?reboot=1";
        assert_eq!(fit(query, None, &[public, private]), Ok(1));
        assert_eq!(fit(query, None, &[private]), Err(LOCAL_QUERY));
        assert_eq!(fit(query, None, &["[::ffff:7f00:1]:80"]), Err(LOCAL_QUERY));
    }
}
