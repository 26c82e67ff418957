//! By HTTP: a connection for each question, as trackers like it.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use swarm_core::find::announcer::{AnnounceError, Answer, Reply};
use swarm_core::wire::tracker::http::{AnnounceQuery, AnnounceResponse};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::{authority, tls, unreachable};

/// All of it takes no longer than this, other addresses that we are sent to included.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// So often we let us be sent elsewhere.
const REDIRECTS: usize = 5;
/// Bytes of an answer. 2000 peers in the longest form have a fifth of it.
const LONGEST: usize = 1 << 20;
/// What we are called.
const AGENT: &str = concat!("Tabswarm/", env!("CARGO_PKG_VERSION"));

pub(super) async fn announce(url: &Url, query: &AnnounceQuery) -> Answer {
    let query = query.to_query();
    let mark = if url.query().is_some() { '&' } else { '?' };
    let mut url = url.clone();
    url.set_fragment(None);
    let asks = Url::parse(&format!("{url}{mark}{query}")).map_err(|_| AnnounceError::Address)?;
    let answer = timeout(PATIENCE, follow(asks)).await;
    answer.unwrap_or(Err(AnnounceError::Silent))
}

async fn follow(mut url: Url) -> Answer {
    for _ in 0..=REDIRECTS {
        let (from, response) = get(&url).await?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            url = redirected(&url, &response).ok_or(AnnounceError::Redirect)?;
            continue;
        }
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => AnnounceError::TooLong,
            Err(error) => AnnounceError::Unreachable(error.to_string()),
        })?;
        return read(from, status, &body.to_bytes());
    }
    Err(AnnounceError::Redirect)
}

/// What a tracker answered. Some refuse in words and with a status that is none of success.
fn read(from: IpAddr, status: StatusCode, body: &[u8]) -> Answer {
    match AnnounceResponse::decode(body) {
        Ok(AnnounceResponse::Failure(reason)) => Err(AnnounceError::Refused(reason)),
        Ok(AnnounceResponse::Announced(announced)) if status.is_success() => {
            Ok(Reply { from, announced })
        }
        _ if !status.is_success() => Err(AnnounceError::Status(status.as_u16())),
        Err(error) => Err(error.into()),
        Ok(AnnounceResponse::Announced(_)) => Err(AnnounceError::Status(status.as_u16())),
    }
}

/// Where we are sent: by HTTP, and not from where nobody listens to where anybody may.
fn redirected(url: &Url, response: &Response<Incoming>) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let next = url.join(location).ok()?;
    let secure = next.scheme() == "https";
    (secure || next.scheme() == "http" && url.scheme() == "http").then_some(next)
}

async fn get(url: &Url) -> Result<(IpAddr, Response<Incoming>), AnnounceError> {
    let (host, port) = authority(url).ok_or(AnnounceError::Address)?;
    let stream = TcpStream::connect((host.as_str(), port)).await;
    let stream = stream.map_err(|error| unreachable(&error))?;
    let from = stream.peer_addr().map_err(|error| unreachable(&error))?;
    let response = match url.scheme() {
        "https" => {
            let stream = tls::connect(&host, stream).await;
            ask(url, stream.map_err(|error| unreachable(&error))?).await
        }
        _ => ask(url, stream).await,
    };
    let response = response.map_err(|error| AnnounceError::Unreachable(error.to_string()))?;
    Ok((from.ip().to_canonical(), response))
}

/// The head of the answer; the connection goes on for as long as somebody reads its body.
async fn ask<S>(url: &Url, stream: S) -> hyper::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = Request::get(path)
        .header(HOST, authority)
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .expect("an address that was parsed has a host and a path");
    sender.send_request(request).await
}
