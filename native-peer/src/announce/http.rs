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

use super::reach::{followed, is_local, look_up};
use super::{authority, tls, unreachable};

/// All of it takes no longer than this, other addresses that we are sent to included.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// So often we let us be sent elsewhere.
pub(crate) const REDIRECTS: usize = 5;
/// Bytes of an answer. 2000 peers in the longest form have a fifth of it.
const LONGEST: usize = 1 << 20;
/// What we are called.
pub(crate) const AGENT: &str = concat!("Tabswarm/", env!("CARGO_PKG_VERSION"));

/// `typed`: a person here named it.
pub(super) async fn announce(url: &Url, query: &AnnounceQuery, typed: bool) -> Answer {
    let query = query.to_query();
    let mark = if url.query().is_some() { '&' } else { '?' };
    let mut url = url.clone();
    url.set_fragment(None);
    let asks = Url::parse(&format!("{url}{mark}{query}")).map_err(|_| AnnounceError::Address)?;
    let answer = timeout(PATIENCE, follow(asks, typed)).await;
    answer.unwrap_or(Err(AnnounceError::Silent))
}

async fn follow(mut url: Url, mut typed: bool) -> Answer {
    let mut sent_by = None;
    for _ in 0..=REDIRECTS {
        let (from, response) = get(&url, sent_by, typed).await?;
        (sent_by, typed) = (Some(from), false);
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
pub(crate) fn redirected(url: &Url, response: &Response<Incoming>) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let next = url.join(location).ok()?;
    let secure = next.scheme() == "https";
    (secure || next.scheme() == "http" && url.scheme() == "http").then_some(next)
}

/// Asks whoever is there; `sent_by` is who sent us, if somebody did, and not a person here or a torrent.
async fn get(
    url: &Url,
    sent_by: Option<IpAddr>,
    typed: bool,
) -> Result<(IpAddr, Response<Incoming>), AnnounceError> {
    let (host, _) = authority(url).ok_or(AnnounceError::Address)?;
    let addresses = look_up(url).await.map_err(|error| unreachable(&error))?;
    let mut addresses = followed(sent_by, addresses);
    if addresses.is_empty() {
        return Err(AnnounceError::Redirect);
    }
    if !typed && !is_announce(url) {
        addresses.retain(|address| !is_local(*address));
        if addresses.is_empty() {
            return Err(AnnounceError::Local);
        }
    }
    let stream = TcpStream::connect(addresses.as_slice()).await;
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

/// What it is that is asked for shows in its name: a torrent may call anything in somebody's own
/// network a tracker.
fn is_announce(url: &Url) -> bool {
    let name = url.path().rsplit('/').next();
    name.is_some_and(|name| matches!(name, "announce" | "announce.php"))
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

#[cfg(test)]
mod tests {
    use swarm_core::id::{InfoHash, PeerId};
    use swarm_core::wire::tracker::{Announce, Event};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn query() -> AnnounceQuery {
        AnnounceQuery::new(Announce {
            info_hash: InfoHash([1; 20]),
            peer_id: PeerId([2; 20]),
            port: 6881,
            uploaded: 0,
            downloaded: 0,
            left: Some(1),
            event: Event::Started,
            numwant: Some(50),
            key: Some(7),
        })
    }

    /// Asks a server that gives this answer whatever it is asked.
    async fn answer(response: Vec<u8>) -> Answer {
        answer_at("announce", false, response).await
    }

    async fn answer_at(path: &str, typed: bool, response: Vec<u8>) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{path}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let response = response.clone();
                tokio::spawn(async move {
                    let mut asked = [0; 4096];
                    let _ = stream.read(&mut asked).await;
                    let _ = stream.write_all(&response).await;
                });
            }
        });
        announce(&url.parse().unwrap(), &query(), typed).await
    }

    async fn body(status: &str, body: &str) -> Answer {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
        answer((head + body).into_bytes()).await
    }

    #[tokio::test]
    async fn an_answer_is_read() {
        let reply = body(
            "200 OK",
            "d8:intervali60e5:peers6:\x01\x02\x03\x04\x1a\x01e",
        )
        .await;
        let Reply { from, announced } = reply.unwrap();
        assert!(from.is_loopback());
        assert_eq!(announced.interval, 60);
        assert_eq!(announced.peers[0].address.to_string(), "1.2.3.4:6657");
    }

    /// A torrent may name anything; a person knows what is in their own network.
    #[tokio::test]
    async fn a_local_tracker_of_another_name_is_asked_where_a_person_names_it() {
        let announced = b"HTTP/1.1 200 OK\r\n\r\nd8:intervali60e5:peers0:e";
        let at = |typed| answer_at("a/tracker.cgi", typed, announced.to_vec());
        assert_eq!(at(false).await, Err(AnnounceError::Local));
        assert_eq!(at(true).await.unwrap().announced.interval, 60);
    }

    #[tokio::test]
    async fn each_kind_of_bad_answer_has_its_name() {
        let refused = body("400 Bad Request", "d14:failure reason4:nopee").await;
        assert_eq!(refused, Err(AnnounceError::Refused("nope".to_owned())));
        let status = body("404 Not Found", "<html>").await;
        assert_eq!(status, Err(AnnounceError::Status(404)));
        let page = body("200 OK", "<html>").await;
        assert!(matches!(page, Err(AnnounceError::Response(_))), "{page:?}");
        let long = body("200 OK", &"x".repeat(LONGEST + 1)).await;
        assert_eq!(long, Err(AnnounceError::TooLong));
        let silent = answer(Vec::new()).await;
        assert!(
            matches!(silent, Err(AnnounceError::Unreachable(_))),
            "{silent:?}"
        );
        // From our own machine anybody there is as near.
        let away = "302 Found\r\nLocation: http://127.0.0.1:1/elsewhere";
        assert_eq!(body(away, "").await, Err(AnnounceError::Local));
        for nowhere in ["/announce", "ftp://host/", "udp://host:1/", "http://", ""] {
            let away = format!("302 Found\r\nLocation: {nowhere}");
            assert_eq!(
                body(&away, "").await,
                Err(AnnounceError::Redirect),
                "{nowhere}"
            );
        }
    }
}
